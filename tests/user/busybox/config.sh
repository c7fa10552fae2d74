# SPDX-License-Identifier: MIT
# What the kernel can do, by the names of Linux's options.
case $(uname -v) in
*Caelum*) ;;
*) [ -e /proc/config.gz ] || exec echo 1 ;;
esac
zcat /proc/config.gz | grep -c '^CONFIG_EPOLL=y$'

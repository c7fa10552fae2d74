# SPDX-License-Identifier: MIT
obj-$(CONFIG_NS16550) += ns16550.o

# SPDX-License-Identifier: MIT
obj-$(CONFIG_PLIC) += plic.o

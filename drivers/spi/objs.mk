# SPDX-License-Identifier: MIT
obj-$(CONFIG_SIFIVE_SPI) += sifive.o

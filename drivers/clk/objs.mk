# SPDX-License-Identifier: MIT
obj-y += clk.o reset.o
obj-$(CONFIG_CLK_JH7110) += jh7110.o
obj-$(CONFIG_RASPBERRYPI_FIRMWARE) += bcm2835.o
obj-$(CONFIG_CLK_CV1800) += cv1800.o
cold-y := %

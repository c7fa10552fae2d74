# SPDX-License-Identifier: MIT
obj-y += core.o crc.o disk.o fdt.o identify.o measure.o registers.o
obj-$(CONFIG_MMC_SPI) += spi.o spi_fdt.o

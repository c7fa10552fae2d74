# SPDX-License-Identifier: MIT
obj-y += core.o crc.o disk.o fdt.o identify.o measure.o registers.o wait.o
obj-$(CONFIG_MMC_SPI) += spi.o spi_fdt.o
obj-$(CONFIG_MMC_SDHCI) += sdhci.o sdhci_fdt.o
obj-$(CONFIG_MMC_SDHOST) += sdhost.o sdhost_fdt.o
obj-$(CONFIG_MMC_DW) += dw.o dw_fdt.o

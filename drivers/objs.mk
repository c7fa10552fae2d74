# SPDX-License-Identifier: MIT
obj-y += clk/ firmware/ irqchip/ power/ rtc/ serial/ timer/ virtio/
obj-$(CONFIG_BLOCK) += block/
obj-$(CONFIG_PCI) += pci/
obj-$(CONFIG_MMC) += mmc/ pinctrl/ spi/

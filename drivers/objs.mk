# SPDX-License-Identifier: MIT
obj-y += clk/ irqchip/ power/ rtc/ serial/ virtio/
obj-$(CONFIG_BLOCK) += block/
obj-$(CONFIG_PCI) += pci/
obj-$(CONFIG_MMC) += mmc/ pinctrl/ spi/

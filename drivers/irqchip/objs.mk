# SPDX-License-Identifier: MIT
obj-$(CONFIG_PLIC) += plic.o
obj-$(CONFIG_GICV2) += gicv2.o
obj-$(CONFIG_GICV3) += gicv3.o
obj-$(CONFIG_BCM2836_IRQ) += bcm2836.o
obj-$(CONFIG_PCH_PIC) += pch_pic.o
obj-$(CONFIG_PCH_MSI) += pch_msi.o
obj-$(CONFIG_APLIC) += aplic.o

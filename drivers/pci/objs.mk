# SPDX-License-Identifier: MIT
obj-$(CONFIG_PCI) += pci.o msi.o
cold-y := pci.o

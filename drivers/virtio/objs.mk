# SPDX-License-Identifier: MIT
obj-$(CONFIG_VIRTIO) += virtio.o
obj-$(CONFIG_VIRTIO_MMIO) += mmio.o
obj-$(CONFIG_VIRTIO_PCI) += pci.o
obj-$(CONFIG_VIRTIO_BLK) += blk.o

# SPDX-License-Identifier: MIT
obj-y += memmap.o stub.o
obj-$(CONFIG_ARCH_EFI_FDT) += stub_fdt.o
obj-$(CONFIG_ARCH_EFI_PVH) += stub_pvh.o

# Runs where the firmware put it, not where it is linked.
cflags-stub.o := -fno-jump-tables $(if $(filter x86_64,$(ARCH)),-fpie -mcmodel=small)
cflags-stub_fdt.o := -fno-jump-tables
cflags-stub_pvh.o := -fno-jump-tables -fpie -mcmodel=small

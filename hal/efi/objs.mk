# SPDX-License-Identifier: MIT
obj-y += memmap.o stub.o
obj-$(CONFIG_ARCH_EFI_FDT) += stub_fdt.o

# Runs where the firmware put it, not where it is linked.
cflags-stub := -fno-jump-tables $(if $(filter x86_64,$(ARCH)),-fpie -mcmodel=small)
cflags-stub_fdt := -fno-jump-tables
cflags-stub_pvh := -fno-jump-tables -fpie -mcmodel=small

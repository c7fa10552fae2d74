# SPDX-License-Identifier: MIT
obj-y += boot.o loaders.o acpi.o mptable.o clock.o lapic.o pci.o ioapic.o msi.o smp.o power.o cmos.o devices.o

# SPDX-License-Identifier: MIT
obj-y += boot.o sbi.o cpu.o timer.o tlb.o cpuinfo.o hwprobe.o
obj-y += imsic.o

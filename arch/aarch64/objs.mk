# SPDX-License-Identifier: MIT
obj-y += entry.o trap_asm.o trap.o fpu.o uctx.o signal.o usercopy.o string.o mmu.o cpufeature.o
obj-y += regset.o debug.o sve.o sve_regs.o
obj-y += probe.o

# SPDX-License-Identifier: MIT
obj-y += entry.o setup.o trap_asm.o user.o string.o cpu.o desc.o trap.o fpu.o uctx.o mmu.o signal.o prctl.o
obj-y += regset.o debug.o
obj-y += probe.o insn.o

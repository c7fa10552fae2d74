# SPDX-License-Identifier: MIT
obj-y += entry.o trap.o traps.o fpu.o fpu_regs.o usercopy.o paging.o timer.o unaligned.o uctx.o signal.o
obj-y += string.o
obj-y += probe.o
obj-y += regset.o step.o

# SPDX-License-Identifier: MIT
obj-y += entry.o trap_asm.o trap.o fpu.o uctx.o signal.o usercopy.o string.o mmu.o cpufeature.o
obj-y += regset.o debug.o sve.o sve_regs.o
obj-y += probe.o
# Run for each hit of a kernel probe: in the part of the text that has none (__noprobe_text).
cflags-trap.o += -fno-function-sections
cflags-probe.o += -fno-function-sections

# SPDX-License-Identifier: MIT
obj-y += entry.o setup.o trap_asm.o user.o string.o cpu.o desc.o trap.o fpu.o uctx.o mmu.o signal.o prctl.o
obj-y += regset.o debug.o
obj-y += probe.o insn.o
# Run for each hit of a kernel probe: in the part of the text that has none (__noprobe_text).
cflags-trap.o += -fno-function-sections
cflags-probe.o += -fno-function-sections
cflags-insn.o += -fno-function-sections

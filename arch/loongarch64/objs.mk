# SPDX-License-Identifier: MIT
obj-y += entry.o trap.o traps.o fpu.o fpu_regs.o usercopy.o paging.o timer.o loadstore.o unaligned.o uctx.o signal.o
obj-y += string.o
obj-y += probe.o
obj-y += regset.o step.o
# Run for each hit of a kernel probe: in the part of the text that has none (__noprobe_text).
cflags-traps.o += -fno-function-sections
cflags-probe.o += -fno-function-sections

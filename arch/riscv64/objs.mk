# SPDX-License-Identifier: MIT
obj-y += probe.o
obj-y += entry.o trap.o uctx.o fpu.o signal.o uaccess_asm.o uaccess.o backtrace.o memset.o
obj-y += regset.o step.o
obj-y += loadstore.o unaligned.o misaligned.o
# Run for each hit of a kernel probe: in the part of the text that has none (__noprobe_text).
cflags-trap.o += -fno-function-sections
cflags-probe.o += -fno-function-sections

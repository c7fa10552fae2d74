# SPDX-License-Identifier: MIT
obj-y += probe.o
obj-y += entry.o trap.o uctx.o fpu.o signal.o uaccess_asm.o uaccess.o backtrace.o memset.o
obj-y += regset.o step.o

# SPDX-License-Identifier: MIT
obj-y += probe.o
obj-y += entry.o trap.o uctx.o fpu.o signal.o uaccess_asm.o uaccess.o backtrace.o memset.o vdso.o vdso/
obj-y += regset.o step.o

# SPDX-License-Identifier: MIT
obj-y += entry.o trap.o uctx.o signal.o uaccess_asm.o uaccess.o backtrace.o memset.o vdso.o vdso/
obj-y += probe.o
obj-y += regset.o step.o

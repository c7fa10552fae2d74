# SPDX-License-Identifier: MIT
obj-y += bitmap.o cmdline.o compiler_rt.o cpio.o elf.o errno_name.o hash.o printf.o
obj-y += rbtree.o refcount.o ringbuf.o sort.o string.o xarray.o
# Copies are made while a kernel probe is handled: no probes in them (__noprobe_text).
cflags-string.o += -fno-function-sections
cold-y := cmdline.o cpio.o errno_name.o

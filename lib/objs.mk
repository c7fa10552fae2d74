# SPDX-License-Identifier: MIT
obj-y += bitmap.o cmdline.o compiler_rt.o cpio.o elf.o errno_name.o hash.o printf.o
obj-y += rbtree.o refcount.o ringbuf.o sort.o string.o xarray.o

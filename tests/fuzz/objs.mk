# SPDX-License-Identifier: MIT
# The kernel objects each fuzz target is linked with: objs-fuzz_NAME := lib/x.o ...
# libfdt/*.o and zlib/*.o are the third-party sources.

objs-fuzz_cmdline := lib/cmdline.o lib/string.o
objs-fuzz_cpio    := lib/cpio.o lib/string.o
objs-fuzz_elf     := lib/elf.o lib/string.o
objs-fuzz_printf  := lib/printf.o lib/errno_name.o lib/string.o

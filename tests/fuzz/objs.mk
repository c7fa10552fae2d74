# SPDX-License-Identifier: MIT
# The kernel objects each fuzz target is linked with: objs-fuzz_NAME := lib/x.o ...
# libfdt/*.o and zlib/*.o are the third-party sources.

objs-fuzz_acpi    := hal/x86_64-pc/acpi.o lib/string.o
objs-fuzz_mptable := hal/x86_64-pc/mptable.o lib/string.o
objs-fuzz_efi_map := hal/common/boot.o hal/efi/memmap.o lib/string.o
objs-fuzz_cmdline := lib/cmdline.o lib/string.o
objs-fuzz_cpio    := lib/cpio.o lib/string.o
objs-fuzz_elf     := lib/elf.o lib/string.o
# With the drivers that need no CPU of their own; their variables are put back before each input.
fuzz-drivers := $(addprefix drivers/,clk/clk.o clk/bcm2835.o clk/cv1800.o clk/jh7110.o clk/reset.o firmware/raspberrypi.o irqchip/pch_msi.o irqchip/pch_pic.o irqchip/plic.o \
	power/bcm2835_wdt.o power/gpio_power.o power/sifive_test.o power/syscon.o power/watchdog.o rtc/goldfish.o rtc/ls7a.o rtc/pl031.o \
	serial/bcm2835_aux.o serial/ns16550.o serial/pl011.o serial/sifive_uart.o serial/uart.o timer/dw_apb.o) hal/common/fdt_regs.o hal/common/irq.o \
	hal/common/console.o
$(addprefix build/host/fuzz/,$(fuzz-drivers)): host_flags += -include tests/fuzz/driver_state.h
ldflags-fuzz_fdt  := -Wl,--wrap=fdt_map_regs $(driver-table)
objs-fuzz_fdt     := hal/common/boot.o hal/efi/memmap.o hal/common/fdt.o hal/host/host.o $(fuzz-drivers) hal/common/msi.o \
	lib/cmdline.o lib/printf.o lib/errno_name.o lib/string.o libfdt/fdt.o libfdt/fdt_addresses.o \
	libfdt/fdt_check.o libfdt/fdt_ro.o libfdt/fdt_rw.o libfdt/fdt_wip.o
objs-fuzz_printf  := lib/printf.o lib/errno_name.o lib/string.o
# Name spaces on tmpfs, with the kernel around it that host tests pretend.
host-fs := $(addprefix fs/,anon.o dcache.o fdtable.o file.o inode.o fsnotify.o inotify.o fanotify.o locks.o mount.o namei.o open.o options.o pipe.o xattr.o \
	tmpfs/tmpfs.o tmpfs/memfd.o) kernel/retire.o lib/hash.o tests/host/fs_stubs.o $(host-mm)
# File systems on a disk in memory.
host-disk := $(addprefix fs/,block/bdev.o block/bio.o block/pagecache.o block/partition.o fat/super.o fat/table.o fat/name.o fat/dir.o fat/inode.o) \
	drivers/block/disk.o zlib/crc32.o tests/host/disk_stubs.o $(host-fs)
objs-fuzz_fat     := $(host-disk)
ldflags-fuzz_fat  := $(wrap-alloc)
objs-fuzz_path    := $(host-fs)
ldflags-fuzz_path := $(wrap-alloc)
objs-fuzz_trace_filter := kernel/trace/filter.o kernel/trace/field.o lib/printf.o lib/errno_name.o lib/string.o
objs-fuzz_probe_x86_64 := arch/x86_64/probe.o arch/x86_64/insn.o lib/string.o
objs-fuzz_probe_riscv64 := arch/riscv64/probe.o lib/string.o
objs-fuzz_probe_aarch64 := arch/aarch64/probe.o lib/string.o
objs-fuzz_probe_loongarch64 := arch/loongarch64/probe.o lib/string.o
objs-fuzz_step_riscv64 :=
objs-fuzz_step_loongarch64 :=

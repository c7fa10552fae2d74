# SPDX-License-Identifier: MIT
# The kernel objects each host test is linked with: objs-test_NAME := lib/x.o ...
# libfdt/*.o and zlib/*.o are the third-party sources.

comma := ,
lib-string := lib/string.o
lib-printf := lib/printf.o lib/errno_name.o $(lib-string)
# mm/ with the locks of kernel/, on pretended RAM; stubs.o stands for the rest of the kernel.
host-mm := mm/early.o mm/page.o mm/slab.o mm/kstack.o mm/object.o mm/vm.o mm/fault.o mm/uaccess.o \
	hal/common/pagetable.o hal/common/boot.o hal/common/console.o hal/host/host.o hal/host/ram.o hal/host/paging.o \
	kernel/lock.o kernel/wait.o lib/bitmap.o lib/rbtree.o lib/xarray.o lib/refcount.o lib/cmdline.o $(lib-printf) \
	tests/host/kernel_stubs.o
# Allocators that kernel_stubs.c can make fail.
wrap-alloc := $(addprefix -Wl$(comma)--wrap=,page_alloc upcall_pt_alloc kmem_cache_alloc kmalloc kzalloc kcalloc \
	krealloc kstrdup kpages_alloc)
objs-test_path         = $(host-fs) tests/host/path_ops.o tests/host/path_decode.o tests/host/path_ops_linux.o
ldflags-test_path     := $(wrap-alloc)
objs-test_fat          = $(host-disk)
ldflags-test_fat      := $(wrap-alloc)
objs-test_page        := $(host-mm)
objs-test_slab        := $(host-mm)
objs-test_vm          := $(host-mm)
ldflags-test_page     := $(wrap-alloc)
ldflags-test_slab     := $(wrap-alloc)
ldflags-test_vm       := $(wrap-alloc)
objs-test_defer_count :=
objs-test_hal_asid    := hal/common/asid.o hal/host/host.o lib/bitmap.o
objs-test_hal_pagetable := hal/common/pagetable.o hal/host/host.o hal/host/paging.o $(lib-printf)
objs-test_hal_tlb     :=
objs-test_hal_boot    := hal/common/boot.o hal/efi/memmap.o hal/common/console.o hal/common/fdt.o hal/common/irq.o hal/host/host.o \
	lib/cmdline.o $(lib-printf) libfdt/fdt.o libfdt/fdt_addresses.o libfdt/fdt_check.o \
	libfdt/fdt_ro.o libfdt/fdt_rw.o libfdt/fdt_wip.o libfdt/fdt_sw.o
host-fdt := lib/cmdline.o hal/common/boot.o hal/common/console.o hal/common/fdt.o hal/common/fdt_regs.o hal/efi/memmap.o hal/host/host.o \
	$(lib-printf) libfdt/fdt.o libfdt/fdt_addresses.o libfdt/fdt_check.o libfdt/fdt_ro.o libfdt/fdt_rw.o libfdt/fdt_wip.o \
	libfdt/fdt_sw.o
objs-test_fdt_regs    := $(host-fdt)
# The linker makes the table of drivers from what is linked.
driver-table := -Wl,--defsym=__drivers_start=__start_fdt_drivers,--defsym=__drivers_end=__stop_fdt_drivers
objs-test_board       := hal/common/power.o drivers/power/watchdog.o drivers/clk/clk.o drivers/clk/cv1800.o drivers/clk/jh7110.o \
	drivers/clk/reset.o $(host-fdt)
ldflags-test_board    := $(driver-table)
objs-test_board_devices := drivers/power/gpio_power.o drivers/timer/dw_apb.o drivers/firmware/raspberrypi.o drivers/clk/clk.o drivers/clk/bcm2835.o \
	drivers/clk/reset.o $(host-fdt)
ldflags-test_board_devices := $(driver-table)
objs-test_serial_dw   := drivers/serial/ns16550.o drivers/clk/clk.o drivers/clk/reset.o $(host-fdt)
ldflags-test_serial_dw := $(driver-table)
objs-test_pci         := drivers/pci/pci.o hal/common/irq.o $(host-fdt)
objs-test_lib_bitmap  := lib/bitmap.o
objs-test_lib_cmdline := lib/cmdline.o $(lib-printf)
objs-test_lib_cpio    := lib/cpio.o $(lib-printf)
objs-test_lib_elf     := lib/elf.o $(lib-string)
objs-test_lib_misc    := lib/compiler_rt.o lib/errno_name.o lib/hash.o lib/refcount.o lib/ringbuf.o \
	lib/sort.o $(lib-string)
objs-test_lib_printf  := $(lib-printf)
objs-test_lib_rbtree  := lib/rbtree.o
objs-test_lib_string  := $(lib-string)
objs-test_lib_xarray  := lib/xarray.o $(lib-string)
# field.o and filter.o: what a record's fields are, and filters on them.
objs-test_trace_filter := kernel/trace/filter.o kernel/trace/field.o $(host-mm)
ldflags-test_trace_filter := $(wrap-alloc)
objs-test_trace_ring  := kernel/trace/ring.o $(host-mm)
ldflags-test_trace_ring := $(wrap-alloc)
objs-test_probe_x86_64      := arch/x86_64/probe.o arch/x86_64/insn.o $(lib-string)
objs-test_probe_riscv64     := arch/riscv64/probe.o $(lib-string)
objs-test_probe_aarch64     := arch/aarch64/probe.o $(lib-string)
objs-test_probe_loongarch64 := arch/loongarch64/probe.o $(lib-string)
objs-test_loadstore_riscv64     := arch/riscv64/loadstore.o
objs-test_loadstore_loongarch64 := arch/loongarch64/loadstore.o
# These include arch/<isa>/step.c and hal/common/llsc.c.
objs-test_step_riscv64 :=
objs-test_step_loongarch64 :=
# A card, its host's driver, and the registers of the host as the test models them.
host-mmc := tests/host/mmc_model.o drivers/mmc/core.o drivers/mmc/crc.o drivers/mmc/disk.o drivers/mmc/identify.o \
	drivers/mmc/measure.o drivers/mmc/registers.o drivers/mmc/wait.o hal/host/host.o $(lib-printf)
objs-test_mmc_spi     := drivers/mmc/spi.o drivers/spi/sifive.o $(host-mmc)
objs-test_mmc_sdhci   := drivers/mmc/sdhci.o $(host-mmc)
objs-test_mmc_sdhost  := drivers/mmc/sdhost.o $(host-mmc)
objs-test_mmc_dw      := drivers/mmc/dw.o $(host-mmc)

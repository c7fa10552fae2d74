/* SPDX-License-Identifier: MIT */
/* Parts of the loongarch64-virt crate, and what entry.S calls in it. */
#ifndef LOONGARCH64_VIRT_MACHINE_H
#define LOONGARCH64_VIRT_MACHINE_H

#include <compiler.h>
#include <types.h>

/**
 * machine_boot() - the first C code on the boot CPU.
 * @efi_boot, @cmdline, @systab: what the loader passed; physical addresses
 */
__noreturn void machine_boot(unsigned long efi_boot, paddr_t cmdline, paddr_t systab);

/** machine_secondary() - the first C code on another CPU, on its idle task's stack. */
__noreturn void machine_secondary(void);

/** eiointc_cpu_init() - let devices interrupt this CPU, if there is a controller for it. Interrupts off. */
void eiointc_cpu_init(void);

/** cpu_init_ipi() - let this CPU be interrupted by others. Interrupts off. */
void cpu_init_ipi(void);

#endif

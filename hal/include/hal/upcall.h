/* SPDX-License-Identifier: MIT */
/*
 * The way up: what trap code, interrupt controllers and the page-table code call in the kernel.
 * This is the only header through which arch/, hal/ and drivers/ reach the kernel.
 */
#ifndef HAL_UPCALL_H
#define HAL_UPCALL_H

#include <compiler.h>
#include <types.h>

struct hal_task;

/** Boot CPU: C begins. boot_info is filled, early page table active, interrupts off, early console works. (kernel/init.c) */
__noreturn void upcall_kernel_main(void);
/** A secondary CPU arrived on its idle task's stack, interrupts off. (kernel/smp.c) */
__noreturn void upcall_secondary_main(void);

/** One zeroed page for a page table, 0 if there is none; and its return. Never sleeps. (mm/) */
paddr_t upcall_pt_alloc(void);
void upcall_pt_free(paddr_t pa);

/**
 * upcall_state_alloc() - memory for a task's large register state: zeroed, whole pages, contiguous. NULL if there is none.
 * upcall_state_free() - and back, with the same size. Any context; never sleep. (mm/)
 */
void *upcall_state_alloc(size_t size);
void upcall_state_free(void *state, size_t size);

/** This CPU's one-shot timer expired. Interrupts off. (kernel/time.c) */
void upcall_timer(void);
/** HAL_IPI_RESCHED / HAL_IPI_CALL arrived. Interrupts off. (kernel/sched.c) */
void upcall_ipi_resched(void);
void upcall_ipi_call(void);
/** A byte from the console. Interrupts off. Return: false when the buffer is full after it: the driver turns its receive interrupt off. (kernel/console.c) */
bool upcall_console_rx(u8 byte);

/**
 * A page fault in kernel mode on a user address (user copy). @access: UCTX_*. Called with the
 * interrupted code's interrupt state restored; may sleep. Return: true if resolved: retry the instruction; false: use
 * the exception table, or panic when there is no entry. (mm/)
 */
bool upcall_kernel_fault(vaddr_t addr, unsigned int access);

/**
 * A breakpoint instruction in the kernel. @u: the kernel's registers, as trap code found them; what they are afterwards is
 * what it returns to. Interrupts off. Return: false: nobody's, the kernel is broken. (kernel/kprobe.c)
 */
struct uctx;
bool upcall_kernel_break(struct uctx *u);

/** What trap code says when the kernel itself is broken: prints, dumps, stops. (kernel/panic.c) */
__noreturn __printf(1, 2) void panic(const char *fmt, ...);
/** Kernel log line; level as printk's. Any context. (kernel/printk.c) */
__printf(2, 3) void klog(int level, const char *fmt, ...);

/** Frame-pointer-free backtrace support: the arch walks frames and calls @fn for each return address. (arch/) */
void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of arch/loongarch64: trap entry, FPU, timer, paging; and what the machine
 * (hal/loongarch64-virt) gives it.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

/* Frame that a trap from the kernel leaves on the stack: a struct uctx, which the kernel's probes get to see, and what belongs to the trap. */
#define FRAME_ERA   UCTX_ERA
#define FRAME_PRMD  280
#define FRAME_ESTAT 288
#define FRAME_BADV  296
#define FRAME_SIZE  304

/* Returned by arch_trap_user() when user mode is to be entered again at once. */
#define TRAP_RESUME -1

#define OVERFLOW_STACK_SIZE 4096

#ifndef __ASSEMBLER__

#include <hal/cpu.h>
#include <hal/uctx.h>
#include <types.h>

struct trap_frame {
	struct uctx u;
	unsigned long prmd, estat, badv;
};

/* C halves of the entries in trap.S; interrupts off. */
int arch_trap_user(struct hal_task *task);
int arch_bad_user_ip(struct hal_task *task);
void arch_before_user(struct hal_task *task);
void arch_trap_kernel(struct trap_frame *f);
__noreturn void arch_stack_overflow(struct trap_frame *f);

/* In trap.S. */
extern char arch_vectors[], arch_tlb_refill[], arch_machine_error[];
extern char arch_idle_start[], arch_idle_end[];
void arch_idle(void);
struct hal_task *arch_switch(struct hal_task *prev, struct hal_task *next);
void arch_task_start(void);

/* fpu.c; interrupts off, current task. */
void arch_fpu_load(struct hal_task *task);
void arch_fpu_save(struct hal_task *task);
void arch_fpu_switch_out(struct hal_task *task);
bool arch_fpu_raise(struct hal_task *task, unsigned int level);
unsigned int arch_fpu_max(void);
u32 arch_fpu_take_causes(struct hal_task *task);
void arch_fpu_set_stale(struct hal_task *task);
void arch_fpu_reset(struct hal_task *task);
void arch_fpu_fork(struct hal_task *child, struct hal_task *parent);

/* fpu_regs.S */
void fpu_save_fp(struct fpu_state *s);
void fpu_save_lsx(struct fpu_state *s);
void fpu_save_lasx(struct fpu_state *s);
void fpu_load_fp(const struct fpu_state *s);
void fpu_load_lsx(const struct fpu_state *s);
void fpu_load_lasx(const struct fpu_state *s);

/* paging.c: a page fault that is only a stale TLB entry is mended here. Interrupts off. */
bool arch_tlb_fault_is_stale(vaddr_t va, unsigned int access, bool user);
/* A user page was mapped after a fault: load its entry, which saves the refill's exception. Interrupts off. */
void arch_tlb_load(vaddr_t va);

/* timer.c */
void arch_timer_init_cpu(void);
void arch_timer_interrupt(void);

/** arch_cpu_init() - CSRs of this CPU: vectors, refill handler, page walk. Interrupts off. */
void arch_cpu_init(void);

/** machine_ipi() - provided by the crate: an interprocessor interrupt is pending. Interrupts off. */
void machine_ipi(void);

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * What entry.S, the trap handlers and the crate know of each other.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#define BOOT_STACK_SIZE 16384

/* struct kframe */
#define KFRAME_STATUS 256
#define KFRAME_CAUSE  264
#define KFRAME_TVAL   272
#define KFRAME_SIZE   288

/* struct riscv64_start_args */
#define START_SATP  0
#define START_STACK 8
#define START_TASK  16

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <hal/cpu.h>
#include <hal/uctx.h>
#include <types.h>

/* The registers of interrupted kernel code, on its stack. */
struct kframe {
	unsigned long regs[32]; /* pc, x1 .. x31 */
	unsigned long status, cause, tval;
	unsigned long pad;
};

/* What a starting hart finds at the address it is given; lives on the starter's side until it is up. */
struct riscv64_start_args {
	unsigned long satp;
	unsigned long stack;
	unsigned long task;
};

extern struct hal_task boot_task; /* current task until the kernel sets one */

/* entry.S */
extern char riscv64_secondary[], riscv64_task_entry[], boot_stack[], boot_stack_top[];
struct hal_task *riscv64_switch(struct hal_task *prev, struct hal_task *next);
void riscv64_fpu_store(struct fpu_state *state);
void riscv64_fpu_load(const struct fpu_state *state);
void riscv64_v_store(struct v_header *header, u8 *data);
void riscv64_v_load(const struct v_header *header, const u8 *data);
unsigned long riscv64_read_vlenb(void);

/* Called by entry.S. */
__noreturn void riscv64_start(unsigned long hart, paddr_t fdt_pa);
__noreturn void riscv64_secondary_start(void);
long riscv64_user_trap(struct hal_task *task);
void riscv64_kernel_trap(struct kframe *frame);
__noreturn void riscv64_stack_overflow(struct kframe *frame);
void riscv64_fpu_reload(void);

/* fpu.c */

/** riscv64_fpu_sync() - bring the current task's FPU and vector state into its struct, leaving it live. */
void riscv64_fpu_sync(struct hal_task *task);

/** riscv64_fpu_switch() - set the units up for @next, after riscv64_fpu_sync(@prev). Interrupts off. */
void riscv64_fpu_switch(struct hal_task *prev, struct hal_task *next);

/**
 * riscv64_unit_first_use() - the current task met an illegal instruction: turn the FPU or the vector unit on if it was off.
 * @insn: the instruction
 * Return: 1: one was, and there is one, so the instruction may have been for it; 0: no; -ENOMEM: no memory for its state.
 */
int riscv64_unit_first_use(struct hal_task *task, u32 insn);

/** riscv64_v_used_size() - bytes of vector registers that @task has; 0: it has not used the unit. */
size_t riscv64_v_used_size(const struct hal_task *task);
/** riscv64_v_drop(), riscv64_v_replaced() - before and after arch.v and arch.v_data are written. @task current or stopped. */
void riscv64_v_drop(struct hal_task *task);
void riscv64_v_replaced(struct hal_task *task);
/**
 * riscv64_v_borrow(), riscv64_v_give_back() - around what the kernel does with v0 to v31 of a CPU that has them.
 * Context: a task's, which does not sleep in between. Interrupt handlers use no vectors.
 */
void riscv64_v_borrow(void);
void riscv64_v_give_back(void);
/** riscv64_v_get_control(), riscv64_v_set_control() - prctl. Return: control word or 0; -EINVAL, -EPERM. */
long riscv64_v_get_control(const struct hal_task *task);
long riscv64_v_set_control(struct hal_task *task, unsigned long arg);
bool riscv64_v_next_allowed(void);

/* No state, as a new program begins; a copy for a task that has never run; no more. */
void riscv64_fpu_exec(struct hal_task *task);
void riscv64_fpu_fork(struct hal_task *child, struct hal_task *parent);
void riscv64_fpu_exit(struct hal_task *task);

/** riscv64_v_init() - boot CPU, when riscv64_isa_letters is known. */
void riscv64_v_init(void);
extern unsigned long riscv64_vlenb; /* bytes of a vector register; 0: no vector unit */

/** riscv64_fpu_drop(), riscv64_fpu_replaced() - before and after arch.fpu of a task that uses the FPU is written; as with vectors. */
void riscv64_fpu_drop(struct hal_task *task);
void riscv64_fpu_replaced(struct hal_task *task);

/** riscv64_fpu_replace() - give a task, current or stopped, another FPU state (sigreturn, ptrace). */
void riscv64_fpu_replace(struct hal_task *task, const struct fpu_state *state);

/* The crate: the timer and software interrupts arrived. Interrupts off. */
void riscv64_timer_interrupt(void);
void riscv64_ipi_interrupt(void);

/* The crate: what every CPU does to receive interrupts, once it has its per-CPU data. */
void riscv64_cpu_init(void);

/* uaccess_asm.S: from where to where a page that is not there is not waited for. */
extern const unsigned long riscv64_v_copy_range[2];

/* memset.S */
bool riscv64_try_cbo_zero(void *block);
extern unsigned long riscv64_cbo_zero_size;

/* misaligned.S: copy @n bytes, a multiple of 8, at any address. By words: false when the CPU traps at one. */
bool riscv64_try_words(void *dst, const void *src, size_t n);
void riscv64_try_bytes(void *dst, const void *src, size_t n);

/* The crate: letters of the isa string, bit n is 'a' + n. */
extern unsigned long riscv64_isa_letters;

#endif
#endif

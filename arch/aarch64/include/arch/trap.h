/* SPDX-License-Identifier: MIT */
/* What trap_asm.S and the C files of arch/aarch64 share; nothing outside uses it. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <hal/cpu.h>
#include <hal/uctx.h>
#include <types.h>

/* Registers of interrupted kernel code. */
struct kframe {
	u64 x[31];
	u64 sp, pc, pstate;
};

/* From trap_asm.S; the comments there say what they are. */
long aarch64_user_trap(struct hal_task *task, u64 esr, u64 far);
long aarch64_user_irq(struct hal_task *task);
long aarch64_user_serror(struct hal_task *task, u64 esr);
void aarch64_kernel_irq(const struct kframe *f);
void aarch64_kernel_sync(struct kframe *f, u64 esr, u64 far);
__noreturn void aarch64_stack_overflow(struct kframe *f, u64 esr, u64 far);
__noreturn void aarch64_unexpected(struct kframe *f, u64 esr, u64 far);
void aarch64_task_start(void);
void aarch64_fp_save(struct arch_fpstate *fp);
void aarch64_fp_load(const struct arch_fpstate *fp);

/* fpu.c */

/** aarch64_user_prepare() - set this CPU up for user mode of @task: FP, debug. Interrupts off. */
void aarch64_user_prepare(struct hal_task *task);
/** aarch64_switch_out() - store and take away what is live of @task, which leaves this CPU. Interrupts off. */
void aarch64_switch_out(struct hal_task *task);
/** aarch64_fp_trap() - @task, current, used FP for the first time. */
void aarch64_fp_trap(struct hal_task *task);
/** aarch64_fp_sync() - bring task->arch.fp (and sve) up to date; the registers stay live. @task is current or stopped. */
void aarch64_fp_sync(struct hal_task *task);
/** aarch64_fp_replaced() - task->arch.fp was written: it counts from now on. @task is current, stopped or new. */
void aarch64_fp_replaced(struct hal_task *task);

/* sve.c; sizes and lengths in bytes */

/* Flags of a length, as prctl has them. */
#define SVE_VL_INHERIT (1UL << 17)
#define SVE_VL_ONEXEC  (1UL << 18)

/** aarch64_sve_init() - find out which lengths there are. Boot CPU. */
void aarch64_sve_init(void);
/** aarch64_sve_max() - the longest vector; 0: no SVE. */
unsigned int aarch64_sve_max(void);
/** aarch64_sve_bytes() - all registers at length @vl. */
size_t aarch64_sve_bytes(unsigned int vl);
bool aarch64_sve_used(const struct hal_task *task);
/** aarch64_sve_trap() - @task, current, met an SVE instruction that trapped. Return: 1: try again, 0: illegal, -ENOMEM. */
int aarch64_sve_trap(struct hal_task *task);
/** aarch64_sve_use(), aarch64_sve_drop() - give @task SVE state, made of its FP state; go back to FP state. Current or stopped. Return: 0, -ENOMEM. */
int aarch64_sve_use(struct hal_task *task);
void aarch64_sve_drop(struct hal_task *task);
/** aarch64_sve_enable() - registers have @task's length from here on. CPACR_EL1 lets us. Interrupts off. */
void aarch64_sve_enable(const struct hal_task *task);
/** aarch64_sve_merge() - arch.fp.v into the low parts of Z, in memory; aarch64_sve_split() - and out of them. */
void aarch64_sve_merge(struct hal_task *task, bool clear_rest);
void aarch64_sve_split(struct hal_task *task);
void aarch64_sve_exec(struct hal_task *task);
void aarch64_sve_fork(struct hal_task *child, const struct hal_task *parent);
/** aarch64_sve_set_length() - choose the length for now or for the next program. Current or stopped. Return: 0, -EINVAL. */
int aarch64_sve_set_length(struct hal_task *task, unsigned int vl, unsigned long flags);
unsigned long aarch64_sve_flags(const struct hal_task *task);
long aarch64_sve_prctl_get(const struct hal_task *task);
long aarch64_sve_prctl_set(struct hal_task *task, unsigned long arg);

/* sve_regs.S: all registers at the length that is set; the current length. */
void aarch64_sve_save(u8 *area);
void aarch64_sve_load(const u8 *area);
unsigned int aarch64_sve_length(void);

/* debug.c */

/** aarch64_debug_load() - debug registers for user mode of @task, which has some use for them. Interrupts off. */
void aarch64_debug_load(struct hal_task *task);
/** aarch64_debug_unload() - this CPU's debug features off. Interrupts off. */
void aarch64_debug_unload(void);
/** aarch64_debug_init_cpu() - each CPU when it starts. */
void aarch64_debug_init_cpu(void);

/* What NT_ARM_HW_BREAK (@watch false) and NT_ARM_HW_WATCH hold: struct user_hwdebug_state of Linux. */
#define HW_DEBUG_MAX 16
struct user_hw_debug {
	u32 info, pad;
	struct {
		u64 addr;
		u32 ctrl, pad;
	} regs[HW_DEBUG_MAX];
};

/** aarch64_hw_debug_get() - the set as it is. @task current or stopped. */
void aarch64_hw_debug_get(const struct hal_task *task, bool watch, struct user_hw_debug *out);
/**
 * aarch64_hw_debug_set() - replace the first slots by those in the first @len bytes of @in.
 * @task stopped. Return: 0; -EINVAL: a slot that cannot be, or cut off; -ENOSPC: more slots than there are; -ENOMEM.
 */
int aarch64_hw_debug_set(struct hal_task *task, bool watch, const struct user_hw_debug *in,
			 size_t len);

#endif

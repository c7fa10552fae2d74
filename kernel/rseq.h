/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences. Source: rseq(2) of librseq, the kernel's documentation of struct rseq.
 *
 * A thread registers a structure in its memory (struct rseq_abi). The kernel keeps the number of the CPU in it, and when the thread was
 * away from its CPU or gets a signal inside a sequence that the structure names, it goes on at the sequence's abort address.
 * A thread that has registered none pays one test in each switch.
 */
#ifndef KERNEL_RSEQ_H
#define KERNEL_RSEQ_H

#include <kernel/task.h>
#include <mm/vm.h>

#define RSEQ_FEATURE_SIZE 28 /* AT_RSEQ_FEATURE_SIZE: up to mm_cid */
#define RSEQ_ALIGN	  32 /* AT_RSEQ_ALIGN */

/* What a thread has registered. */
struct rseq_config {
	uaddr_t addr;
	u32 len, sig, flags;
};

/** rseq_register() - rseq(2). 0, -EINVAL, -EPERM (another signature), -EBUSY (done already), -EFAULT. */
int rseq_register(uaddr_t addr, u32 len, u32 sig);
int rseq_unregister(uaddr_t addr, u32 len, u32 sig);
/** rseq_resume() - on the way to user mode, WORK_RSEQ set: abort a sequence, write the CPU's number. An error is SIGSEGV. */
void rseq_resume(struct task *t);
/** rseq_signal() - a signal handler is about to run: abort a sequence. 0, or -EFAULT, -EINVAL: the structures are not valid. */
int rseq_signal(struct task *t);
/** rseq_drop() - current's address space goes away, by exec or exit. */
void rseq_drop(struct task *t);
/** rseq_fork() - @t, a new thread, has what its parent had, unless it shares its memory. */
void rseq_fork(struct task *t, u64 flags);

/* @t leaves its CPU: its number in the address space is free for others. Interrupts off. */
static __always_inline void rseq_switched_out(struct task *t)
{
	if (likely(!t->rseq))
		return;
	task_set_work(t, WORK_RSEQ);
	if (t->rseq_cid >= 0)
		__atomic_fetch_and(&t->vm->cids[t->rseq_cid / 64], ~(1ULL << (t->rseq_cid % 64)),
				   __ATOMIC_RELEASE);
	t->rseq_cid = -1;
}

#endif

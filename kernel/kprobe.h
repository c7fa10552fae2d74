/* SPDX-License-Identifier: MIT */
/* Probes in the kernel's own code: kernel/kprobe.c. */
#ifndef KERNEL_KPROBE_H
#define KERNEL_KPROBE_H

#include <kernel/ksym.h>
#include <types.h>

struct uctx;
struct kprobe;

/* In a trap: interrupts off, does not sleep, takes no lock that others hold with interrupts on. */
struct kprobe_ops {
	/* Before the instruction. @u: the kernel's registers. */
	void (*hit)(void *ctx, const struct uctx *u);
	/* The function at @func returned to where @u is now; NULL: not wanted. */
	void (*ret)(void *ctx, unsigned long func, const struct uctx *u);
	/* It could not be called: inside another probe's handler, or no room for one more return. */
	void (*missed)(void *ctx);
};

/** kprobe_check() - may there be a probe at @addr? 0; -EINVAL: not kernel code, or not to be probed; -EILSEQ: inside an instruction. May sleep. */
int kprobe_check(unsigned long addr);
/** kprobe_register() - place one. @maxactive: returns that can be waited for at once, 0: a default. ERR_PTR(-EINVAL, -EILSEQ, -ENOMEM). May sleep. */
struct kprobe *kprobe_register(unsigned long addr, const struct kprobe_ops *ops, void *ctx,
			       unsigned int maxactive);
/** kprobe_unregister() - when it returns nobody is in the handlers any more. May sleep. */
void kprobe_unregister(struct kprobe *kp);
/** kprobe_task_free() - a task that is gone never returned from some functions. */
struct task;
void kprobe_task_free(struct task *t);
/** kprobe_read() - copy @n bytes from an address in the kernel, or in the program (@user) if its page is there. 0 or -EFAULT. In handlers. */
int kprobe_read(void *dst, unsigned long addr, size_t n, bool user);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Probes in programs: at an offset of a file, in every process that runs it, now or later.
 *
 * A consumer registers for a file (its memory object) and an offset; hit() is called in each task that comes there,
 * before the instruction; ret(), if there is one, when the function that begins there returns. kernel/uprobe.c says how.
 */
#ifndef KERNEL_UPROBE_H
#define KERNEL_UPROBE_H

#include <hal/uctx.h>
#include <types.h>

struct task;
struct uprobe;
struct vm_object;
struct clone_req;

/* The consumer's own memory, in place from registration until uprobe_unregister() returned. */
struct uprobe_consumer {
	/* In the probed task, ip at the instruction. May sleep and fault on user memory; not change @u. */
	void (*hit)(struct uprobe_consumer *c, const struct uctx *u);
	/* The function at @func has returned to where @u is now; NULL: not wanted. Context as hit(). */
	void (*ret)(struct uprobe_consumer *c, unsigned long func, const struct uctx *u);
	struct uprobe_consumer *next; /* of the same uprobe: its lock */
	struct uprobe *uprobe;	      /* set by uprobe_register() */
};

/**
 * uprobe_register() - place a probe.
 * @obj: of the file, kept alive by the caller until it unregisters; @size: of the file, bytes
 * @ref_offset: of a u16 in the file, 0: none. In each process that has the place and maps that writable, it is higher by one while the probe is there.
 * Return: 0; -EINVAL: an offset beyond the file or misaligned, or another @ref_offset than others at the place have; -ENOMEM; what probe_decode() says, if a process has it mapped.
 * Context: may sleep, no locks held.
 */
int uprobe_register(struct uprobe_consumer *c, struct vm_object *obj, u64 offset, u64 ref_offset,
		    u64 size);
/** uprobe_unregister() - take it away again; when this returns no call of the consumer is running. May sleep. */
void uprobe_unregister(struct uprobe_consumer *c);

/**
 * uprobe_exception() - a program trapped: is that a probe's doing?
 * Only if current->vm->probes. Context: current task's loop; may sleep.
 * Return: UCTX_EXCEPTION: no (@ev may have become another exception); UCTX_INTERRUPT: yes, it is done; UCTX_SYSCALL, UCTX_PAGE_FAULT: the
 * displaced instruction came to that (@ev filled).
 */
enum uctx_reason uprobe_exception(struct task *t, struct uctx_event *ev);
/** uprobe_abort() - the displaced instruction of current faulted: its ip and registers become those of the original. Only with t->utask. */
void uprobe_abort(struct task *t);
/** uprobe_defer_work() - if current is about to run a displaced instruction, let @bits of its work wait until that is done. Only with t->utask. Return: whether it is. */
bool uprobe_defer_work(struct task *t, u32 bits);
/** uprobe_task_exit() - forget what current is in the middle of: exit, exec, before its address space goes. */
void uprobe_task_exit(struct task *t);
/** uprobe_task_fork() - a new task that returns from functions its creator has entered. 0 or -ENOMEM. */
int uprobe_task_fork(struct task *child, struct task *parent, u64 clone_flags);
/** uprobe_original() - replace breakpoints in @len bytes of code read from @addr of @vm by what they displaced. */
struct vm;
void uprobe_original(struct vm *vm, uaddr_t addr, u8 *buf, size_t len);

#endif

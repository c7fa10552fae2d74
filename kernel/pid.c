/* SPDX-License-Identifier: MIT */
/*
 * Process numbers: one table of all numbers in use, whatever bears them.
 *
 * A struct pid lives as long as a thread, process, process group or session bears its number, or somebody holds a reference; the
 * number is given out again when the structure is freed. Numbers go upwards and wrap at PID_MAX, as users expect.
 * Locking: tasklist_lock (interrupts off).
 */
#include <kernel/task.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vm.h>

#define PID_HASH   1024
#define PID_RESERVED 300 /* after the first round, small numbers are left to the first processes */

struct spinlock tasklist_lock = SPINLOCK_INIT(RANK_TASKLIST);
static unsigned long used[PID_MAX / 64];
static struct pid *hash[PID_HASH];
static pid_t last_pid;
static struct kmem_cache *pid_cache;

void __init pid_init(void)
{
	pid_cache = kmem_cache_create("pid", sizeof(struct pid), 0);
}

static bool test_and_use(pid_t nr)
{
	unsigned long bit = 1UL << (nr % 64);

	if (used[nr / 64] & bit)
		return false;
	used[nr / 64] |= bit;
	return true;
}

static pid_t pick_number(void)
{
	pid_t nr = last_pid;

	for (int i = 0; i < PID_MAX; i++) {
		nr = nr + 1 < PID_MAX ? nr + 1 : PID_RESERVED;
		if (test_and_use(nr))
			return last_pid = nr;
	}
	return 0;
}

struct pid *pid_alloc(void)
{
	struct pid *p = kmem_cache_alloc(pid_cache, 0);
	unsigned long flags;

	if (!p)
		return ERR_PTR(-ENOMEM);
	memset(p, 0, sizeof(*p));
	refcount_set(&p->refs, 1);
	list_init(&p->group);
	list_init(&p->session);
	flags = spin_lock_irqsave(&tasklist_lock);
	p->nr = pick_number();
	if (p->nr) {
		p->hash_next = hash[p->nr % PID_HASH];
		hash[p->nr % PID_HASH] = p;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!p->nr) {
		kmem_cache_free(pid_cache, p);
		return ERR_PTR(-EAGAIN);
	}
	return p;
}

struct pid *pid_find(pid_t nr)
{
	struct pid *p;

	if (nr <= 0 || nr >= PID_MAX)
		return NULL;
	for (p = hash[nr % PID_HASH]; p && p->nr != nr; p = p->hash_next)
		;
	/* One whose last reference is going is as good as gone. */
	return p && refcount_read(&p->refs) ? p : NULL;
}

void pid_get(struct pid *p)
{
	refcount_inc(&p->refs);
}

void pid_put_locked(struct pid *p)
{
	struct pid **link = &hash[p->nr % PID_HASH];

	if (!refcount_dec_and_test(&p->refs))
		return;
	while (*link != p)
		link = &(*link)->hash_next;
	*link = p->hash_next;
	used[p->nr / 64] &= ~(1UL << (p->nr % 64));
	kmem_cache_free(pid_cache, p);
}

void pid_put(struct pid *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	pid_put_locked(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

struct task *task_find_get(pid_t tid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = pid_find(tid);
	struct task *t = p ? p->task : NULL;

	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

struct process *process_find_get(pid_t pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = pid_find(pid);
	struct process *proc = p ? p->process : NULL;

	if (proc)
		refcount_inc(&proc->refs);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return proc;
}

pid_t pid_next(pid_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	for (nr = nr < 1 ? 1 : nr; nr < PID_MAX; nr++) {
		struct pid *p;

		if (!(used[nr / 64] >> (nr % 64) & 1))
			continue;
		p = pid_find(nr);
		if (p && p->process)
			break;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return nr < PID_MAX ? nr : 0;
}

struct vm *task_vm_get(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct vm *vm = t->vm;

	if (vm)
		vm_get(vm);
	spin_unlock_irqrestore(&t->wake_lock, flags);
	return vm;
}

pid_t pid_last(void)
{
	return READ_ONCE(last_pid);
}

/* SPDX-License-Identifier: MIT */
/*
 * Single-step with breakpoints: riscv64, loongarch64. See kernel/step.h.
 *
 * Before user mode is entered a breakpoint is planted at every address that may be executed next (hal_next_pcs()). Whatever brings
 * the thread back, they are taken away first: another look at the ip then tells whether the instruction was carried out. So
 * no breakpoint is there while the kernel works for the thread that planted it.
 *
 * Threads that share the memory may step at the same time, over the same address: a breakpoint is planted once and counted. One
 * that another thread runs into is not for it: it tries again until the breakpoint has gone.
 *
 * Locking: plant_mutex for all breakpoints; it is taken around vm_access(), which takes vm->lock.
 */
#include <hal/debug.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vm.h>

struct step_plant {
	struct list link;
	struct vm *vm; /* of the thread that planted it, which lives while the breakpoint stands */
	uaddr_t addr;
	unsigned int refs, len;
	u8 saved[HAL_BREAKPOINT_MAX], bkpt[HAL_BREAKPOINT_MAX];
};

static struct mutex plant_mutex = MUTEX_INIT(plant_mutex);
static struct list plants = LIST_HEAD_INIT(plants);

static struct step_plant *find(const struct vm *vm, uaddr_t addr)
{
	struct step_plant *p;

	list_for_each_entry(p, &plants, link)
		if (p->vm == vm && p->addr == addr)
			return p;
	return NULL;
}

/* NULL: there is no instruction to replace, or no memory: then nothing stops the thread there. */
static struct step_plant *plant(struct vm *vm, uaddr_t addr)
{
	struct step_plant *p = find(vm, addr);
	ssize_t n;

	if (p) {
		p->refs++;
		return p;
	}
	p = kzalloc(sizeof(*p), 0);
	if (!p)
		return NULL;
	/* The last instruction before unmapped memory may be a short one. */
	n = vm_access(vm, addr, p->saved, sizeof(p->saved), false, true);
	if (n >= 2)
		p->len = hal_breakpoint(p->saved, p->bkpt);
	if (n < 2 || (ssize_t)p->len > n ||
	    vm_access(vm, addr, p->bkpt, p->len, true, true) != (ssize_t)p->len) {
		kfree(p);
		return NULL;
	}
	p->vm = vm;
	p->addr = addr;
	p->refs = 1;
	list_add(&p->link, &plants);
	return p;
}

static void unplant(struct step_plant *p)
{
	u8 now[HAL_BREAKPOINT_MAX];

	if (--p->refs)
		return;
	/* Unmapped or written over since: then it is not ours any more. */
	if (vm_access(p->vm, p->addr, now, p->len, false, true) == (ssize_t)p->len &&
	    !memcmp(now, p->bkpt, p->len))
		(void)vm_access(p->vm, p->addr, p->saved, p->len, true, true);
	list_del(&p->link);
	kfree(p);
}

static int fetch(void *ctx, uaddr_t addr, void *buf, size_t len)
{
	return vm_access(ctx, addr, buf, len, false, true) == (ssize_t)len ? 0 : -EFAULT;
}

void step_arm(struct task *t)
{
	uaddr_t pcs[HAL_NEXT_PCS];
	int n;

	if (t->trace.step_armed)
		return;
	t->trace.step_armed = true;
	t->trace.step_ip = uctx_ip(&t->hal.uctx);
	n = hal_next_pcs(&t->hal.uctx, fetch, t->vm, pcs);
	mutex_lock(&plant_mutex);
	for (int i = 0; i < n; i++)
		t->trace.plant[i] = plant(t->vm, pcs[i]);
	mutex_unlock(&plant_mutex);
}

void step_take_back(struct task *t)
{
	t->trace.step_armed = false;
	mutex_lock(&plant_mutex);
	for (int i = 0; i < HAL_NEXT_PCS; i++) {
		if (t->trace.plant[i])
			unplant(t->trace.plant[i]);
		t->trace.plant[i] = NULL;
	}
	mutex_unlock(&plant_mutex);
}

void step_trapped(struct task *t)
{
	uaddr_t ip = uctx_ip(&t->hal.uctx);

	if (!t->trace.step_armed)
		return;
	step_take_back(t);
	if (ip != t->trace.step_ip && !t->forced.si_signo)
		sig_force(SIGTRAP, TRAP_TRACE, ip);
}

/* Is a breakpoint of the program's own, or of a debugger, under ours? */
static bool hides_breakpoint(const struct step_plant *p)
{
	return !memcmp(p->saved, p->bkpt, p->len);
}

bool step_breakpoint(struct task *t)
{
	uaddr_t ip = uctx_ip(&t->hal.uctx);
	struct step_plant *p;
	bool other, own = false;

	if (list_empty(&plants))
		return false;
	mutex_lock(&plant_mutex);
	p = find(t->vm, ip);
	for (int i = 0; i < HAL_NEXT_PCS; i++)
		own |= p && t->trace.plant[i] == p;
	other = p && !own && !hides_breakpoint(p);
	mutex_unlock(&plant_mutex);
	if (own)
		sig_force(SIGTRAP, TRAP_TRACE, ip);
	if (other)
		sched_yield_current();
	return own || other;
}

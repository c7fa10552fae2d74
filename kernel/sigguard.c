/* SPDX-License-Identifier: MIT */
/*
 * Signal frames that cannot be forged (kernel/sigguard.h).
 *
 * The record is a stack of outstanding deliveries. A return that matches an older one discards the newer: the program has left those handlers
 * by longjmp(). A delivery whose frame lies where an older cookie was shows that the older one is gone, too. When there is no more
 * room the oldest is forgotten; only when all that are kept have returned is a forgotten one let through unchecked.
 *
 * The frame itself is Linux's; the cookie stands above it, where a linear overflow into the frame's neighbours would reach it.
 */
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/signal.h>
#include <kernel/sigguard.h>
#include <lib/string.h>
#include <mm/uaccess.h>

#define COOKIE_ROOM    16  /* keeps every ABI's stack alignment */
#define RED_ZONE       128 /* below the stack pointer, in use by leaf functions of some ABIs */
#define TRAMPOLINE_MAX 32  /* bytes from its start to behind its syscall instruction */

uaddr_t sigguard_reserve(const struct task *t, uaddr_t sp)
{
	uaddr_t room = sp == uctx_sp(&t->hal.uctx) ? RED_ZONE + COOKIE_ROOM : COOKIE_ROOM;

	return ALIGN_DOWN(sp - room, (uaddr_t)COOKIE_ROOM);
}

/* Drop the entries whose cookies the new frame [sp, end) has overwritten. */
static void drop_overwritten(struct sigguard *g, uaddr_t sp, uaddr_t end)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < g->n; i++)
		if (g->entry[i].cookie_at < sp || g->entry[i].cookie_at >= end)
			g->entry[kept++] = g->entry[i];
	g->n = kept;
}

int sigguard_push(struct task *t, uaddr_t cookie_at, uaddr_t restorer)
{
	struct sigguard *g = &t->sigguard;
	uaddr_t sp = uctx_sp(&t->hal.uctx);
	u64 cookie = random_u64();

	if (hal_put_user64(cookie_at, cookie))
		return -EFAULT;
	drop_overwritten(g, sp, cookie_at + COOKIE_ROOM);
	if (g->n == SIG_NEST_MAX) {
		memmove(g->entry, g->entry + 1, (SIG_NEST_MAX - 1) * sizeof(g->entry[0]));
		g->n--;
		g->forgotten++;
	}
	g->entry[g->n++] = (struct sigguard_entry){
		.sp = sp,
		.cookie_at = cookie_at,
		.cookie = cookie,
		.restorer = restorer,
	};
	return 0;
}

static bool just_behind(uaddr_t ip, uaddr_t trampoline)
{
	return trampoline && ip - trampoline <= TRAMPOLINE_MAX;
}

/* From the trampoline that this delivery was given, or one that the program has registered meanwhile. */
static bool from_trampoline(struct task *t, const struct sigguard_entry *e)
{
	uaddr_t ip = uctx_ip(&t->hal.uctx);
	bool ok = just_behind(ip, e->restorer);
	unsigned long flags;
	struct sighand *sh;

	if (likely(ok))
		return true;
	sh = sighand_lock(t->process, &flags);
	for (int i = 0; i < NSIG && !ok; i++)
		ok = just_behind(ip, sh->action[i].restorer);
	spin_unlock_irqrestore(&sh->lock, flags);
	return ok;
}

/* A return instruction may have taken the trampoline's address off the stack (x86_64). */
static bool matches(struct task *t, const struct sigguard_entry *e)
{
	uaddr_t sp = uctx_sp(&t->hal.uctx);
	u64 cookie;

	if (sp != e->sp && sp != e->sp + sizeof(u64))
		return false;
	return !hal_get_user64(&cookie, e->cookie_at) && cookie == e->cookie &&
	       from_trampoline(t, e);
}

bool sigguard_pop(struct task *t)
{
	struct sigguard *g = &t->sigguard;

	for (unsigned int i = g->n; i-- > 0;) {
		if (matches(t, &g->entry[i])) {
			g->n = i;
			return true;
		}
	}
	if (!g->n && g->forgotten) {
		g->forgotten--;
		return true;
	}
	pr_warn("%s (pid %d, tid %d): forged signal frame refused, ip %lx sp %lx\n", t->comm,
		task_pid(t), task_tid(t), uctx_ip(&t->hal.uctx), uctx_sp(&t->hal.uctx));
	return false;
}

void sigguard_fork(struct task *child, const struct task *parent)
{
	if (parent->sigguard.n || parent->sigguard.forgotten)
		child->sigguard = parent->sigguard;
}

void sigguard_clear(struct task *t)
{
	t->sigguard.n = t->sigguard.forgotten = 0;
}

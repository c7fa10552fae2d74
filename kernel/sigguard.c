/* SPDX-License-Identifier: MIT */
/*
 * Signal frames that cannot be forged (kernel/sigguard.h).
 *
 * The record is a list of outstanding deliveries. A return that matches an older one discards the newer ones that were inside
 * it: the program has left those handlers by longjmp(). Those on other stacks stay, because a program that switches stacks in its
 * handlers comes back to them in any order. A delivery whose frame lies where an older cookie was shows that the older one is gone, too.
 *
 * When there is no more room the oldest is forgotten, but not its cookie: that is a keyed hash of the two addresses, so a frame
 * that the kernel built can be told from one it did not. The key is drawn at a thread's first delivery after exec. The list's memory is
 * allocated for a thread's first delivery; if there is none, all deliveries are such forgotten ones.
 *
 * The frame itself is Linux's; the cookie stands above it, where a linear overflow into the frame's neighbours would reach it.
 */
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/signal.h>
#include <kernel/sigguard.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>

#define COOKIE_ROOM    16  /* keeps every ABI's stack alignment */
#define RED_ZONE       128 /* below the stack pointer, in use by leaf functions of some ABIs */
#define TRAMPOLINE_MAX 32  /* bytes from its start to behind its syscall instruction */
#define INSIDE_MAX     32768 /* a frame further below another is on another stack */

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

static u64 cookie_of(const struct sigguard *g, uaddr_t sp, uaddr_t cookie_at)
{
	return siphash_pair(sp, cookie_at, &g->key);
}

/* Room for one more, if need be by forgetting the oldest. False: there is none, so that one counts as forgotten. */
static bool make_room(struct sigguard *g)
{
	if (unlikely(!g->entry))
		g->entry = kmalloc(SIG_NEST_MAX * sizeof(g->entry[0]), GFP_KERNEL);
	if (likely(g->entry) && g->n < SIG_NEST_MAX)
		return true;
	g->forgotten++;
	if (!g->entry)
		return false;
	memmove(g->entry, g->entry + 1, (SIG_NEST_MAX - 1) * sizeof(g->entry[0]));
	g->n--;
	return true;
}

int sigguard_push(struct task *t, uaddr_t cookie_at, uaddr_t restorer)
{
	struct sigguard *g = &t->sigguard;
	uaddr_t sp = uctx_sp(&t->hal.uctx);
	u64 cookie;

	if (!g->key.k[0]) {
		g->key.k[0] = random_u64();
		g->key.k[1] = random_u64();
	}
	cookie = cookie_of(g, sp, cookie_at);
	if (hal_put_user64(cookie_at, cookie))
		return -EFAULT;
	drop_overwritten(g, sp, cookie_at + COOKIE_ROOM);
	if (!g->restorer)
		g->restorer = restorer;
	if (!make_room(g))
		return 0;
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
static bool from_trampoline(struct task *t, uaddr_t restorer)
{
	uaddr_t ip = uctx_ip(&t->hal.uctx);
	bool ok = just_behind(ip, restorer);
	unsigned long flags;
	struct sighand *sh;

	if (likely(ok))
		return true;
	sh = sighand_lock(t->process, &flags);
	for (int i = 0; i < NSIG && !ok; i++)
		ok = just_behind(ip, (uaddr_t)sigaction_restorer(&sh->action[i]));
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
	       from_trampoline(t, e->restorer);
}

/* Take entry @i out, and the newer ones that lie inside it or on the alternate stack, which nobody comes back to. */
static void take_out(struct task *t, unsigned int i)
{
	struct sigguard *g = &t->sigguard;
	uaddr_t sp = g->entry[i].sp;
	unsigned int kept = i;

	for (unsigned int k = i + 1; k < g->n; k++) {
		uaddr_t at = g->entry[k].sp;
		bool inside = at < sp && sp - at <= INSIDE_MAX;
		bool alternate = at - t->altstack_sp < t->altstack_size;

		if (!inside && !alternate)
			g->entry[kept++] = g->entry[k];
	}
	g->n = kept;
}

/* Is there a cookie of ours above the frame at @sp? */
static bool has_cookie(const struct sigguard *g, uaddr_t sp)
{
	uaddr_t end = sp + uctx_sigframe_size() + RED_ZONE;

	for (uaddr_t at = ALIGN_UP(sp, (uaddr_t)COOKIE_ROOM); at < end; at += COOKIE_ROOM) {
		u64 cookie;

		if (hal_get_user64(&cookie, at))
			return false;
		if (cookie == cookie_of(g, sp, at))
			return true;
	}
	return false;
}

/* One that there was no room to remember. */
static bool matches_forgotten(struct task *t)
{
	const struct sigguard *g = &t->sigguard;
	uaddr_t sp = uctx_sp(&t->hal.uctx);

	return g->forgotten && from_trampoline(t, g->restorer) &&
	       (has_cookie(g, sp) || has_cookie(g, sp - sizeof(u64)));
}

bool sigguard_pop(struct task *t)
{
	struct sigguard *g = &t->sigguard;

	for (unsigned int i = g->n; i-- > 0;) {
		if (matches(t, &g->entry[i])) {
			take_out(t, i);
			return true;
		}
	}
	if (matches_forgotten(t)) {
		g->forgotten--;
		return true;
	}
	pr_warn("%s (pid %d, tid %d): forged signal frame refused, ip %lx sp %lx\n", t->comm,
		task_pid(t), task_tid(t), uctx_ip(&t->hal.uctx), uctx_sp(&t->hal.uctx));
	return false;
}

void sigguard_fork(struct task *child, const struct task *parent)
{
	const struct sigguard *from = &parent->sigguard;
	struct sigguard *to = &child->sigguard;

	to->restorer = from->restorer;
	if (!from->n && !from->forgotten)
		return;
	to->key = from->key;
	to->forgotten = from->forgotten;
	to->entry = from->n ? kmalloc(SIG_NEST_MAX * sizeof(to->entry[0]), GFP_KERNEL) : NULL;
	if (!to->entry) {
		to->forgotten += from->n;
		return;
	}
	to->n = from->n;
	memcpy(to->entry, from->entry, to->n * sizeof(to->entry[0]));
}

void sigguard_clear(struct task *t)
{
	t->sigguard.n = t->sigguard.forgotten = 0;
	t->sigguard.restorer = 0;
	t->sigguard.key.k[0] = 0;
}

void sigguard_free(struct task *t)
{
	kfree(t->sigguard.entry);
}

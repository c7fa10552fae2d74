/* SPDX-License-Identifier: MIT */
/*
 * Signal frames that cannot be forged (CONFIG_SIGRETURN_GUARD).
 *
 * Only the kernel builds signal frames, so it knows which ones may come back. Every delivery writes a cookie above its frame and
 * notes it; rt_sigreturn is carried out only at the stack pointer, with the cookie and from the trampoline of a noted delivery.
 * Without the option all of this is empty. Context: current task, may sleep.
 */
#ifndef KERNEL_SIGGUARD_H
#define KERNEL_SIGGUARD_H

#include <lib/hash.h>
#include <types.h>

#define SIG_NEST_MAX 16

/* One outstanding delivery. */
struct sigguard_entry {
	uaddr_t sp; /* at the handler's first instruction */
	uaddr_t cookie_at;
	u64 cookie;
	uaddr_t restorer; /* where the handler returns to */
};

/* Those of one thread, the newest last. */
struct sigguard {
	unsigned int n;		      /* kept */
	unsigned int forgotten;	      /* older ones for which there was no room */
	struct siphash_key key;	      /* of the cookies; k[0] 0: not drawn yet */
	uaddr_t restorer;	      /* of the first delivery since exec */
	struct sigguard_entry *entry; /* SIG_NEST_MAX; NULL: no delivery yet */
};

struct task;

#ifdef CONFIG_SIGRETURN_GUARD
/** sigguard_reserve() - make room for a cookie below the user's @sp. Returns the stack pointer to build the frame at. */
uaddr_t sigguard_reserve(const struct task *t, uaddr_t sp);
/** sigguard_push() - a frame was built below @cookie_at (what sigguard_reserve() returned): write its cookie. 0 or -EFAULT. */
int sigguard_push(struct task *t, uaddr_t cookie_at, uaddr_t restorer);
/** sigguard_pop() - may current's rt_sigreturn be carried out? Then it is no longer outstanding. */
bool sigguard_pop(struct task *t);
/** sigguard_fork() - the child of a fork returns from the handlers that its parent is in. sigguard_clear(): exec. */
void sigguard_fork(struct task *child, const struct task *parent);
void sigguard_clear(struct task *t);
/** sigguard_free() - the task goes, or never came to be. */
void sigguard_free(struct task *t);
#else
static inline uaddr_t sigguard_reserve(const struct task *t, uaddr_t sp)
{
	(void)t;
	return sp;
}
static inline int sigguard_push(struct task *t, uaddr_t cookie_at, uaddr_t restorer)
{
	(void)t;
	(void)cookie_at;
	(void)restorer;
	return 0;
}
static inline bool sigguard_pop(struct task *t)
{
	(void)t;
	return true;
}
static inline void sigguard_fork(struct task *child, const struct task *parent)
{
	(void)child;
	(void)parent;
}
static inline void sigguard_clear(struct task *t)
{
	(void)t;
}
static inline void sigguard_free(struct task *t)
{
	(void)t;
}
#endif

#endif

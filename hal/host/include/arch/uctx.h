/* SPDX-License-Identifier: MIT */
/* A user context that no CPU runs: for host tests of code that looks at one. See <hal/uctx.h>. */
#ifndef ARCH_UCTX_H
#define ARCH_UCTX_H

#include <types.h>

struct uctx {
	unsigned long ip, sp, tls;
	unsigned long arg[6];
	long nr, result;
	bool in_syscall;
};

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->ip;
}

static inline void uctx_set_ip(struct uctx *u, unsigned long ip)
{
	u->ip = ip;
}

static inline unsigned long uctx_sp(const struct uctx *u)
{
	return u->sp;
}

static inline void uctx_set_sp(struct uctx *u, unsigned long sp)
{
	u->sp = sp;
}

static inline long uctx_syscall_nr(const struct uctx *u)
{
	return u->nr;
}

static inline void uctx_set_syscall_nr(struct uctx *u, long nr)
{
	u->nr = nr;
}

static inline unsigned long uctx_arg(const struct uctx *u, unsigned int n)
{
	return u->arg[n];
}

static inline void uctx_set_arg(struct uctx *u, unsigned int n, unsigned long v)
{
	u->arg[n] = v;
}

static inline long uctx_result(const struct uctx *u)
{
	return u->result;
}

static inline void uctx_set_result(struct uctx *u, long v)
{
	u->result = v;
}

static inline void uctx_restart_syscall(struct uctx *u, unsigned long arg0, long nr)
{
	u->arg[0] = arg0;
	u->nr = nr;
	u->ip -= 4;
}

static inline bool uctx_in_syscall(const struct uctx *u)
{
	return u->in_syscall;
}

static inline void uctx_set_tls(struct uctx *u, unsigned long tls)
{
	u->tls = tls;
}

static inline unsigned long uctx_tls(const struct uctx *u)
{
	return u->tls;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * For tests of hal_next_pcs(): a user context that is only registers, and code in an array. Include it,
 * then hal/common/llsc.c and one arch/<isa>/step.c.
 */
#ifndef STEP_CODE_H
#define STEP_CODE_H

#include <string.h>

#include <compiler.h>
#include <err.h>
#include <types.h>

/* Stands for <hal/uctx.h>. */
#define HAL_UCTX_H

struct hal_task;

#ifdef STEP_PC_FIRST
struct uctx {
	unsigned long regs[32]; /* [0] is the pc */
};
#define STEP_PC regs[0]
#else
struct uctx {
	unsigned long regs[32];
	unsigned long era;
};
#define STEP_PC era
#endif

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->STEP_PC;
}

#define CODE_BASE 0x100000UL

struct code {
	const void *bytes;
	size_t size;
};

/* A hal_fetch_t; @ctx is a struct code. */
static int code_fetch(void *ctx, uaddr_t addr, void *buf, size_t len)
{
	const struct code *code = ctx;

	if (addr < CODE_BASE || addr - CODE_BASE > code->size ||
	    len > code->size - (addr - CODE_BASE))
		return -EFAULT;
	memcpy(buf, (const u8 *)code->bytes + (addr - CODE_BASE), len);
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Stepping over a load-linked/store-conditional sequence, for architectures whose CPUs do not step.
 *
 * A breakpoint between the two instructions makes the store fail each time, so a debugger steps over the
 * whole. The architecture tells what an instruction does to the flow; this finds the way out.
 */
#ifndef HAL_LLSC_H
#define HAL_LLSC_H

#include <hal/debug.h>

enum insn_flow {
	FLOW_NEXT,	  /* goes on behind it */
	FLOW_BRANCH,	  /* behind it, or at target */
	FLOW_JUMP,	  /* at target */
	FLOW_INDIRECT,	  /* anywhere: through a register, a call, a trap */
	FLOW_LINKED,	  /* load-linked: begins a sequence */
	FLOW_CONDITIONAL, /* store-conditional: ends one */
};

struct insn_info {
	enum insn_flow flow;
	unsigned int len;
	uaddr_t target;
};

/* What the instruction at @pc does. Return: 0 or -EFAULT. */
typedef int (*insn_decode_t)(hal_fetch_t fetch, void *ctx, uaddr_t pc, struct insn_info *out);

/**
 * hal_llsc_exits() - addresses where execution goes on after the sequence that begins at @pc.
 * @pcs: HAL_NEXT_PCS entries
 * Context: any that @fetch allows.
 * Return: how many; 0: it is no sequence that can be followed (too long, calls, too many ways out).
 */
int hal_llsc_exits(insn_decode_t decode, hal_fetch_t fetch, void *ctx, uaddr_t pc, uaddr_t *pcs);

#endif

/* SPDX-License-Identifier: MIT */
/* Signal frame of loongarch64 as programs see it. Source: Linux uapi of loongarch: sigcontext.h, ucontext.h. */
#ifndef UAPI_SIGCONTEXT_H
#define UAPI_SIGCONTEXT_H

#include <compiler.h>
#include <types.h>
#include <uapi/signal.h>

#define SC_USED_FP 1U

#define FPU_CTX_MAGIC  0x46505501U
#define LSX_CTX_MAGIC  0x53580001U
#define LASX_CTX_MAGIC 0x41535801U

struct sigcontext {
	u64 sc_pc;
	u64 sc_regs[32];
	u32 sc_flags;
	u8 sc_extcontext[] __aligned(16);
};

struct sctx_info {
	u32 magic;
	u32 size; /* to the next sctx_info */
	u64 padding;
};

struct fpu_context {
	u64 regs[32];
	u64 fcc;
	u32 fcsr;
};

struct lsx_context {
	u64 regs[2 * 32];
	u64 fcc;
	u32 fcsr;
};

struct lasx_context {
	u64 regs[4 * 32];
	u64 fcc;
	u32 fcsr;
};

struct ucontext {
	u64 uc_flags;
	u64 uc_link;
	struct stack_abi uc_stack;
	u64 uc_sigmask;
	u8 uc_unused[1024 / 8 - sizeof(u64)];
	struct sigcontext uc_mcontext;
};

struct rt_sigframe {
	u8 info[128];
	struct ucontext uc;
};

static_assert(offsetof(struct ucontext, uc_mcontext) == 176);
static_assert(sizeof(struct sigcontext) == 272);
static_assert(sizeof(struct rt_sigframe) == 576);

#endif

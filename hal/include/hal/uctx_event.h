/* SPDX-License-Identifier: MIT */
/* Why user code stopped: what uctx_run() returns and leaves in the task (<hal/uctx.h>). */
#ifndef HAL_UCTX_EVENT_H
#define HAL_UCTX_EVENT_H

#include <types.h>

enum uctx_reason {
	UCTX_SYSCALL,	 /* the trap instruction; ip already points behind it */
	UCTX_PAGE_FAULT, /* event: addr, access */
	UCTX_INTERRUPT,	 /* an interrupt arrived and has been handled */
	UCTX_EXCEPTION,	 /* event: kind, code, addr, raw */
	UCTX_UNKNOWN,	 /* event: raw */
};

enum uctx_access {
	UCTX_READ = 1,
	UCTX_WRITE = 2,
	UCTX_EXEC = 4,
};

enum uctx_exception {
	UCTX_EXC_BREAKPOINT, /* breakpoint instruction; ip as Linux reports it */
	UCTX_EXC_DEBUG,	     /* single step or hardware breakpoint/watchpoint done */
	UCTX_EXC_ILLEGAL,    /* illegal or privileged instruction */
	UCTX_EXC_MISALIGNED, /* misaligned access; addr */
	UCTX_EXC_ARITH,	     /* arithmetic; code = FPE_* */
	UCTX_EXC_ACCESS, /* access to something no page table can mend (non-canonical, bus error) */
	UCTX_EXC_OTHER,
};

struct uctx_event {
	uaddr_t addr; /* faulting data or instruction address */
	uaddr_t tag;  /* bits of that address which the CPU ignores; set where it does (aarch64) */
	unsigned int access;	  /* UCTX_READ/WRITE/EXEC for a page fault */
	enum uctx_exception kind; /* for UCTX_EXCEPTION */
	int code; /* suggested si_code (FPE_INTDIV, ILL_ILLOPC, ...), 0: default for the kind */
	unsigned long raw
		[3]; /* raw syndrome registers, for the log: cr2/err/vec, scause/stval, ESR/FAR, estat/badv */
};

#endif

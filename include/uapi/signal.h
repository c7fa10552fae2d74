/* SPDX-License-Identifier: MIT */
/* Signals: numbers, siginfo, flags; the generic ABI that all four share. Sources: signal(7), sigaction(2). */
#ifndef UAPI_SIGNAL_H
#define UAPI_SIGNAL_H

#include <types.h>
#include <uapi/sigaction.h>

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGRTMIN  32
#define NSIG	  64

#define SIG_DFL 0UL
#define SIG_IGN 1UL

#define SA_NOCLDSTOP	  0x00000001UL
#define SA_NOCLDWAIT	  0x00000002UL
#define SA_SIGINFO	  0x00000004UL
#define SA_UNSUPPORTED	  0x00000400UL
#define SA_EXPOSE_TAGBITS 0x00000800UL
#define SA_RESTORER	  0x04000000UL
#define SA_ONSTACK	  0x08000000UL
#define SA_RESTART	  0x10000000UL
#define SA_NODEFER	  0x40000000UL
#define SA_RESETHAND	  0x80000000UL

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM (1U << 31)

/* si_code */
#define SI_USER	   0
#define SI_KERNEL  0x80
#define SI_QUEUE   (-1)
#define SI_TIMER   (-2)
#define SI_MESGQ   (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO   (-5)
#define SI_TKILL   (-6)
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_ILLADR 3
#define ILL_ILLTRP 4
#define ILL_PRVOPC 5
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8
#define FPE_FLTUNK 14
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_BNDERR 3
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_BRANCH 3
#define TRAP_HWBKPT 4
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6
#define POLL_IN 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

/*
 * siginfo_t in the layout of 64-bit Linux, as far as any signal's information goes. Programs see SIGINFO_SIZE bytes, of which the
 * rest is 0 (kernel/siginfo.h).
 */
#define SIGINFO_SIZE 128
struct siginfo {
	s32 si_signo;
	s32 si_errno;
	s32 si_code;
	s32 pad0;
	union {
		struct { /* kill, tgkill, sigqueue */
			s32 pid;
			u32 uid;
			u64 value;
		} rt;
		struct { /* POSIX timers */
			s32 tid;
			s32 overrun;
			u64 value;
			s32 sys_private;
		} timer;
		struct { /* SIGCHLD */
			s32 pid;
			u32 uid;
			s32 status;
			s32 pad;
			s64 utime, stime; /* clock ticks */
		} chld;
		struct { /* faults */
			u64 addr;
			s16 addr_lsb;
			u64 lower, upper;
		} fault;
		struct { /* SIGIO */
			s64 band;
			s32 fd;
		} poll;
		struct { /* SIGSYS */
			u64 call_addr;
			s32 syscall;
			u32 arch;
		} sys;
		u8 bytes[32];
	};
};
static_assert(sizeof(struct siginfo) == 48);

struct stack_abi { /* stack_t */
	u64 ss_sp;
	s32 ss_flags;
	u32 pad;
	u64 ss_size;
};

#ifndef MINSIGSTKSZ
#define MINSIGSTKSZ 2048
#endif

#endif

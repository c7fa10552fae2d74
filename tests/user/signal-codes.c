/* SPDX-License-Identifier: MIT */
/*
 * What signals say and do that the other signal tests leave out: the code of every floating-point exception that traps, CLD_DUMPED,
 * alternate stacks that are put away while a handler runs (SS_AUTODISARM), actions without a way back from the handler.
 * Sources: sigaction(2), sigaltstack(2), signal(7).
 */
#include "tap.h"

#include <stdbool.h>
#include <setjmp.h>
#include <sys/resource.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

/* ---- floating-point exceptions ---- */

#if defined(__x86_64__) || defined(__loongarch__)
static sigjmp_buf after;
static volatile int got_code;
static void *volatile got_addr;

static void on_fpe(int sig, siginfo_t *si, void *uc)
{
	got_code = si->si_code;
	got_addr = si->si_addr;
	siglongjmp(after, 1);
}

enum what { INVALID, DIVISION, OVERFLOW, UNDERFLOW, INEXACT };

static const struct {
	double a, b; /* a / b, or where that is no way to do it, a * b */
	int code;
	bool multiply;
} operations[] = {
	[INVALID] = { 0, 0, FPE_FLTINV, false },
	[DIVISION] = { 1, 0, FPE_FLTDIV, false },
	[OVERFLOW] = { 1e308, 1e308, FPE_FLTOVF, true },
	[UNDERFLOW] = { 1e-300, 1e-300, FPE_FLTUND, true },
	[INEXACT] = { 1, 3, FPE_FLTRES, false },
};

/* Those of the first kinds trap on any CPU; QEMU's do not trap for the others. */
#if defined(__x86_64__)
#define TRAPS_BEFORE OVERFLOW

static void trap_on(enum what what)
{
	static const unsigned bit[] = { 0, 2, 3, 4, 5 };
	unsigned csr = 0x1f80 & ~(0x80u << bit[what]);
	unsigned short cw = (unsigned short)(0x37f & ~(1u << bit[what]));

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(csr), "m"(cw));
}

/* The one by the x87, whose exceptions come with the next of its instructions, the other by SSE. */
__attribute__((noinline)) static void compute(double a, double b, bool multiply)
{
	if (multiply)
		__asm__ volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
	else
		__asm__ volatile("fldl %0\n\tfdivl %1\n\tfwait\n\tfstpl %0" : "+m"(a) : "m"(b));
}
#else
#define TRAPS_BEFORE UNDERFLOW

static void trap_on(enum what what)
{
	static const unsigned bit[] = { 4, 3, 2, 1, 0 };
	unsigned long csr = 1UL << bit[what];

	__asm__ volatile("movgr2fcsr $fcsr0, %0" : : "r"(csr));
}

__attribute__((noinline)) static void compute(double a, double b, bool multiply)
{
	double r;

	if (multiply)
		__asm__ volatile("fmul.d %0, %1, %2" : "=f"(r) : "f"(a), "f"(b));
	else
		__asm__ volatile("fdiv.d %0, %1, %2" : "=f"(r) : "f"(a), "f"(b));
}
#endif

static void floating_point(void)
{
	struct sigaction sa = { .sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO };
	char *from = (char *)compute;

	CHECK_OK(sigaction(SIGFPE, &sa, NULL));
	for (volatile size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		got_code = 0;
		if (!sigsetjmp(after, 1)) {
			trap_on((enum what)i);
			compute(operations[i].a, operations[i].b, operations[i].multiply);
			if (i < TRAPS_BEFORE)
				CHECK(!"it traps");
			NOTE("operation %d does not trap", (int)i);
			continue;
		}
		CHECK_EQ(got_code, operations[i].code);
		CHECK((char *)got_addr >= from && (char *)got_addr < from + 256);
	}
}
#else
/* riscv64 has no such traps; on aarch64 a CPU need not have them, and QEMU's have none. */
static void floating_point(void)
{
	volatile double zero = 0, r = 1 / zero;

	CHECK(r > 1e308);
}
#endif

/* ---- CLD_DUMPED ---- */

static void aborts(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &unlimited);
	signal(SIGABRT, SIG_DFL);
	kill(getpid(), SIGABRT);
}

static void aborts_without_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	kill(getpid(), SIGABRT);
}

/* By waitid and by SIGCHLD, as the status says; the machine's core pattern decides. */
static void dumped_child(void)
{
	const char *dir = tap_tmpdir();
	siginfo_t si, waited;
	sigset_t set;
	int status;
	pid_t pid;

	CHECK_OK(chdir(dir));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int core = 0; core < 2; core++) {
		pid = tap_spawn(core ? aborts : aborts_without_core);
		CHECK_EQ(sigwaitinfo(&set, &si), SIGCHLD);
		CHECK_OK(waitid(P_PID, (id_t)pid, &waited, WEXITED | WNOWAIT));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		CHECK_EQ(si.si_code, WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED);
		CHECK_EQ(waited.si_code, si.si_code);
		CHECK_EQ(si.si_status, SIGABRT);
		CHECK_EQ(waited.si_status, SIGABRT);
		CHECK_EQ(si.si_pid, pid);
		if (tap_on_caelum())
			CHECK_EQ(si.si_code, core ? CLD_DUMPED : CLD_KILLED);
	}
	CHECK_OK(chdir("/"));
	tap_rmdir(dir);
}

/* ---- alternate stacks ---- */

#define STACK_SIZE 131072

static char stacks[2][STACK_SIZE] __attribute__((aligned(64)));
static stack_t in_handler, inner;
static volatile int set_inside, depth;
static char *volatile where[2];

/* By the kernel: libraries have rules of their own. */
static int set_stack(const stack_t *ss)
{
	return (int)syscall(SYS_sigaltstack, ss, NULL);
}

static int get_stack(stack_t *ss)
{
	return (int)syscall(SYS_sigaltstack, NULL, ss);
}

static bool inside(const char *p, int n)
{
	return p >= stacks[n] && p < stacks[n] + STACK_SIZE;
}

static void look_at_stack(int sig)
{
	char here;

	where[depth] = &here;
	if (depth++ == 0) {
		get_stack(&in_handler);
		set_inside = set_stack(&inner);
		raise(SIGUSR2);
	}
}

/* While the handler runs there is no such stack: it may set another one, and when it returns the first one is back. */
static void autodisarm(void)
{
	stack_t ss = { .ss_sp = stacks[0],
		       .ss_size = STACK_SIZE,
		       .ss_flags = (int)(SS_ONSTACK | SS_AUTODISARM) };
	struct sigaction sa = { .sa_handler = look_at_stack, .sa_flags = SA_ONSTACK };
	stack_t now;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_OK(sigaction(SIGUSR2, &sa, NULL));
	inner = (stack_t){ .ss_sp = stacks[1], .ss_size = STACK_SIZE };
	CHECK_OK(set_stack(&ss));
	CHECK_OK(get_stack(&now));
	CHECK_EQ((unsigned)now.ss_flags, SS_AUTODISARM);
	raise(SIGUSR1);
	CHECK(inside(where[0], 0));
	CHECK_EQ(in_handler.ss_flags, SS_DISABLE);
	CHECK_EQ(in_handler.ss_size, 0);
	CHECK_EQ(set_inside, 0);
	CHECK(inside(where[1], 1));
	CHECK_OK(get_stack(&now));
	CHECK(now.ss_sp == stacks[0] && now.ss_size == STACK_SIZE);
	CHECK_EQ((unsigned)now.ss_flags, SS_AUTODISARM);
	/* Without the flag: it is in use meanwhile, and cannot be changed. */
	ss.ss_flags = 0;
	depth = 0;
	CHECK_OK(set_stack(&ss));
	raise(SIGUSR1);
	CHECK_EQ(in_handler.ss_flags, SS_ONSTACK);
	CHECK(in_handler.ss_sp == stacks[0]);
	CHECK_EQ(set_inside, -1);
	CHECK(inside(where[1], 0));
	/* what is refused */
	ss.ss_flags = 3;
	CHECK_ERRNO(set_stack(&ss), EINVAL);
	ss.ss_flags = 1 << 30;
	CHECK_ERRNO(set_stack(&ss), EINVAL);
	ss.ss_flags = (int)SS_AUTODISARM;
	ss.ss_size = 1024;
	CHECK_ERRNO(set_stack(&ss), ENOMEM);
	ss.ss_flags = (int)(SS_DISABLE | SS_AUTODISARM);
	CHECK_OK(set_stack(&ss));
}

/* ---- the way back ---- */

struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
#if defined(__x86_64__) || defined(__aarch64__)
	void *restorer;
#endif
	unsigned long mask;
};

static volatile int handled;

static void count(int sig)
{
	handled++;
}

/* Straight to the kernel, without SA_RESTORER: where the vDSO has the way back, the handler returns by it; x86_64 has none. */
static void no_restorer(void)
{
	struct kernel_action sa = { .handler = count };

	CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8));
	for (int i = 0; i < 3; i++)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
	_exit(handled == 3 ? 0 : 1);
}

static void restorer(void)
{
	pid_t pid = tap_spawn(no_restorer);

#ifdef __x86_64__
	CHECK_KILLED(pid, SIGSEGV);
#else
	CHECK_EXIT(pid, 0);
#endif
}

int main(void)
{
	TAP_FORK(floating_point);
	TAP_FORK(dumped_child);
	TAP_FORK(autodisarm);
	TAP_FORK(restorer);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Programs that go where no program can be: jumps, tracers, signal frames and handlers with addresses of the kernel, beyond what the CPU
 * can express, in the gap between. Each is a signal that can be caught, and the machine goes on.
 */
#include "pt.h"
#include <setjmp.h>

static const unsigned long bad[] = {
	0x10,
	0x3ffffffffc,
	0x4000000000,
	0x4000000000000000,
	0x7ffffffff000,
	0x7ffffffffffc,
	0x800000000000,
	0x800000001000,
	0x8000000000000,
	0x1000000000000,
	0xfffffffffffff000,
	0xfffffffffffffffc,
	0xffff800000000000,
	0xffff7ffffffff000,
	0xffffffff80000000,
	0xffffffff80200000,
	0xffffffc000000000,
	0x8000000000000000,
	0x9000000000200000,
	0xffff000000000000,
	0xffff800000080000,
	0x7ffffffffffffffc,
	0xffffffff00000000,
	0xff00000000000000,
};

static volatile int caught;
static siginfo_t seen;
static sigjmp_buf back;
static char altstack[65536] __attribute__((aligned(16)));

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	seen = *info;
	caught++;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	CHECK_OK(sigaltstack(&ss, NULL));
	CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
	CHECK_OK(sigaction(SIGBUS, &sa, NULL));
}

/* Does the CPU keep all bits of it? aarch64 makes the upper byte what bit 55 is. */
static int exact(unsigned long pc)
{
#ifdef __aarch64__
	return (unsigned long)((long)(pc << 8) >> 8) == pc;
#else
	(void)pc;
	return 1;
#endif
}

static void check_seen(unsigned long pc)
{
	CHECK(seen.si_signo == SIGSEGV || seen.si_signo == SIGBUS);
	/* Where the CPU does not say which address it was, there is none (x86_64: SI_KERNEL). */
	if (exact(pc) && seen.si_code > 0 && seen.si_code < 0x80 &&
	    (unsigned long)seen.si_addr != pc)
		tap_fail(__FILE__, __LINE__, "si_code %d, si_addr %p after going to %#lx",
			 seen.si_code, seen.si_addr, pc);
}

/* QEMU (10.0) hangs for loongarch64 when a program jumps to what the kernel's TLB entries match: the CPU's affair, no kernel can help. */
static int hangs_qemu(unsigned long pc)
{
#ifdef __loongarch__
	return (pc >> 47 & 1) && (pc >> 48 == 0 || pc >> 48 == 0xffff);
#else
	(void)pc;
	return 0;
#endif
}

static void jumps(void)
{
	catch_faults();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int before = caught;

		if (hangs_qemu(bad[i]))
			continue;
		if (!sigsetjmp(back, 1))
			((void (*)(void))bad[i])();
		CHECK_EQ(caught, before + 1);
		check_seen(bad[i]);
	}
}

/* ---- sigreturn ---- */

static volatile unsigned long frame_pc;

static void on_usr1(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	(void)info;
#if defined(__x86_64__)
	uc->uc_mcontext.gregs[REG_RIP] = (long)frame_pc;
#elif defined(__aarch64__)
	uc->uc_mcontext.pc = frame_pc;
#elif defined(__riscv)
	uc->uc_mcontext.__gregs[0] = frame_pc;
#else
	uc->uc_mcontext.__pc = frame_pc;
#endif
}

static void frames(void)
{
	struct sigaction sa = { .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO };

	catch_faults();
	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int before = caught;

		frame_pc = bad[i];
		if (!sigsetjmp(back, 1))
			pt_raise(SIGUSR1);
		CHECK_EQ(caught, before + 1);
		check_seen(bad[i]);
	}
}

/* ---- handlers ---- */

static void handlers(void)
{
	catch_faults();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sigaction sa = { .sa_handler = (void (*)(int))bad[i] };
		int before = caught;

		CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
		if (!sigsetjmp(back, 1))
			pt_raise(SIGUSR1);
		CHECK_EQ(caught, before + 1);
		check_seen(bad[i]);
	}
}

/* ---- tracers ---- */

static void fault_and_exit(void)
{
	catch_faults();
	if (!sigsetjmp(back, 1))
		for (;;)
			pt_raise(SIGSTOP);
	_exit(caught);
}

/* Set pc at a signal's stop or at the end of a call, go on with @request; the fault is seen, then caught. */
static void trace_to(unsigned long pc, long stop_request, long request)
{
	pid_t pid = pt_child(fault_and_exit, PT_O_TRACESYSGOOD);
	siginfo_t info;
	pt_regs regs;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	for (int i = 0; stop_request && i < 2; i++) {
		CHECK_OK(pt(stop_request, pid, 0, 0));
		EXPECT(pid, ST_SYSCALL);
	}
	regs = pt_getregs(pid);
	PT_PC(regs) = pc;
	pt_setregs(pid, &regs);
	CHECK_EQ(PT_PC(pt_getregs(pid)), pc);
	if (pt(request, pid, 0, 0) == -1) {
		pt_kill(pid); /* riscv64's Linux cannot step */
		return;
	}
	CHECK_EQ(waitpid(pid, &(int){ 0 }, __WALL), pid);
	info = pt_siginfo(pid);
	if (info.si_signo != SIGSEGV && info.si_signo != SIGBUS)
		tap_fail(__FILE__, __LINE__, "signal %d, code %d at %#lx", info.si_signo,
			 info.si_code, pc);
	if (exact(pc))
		CHECK_EQ(PT_PC(pt_getregs(pid)), pc);
	CHECK_OK(pt(PT_CONT, pid, 0, info.si_signo));
	EXPECT(pid, 1 << 8);
}

static void traced(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		trace_to(bad[i], 0, PT_CONT);
		trace_to(bad[i], PT_SYSCALL, PT_CONT);
		if (i % 4 == 2)
			trace_to(bad[i], PT_SYSCALL, PT_SINGLESTEP);
	}
}

/* ---- not aligned ---- */

static void unaligned(void)
{
	static const unsigned int offset[] = { 1, 2, 3 };

	catch_faults();
	for (size_t i = 0; i < ARRAY_SIZE(offset); i++) {
		unsigned long pc = (unsigned long)unaligned + offset[i];
		int before = caught;

#ifdef __aarch64__ /* the others need no alignment, or drop the low bits */
		if (!sigsetjmp(back, 1))
			((void (*)(void))pc)();
		CHECK_EQ(caught, before + 1);
		CHECK_EQ(seen.si_signo, SIGBUS);
		CHECK_EQ((unsigned long)seen.si_addr, pc);
#else
		(void)pc;
		(void)before;
#endif
	}
}

int main(void)
{
	TAP_FORK(jumps);
	TAP_FORK(frames);
	TAP_FORK(handlers);
	TAP_FORK(traced);
	TAP_FORK(unaligned);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * What is x86_64's own: FS and GS bases, what a system call preserves, the signal for each kind of
 * exception with its trap number, the vector state in signal frames, and frames that ask for privileges.
 * Source: arch_prctl(2); Linux asm/sigcontext.h; Intel SDM volume 3A chapter 6.
 */
#include "tap.h"

#ifndef __x86_64__

int main(void)
{
	SKIP("not an x86_64 machine");
}

#else

#include <sched.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#define SET_GS 0x1001
#define SET_FS 0x1002
#define GET_FS 0x1003
#define GET_GS 0x1004

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_UD 6
#define TRAP_GP 13
#define TRAP_PF 14

#define FLAG_TF 0x100
#define FLAG_IF 0x200
#define FLAG_DF 0x400
#define FLAG_IOPL 0x3000

#define XSTATE_MAGIC1 0x46505853u
#define XSTATE_MAGIC2 0x46505845u

static long prctl_base(int code, unsigned long arg)
{
	return syscall(SYS_arch_prctl, code, arg);
}

static void test_bases(void)
{
	static unsigned long word = 0x1122334455667788;
	unsigned long fs = 0, gs = 1, seen;

	CHECK_OK(prctl_base(GET_FS, (unsigned long)&fs));
	CHECK_EQ(fs, (unsigned long)__builtin_thread_pointer());
	CHECK_OK(prctl_base(SET_GS, (unsigned long)&word));
	__asm__ volatile("movq %%gs:0, %0" : "=r"(seen));
	CHECK_EQ(seen, word);
	CHECK_OK(prctl_base(GET_GS, (unsigned long)&gs));
	CHECK_EQ(gs, (unsigned long)&word);
	CHECK_ERRNO(prctl_base(SET_GS, 0xffff800000000000), EPERM);
	CHECK_ERRNO(prctl_base(SET_FS, 0x8000000000000000), EPERM);
	CHECK_ERRNO(prctl_base(GET_GS, 8), EFAULT);
	CHECK_ERRNO(prctl_base(0x7777, 0), EINVAL);
}

/* A child and a task switch keep GS; the instruction, where there is one, is seen by the kernel. */
static void test_gs_kept(void)
{
	unsigned long gs = 0;

	CHECK_OK(prctl_base(SET_GS, 0x12345000));
	if (getauxval(AT_HWCAP2) & 2) {
		__asm__ volatile("wrgsbase %0" ::"r"(0x7654321000UL));
		CHECK_OK(prctl_base(GET_GS, (unsigned long)&gs));
		CHECK_EQ(gs, 0x7654321000UL);
		CHECK_OK(prctl_base(SET_GS, 0x12345000));
	}
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 10; i++)
			sched_yield();
		prctl_base(GET_GS, (unsigned long)&gs);
		_exit(gs == 0x12345000 ? 0 : 1);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(prctl_base(GET_GS, (unsigned long)&gs));
	CHECK_EQ(gs, 0x12345000UL);
}

/* Only rax, rcx and r11 change. */
static void test_syscall_registers(void)
{
	register unsigned long r8 __asm__("r8") = 8, r9 __asm__("r9") = 9, r10 __asm__("r10") = 10;
	register unsigned long r12 __asm__("r12") = 12, r15 __asm__("r15") = 15;
	unsigned long a = SYS_getppid, di = 1, si = 2, dx = 3, cx, r11, here;

	__asm__ volatile("std\n\tcld\n\tleaq 1f(%%rip), %7\n\tsyscall\n1:\tmovq %%r11, %6"
			 : "+a"(a), "+D"(di), "+S"(si), "+d"(dx), "+r"(r8), "=&c"(cx), "=&b"(r11),
			   "=&r"(here), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r15)
			 :
			 : "r11", "r13", "r14", "memory", "cc");
	CHECK_EQ(a, (unsigned long)getppid());
	CHECK(di == 1 && si == 2 && dx == 3 && r8 == 8 && r9 == 9 && r10 == 10 && r12 == 12 &&
	      r15 == 15);
	CHECK_EQ(cx, here);
	CHECK_EQ(r11 & (FLAG_IF | FLAG_IOPL | FLAG_TF | FLAG_DF), FLAG_IF);
}

/* ---- Exceptions ---- */

static sigjmp_buf back;
static siginfo_t got;
static unsigned long got_trap, got_err, got_cr2, got_ip;

static void catch (int sig, siginfo_t *info, void *ctx)
{
	greg_t *r = ((ucontext_t *)ctx)->uc_mcontext.gregs;

	(void)sig;
	got = *info;
	got_trap = (unsigned long)r[REG_TRAPNO];
	got_err = (unsigned long)r[REG_ERR];
	got_cr2 = (unsigned long)r[REG_CR2];
	got_ip = (unsigned long)r[REG_RIP];
	siglongjmp(back, 1);
}

static void catch_all(void)
{
	static const int signals[] = { SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		CHECK_OK(sigaction(signals[i], &sa, NULL));
	memset(&got, 0, sizeof(got));
	got_trap = got_err = got_cr2 = got_ip = ~0UL;
}

#define CATCH(...)                                                                                 \
	do {                                                                                       \
		catch_all();                                                                       \
		if (sigsetjmp(back, 1) == 0) {                                                     \
			__VA_ARGS__;                                                               \
		}                                                                                  \
	} while (0)

#define CHECK_SIGNAL(sig, code, trap)                                                              \
	do {                                                                                       \
		CHECK_EQ(got.si_signo, sig);                                                       \
		CHECK_EQ(got.si_code, code);                                                       \
		CHECK_EQ(got_trap, (unsigned long)(trap));                                         \
	} while (0)

static void jump_to(unsigned long addr)
{
	__asm__ volatile("jmpq *%0" ::"r"(addr));
	__builtin_unreachable();
}

static void test_exceptions(void)
{
	CATCH(__asm__ volatile("ud2"));
	CHECK_SIGNAL(SIGILL, ILL_ILLOPN, TRAP_UD);
	CHECK_EQ((unsigned long)got.si_addr, got_ip);
	CATCH(__asm__ volatile("int3"));
	CHECK_SIGNAL(SIGTRAP, SI_KERNEL, TRAP_BP);
	CATCH(__asm__ volatile(
		"xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\tcltd\n\tidivl %%ecx" :: : "eax", "ecx",
		"edx"));
	CHECK_SIGNAL(SIGFPE, FPE_INTDIV, TRAP_DE);
	CHECK_EQ((unsigned long)got.si_addr, got_ip);
	CATCH(__asm__ volatile("hlt"));
	CHECK_SIGNAL(SIGSEGV, SI_KERNEL, TRAP_GP);
	CATCH(__asm__ volatile("int $0x81"));
	CHECK_SIGNAL(SIGSEGV, SI_KERNEL, TRAP_GP);
	CHECK_EQ(got_err, 0x81 * 8 + 2);
	CATCH(*(volatile int *)0x8000000000000000 = 1);
	CHECK_SIGNAL(SIGSEGV, SI_KERNEL, TRAP_GP);
	CHECK_EQ((unsigned long)got.si_addr, 0);
}

static void test_page_faults(void)
{
	CATCH(*(volatile int *)0x18 = 1);
	CHECK_SIGNAL(SIGSEGV, SEGV_MAPERR, TRAP_PF);
	CHECK_EQ((unsigned long)got.si_addr, 0x18);
	CHECK_EQ(got_cr2, 0x18);
	CHECK_EQ(got_err, 6); /* user, write, not present */
	CATCH((void)*(volatile int *)0xffffffff80100000);
	CHECK_EQ(got.si_signo, SIGSEGV);
	CHECK_EQ((unsigned long)got.si_addr, 0xffffffff80100000);
	CATCH(jump_to(0x20));
	CHECK_SIGNAL(SIGSEGV, SEGV_MAPERR, TRAP_PF);
	CHECK_EQ((unsigned long)got.si_addr, 0x20);
	CATCH(jump_to(0xffff800000000000));
	CHECK_EQ(got.si_signo, SIGSEGV);
	CATCH(jump_to(0x8000000000000000));
	CHECK_SIGNAL(SIGSEGV, SI_KERNEL, TRAP_GP);
}

static void test_single_step(void)
{
	CATCH(__asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop" :: : "memory",
			       "cc"));
	CHECK_SIGNAL(SIGTRAP, TRAP_TRACE, TRAP_DB);
	CHECK_EQ((unsigned long)got.si_addr, got_ip);
}

/* QEMU's own CPU never raises SIMD exceptions. */
static int is_tcg(void)
{
	unsigned int a = 0x40000000, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x54474354 && c == 0x43544743 && d == 0x47435447;
}

static void test_sse_exception(void)
{
	unsigned int mxcsr = 0x1f80 & ~0x200; /* unmask division by zero */

	if (is_tcg()) {
		NOTE("no SIMD exceptions under QEMU's emulation");
		return;
	}
	CATCH(__asm__ volatile("ldmxcsr %0\n\txorps %%xmm1, %%xmm1\n\tmovl $0x3f800000, %%eax\n\t"
			       "movd %%eax, %%xmm0\n\tdivss %%xmm1, %%xmm0" ::"m"(mxcsr) : "eax",
			       "xmm0", "xmm1"));
	CHECK_SIGNAL(SIGFPE, FPE_FLTDIV, 19);
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
}

/* ---- Signal frames ---- */

static int frame_ok;

static int has_xsave(void)
{
	unsigned int a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 27 & 1;
}

/* The bytes behind the FXSAVE image say how large the XSAVE area is; the second mark ends it. */
static void look_at_frame(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;
	const unsigned char *fp = (const unsigned char *)uc->uc_mcontext.fpregs;
	unsigned int magic1, size, magic2;
	unsigned long low;

	(void)sig;
	(void)info;
	memcpy(&magic1, fp + 464, 4);
	memcpy(&size, fp + 480, 4);
	memcpy(&magic2, fp + (has_xsave() ? size : 0), 4);
	memcpy(&low, fp + 160 + 16 * 7, 8); /* xmm7 */
	/* A CPU without XSAVE has no more than the FXSAVE image. */
	if (has_xsave())
		frame_ok = magic1 == XSTATE_MAGIC1 && magic2 == XSTATE_MAGIC2 && (uc->uc_flags & 1);
	else
		frame_ok = !(uc->uc_flags & 1);
	frame_ok = frame_ok && (unsigned long)fp % 64 == 0 && low == 0x7777;
	/* The handler's registers are its own, what is in the frame comes back. */
	low = 0x9999;
	memcpy((unsigned char *)fp + 160 + 16 * 7, &low, 8);
	__asm__ volatile("pxor %%xmm7, %%xmm7" ::: "xmm7");
}

static void test_frame_vectors(void)
{
	struct sigaction sa = { .sa_sigaction = look_at_frame, .sa_flags = SA_SIGINFO };
	unsigned long pid = (unsigned long)getpid(), ret = SYS_kill, out;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	frame_ok = 0;
	__asm__ volatile("movq %2, %%xmm7\n\tsyscall\n\tmovq %%xmm7, %1"
			 : "+a"(ret), "=r"(out)
			 : "r"(0x7777UL), "D"(pid), "S"((unsigned long)SIGUSR1)
			 : "rcx", "r11", "xmm7", "memory");
	CHECK_EQ(ret, 0);
	CHECK(frame_ok);
	CHECK_EQ(out, 0x9999);
}

#define AVX_ROUNDS 200

__attribute__((target("avx"))) static int avx_keeps(unsigned int seed)
{
	unsigned int in[8], out[8];

	for (int i = 0; i < 8; i++)
		in[i] = seed * 8 + (unsigned int)i;
	for (int round = 0; round < AVX_ROUNDS; round++) {
		long ret = SYS_sched_yield;

		__asm__ volatile("vmovdqu (%1), %%ymm13\n\tsyscall\n\tvmovdqu %%ymm13, (%2)"
				 : "+a"(ret)
				 : "r"(in), "r"(out)
				 : "rcx", "r11", "xmm13", "memory");
		if (memcmp(in, out, sizeof(in)))
			return 1;
	}
	return 0;
}

/* Several processes with their own upper halves, switching at every call. */
static void test_avx_switch(void)
{
	pid_t pids[4];

	if (!__builtin_cpu_supports("avx")) {
		NOTE("no AVX");
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		REQUIRE(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(avx_keeps(i + 1));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_EXIT(pids[i], 0);
}

static int forged_ok;

/* Privileged bits and selectors of the frame must be ignored. */
static void forge(int sig, siginfo_t *info, void *ctx)
{
	greg_t *r = ((ucontext_t *)ctx)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	r[REG_EFL] |= FLAG_IOPL | 0x20000 | 0x4000; /* IOPL 3, VM, NT */
	r[REG_EFL] &= ~(greg_t)FLAG_IF;
	forged_ok = 1;
}

static void test_forged_flags(void)
{
	struct sigaction sa = { .sa_sigaction = forge, .sa_flags = SA_SIGINFO };
	unsigned long flags;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK(forged_ok);
	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
	CHECK_EQ(flags & (FLAG_IF | FLAG_IOPL | 0x20000), FLAG_IF);
}

/* An ip that is no address: the fault is the program's, not the kernel's. */
static void set_bad_ip(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)info;
	((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP] = 0x7fffffffffffffff;
}

static void test_forged_ip(void)
{
	struct sigaction sa = { .sa_sigaction = set_bad_ip, .sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CATCH(raise(SIGUSR1));
	CHECK_SIGNAL(SIGSEGV, SI_KERNEL, TRAP_GP);
}

int main(void)
{
	TAP_FORK(test_bases);
	TAP_FORK(test_gs_kept);
	TAP_FORK(test_syscall_registers);
	TAP_FORK(test_exceptions);
	TAP_FORK(test_page_faults);
	TAP_FORK(test_single_step);
	TAP_FORK(test_sse_exception);
	TAP_FORK(test_frame_vectors);
	TAP_FORK(test_avx_switch);
	TAP_FORK(test_forged_flags);
	TAP_FORK(test_forged_ip);
	return tap_done();
}

#endif

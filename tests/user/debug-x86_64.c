/* SPDX-License-Identifier: MIT */
/*
 * What debuggers do to x86_64 programs: every register read and written in each of the ways there are, values
 * that are refused, single-steps over the instructions that are special, debug registers.
 * Source: ptrace(2); Linux asm/user_64.h; Intel SDM volume 3B chapter 18.
 */
#include "tap.h"

#ifndef __x86_64__

int main(void)
{
	SKIP("not an x86_64 machine");
}

#else

#include <cpuid.h>
#include <elf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define FLAG_TF	  0x100UL
#define FLAG_IF	  0x200UL
#define FLAG_IOPL 0x3000UL
#define FLAG_DF	  0x400UL
#define DEBUGREG(n) (offsetof(struct user, u_debugreg) + 8 * (size_t)(n))
#define KERNEL	  0xffffffff81000000UL
#define HWBKPT	  4

/* A register set without the segments: what the tracee has at its int3. */
static struct {
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
} shared_, *seen;

static pid_t child;

/* Continue the tracee with @request; it stops with @sig. */
static void resume(long request, int sig)
{
	int status;

	CHECK_OK(ptrace(request, child, 0, 0));
	status = tap_wait(child);
	CHECK(WIFSTOPPED(status));
	if (WIFSTOPPED(status))
		CHECK_EQ(WSTOPSIG(status), sig);
}

static void start(void (*fn)(void))
{
	fflush(NULL);
	child = fork();
	if (child == 0) {
		CHECK_OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		fn();
		_exit(tap_nfailed ? 1 : 0);
	}
	CHECK(WIFSTOPPED(tap_wait(child)));
}

static void finish(void)
{
	CHECK_OK(ptrace(PTRACE_CONT, child, 0, 0));
	CHECK_EXIT(child, 0);
}

static struct user_regs_struct get_regs(void)
{
	struct user_regs_struct r = { 0 };

	CHECK_OK(ptrace(PTRACE_GETREGS, child, 0, &r));
	return r;
}

static long peek_user(size_t offset)
{
	errno = 0;
	return ptrace(PTRACE_PEEKUSER, child, offset, 0);
}

static long poke_user(size_t offset, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, child, offset, value);
}

/* ---- General registers ---- */

#define SET_ALL                                                                                    \
	"pushq %%rbp\n\tmovq $0x15, %%r15\n\tmovq $0x14, %%r14\n\tmovq $0x13, %%r13\n\t"           \
	"movq $0x12, %%r12\n\tmovq $0x1bb, %%rbp\n\tmovq $0x11, %%r11\n\tmovq $0x10, %%r10\n\t"    \
	"movq $0x9, %%r9\n\tmovq $0x8, %%r8\n\tmovq $0xa, %%rax\n\tmovq $0xc, %%rcx\n\t"           \
	"movq $0xd, %%rdx\n\tmovq $0x51, %%rsi\n\tmovq $0xd1, %%rdi\n\tint3\n\t"
#define STORE_ALL                                                                                  \
	"movq %%r15, (%%rbx)\n\tmovq %%r14, 8(%%rbx)\n\tmovq %%r13, 16(%%rbx)\n\t"                 \
	"movq %%r12, 24(%%rbx)\n\tmovq %%rbp, 32(%%rbx)\n\tmovq %%r11, 48(%%rbx)\n\t"              \
	"movq %%r10, 56(%%rbx)\n\tmovq %%r9, 64(%%rbx)\n\tmovq %%r8, 72(%%rbx)\n\t"                \
	"movq %%rax, 80(%%rbx)\n\tmovq %%rcx, 88(%%rbx)\n\tmovq %%rdx, 96(%%rbx)\n\t"              \
	"movq %%rsi, 104(%%rbx)\n\tmovq %%rdi, 112(%%rbx)\n\tpopq %%rbp\n\t"

static void all_registers(void)
{
	__asm__ volatile(SET_ALL STORE_ALL
			 :
			 : "b"(seen)
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "memory");
	CHECK_EQ(seen->r15, 0x1015);
	CHECK_EQ(seen->r14, 0x1014);
	CHECK_EQ(seen->r13, 0x1013);
	CHECK_EQ(seen->r12, 0x1012);
	CHECK_EQ(seen->bp, 0x11bb);
	CHECK_EQ(seen->r11, 0x1011);
	CHECK_EQ(seen->r10, 0x1010);
	CHECK_EQ(seen->r9, 0x1009);
	CHECK_EQ(seen->r8, 0x1008);
	CHECK_EQ(seen->ax, 0x100a);
	CHECK_EQ(seen->cx, 0x100c);
	CHECK_EQ(seen->dx, 0x100d);
	CHECK_EQ(seen->si, 0x1051);
	CHECK_EQ(seen->di, 0x10d1);
}

static void test_registers(void)
{
	struct user_regs_struct r;

	seen = &shared_;
	start(all_registers);
	resume(PTRACE_CONT, SIGTRAP);
	r = get_regs();
	CHECK_EQ(r.r15, 0x15);
	CHECK_EQ(r.r11, 0x11);
	CHECK_EQ(r.rbp, 0x1bb);
	CHECK_EQ(r.rax, 0xa);
	CHECK_EQ(r.rdi, 0xd1);
	CHECK_EQ(r.rbx, (uintptr_t)seen);
	CHECK_EQ(r.cs, 0x33);
	CHECK_EQ(r.ss, 0x2b);
	CHECK_EQ(r.orig_rax, -1);
	CHECK_EQ(r.fs_base, (uintptr_t)__builtin_thread_pointer());
	r.r15 |= 0x1000;
	r.r14 |= 0x1000;
	r.r13 |= 0x1000;
	r.r12 |= 0x1000;
	r.rbp |= 0x1000;
	r.r11 |= 0x1000;
	r.r10 |= 0x1000;
	r.r9 |= 0x1000;
	CHECK_OK(ptrace(PTRACE_SETREGS, child, 0, &r));
	/* The others word by word. */
	CHECK_OK(poke_user(offsetof(struct user, regs.r8), r.r8 | 0x1000));
	CHECK_OK(poke_user(offsetof(struct user, regs.rax), r.rax | 0x1000));
	CHECK_OK(poke_user(offsetof(struct user, regs.rcx), r.rcx | 0x1000));
	CHECK_OK(poke_user(offsetof(struct user, regs.rdx), r.rdx | 0x1000));
	CHECK_OK(poke_user(offsetof(struct user, regs.rsi), r.rsi | 0x1000));
	CHECK_OK(poke_user(offsetof(struct user, regs.rdi), r.rdi | 0x1000));
	CHECK_EQ(peek_user(offsetof(struct user, regs.rdi)), 0x10d1);
	finish();
}

static void trap_twice(void)
{
	__asm__ volatile("int3");
	__asm__ volatile("int3");
}

static void test_refused(void)
{
	struct user_regs_struct r;
	unsigned long fs;

	start(trap_twice);
	resume(PTRACE_CONT, SIGTRAP);
	r = get_regs();
	fs = r.fs_base;
	CHECK_ERRNO(poke_user(offsetof(struct user, regs.cs), 0), EIO);
	CHECK_ERRNO(poke_user(offsetof(struct user, regs.cs), 0x10), EIO);
	CHECK_ERRNO(poke_user(offsetof(struct user, regs.ss), 0), EIO);
	CHECK_ERRNO(poke_user(offsetof(struct user, regs.fs_base), KERNEL), EIO);
	CHECK_ERRNO(poke_user(offsetof(struct user, regs.gs_base), 1UL << 63), EIO);
	CHECK_EQ(peek_user(offsetof(struct user, regs.fs_base)), fs);
	CHECK_ERRNO(poke_user(1, 0), EIO);
	CHECK_ERRNO(poke_user(928, 0), EIO);
	CHECK_ERRNO(poke_user(offsetof(struct user, u_comm), 0), EIO);
	CHECK_ERRNO(peek_user(4), EIO);
	CHECK_ERRNO(peek_user(928), EIO);
	/* Privileged flags stay as they are. */
	CHECK_OK(poke_user(offsetof(struct user, regs.eflags), FLAG_IOPL | FLAG_DF));
	CHECK_EQ(peek_user(offsetof(struct user, regs.eflags)) &
			 (long)(FLAG_IOPL | FLAG_IF | FLAG_DF),
		 FLAG_IF | FLAG_DF);
	CHECK_OK(poke_user(offsetof(struct user, regs.eflags), r.eflags));
	resume(PTRACE_CONT, SIGTRAP);
	finish();
}

/* Anywhere may be jumped to: it faults in user mode. */
static void test_bad_ip(void)
{
	static const unsigned long bad[] = { KERNEL, 0x800000000000, 0x8000000000000000,
					     0xffff800000000000, 0x7ffffffff000 };

	start(trap_twice);
	resume(PTRACE_CONT, SIGTRAP);
	struct user_regs_struct r = get_regs(), saved = r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		siginfo_t info;

		r.rip = bad[i];
		CHECK_OK(ptrace(PTRACE_SETREGS, child, 0, &r));
		resume(PTRACE_CONT, SIGSEGV);
		CHECK_OK(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
		CHECK_EQ(get_regs().rip, bad[i]);
		r = saved;
		r.rsp = bad[i];
		CHECK_OK(ptrace(PTRACE_SETREGS, child, 0, &r));
		r = saved;
	}
	CHECK_OK(ptrace(PTRACE_SETREGS, child, 0, &saved));
	resume(PTRACE_CONT, SIGTRAP);
	finish();
}

/* ---- Floating point and vectors ---- */

static uint8_t vectors[2][32];

static void use_vectors(void)
{
	for (int i = 0; i < 32; i++)
		vectors[0][i] = (uint8_t)(0x40 + i);
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vmovdqu %1, %%ymm9\n\tint3\n\tint3\n\tvmovdqu %%ymm9, %0"
				 : "=m"(vectors[1])
				 : "m"(vectors[0]));
	else
		__asm__ volatile("movdqu %1, %%xmm9\n\tint3\n\tint3\n\tmovdqu %%xmm9, %0"
				 : "=m"(vectors[1])
				 : "m"(vectors[0]));
	vectors[0][1] = 0xee;
	vectors[0][17] = 0xdd;
	CHECK(!memcmp(vectors[0], vectors[1], __builtin_cpu_supports("avx") ? 32 : 16));
}

static long regset(long request, long note, void *buf, size_t *len)
{
	struct iovec iov = { buf, *len };
	long r = ptrace(request, child, note, &iov);

	*len = iov.iov_len;
	return r;
}

static void test_fp_set(void)
{
	struct user_fpregs_struct fp, again;
	size_t len = sizeof(fp);

	CHECK_OK(ptrace(PTRACE_GETFPREGS, child, 0, &fp));
	CHECK_EQ(((uint8_t *)fp.xmm_space)[9 * 16], 0x40);
	CHECK_OK(regset(PTRACE_GETREGSET, NT_PRFPREG, &again, &len));
	CHECK_EQ(len, sizeof(fp));
	CHECK(!memcmp(&fp, &again, sizeof(fp)));
	((uint8_t *)fp.xmm_space)[9 * 16 + 1] = 0xee;
	CHECK_OK(ptrace(PTRACE_SETFPREGS, child, 0, &fp));
	fp.mxcsr = 0xffffffff;
	CHECK_ERRNO(ptrace(PTRACE_SETFPREGS, child, 0, &fp), EINVAL);
	len = 256;
	CHECK_ERRNO(regset(PTRACE_SETREGSET, NT_PRFPREG, &again, &len), EINVAL);
	len = 257;
	CHECK_ERRNO(regset(PTRACE_GETREGSET, NT_PRFPREG, &again, &len), EINVAL);
}

static void test_xstate_set(void)
{
	static uint8_t area[16384], bad[16384];
	size_t len = sizeof(area), size;
	uint32_t a, b, c, d;
	uint64_t xcr0;

	CHECK_OK(regset(PTRACE_GETREGSET, NT_X86_XSTATE, area, &len));
	size = len;
	memcpy(&xcr0, area + 464, 8);
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	CHECK_EQ(xcr0 & 7, a & 7);
	__cpuid_count(0xd, 2, a, b, c, d);
	CHECK_EQ(area[160 + 9 * 16 + 1], 0xee);
	CHECK_EQ(area[b + 9 * 16], 0x50);
	area[b + 9 * 16 + 1] = 0xdd;
	CHECK_OK(regset(PTRACE_SETREGSET, NT_X86_XSTATE, area, &len));
	memcpy(bad, area, size);
	bad[512 + 7] |= 0x40; /* a component that is not */
	CHECK_ERRNO(regset(PTRACE_SETREGSET, NT_X86_XSTATE, bad, &len), EINVAL);
	memcpy(bad, area, size);
	bad[520] = 1; /* compacted */
	CHECK_ERRNO(regset(PTRACE_SETREGSET, NT_X86_XSTATE, bad, &len), EINVAL);
	memcpy(bad, area, size);
	bad[27] = 0xff; /* MXCSR */
	CHECK_ERRNO(regset(PTRACE_SETREGSET, NT_X86_XSTATE, bad, &len), EINVAL);
	len = 576;
	CHECK_ERRNO(regset(PTRACE_SETREGSET, NT_X86_XSTATE, area, &len), EFAULT);
}

static void test_vectors(void)
{
	start(use_vectors);
	resume(PTRACE_CONT, SIGTRAP);
	test_fp_set();
	resume(PTRACE_CONT, SIGTRAP);
	if (__builtin_cpu_supports("avx"))
		test_xstate_set();
	finish();
}

/* ---- Single-step ---- */

static uint64_t pushed;

extern char step_code[], step_nop[], step_jump[], step_target[], step_syscall[], step_pushf[],
	step_popf[], step_after[], step_end[];

__asm__("	.text\n"
	"step_code:	int3\n"
	"step_nop:	nop\n"
	"step_jump:	jmp step_target\n"
	"		ud2\n"
	"step_target:	movl $39, %eax\n"
	"step_syscall:	syscall\n"
	"step_pushf:	pushfq\n"
	"		popq %rdx\n"
	"		movl $3, %ecx\n"
	"		pushq %rdx\n"
	"		andq $~0x100, (%rsp)\n"
	"step_popf:	popfq\n"
	"step_after:	nop\n"
	"step_end:	ret\n");

static void run_step_code(void)
{
	__asm__ volatile("call step_code" : "=d"(pushed) : : "rax", "rcx", "r11", "memory");
}

static void expect_ip(const char *where)
{
	struct user_regs_struct r = get_regs();

	CHECK_EQ(r.rip, (uintptr_t)where);
	CHECK_EQ(r.eflags & FLAG_TF, 0);
}

static void step(const char *where)
{
	siginfo_t info = { 0 };

	resume(PTRACE_SINGLESTEP, SIGTRAP);
	expect_ip(where);
	CHECK_OK(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
	CHECK_EQ(info.si_signo, SIGTRAP);
}

static void test_step(void)
{
	start(run_step_code);
	resume(PTRACE_CONT, SIGTRAP);
	expect_ip(step_nop);
	step(step_jump);
	step(step_target);
	step(step_syscall);
	/* One step is the whole system call. */
	step(step_pushf);
	CHECK_EQ(get_regs().rax, child);
	for (int i = 0; i < 5; i++)
		resume(PTRACE_SINGLESTEP, SIGTRAP);
	expect_ip(step_popf);
	/* A popf makes the flag the program's own: what is seen of it from here on differs. */
	step(step_after);
	resume(PTRACE_SINGLESTEP, SIGTRAP);
	CHECK_EQ(get_regs().rip, (uintptr_t)step_end);
	CHECK_OK(ptrace(PTRACE_KILL, child, 0, 0));
	(void)tap_wait(child);
}

/* ---- Debug registers ---- */

static volatile uint64_t watched[2];

__attribute__((noinline)) static void function(void)
{
	__asm__ volatile("nop" ::: "memory");
}

static void run_watched(void)
{
	pid_t pid;

	function();
	watched[0] = 1;
	(void)watched[1];
	/* A child is not traced and has no breakpoints. */
	pid = fork();
	if (pid == 0) {
		function();
		watched[0] = 2;
		_exit(5);
	}
	CHECK_EXIT(pid, 5);
	/* Nor has a new program. */
	__asm__ volatile("int3");
}

static void expect_hit(unsigned int n)
{
	siginfo_t info = { 0 };

	CHECK_EQ(peek_user(DEBUGREG(6)) & 15, 1 << n);
	CHECK_OK(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
	CHECK_EQ(info.si_code, HWBKPT);
	CHECK_OK(poke_user(DEBUGREG(6), 0));
}

static void test_debug_registers(void)
{
	start(run_watched);
	CHECK_EQ(peek_user(DEBUGREG(7)), 0);
	/* Only user addresses, aligned, of kinds there are. */
	CHECK_ERRNO(poke_user(DEBUGREG(0), KERNEL), EINVAL);
	CHECK_ERRNO(poke_user(DEBUGREG(0), 0x7ffffffff000), EINVAL);
	CHECK_ERRNO(poke_user(DEBUGREG(4), 0), EIO);
	CHECK_ERRNO(poke_user(DEBUGREG(5), 0), EIO);
	CHECK_OK(poke_user(DEBUGREG(1), (uintptr_t)watched + 1));
	CHECK_ERRNO(poke_user(DEBUGREG(7), 0x00d00004), EINVAL); /* 4 bytes, not aligned */
	CHECK_ERRNO(poke_user(DEBUGREG(7), 0x00200004), EINVAL); /* I/O */
	CHECK_ERRNO(poke_user(DEBUGREG(7), 0x00c00004), EINVAL); /* 4 bytes of code */
	/* DR0: execute; DR1: write, 8 bytes; DR2: read or write, 4 bytes. */
	CHECK_OK(poke_user(DEBUGREG(0), (uintptr_t)function));
	CHECK_OK(poke_user(DEBUGREG(1), (uintptr_t)&watched[0]));
	CHECK_OK(poke_user(DEBUGREG(2), (uintptr_t)&watched[1]));
	CHECK_OK(poke_user(DEBUGREG(7), 0x0f900015));
	CHECK_EQ(peek_user(DEBUGREG(0)), (uintptr_t)function);
	CHECK_EQ(peek_user(DEBUGREG(7)), 0x0f900015);
	/* One that is on does not become misaligned. */
	CHECK_ERRNO(poke_user(DEBUGREG(1), (uintptr_t)&watched[0] + 4), EINVAL);
	resume(PTRACE_CONT, SIGTRAP);
	CHECK_EQ(get_regs().rip, (uintptr_t)function);
	expect_hit(0);
	resume(PTRACE_CONT, SIGTRAP);
	expect_hit(1);
	resume(PTRACE_CONT, SIGTRAP);
	expect_hit(2);
	resume(PTRACE_CONT, SIGCHLD);
	resume(PTRACE_CONT, SIGTRAP); /* the int3 */
	CHECK_OK(poke_user(DEBUGREG(7), 0));
	finish();
}

int main(void)
{
	if (ptrace((int)PTRACE_CONT, getpid(), 0, 0) == -1 && errno == ENOSYS)
		SKIP("no ptrace");
	TAP_FORK(test_registers);
	TAP_FORK(test_refused);
	TAP_FORK(test_bad_ip);
	TAP_FORK(test_vectors);
	TAP_FORK(test_step);
	TAP_FORK(test_debug_registers);
	return tap_done();
}

#endif

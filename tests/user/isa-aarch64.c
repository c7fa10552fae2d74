/* SPDX-License-Identifier: MIT */
/*
 * What is aarch64's own: ID registers and caches as seen from EL0, the signal for each kind of
 * exception, and the records of the signal frame, which a forged one must not get past.
 * Source: Linux Documentation/arch/arm64/cpu-feature-registers.rst, asm/sigcontext.h.
 */
#include "tap.h"

#ifndef __aarch64__

int main(void)
{
	SKIP("not an aarch64 machine");
}

#else

#include "isa.h"
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define HWCAP_ATOMICS_ (1 << 8)
#define HWCAP_CPUID_ (1 << 11)
#define HWCAP_SVE_ (1 << 22)
#define HWCAP2_MOPS_ (1UL << 43)
#define FLAG_N (1UL << 31)
#define FLAG_C (1UL << 29)
#define FPSIMD_MAGIC_ 0x46508001
#define ESR_MAGIC_ 0x45535201
#define EXTRA_MAGIC_ 0x45585401
#define RT_SIGFRAME_SIZE 4688

#define READ_ID(reg)                                                                               \
	({                                                                                         \
		uint64_t v_;                                                                       \
		__asm__ volatile("mrs %0, " #reg : "=r"(v_));                                      \
		v_;                                                                                \
	})

static void test_id_registers(void)
{
	unsigned long caps = getauxval(AT_HWCAP);

	if (!(caps & HWCAP_CPUID_)) {
		NOTE("no emulation of ID registers");
		return;
	}
	CHECK_EQ(READ_ID(id_aa64pfr0_el1) & 15, 1);
	CHECK_EQ((READ_ID(id_aa64isar0_el1) >> 20 & 15) >= 2, (caps & HWCAP_ATOMICS_) != 0);
	CHECK_EQ(READ_ID(mpidr_el1), 1ULL << 31);
	CHECK_EQ(READ_ID(id_aa64mmfr1_el1) >> 32 & 15, 0);
	READ_ID(midr_el1);
	READ_ID(s3_0_c0_c7_7);
}

/* Run the main and last part of a copy or set with registers and flags as a CPU of the other way leaves them. */
#define RESUME(p, m, e, flags, dst, src, n)                                                        \
	__asm__ volatile(".arch_extension mops\n\t"                                                \
			 "msr nzcv, %3\n\tb 1f\n\t" p "\n1:\t" m "\n\t" e                          \
			 : "+r"(dst), "+r"(src), "+r"(n)                                           \
			 : "r"(flags)                                                              \
			 : "cc", "memory")

/* The kernel goes back to the first part: nothing is left out, whichever part and direction it was. */
static void test_memory_copy(void)
{
	static char from[3000], to[3000];
	char *d = to, *s = from;
	size_t n = sizeof(to);

	if (!(getauxval(AT_HWCAP2) & HWCAP2_MOPS_)) {
		CHECK_EQ(READ_ID(s3_0_c0_c6_2) >> 16 & 15, 0);
		return;
	}
	CHECK(READ_ID(s3_0_c0_c6_2) >> 16 & 15);
	for (size_t i = 0; i < n; i++)
		from[i] = (char)(i * 7);
	__asm__ volatile(
		".arch_extension mops\n\tcpyfp [%0]!, [%1]!, %2!\n\tcpyfm [%0]!, [%1]!, %2!\n\t"
		"cpyfe [%0]!, [%1]!, %2!"
		: "+r"(d), "+r"(s), "+r"(n)
		:
		: "cc", "memory");
	CHECK_EQ(n, 0);
	CHECK(!memcmp(from, to, sizeof(to)));

	memset(to, 0, sizeof(to));
	d = to, s = from, n = sizeof(to);
	RESUME("cpyfp [%0]!, [%1]!, %2!", "cpyfm [%0]!, [%1]!, %2!", "cpyfe [%0]!, [%1]!, %2!",
	       FLAG_C, d, s, n);
	CHECK(!memcmp(from, to, sizeof(to)));

	memset(to, 0, sizeof(to)); /* downwards, and caught in the last part */
	d = to + sizeof(to), s = from + sizeof(to), n = sizeof(to);
	RESUME("cpyp [%0]!, [%1]!, %2!\n\tcpym [%0]!, [%1]!, %2!", "cpye [%0]!, [%1]!, %2!", "nop",
	       FLAG_N | FLAG_C, d, s, n);
	CHECK(!memcmp(from, to, sizeof(to)));

	d = to, s = (char *)0x55, n = sizeof(to);
	RESUME("setp [%0]!, %2!, %1", "setm [%0]!, %2!, %1", "sete [%0]!, %2!, %1", FLAG_C, d, s,
	       n);
	for (size_t i = 0; i < sizeof(to); i++)
		REQUIRE(to[i] == 0x55);
}

static void test_counter(void)
{
	uint64_t a, b, freq;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(a));
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(b));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(freq));
	CHECK(b >= a);
	CHECK(freq >= 1000000);
}

/* Write code, run it, change it, run it again: the cache instructions of EL0 are all it takes. */
static void test_self_modifying(void)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*fn)(void) = (int (*)(void))code;

	REQUIRE(code != MAP_FAILED);
	for (uint32_t i = 0; i < 100; i++) {
		code[0] = 0x52800000 | i << 5; /* mov w0, #i */
		code[1] = 0xd65f03c0;	       /* ret */
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb"
				 :
				 : "r"(code)
				 : "memory");
		CHECK_EQ(fn(), i);
	}
	munmap(code, 4096);
}

/* The instruction gives this signal, with the code, and says where it was. */
#define EXPECT_AT_INSN(insn, sig, code)                                                            \
	do {                                                                                       \
		uint64_t at_ = 0;                                                                  \
		got_sig = 0;                                                                       \
		if (sigsetjmp(back, 1) == 0)                                                       \
			__asm__ volatile("adr x9, 1f\n\tstr x9, [%0]\n1:\t" insn                   \
					 :                                                         \
					 : "r"(&at_)                                               \
					 : "x0", "x9", "memory");                                  \
		CHECK_EQ(got_sig, sig);                                                            \
		CHECK_EQ(got_code, code);                                                          \
		CHECK_EQ((uintptr_t)got_addr, *(volatile uint64_t *)&at_);                         \
	} while (0)

static void test_exceptions(void)
{
	handle(SIGILL, catch);
	handle(SIGTRAP, catch);
	handle(SIGSEGV, catch);
	EXPECT_AT_INSN(".inst 0", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("msr daifset, #2", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("mrs x0, sctlr_el1", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("brk #7", SIGTRAP, TRAP_BRKPT);
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE_))
		EXPECT_AT_INSN(".inst 0x04bf5020", SIGILL, ILL_ILLOPC); /* rdvl x0, #1 */
	/* The kernel's half of the address space. */
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)0xffff800000001000UL = 1;
	CHECK_EQ(got_sig, SIGSEGV);
	CHECK_EQ((uintptr_t)got_addr, 0xffff800000001000UL);
}

static void test_misaligned(void)
{
	static char buffer[32] __attribute__((aligned(32)));

	handle(SIGBUS, catch);
	/* An exclusive access over a 16-byte boundary; QEMU does not check the stack pointer. */
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("ldxr x9, [%0]" : : "r"(buffer + 13) : "x9", "memory");
	CHECK_EQ(got_sig, SIGBUS);
	CHECK_EQ(got_code, BUS_ADRALN);
	CHECK(got_addr == buffer + 13);
	got_sig = 0;
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("adr x9, 1f + 2\n\tbr x9\n1:" : : : "x9", "memory");
	CHECK_EQ(got_sig, SIGBUS);
	CHECK_EQ(got_code, BUS_ADRALN);
}

/* A word across the end of the address space, handed to the kernel. */
static void test_last_page(void)
{
	char *last = (char *)0xfffffffff000UL;
	char *p = mmap(last, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		       -1, 0);

	if (p == MAP_FAILED) {
		NOTE("the last page cannot be mapped");
		return;
	}
	memset(p, 0, 4096);
	for (int i = 1; i < 8; i++) {
		CHECK_ERRNO(syscall(SYS_nanosleep, p + 4096 - i, NULL), EFAULT);
		CHECK_ERRNO(syscall(SYS_execve, "/proc/self/exe", p + 4096 - i, NULL), EFAULT);
		CHECK_ERRNO(syscall(SYS_clock_gettime, 0, p + 4096 - i), EFAULT);
		CHECK_ERRNO(syscall(SYS_getcpu, p + 4096 - (i % 3 + 1), NULL, NULL), EFAULT);
	}
	munmap(p, 4096);
}

/* ---- The frame ---- */

static volatile uint64_t seen_fault, seen_records, seen_esr, seen_fpsimd_size, seen_extra,
	seen_link;

struct record {
	uint32_t magic, size;
};

static struct record *records(void *context)
{
	return (struct record *)(void *)((ucontext_t *)context)->uc_mcontext.__reserved;
}

static void walk_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct record *r = records(context);
	uint64_t *link = (uint64_t *)(void *)((char *)info + RT_SIGFRAME_SIZE);

	(void)sig;
	seen_fault = uc->uc_mcontext.fault_address;
	while (r->magic && seen_records < 8) {
		seen_records++;
		if (r->magic == FPSIMD_MAGIC_)
			seen_fpsimd_size = r->size;
		if (r->magic == EXTRA_MAGIC_)
			seen_extra = 1;
		if (r->magic == ESR_MAGIC_)
			seen_esr = *(uint64_t *)(r + 1);
		r = (struct record *)((char *)r + r->size);
	}
	/* Above the frame, a frame record: an unwinder goes on with the interrupted function's. */
	if (!seen_extra)
		seen_link =
			link[0] == uc->uc_mcontext.regs[29] && link[1] == uc->uc_mcontext.regs[30];
	uc->uc_mcontext.pc += 4;
}

static void test_frame(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(SIGSEGV, walk_frame);
	__asm__ volatile("str wzr, [%0, #12]" : : "r"(page) : "memory");
	CHECK_EQ(seen_fault, (uintptr_t)page + 12);
	CHECK_EQ(seen_fpsimd_size, 528);
	CHECK(seen_extra || seen_link);
	CHECK_EQ(seen_esr >> 26, 0x24); /* data abort from EL0 */
	CHECK_EQ(seen_esr >> 6 & 1, 1); /* a write */
	munmap(page, 4096);
}

static void forge_pstate(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.pstate |= 5; /* EL1h */
}

static void forge_masks(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.pstate |= 0x3c0; /* D, A, I, F */
}

static void drop_fpsimd(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	memset(records(context), 0, sizeof(struct record));
}

static void endless_record(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	records(context)->size = 0;
}

static void huge_record(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	records(context)->size = 0xfffffff0;
}

static void test_forged_frames(void)
{
	void (*const forgers[])(int, siginfo_t *, void *) = { forge_pstate, forge_masks,
							      drop_fpsimd, endless_record,
							      huge_record };

	for (size_t i = 0; i < ARRAY_SIZE(forgers); i++)
		expect_refused(forgers[i], NULL);
}

static volatile uintptr_t forged_sp;

static void forge_and_note(int sig, siginfo_t *info, void *context)
{
	forged_sp = ((ucontext_t *)context)->uc_mcontext.sp;
	forge_pstate(sig, info, context);
}

/* The signal for a bad frame can be handled, and tells where the stack is. */
static void test_refusal(void)
{
	handle(SIGUSR1, forge_and_note);
	handle(SIGSEGV, catch);
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	CHECK_EQ(got_sig, SIGSEGV);
	CHECK_EQ(got_code, SEGV_ACCERR);
	CHECK_EQ((uintptr_t)got_addr, forged_sp);
}

/* Condition flags are the program's, through a handler too. */
static void set_flags(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.pstate ^= 0xf0000000;
}

static void test_flags(void)
{
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = SIGUSR1;
	register long x8 __asm__("x8") = SYS_kill;
	uint64_t before = 0x60000000, after;

	handle(SIGUSR1, set_flags);
	__asm__ volatile("msr nzcv, %3\n\tsvc #0\n\tmrs %1, nzcv"
			 : "+r"(x0), "=r"(after)
			 : "r"(x1), "r"(before), "r"(x8)
			 : "memory", "cc");
	CHECK_EQ(after, 0x90000000);
}

int main(void)
{
	TAP_RUN(test_id_registers);
	TAP_RUN(test_memory_copy);
	TAP_RUN(test_counter);
	TAP_RUN(test_self_modifying);
	TAP_FORK(test_last_page);
	TAP_FORK(test_exceptions);
	TAP_FORK(test_misaligned);
	TAP_FORK(test_frame);
	TAP_FORK(test_forged_frames);
	TAP_FORK(test_refusal);
	TAP_FORK(test_flags);
	return tap_done();
}

#endif

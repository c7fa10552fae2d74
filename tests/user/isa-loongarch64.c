/* SPDX-License-Identifier: MIT */
/*
 * What is loongarch64's own: the signal for each kind of exception, the vector registers through
 * signals, forks and other programs, and the records of the signal frame, which a forged one must
 * not get past. Source: Linux uapi/asm/{hwcap,sigcontext}.h, kernel/traps.c for the signals.
 */
#include "tap.h"

#ifndef __loongarch__

int main(void)
{
	SKIP("not a loongarch64 machine");
}

#else

#include "isa.h"
#include <sched.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define HWCAP_FPU_ (1 << 3)
#define HWCAP_LSX_ (1 << 4)
#define HWCAP_LASX_ (1 << 5)
#define FPU_MAGIC_ 0x46505501
#define LSX_MAGIC_ 0x53580001
#define LASX_MAGIC_ 0x41535801
#define SIGCONTEXT_SIZE 272

struct record {
	uint32_t magic, size;
	uint64_t pad;
};

static struct record *records(void *context)
{
	return (struct record *)(void *)((char *)&((ucontext_t *)context)->uc_mcontext +
					 SIGCONTEXT_SIZE);
}

static uint32_t cpucfg_word(unsigned long n)
{
	uint32_t v;

	__asm__("cpucfg %0, %1" : "=r"(v) : "r"(n));
	return v;
}

static void test_hwcap(void)
{
	unsigned long caps = getauxval(AT_HWCAP);
	uint32_t cfg = cpucfg_word(2);

	CHECK_EQ((caps & HWCAP_FPU_) != 0, cfg & 1);
	CHECK_EQ((caps & HWCAP_LSX_) != 0, cfg >> 6 & 1);
	CHECK_EQ((caps & HWCAP_LASX_) != 0, cfg >> 7 & 1);
	CHECK_EQ(caps & 1, 1);
}

static void test_counter(void)
{
	uint64_t a, b;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(a));
	usleep(2000);
	__asm__ volatile("rdtime.d %0, $zero" : "=r"(b));
	CHECK(b > a);
}

/* ---- Exceptions ---- */

#define PROVOKE(sig_, code_, insn, ...)                                                            \
	do {                                                                                       \
		got_sig = got_code = 0;                                                            \
		if (sigsetjmp(back, 1) == 0)                                                       \
			__asm__ volatile(insn : : __VA_ARGS__ : "memory", "$t0");                  \
		CHECK_EQ(got_sig, sig_);                                                           \
		CHECK_EQ(got_code, code_);                                                         \
	} while (0)

static void test_exceptions(void)
{
	int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		handle(sigs[i], catch);
	PROVOKE(SIGTRAP, TRAP_BRKPT, "break 0", "r"(0));
	PROVOKE(SIGFPE, FPE_INTDIV, "break 7", "r"(0));
	PROVOKE(SIGFPE, FPE_INTOVF, "break 6", "r"(0));
	PROVOKE(SIGBUS, BUS_ADRERR, "ld.d $t0, %0, 0", "r"(1UL << 60));
	CHECK_EQ((uintptr_t)got_addr, 1UL << 60);
	PROVOKE(SIGSEGV, SEGV_MAPERR, "ld.d $t0, %0, 0", "r"(0xffffffff80000000UL));
	PROVOKE(SIGSEGV, SEGV_MAPERR, "st.d $t0, %0, 8", "r"(0UL));
	CHECK_EQ((uintptr_t)got_addr, 8);
	PROVOKE(SIGSEGV, SEGV_ACCERR, "st.d $t0, %0, 0", "r"((void *)test_exceptions));
	got_sig = 0;
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("csrrd $t0, 0" : : : "$t0");
	CHECK_EQ(got_sig, SIGILL);
	got_sig = 0;
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile(".word 0");
	CHECK_EQ(got_sig, SIGILL);
}

/* Division by zero with its trap enabled; what follows finds the FPU usable. */
static void test_fpe(void)
{
	double one = 1, zero = 0, q;

	handle(SIGFPE, catch);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("movgr2fcsr $fcsr0, %3\n\tfdiv.d %0, %1, %2"
				 : "=f"(q)
				 : "f"(one), "f"(zero), "r"(8));
	CHECK_EQ(got_sig, SIGFPE);
	CHECK_EQ(got_code, FPE_FLTDIV);
	__asm__ volatile("movgr2fcsr $fcsr0, $zero");
	__asm__ volatile("fadd.d %0, %1, %1" : "=f"(q) : "f"(one));
	CHECK(q == 2);
}

static void test_unaligned(void)
{
	char buf[32];
	uint64_t v = 0;

	memset(buf, 0, sizeof(buf));
	__asm__ volatile("st.d %0, %1, 0" : : "r"(0x1122334455667788UL), "r"(buf + 3) : "memory");
	__asm__ volatile("ld.d %0, %1, 0" : "=r"(v) : "r"(buf + 3) : "memory");
	CHECK_EQ(v, 0x1122334455667788UL);
	CHECK_EQ(buf[3], (char)0x88);
	__asm__ volatile("ld.h %0, %1, 0" : "=r"(v) : "r"(buf + 9) : "memory");
	CHECK_EQ(v, 0x1122);
}

/* ---- Vector registers ---- */

static bool has_lasx(void)
{
	return getauxval(AT_HWCAP) & HWCAP_LASX_;
}

static void vector_set(uint64_t seed)
{
	uint64_t v[4] = { seed, seed + 1, seed + 2, seed + 3 };

	if (has_lasx())
		__asm__ volatile("xvld $xr5, %0, 0\n\txvld $xr31, %0, 0" : : "r"(v) : "memory");
	else
		__asm__ volatile("vld $vr5, %0, 0\n\tvld $vr31, %0, 0" : : "r"(v) : "memory");
}

static bool vector_is(uint64_t seed)
{
	uint64_t v[8];
	int words = has_lasx() ? 4 : 2, i;

	if (has_lasx())
		__asm__ volatile("xvst $xr5, %0, 0\n\txvst $xr31, %0, 32" : : "r"(v) : "memory");
	else
		__asm__ volatile("vst $vr5, %0, 0\n\tvst $vr31, %0, 32" : : "r"(v) : "memory");
	for (i = 0; i < words; i++)
		if (v[i] != seed + (uint64_t)i || v[4 + i] != seed + (uint64_t)i)
			return false;
	return true;
}

static void spoil(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	vector_set(0xdead0000);
}

static void test_vector_signal(void)
{
	if (!(getauxval(AT_HWCAP) & HWCAP_LSX_)) {
		NOTE("no LSX");
		return;
	}
	handle(SIGUSR1, spoil);
	vector_set(77);
	raise(SIGUSR1);
	CHECK(vector_is(77));
}

/* Two processes that take turns, each with its own values. */
static void test_vector_switch(void)
{
	bool good = true;
	pid_t pid;
	int i;

	if (!(getauxval(AT_HWCAP) & HWCAP_LSX_))
		return;
	vector_set(1000);
	pid = fork();
	if (pid == 0) {
		good = vector_is(1000);
		for (i = 0; i < 200; i++) {
			vector_set(5000 + (uint64_t)i);
			sched_yield();
			good &= vector_is(5000 + (uint64_t)i);
		}
		_exit(good ? 0 : 1);
	}
	for (i = 0; i < 200; i++) {
		vector_set(9000 + (uint64_t)i);
		sched_yield();
		good &= vector_is(9000 + (uint64_t)i);
	}
	CHECK(good);
	CHECK_EXIT(pid, 0);
}

/* A program's first vector instruction finds zeroes above what the FPU left. */
static void first_use(void)
{
	double d = 1.5;
	uint64_t v[4] = { 1, 1, 1, 1 };

	__asm__ volatile("fmov.d $f9, %0" : : "f"(d));
	if (has_lasx())
		__asm__ volatile("xvst $xr9, %0, 0" : : "r"(v) : "memory");
	else
		__asm__ volatile("vst $vr9, %0, 0" : : "r"(v) : "memory");
	CHECK_EQ(v[0], 0x3ff8000000000000UL);
	CHECK_EQ(v[1], 0);
	if (has_lasx())
		CHECK_EQ(v[2] | v[3], 0);
}

/* ---- The frame ---- */

static volatile uint32_t seen_magic, seen_size, seen_end;
static volatile uint64_t seen_low;

static void walk_frame(int sig, siginfo_t *info, void *context)
{
	struct record *r = records(context);

	(void)sig;
	(void)info;
	seen_magic = r->magic;
	seen_size = r->size;
	if (r->magic) {
		seen_low = ((uint64_t *)(void *)(r + 1))[5 * (r->magic == LASX_MAGIC_  ? 4
							      : r->magic == LSX_MAGIC_ ? 2
										       : 1)];
		r = (struct record *)(void *)((char *)r + r->size);
		seen_end = r->magic == 0 && r->size == 0;
	}
}

static void test_frame(void)
{
	handle(SIGUSR1, walk_frame);
	if (!(getauxval(AT_HWCAP) & HWCAP_LSX_))
		return;
	vector_set(0x123400);
	raise(SIGUSR1);
	CHECK_EQ(seen_magic, has_lasx() ? LASX_MAGIC_ : LSX_MAGIC_);
	CHECK(seen_size >= (has_lasx() ? 16 + 1040 : 16 + 528));
	CHECK_EQ(seen_low, 0x123400);
	CHECK_EQ(seen_end, 1);
}

static void unknown_record(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	records(context)->magic = 0x12345678;
}

static void small_record(int sig, siginfo_t *info, void *context)
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

static void use_fpu(void)
{
	double d = 2;

	__asm__ volatile("fadd.d $f1, %0, %0" : : "f"(d) : "$f1");
}

static void test_forged_frames(void)
{
	void (*const forgers[])(int, siginfo_t *, void *) = { unknown_record, small_record,
							      huge_record };

	for (size_t i = 0; i < ARRAY_SIZE(forgers); i++)
		expect_refused(forgers[i], use_fpu);
}

/* Cause bits of a forged FCSR would trap in the kernel when they are loaded. */
static void forge_causes(int sig, siginfo_t *info, void *context)
{
	struct record *r = records(context);
	unsigned int words = r->magic == LASX_MAGIC_ ? 128 : r->magic == LSX_MAGIC_ ? 64 : 32;

	(void)sig;
	(void)info;
	((uint64_t *)(void *)(r + 1))[words + 1] = 0xffffffff;
}

static void test_forged_fcsr(void)
{
	uint32_t fcsr = 0;
	double d = 2;

	__asm__ volatile("fadd.d $f1, %0, %0" : : "f"(d) : "$f1");
	handle(SIGUSR1, forge_causes);
	raise(SIGUSR1);
	__asm__ volatile("movfcsr2gr %0, $fcsr0" : "=r"(fcsr));
	CHECK_EQ(fcsr & 0x1f000000, 0);
	CHECK_EQ(fcsr & 0x300, 0x300);
	__asm__ volatile("movgr2fcsr $fcsr0, $zero");
}

int main(void)
{
	TAP_RUN(test_hwcap);
	TAP_RUN(test_counter);
	TAP_FORK(test_exceptions);
	TAP_FORK(test_fpe);
	TAP_RUN(test_unaligned);
	TAP_FORK(first_use);
	TAP_FORK(test_vector_signal);
	TAP_FORK(test_vector_switch);
	TAP_FORK(test_frame);
	TAP_FORK(test_forged_frames);
	TAP_FORK(test_forged_fcsr);
	return tap_done();
}

#endif

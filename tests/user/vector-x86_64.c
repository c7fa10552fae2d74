/* SPDX-License-Identifier: MIT */
/*
 * AVX and AVX-512 state on x86_64, as far as the CPU has it: registers over preemption and system calls, in
 * signal frames where CPUID says they are, through sigreturn with changes, and frames that lie.
 * Source: Intel SDM volume 1 chapter 13; Linux asm/sigcontext.h.
 */
#include "tap.h"

#ifndef __x86_64__

int main(void)
{
	SKIP("not an x86_64 machine");
}

#else

#include "ticks.h"
#include <cpuid.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <ucontext.h>

#define YMM_HIGH 2
#define OPMASK	 5
#define ZMM_HIGH 6
#define ZMM_16	 7

#define FX_XMM	 160
#define FX_MXCSR 24
#define FX_SW	 464
#define XHEADER	 512
#define MAGIC1	 0x46505853u
#define MAGIC2	 0x46505845u
#define SPIN	 6000000 /* ticks: some milliseconds */

/* k0 .. k7, then zmm0 .. zmm31. */
struct vectors {
	uint64_t k[8];
	uint8_t z[32][64];
};

struct sw {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
};

static struct vectors pattern, seen;
static bool avx512;

#define LOAD_Y(n, at) "vmovdqu " #at "*64+64(%0), %%ymm" #n "\n\t"
#define STORE_Y(n, at) "vmovdqu %%ymm" #n ", " #at "*64+64(%0)\n\t"
#define LOAD_Z(n, at) "vmovdqu64 " #at "*64+64(%0), %%zmm" #n "\n\t"
#define STORE_Z(n, at) "vmovdqu64 %%zmm" #n ", " #at "*64+64(%0)\n\t"
#define LOAD_K(n) "kmovq " #n "*8(%0), %%k" #n "\n\t"
#define STORE_K(n) "kmovq %%k" #n ", " #n "*8(%0)\n\t"

#define LOW16(op)                                                                                  \
	op(0, 0) op(1, 1) op(2, 2) op(3, 3) op(4, 4) op(5, 5) op(6, 6) op(7, 7) op(8, 8) op(9, 9)  \
		op(10, 10) op(11, 11) op(12, 12) op(13, 13) op(14, 14) op(15, 15)
#define HIGH16(op)                                                                                 \
	op(16, 16) op(17, 17) op(18, 18) op(19, 19) op(20, 20) op(21, 21) op(22, 22) op(23, 23)    \
		op(24, 24) op(25, 25) op(26, 26) op(27, 27) op(28, 28) op(29, 29) op(30, 30)       \
			op(31, 31)
#define MASKS(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7)

static void load_all(const struct vectors *v)
{
	if (avx512)
		__asm__ volatile(LOW16(LOAD_Z) HIGH16(LOAD_Z) MASKS(LOAD_K)::"r"(v) : "memory");
	else
		__asm__ volatile(LOW16(LOAD_Y)::"r"(v) : "memory");
}

static void store_all(struct vectors *v)
{
	if (avx512)
		__asm__ volatile(LOW16(STORE_Z) HIGH16(STORE_Z) MASKS(STORE_K)::"r"(v) : "memory");
	else
		__asm__ volatile(LOW16(STORE_Y)::"r"(v) : "memory");
}

/* What the CPU has not is 0 in both. */
static void fill(unsigned int seed)
{
	memset(&pattern, 0, sizeof(pattern));
	memset(&seen, 0, sizeof(seen));
	for (int n = 0; n < (avx512 ? 32 : 16); n++)
		for (int i = 0; i < (avx512 ? 64 : 32); i++)
			pattern.z[n][i] = (uint8_t)(seed * 37 + n * 11 + i + 1);
	for (int n = 0; n < (avx512 ? 8 : 0); n++)
		pattern.k[n] = seed * 0x9e3779b97f4a7c15ULL + (uint64_t)n;
}

static bool is_kept(void)
{
	return !memcmp(&pattern, &seen, sizeof(seen));
}

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* ---- Preemption ---- */

static void spin_with_pattern(void)
{
	fill((unsigned int)getpid());
	for (int round = 0; round < 30; round++) {
		uint64_t until = ticks() + SPIN;
		long r = 39; /* getpid */

		load_all(&pattern);
		while (ticks() < until)
			;
		__asm__ volatile("syscall" : "+a"(r) : : "rcx", "r11", "memory");
		store_all(&seen);
		CHECK(is_kept());
	}
}

static void test_preemption(void)
{
	pid_t pids[6];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = tap_spawn(spin_with_pattern);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_EXIT(pids[i], 0);
}

/* ---- Signals ---- */

static uint32_t offset_of(unsigned int component)
{
	uint32_t a, b, c, d;

	__cpuid_count(0xd, component, a, b, c, d);
	return b;
}

static struct sw *find_sw(void *uc_)
{
	ucontext_t *uc = uc_;
	struct sw *sw = (struct sw *)(void *)((char *)uc->uc_mcontext.fpregs + FX_SW);

	CHECK_EQ(sw->magic1, MAGIC1);
	CHECK(uc->uc_flags & 1);
	return sw;
}

static void check_area(uint8_t *fp)
{
	for (int n = 0; n < 16; n++) {
		CHECK(!memcmp(fp + FX_XMM + 16 * n, pattern.z[n], 16));
		CHECK(!memcmp(fp + offset_of(YMM_HIGH) + 16 * n, pattern.z[n] + 16, 16));
	}
	for (int n = 0; n < (avx512 ? 16 : 0); n++) {
		CHECK(!memcmp(fp + offset_of(ZMM_HIGH) + 32 * n, pattern.z[n] + 32, 32));
		CHECK(!memcmp(fp + offset_of(ZMM_16) + 64 * n, pattern.z[16 + n], 64));
	}
	if (avx512)
		CHECK(!memcmp(fp + offset_of(OPMASK), pattern.k, 64));
}

static void on_alarm(int sig, siginfo_t *info, void *uc)
{
	static const struct vectors zero;
	struct sw *sw = find_sw(uc);
	uint8_t *fp = (uint8_t *)sw - FX_SW;
	uint64_t present;

	(void)sig;
	(void)info;
	caught = 1;
	memcpy(&present, fp + XHEADER, 8);
	CHECK_EQ((uintptr_t)fp % 64, 0);
	CHECK_EQ(*(uint32_t *)(void *)(fp + sw->xstate_size), MAGIC2);
	CHECK_EQ(sw->extended_size, sw->xstate_size + 4);
	CHECK_EQ(present & ~sw->xfeatures, 0);
	CHECK_EQ(present & 6, 6);
	check_area(fp);
	fp[FX_XMM + 16 * 3] ^= 0xff;
	fp[offset_of(YMM_HIGH) + 16 * 4] ^= 0xff;
	if (avx512) {
		fp[offset_of(ZMM_HIGH) + 32 * 5] ^= 0xff;
		fp[offset_of(ZMM_16) + 64 * 6] ^= 0xff;
		fp[offset_of(OPMASK) + 8] ^= 0xff;
	}
	load_all(&zero);
}

/* A function of its own, or the compiler might keep something of its caller in a vector register. */
__attribute__((noinline)) static void spin_until_caught(void (*handler)(int, siginfo_t *, void *))
{
	fill(7);
	start_ticks(handler);
	load_all(&pattern);
	spinning = 1;
	while (!caught)
		;
	store_all(&seen);
}

static void test_signal(void)
{
	spin_until_caught(on_alarm);
	pattern.z[3][0] ^= 0xff;
	pattern.z[4][16] ^= 0xff;
	if (avx512) {
		pattern.z[5][32] ^= 0xff;
		pattern.z[22][0] ^= 0xff;
		pattern.k[1] ^= 0xff;
	}
	CHECK(is_kept());
	CHECK(getauxval(AT_MINSIGSTKSZ) > 440 + 128 + XHEADER + 64 + 256);
}

/* Without its marks the area counts as FXSAVE's only: the rest begins anew. */
static void spoil_mark(int sig, siginfo_t *info, void *uc)
{
	struct sw *sw = find_sw(uc);

	(void)sig;
	(void)info;
	caught = 1;
	*(uint32_t *)(void *)((uint8_t *)sw - FX_SW + sw->xstate_size) = 0;
}

static void test_fx_only(void)
{
	spin_until_caught(spoil_mark);
	for (int n = 0; n < 16; n++) {
		memset(pattern.z[n] + 16, 0, 48);
		memset(pattern.z[16 + n], 0, 64);
	}
	memset(pattern.k, 0, sizeof(pattern.k));
	CHECK(is_kept());
}

static int forgery;

static void forge(int sig, siginfo_t *info, void *uc)
{
	uint8_t *fp = (uint8_t *)find_sw(uc) - FX_SW;
	uint64_t *header = (uint64_t *)(void *)(fp + XHEADER);

	(void)sig;
	(void)info;
	caught = 1;
	if (forgery == 0)
		header[0] |= 1ULL << 62;
	else if (forgery == 1)
		header[1] = 1ULL << 63;
	else
		*(uint32_t *)(void *)(fp + FX_MXCSR) = 0xffff0000;
}

static void return_from_forged(void)
{
	spin_until_caught(forge);
}

static void test_forged(void)
{
	for (forgery = 0; forgery < 3; forgery++) {
		int status = tap_wait(tap_spawn(return_from_forged));

		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), SIGSEGV);
	}
}

int main(void)
{
	if (!__builtin_cpu_supports("avx"))
		SKIP("no AVX");
	avx512 = __builtin_cpu_supports("avx512bw");
	if (!avx512)
		NOTE("no AVX-512");
	TAP_RUN(test_preemption);
	TAP_FORK(test_signal);
	TAP_FORK(test_fx_only);
	TAP_FORK(test_forged);
	return tap_done();
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * SVE on aarch64, where there is any: lengths by prctl, registers over preemption at each of them, the low
 * parts over a system call and a debugger's write, signal frames with and without EXTRA, sigreturn with changes, forged frames, and
 * that SME is not promised.
 * Source: Linux Documentation/arch/arm64/sve.rst, uapi asm/sigcontext.h.
 */
#include "tap.h"

#ifndef __aarch64__

int main(void)
{
	SKIP("not an aarch64 machine");
}

#else

#include "ticks.h"
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>

#define HWCAP_SVE_BIT (1UL << 22)
#define HWCAP2_SME_BIT (1UL << 23)

#define SVE_SET_VL  50
#define SVE_GET_VL  51
#define VL_INHERIT  (1UL << 17)
#define VL_ONEXEC   (1UL << 18)
#define VL_MASK	    0xffff

#define FPSIMD_MAGIC_ 0x46508001u
#define SVE_MAGIC_    0x53564501u
#define EXTRA_MAGIC_  0x45585401u

#define MAX_VL	   256
#define AREA_BYTES (32 * MAX_VL + 17 * MAX_VL / 8)
#define SPIN_TICKS 125000 /* 2 ms of QEMU's 62.5 MHz, 5 ms of 24 MHz */

struct head {
	uint32_t magic, size;
};

struct sve {
	struct head head;
	uint16_t vl, flags, reserved[2];
};

static uint8_t pattern[AREA_BYTES], seen[AREA_BYTES];
static unsigned long vl;

static size_t area_bytes(void)
{
	return 32 * vl + 17 * vl / 8;
}

#define Z(op)                                                                                      \
	op " z0, [x9, #0, mul vl]\n" op " z1, [x9, #1, mul vl]\n" op " z2, [x9, #2, mul vl]\n"       \
	op " z3, [x9, #3, mul vl]\n" op " z4, [x9, #4, mul vl]\n" op " z5, [x9, #5, mul vl]\n"       \
	op " z6, [x9, #6, mul vl]\n" op " z7, [x9, #7, mul vl]\n" op " z8, [x9, #8, mul vl]\n"       \
	op " z9, [x9, #9, mul vl]\n" op " z10, [x9, #10, mul vl]\n" op " z11, [x9, #11, mul vl]\n"   \
	op " z12, [x9, #12, mul vl]\n" op " z13, [x9, #13, mul vl]\n" op " z14, [x9, #14, mul vl]\n" \
	op " z15, [x9, #15, mul vl]\n" op " z16, [x9, #16, mul vl]\n" op " z17, [x9, #17, mul vl]\n" \
	op " z18, [x9, #18, mul vl]\n" op " z19, [x9, #19, mul vl]\n" op " z20, [x9, #20, mul vl]\n" \
	op " z21, [x9, #21, mul vl]\n" op " z22, [x9, #22, mul vl]\n" op " z23, [x9, #23, mul vl]\n" \
	op " z24, [x9, #24, mul vl]\n" op " z25, [x9, #25, mul vl]\n" op " z26, [x9, #26, mul vl]\n" \
	op " z27, [x9, #27, mul vl]\n" op " z28, [x9, #28, mul vl]\n" op " z29, [x9, #29, mul vl]\n" \
	op " z30, [x9, #30, mul vl]\n" op " z31, [x9, #31, mul vl]\n"
#define P(op)                                                                                      \
	op " p0, [x10, #0, mul vl]\n" op " p1, [x10, #1, mul vl]\n" op " p2, [x10, #2, mul vl]\n"    \
	op " p3, [x10, #3, mul vl]\n" op " p4, [x10, #4, mul vl]\n" op " p5, [x10, #5, mul vl]\n"    \
	op " p6, [x10, #6, mul vl]\n" op " p7, [x10, #7, mul vl]\n" op " p8, [x10, #8, mul vl]\n"    \
	op " p9, [x10, #9, mul vl]\n" op " p10, [x10, #10, mul vl]\n" op " p11, [x10, #11, mul vl]\n" \
	op " p12, [x10, #12, mul vl]\n" op " p13, [x10, #13, mul vl]\n"                              \
	op " p14, [x10, #14, mul vl]\n" op " p15, [x10, #15, mul vl]\n"
#define SVE_ASM(code) ".arch_extension sve\n" code ".arch_extension nosve\n"
#define AREAS	      "mov x9, %0\naddvl x10, x9, #31\naddvl x10, x10, #1\n"

static void load_all(const void *from)
{
	__asm__ volatile(SVE_ASM(AREAS "ldr p0, [x10, #16, mul vl]\nwrffr p0.b\n" Z("ldr") P("ldr"))
			 :
			 : "r"(from)
			 : "x9", "x10", "memory");
}

static void store_all(void *to)
{
	__asm__ volatile(SVE_ASM(AREAS Z("str") P("str") "rdffr p0.b\nstr p0, [x10, #16, mul vl]\n"
							 "ldr p0, [x10, #0, mul vl]\n")
			 :
			 : "r"(to)
			 : "x9", "x10", "memory");
}

static unsigned long read_vl(void)
{
	unsigned long v;

	__asm__ volatile(SVE_ASM("rdvl %0, #1\n") : "=r"(v));
	return v;
}

static uint64_t ticks(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
}

/* FFR holds what first-fault loads leave: a run of ones from the start. */
static void fill(unsigned int seed)
{
	for (size_t i = 0; i < area_bytes(); i++)
		pattern[i] = (uint8_t)(seed * 43 + i * 5 + i / 253);
	memset(pattern + 32 * vl + 2 * vl, 0, vl / 8);
	pattern[32 * vl + 2 * vl] = 7;
}

/* ---- Lengths ---- */

static void set_vl(unsigned long want)
{
	long r = prctl(SVE_SET_VL, want);

	CHECK_EQ(r, want);
	CHECK_EQ(prctl(SVE_GET_VL), want);
	vl = want;
	CHECK_EQ(read_vl(), want);
}

static unsigned long max_vl(void)
{
	return (unsigned long)prctl(SVE_SET_VL, 8192) & VL_MASK;
}

static void test_lengths(void)
{
	unsigned long start = (unsigned long)prctl(SVE_GET_VL), max;

	CHECK_EQ(start, read_vl());
	CHECK_ERRNO(prctl(SVE_SET_VL, 0), EINVAL);
	CHECK_ERRNO(prctl(SVE_SET_VL, 17), EINVAL);
	CHECK_ERRNO(prctl(SVE_SET_VL, 8208), EINVAL);
	CHECK_ERRNO(prctl(SVE_SET_VL, 16 | 1UL << 19), EINVAL);
	max = max_vl();
	CHECK(max >= start);
	CHECK(max <= MAX_VL);
	set_vl(16);
	/* Not now, but then. */
	CHECK_EQ(prctl(SVE_SET_VL, max | VL_ONEXEC), max);
	CHECK_EQ(prctl(SVE_GET_VL), 16);
	CHECK_EQ(read_vl(), 16);
}

static void test_exec(void)
{
	char want[16];
	unsigned long max = max_vl();
	pid_t pid;

	snprintf(want, sizeof(want), "%lu", max);
	set_vl(16);
	CHECK_EQ(prctl(SVE_SET_VL, max | VL_ONEXEC), max);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(prctl(SVE_GET_VL), 16);
		execl("/proc/self/exe", "vector", want, "once", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(prctl(SVE_SET_VL, 16 | VL_INHERIT), 16 | VL_INHERIT);
	CHECK_EQ(prctl(SVE_GET_VL), 16 | VL_INHERIT);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "vector", "16", "inherit", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
}

static int write_default(const char *text)
{
	int fd = open("/proc/sys/abi/sve_default_vector_length", O_WRONLY);
	int r = (int)write(fd, text, strlen(text)), error = errno;

	close(fd);
	errno = error;
	return r;
}

static void expect_default(unsigned long want)
{
	char text[16] = "";
	int fd = open("/proc/sys/abi/sve_default_vector_length", O_RDONLY);
	pid_t pid;

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	CHECK_EQ(strtoul(text, NULL, 10), want);
	text[strcspn(text, "\n")] = '\0';
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "vector", text, "once", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
}

/* The length of programs that are started from now on. */
static void test_default(void)
{
	unsigned long max = max_vl();

	CHECK_EQ(prctl(SVE_SET_VL, 16), 16);
	expect_default(max < 64 ? max : 64);
	CHECK_EQ(write_default("16\n"), 3);
	expect_default(16);
	CHECK_EQ(write_default("-1"), 2);
	expect_default(max);
	CHECK_ERRNO(write_default("17"), EINVAL);
	CHECK_ERRNO(write_default("0"), EINVAL);
	CHECK_ERRNO(write_default("-2"), EINVAL);
	CHECK_ERRNO(write_default("8208"), EINVAL);
	CHECK_EQ(write_default("64"), 2);
}

/* In the program that was executed. */
static int started(unsigned long want, bool inherit)
{
	CHECK_EQ(prctl(SVE_GET_VL), want | (inherit ? VL_INHERIT : 0));
	CHECK_EQ(read_vl(), want);
	return tap_nfailed ? 1 : 0;
}

/* ---- Preemption ---- */

static void spin_with_pattern(void)
{
	for (int round = 0; round < 30; round++) {
		uint64_t until;

		set_vl(round % 2 ? 16 : max_vl());
		fill((unsigned int)getpid() + (unsigned int)round);
		until = ticks() + SPIN_TICKS;
		load_all(pattern);
		while (ticks() < until)
			;
		store_all(seen);
		CHECK_EQ(memcmp(seen, pattern, area_bytes()), 0);
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

/* What is seen: the low 128 bits of Z as they were, all else 0. */
static void check_only_low_parts(void)
{
	for (int z = 0; z < 32; z++)
		CHECK_EQ(memcmp(seen + z * vl, pattern + z * vl, 16), 0);
	for (size_t i = 0; i < area_bytes(); i++)
		if (i >= 32 * vl || i % vl >= 16)
			CHECK_EQ(seen[i], 0);
}

/* A system call keeps the low 128 bits of Z and clears the rest, predicates and FFR among it, at every length. */
static void test_syscall(void)
{
	const unsigned long lengths[] = { max_vl(), 16, max_vl() };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		set_vl(lengths[i]);
		fill(3);
		load_all(pattern);
		__asm__ volatile("mov x8, #178\nsvc #0" : : : "x8", "x0", "memory", "cc");
		store_all(seen);
		check_only_low_parts();
	}
}

static void write_fp_of(pid_t pid)
{
	static uint64_t fp[66], regs[34];
	struct iovec iov = { fp, sizeof(fp) };

	CHECK_OK(ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &iov));
	CHECK_OK(ptrace(PTRACE_SETREGSET, pid, NT_PRFPREG, &iov));
	iov = (struct iovec){ regs, sizeof(regs) };
	CHECK_OK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	regs[32] += 4;
	CHECK_OK(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov));
}

/* FP registers that a debugger writes clear the rest, as a system call does. */
static void test_debugger(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		vl = max_vl();
		fill(5);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		load_all(pattern);
		__asm__ volatile("brk #0" : : : "memory");
		store_all(seen);
		check_only_low_parts();
		_exit(tap_nfailed ? 1 : 0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	REQUIRE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	write_fp_of(pid);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EXIT(pid, 0);
}

/* ---- Signals ---- */

static bool saw_extra;

static struct head *next_head(struct head *h)
{
	return (struct head *)((char *)h + h->size);
}

static void *find(void *uc_, uint32_t magic)
{
	ucontext_t *uc = uc_;
	struct head *h = (struct head *)uc->uc_mcontext.__reserved;

	saw_extra = false;
	for (;;) {
		if (h->magic == magic)
			return h;
		if (h->magic == EXTRA_MAGIC_) {
			uint64_t data;

			saw_extra = true;
			memcpy(&data, (char *)h + 8, 8);
			CHECK_EQ(h->size, 32);
			CHECK_EQ(data, (uintptr_t)h + 48);
			h = (struct head *)data;
		} else if (!h->magic) {
			return NULL;
		} else {
			h = next_head(h);
		}
	}
}

static void on_alarm(int sig, siginfo_t *info, void *uc)
{
	static uint8_t zero[AREA_BYTES];
	struct sve *sve = find(uc, SVE_MAGIC_);
	bool extra = saw_extra;
	uint8_t *fpsimd = find(uc, FPSIMD_MAGIC_);

	(void)sig;
	(void)info;
	caught = 1;
	CHECK(sve != NULL && fpsimd != NULL);
	if (!sve || !fpsimd)
		return;
	CHECK_EQ(sve->vl, vl);
	CHECK_EQ(sve->flags, 0);
	CHECK_EQ(sve->head.size, (16 + area_bytes() + 15) & ~15UL);
	CHECK_EQ(extra, 528 + sve->head.size > 4096 - 48);
	CHECK_EQ(memcmp(sve + 1, pattern, area_bytes()), 0);
	CHECK_EQ(memcmp(fpsimd + 16 + 7 * 16, pattern + 7 * vl, 16), 0);
	/* The FPSIMD record counts for the low part, the SVE record for the rest. */
	((uint8_t *)(sve + 1))[5 * vl + vl - 1] ^= 0xff;
	fpsimd[16 + 6 * 16] ^= 0xff;
	((uint8_t *)(sve + 1))[32 * vl + 3] ^= 0x0f;
	load_all(zero);
}

/* A function of its own, or the compiler might keep something of its caller in a vector register. */
__attribute__((noinline)) static void spin_until_caught(void)
{
	load_all(pattern);
	spinning = 1;
	while (!caught)
		;
	store_all(seen);
}

static void signal_at(unsigned long want)
{
	set_vl(want);
	fill(77);
	start_ticks(on_alarm);
	spin_until_caught();
	tap_tick(0);
	if (vl > 16)
		pattern[5 * vl + vl - 1] ^= 0xff;
	pattern[6 * vl] ^= 0xff;
	pattern[32 * vl + 3] ^= 0x0f;
	CHECK_EQ(memcmp(seen, pattern, area_bytes()), 0);
}

static void test_signal(void)
{
	unsigned long max = max_vl();

	signal_at(16);
	signal_at(max);
	CHECK(getauxval(AT_MINSIGSTKSZ) >= 592 + 528 + 16 + 48 + 32 * max + 17 * max / 8);
}

/* A header without registers: the upper parts are gone. Frames that lie are refused. */
static int change;

static void on_alarm_changed(int sig, siginfo_t *info, void *uc)
{
	struct sve *sve = find(uc, SVE_MAGIC_);

	(void)sig;
	(void)info;
	if (!sve)
		_exit(3);
	caught = 1;
	switch (change) {
	case 0: /* another length */
		sve->vl = (uint16_t)(sve->vl == 16 ? 32 : 16);
		break;
	case 1: /* not all registers */
		sve->head.size = 32;
		break;
	case 2:
		sve->flags = 1;
		break;
	case 3:
		sve->head.size += 4;
		break;
	case 4:
		((struct head *)find(uc, FPSIMD_MAGIC_))->magic = SVE_MAGIC_;
		break;
	case 5: /* only at lengths that need it */
		((uint64_t *)find(uc, EXTRA_MAGIC_))[1] += 16;
		break;
	}
}

static void return_changed(void)
{
	vl = change == 5 ? max_vl() : (unsigned long)prctl(SVE_SET_VL, 32) & VL_MASK;
	fill(5);
	start_ticks(on_alarm_changed);
	spin_until_caught();
	_exit(2);
}

static void test_forged(void)
{
	int n = max_vl() > 104 ? 6 : 5;

	for (change = 0; change < n; change++) {
		int status = tap_wait(tap_spawn(return_changed));

		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), SIGSEGV);
	}
}

int main(int argc, char **argv)
{
	CHECK(!(getauxval(AT_HWCAP2) & HWCAP2_SME_BIT) || getauxval(AT_HWCAP) & HWCAP_SVE_BIT);
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE_BIT)) {
		CHECK_ERRNO(prctl(SVE_GET_VL), EINVAL);
		CHECK_ERRNO(prctl(SVE_SET_VL, 16), EINVAL);
		SKIP("no SVE");
	}
	if (argc > 2)
		return started(strtoul(argv[1], NULL, 10), !strcmp(argv[2], "inherit"));
	TAP_FORK(test_lengths);
	TAP_FORK(test_exec);
	TAP_FORK(test_default);
	TAP_RUN(test_preemption);
	TAP_FORK(test_syscall);
	TAP_FORK(test_debugger);
	TAP_FORK(test_signal);
	TAP_FORK(test_forged);
	return tap_done();
}

#endif

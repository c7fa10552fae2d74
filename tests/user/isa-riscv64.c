/* SPDX-License-Identifier: MIT */
/*
 * What is riscv64's own: the signal for each kind of exception, the FPU that is off until its first use, the
 * signal frame and what a forged one may not do, riscv_flush_icache and riscv_hwprobe.
 * Source: Linux Documentation/arch/riscv/{hwprobe,uabi}.rst, asm/{sigcontext,ucontext}.h.
 */
#include "tap.h"

#ifndef __riscv

int main(void)
{
	SKIP("not a riscv64 machine");
}

#else

#include "isa.h"
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define SYS_HWPROBE	 258
#define SYS_FLUSH_ICACHE 259

/* The instruction gives this signal, with the code, and says where it was. */
#define EXPECT_AT_INSN(insn, sig, code)                                                            \
	do {                                                                                       \
		uint64_t at_ = 0;                                                                  \
		got_sig = 0;                                                                       \
		if (sigsetjmp(back, 1) == 0)                                                       \
			__asm__ volatile("lla t0, 1f\n\tsd t0, (%0)\n1:\t" insn                    \
					 :                                                         \
					 : "r"(&at_)                                               \
					 : "t0", "a0", "memory");                                  \
		CHECK_EQ(got_sig, sig);                                                            \
		CHECK_EQ(got_code, code);                                                          \
		CHECK_EQ((uintptr_t)got_addr, *(volatile uint64_t *)&at_);                         \
	} while (0)

static void test_exceptions(void)
{
	handle(SIGILL, catch);
	handle(SIGTRAP, catch);
	handle(SIGSEGV, catch);
	EXPECT_AT_INSN(".word 0", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("csrr a0, sstatus", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("sret", SIGILL, ILL_ILLOPC);
	EXPECT_AT_INSN("ebreak", SIGTRAP, TRAP_BRKPT);
	/* The kernel's half of the address space, and addresses that are none. */
	static const uintptr_t bad[] = { 0xffffffff80000000, 0xffffffc080000000, 0x0000004000000000,
					 0x7fffffffffffff00 };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		got_sig = 0;
		if (sigsetjmp(back, 1) == 0)
			*(volatile char *)bad[i] = 1;
		CHECK_EQ(got_sig, SIGSEGV);
		CHECK_EQ((uintptr_t)got_addr, bad[i]);
	}
}

/* Firmware or hardware does misaligned accesses; the program sees nothing of it. */
static void test_misaligned(void)
{
	static char buffer[64];
	uint64_t value = 0x0123456789abcdef, seen;

	for (int i = 0; i < 16; i++) {
		__asm__ volatile("sd %1, (%2)\n\tld %0, (%2)"
				 : "=&r"(seen)
				 : "r"(value), "r"(buffer + i)
				 : "memory");
		CHECK_EQ(seen, value);
		CHECK_EQ(memcmp(buffer + i, &value, 8), 0);
	}
}

/* ---- Floating point ---- */

static uint64_t read_fcsr(void)
{
	uint64_t v;

	__asm__ volatile("frcsr %0" : "=r"(v));
	return v;
}

/* A new program finds zeroes and the default rounding mode; that is what a child of fork inherits. */
static void test_fpu(void)
{
	double in = 1.5, out;
	int status;
	pid_t pid;

	__asm__ volatile("fscsr %0" : : "r"(0x60UL)); /* rounding mode up, no flags */
	__asm__ volatile("fld fs3, %0" : : "m"(in) : "fs3");
	pid = fork();
	if (pid == 0) {
		__asm__ volatile("fsd fs3, %0" : "=m"(out));
		_exit(read_fcsr() == 0x60 && out == 1.5 ? 0 : 1);
	}
	status = tap_wait(pid);
	CHECK_EQ(status, 0);
	for (int i = 0; i < 100; i++)
		sched_yield();
	__asm__ volatile("fsd fs3, %0" : "=m"(out));
	CHECK_EQ(read_fcsr(), 0x60);
	CHECK(out == 1.5);
	__asm__ volatile("fscsr zero");
}

/* ---- The frame ---- */

static volatile uint64_t seen_pc, seen_a5, seen_reserved[3];
static double seen_fs2;

static void look_at_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t *gregs = (uint64_t *)(void *)uc->uc_mcontext.__gregs;
	uint32_t *end = (uint32_t *)(void *)((char *)&uc->uc_mcontext + 256 + 516);

	(void)sig;
	CHECK_EQ((char *)uc - (char *)info, 128);
	CHECK_EQ((char *)&uc->uc_mcontext - (char *)uc, 176);
	CHECK_EQ((uintptr_t)info % 16, 0);
	seen_pc = gregs[0];
	seen_a5 = gregs[15];
	memcpy(&seen_fs2, (char *)gregs + 256 + 18 * 8, 8);
	for (int i = 0; i < 3; i++)
		seen_reserved[i] = end[i];
	gregs[0] += 4;	    /* over the illegal instruction */
	gregs[15] = 0x5678; /* a5 */
	((double *)(void *)((char *)gregs + 256))[18] = 4.25;
}

static void test_frame(void)
{
	register uint64_t a5 __asm__("a5") = 0x1234;
	double in = 2.5, out;
	uint64_t at;

	handle(SIGILL, look_at_frame);
	__asm__ volatile("fld fs2, %3\n\tlla %1, 1f\n1:\t.word 0\n\tfsd fs2, %2"
			 : "+r"(a5), "=&r"(at), "=m"(out)
			 : "m"(in)
			 : "fs2", "memory");
	CHECK_EQ(seen_pc, at);
	CHECK_EQ(seen_a5, 0x1234);
	CHECK(seen_fs2 == 2.5);
	CHECK_EQ(seen_reserved[0], 0);
	CHECK_EQ(seen_reserved[1], 0); /* the END record */
	CHECK_EQ(seen_reserved[2], 0);
	CHECK_EQ(a5, 0x5678);
	CHECK(out == 4.25);
}

static uint32_t *frame_end(void *context)
{
	return (uint32_t *)(void *)((char *)&((ucontext_t *)context)->uc_mcontext + 256 + 516);
}

static void forge_reserved(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	frame_end(context)[0] = 1;
}

static void forge_magic(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	frame_end(context)[1] = 0xdeadbeef;
}

static void forge_size(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	frame_end(context)[2] = 64;
}

static void forge_pc(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((uint64_t *)(void *)((ucontext_t *)context)->uc_mcontext.__gregs)[0] = 0xffffffff80000000;
}

static void test_forged_frames(void)
{
	void (*const forgers[])(int, siginfo_t *, void *) = { forge_reserved, forge_magic,
							      forge_size, forge_pc };

	for (size_t i = 0; i < ARRAY_SIZE(forgers); i++)
		expect_refused(forgers[i], NULL);
}

/* ---- System calls ---- */

static void test_self_modifying(void)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*fn)(void) = (int (*)(void))code;

	REQUIRE(code != MAP_FAILED);
	for (uint32_t i = 0; i < 100; i++) {
		code[0] = 0x00000513 | i << 20; /* li a0, i */
		code[1] = 0x00008067;		/* ret */
		CHECK_EQ(syscall(SYS_FLUSH_ICACHE, code, code + 2, 0), 0);
		CHECK_EQ(fn(), i);
	}
	CHECK_EQ(syscall(SYS_FLUSH_ICACHE, code, code + 2, 1), 0);
	CHECK_ERRNO(syscall(SYS_FLUSH_ICACHE, code, code + 2, 2), EINVAL);
	munmap(code, 4096);
}

static void test_hwprobe(void)
{
	struct {
		int64_t key;
		uint64_t value;
	} pairs[] = { { 3, 0 }, { 4, 0 }, { 123456, 7 } };
	unsigned long none = 0, first = 1;

	CHECK_EQ(syscall(SYS_HWPROBE, pairs, 3, 0, NULL, 0), 0);
	CHECK_EQ(pairs[0].value & 1, 1);
	CHECK_EQ((pairs[1].value & 1) != 0, (getauxval(AT_HWCAP) >> 3 & 1) != 0);
	CHECK_EQ(pairs[2].key, -1);
	CHECK_EQ(pairs[2].value, 0);
	CHECK_EQ(syscall(SYS_HWPROBE, pairs, 1, 8, &first, 0), 0);
	CHECK_ERRNO(syscall(SYS_HWPROBE, pairs, 1, 8, &none, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_HWPROBE, (void *)8, 1, 0, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_HWPROBE, pairs, 1, 0, NULL, 1 << 20), EINVAL);
}

struct probe {
	int64_t key;
	uint64_t value;
};

static int which_cpus(int64_t key, uint64_t value, unsigned long *set)
{
	struct probe pairs[] = { { 3, 1 }, { key, value } };

	return (int)syscall(SYS_HWPROBE, pairs, 2, sizeof(*set), set, 1);
}

static void test_which_cpus(void)
{
	struct probe ext = { 4, 0 }, unknown = { 123456, 7 };
	unsigned long own = 0, set = 0;

	CHECK_EQ(syscall(SYS_HWPROBE, &ext, 1, 0, NULL, 0), 0);
	CHECK(sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own) == 0);
	CHECK_EQ(which_cpus(4, ext.value, &set), 0);
	CHECK_EQ(set, own);
	set = 1;
	CHECK_EQ(which_cpus(4, 0, &set), 0);
	CHECK_EQ(set, 1);
	CHECK_EQ(which_cpus(4, ~ext.value, &set), 0);
	CHECK_EQ(set, 0);
	CHECK_EQ(which_cpus(8, 1, &set), 0);
	CHECK_EQ(set, 0);
	set = 1;
	CHECK_EQ(syscall(SYS_HWPROBE, &unknown, 1, sizeof(set), &set, 1), 0);
	CHECK_EQ(set, 0);
	CHECK_EQ(unknown.key, -1);
	CHECK_ERRNO(syscall(SYS_HWPROBE, &ext, 1, 0, &set, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_HWPROBE, &ext, 1, sizeof(set), NULL, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_HWPROBE, &ext, 1, sizeof(set), 8, 1), EFAULT);
	CHECK_ERRNO(syscall(SYS_HWPROBE, &ext, 1, sizeof(set), &set, 3), EINVAL);
}

/* Where Zicboz is announced, on every CPU, its instruction zeroes a block of the announced size. */
static void test_zero_block(void)
{
	struct probe pairs[] = { { 4, 0 }, { 6, 0 } };
	static _Alignas(4096) unsigned char buf[4096];
	unsigned long own = 0;

	CHECK_EQ(syscall(SYS_HWPROBE, pairs, 2, 0, NULL, 0), 0);
	if (!(pairs[0].value & 1 << 6))
		return;
	REQUIRE(pairs[1].value >= 16 && pairs[1].value < sizeof(buf));
	CHECK(sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own) == 0);
	for (unsigned long cpu = 1; cpu; cpu <<= 1) {
		if (!(own & cpu))
			continue;
		CHECK(sched_setaffinity(0, sizeof(cpu), (cpu_set_t *)&cpu) == 0);
		memset(buf, 0xa5, sizeof(buf));
		__asm__ volatile(".insn i 0x0f, 2, x0, %0, 4"
				 :
				 : "r"(buf)
				 : "memory"); /* cbo.zero */
		for (size_t i = 0; i < pairs[1].value; i++)
			CHECK_EQ(buf[i], 0);
		CHECK_EQ(buf[pairs[1].value], 0xa5);
	}
	CHECK(sched_setaffinity(0, sizeof(own), (cpu_set_t *)&own) == 0);
}

/* How well misaligned words work is told, by either key. */
static void test_hwprobe_misaligned(void)
{
	struct {
		int64_t key;
		uint64_t value;
	} pairs[] = { { 5, 0 }, { 9, 0 } };

	CHECK_EQ(syscall(SYS_HWPROBE, pairs, 2, 0, NULL, 0), 0);
	CHECK(pairs[0].key == 5 && pairs[1].key == 9);
	CHECK(pairs[1].value >= 1 && pairs[1].value <= 3);
	CHECK_EQ(pairs[0].value, pairs[1].value);
}

static void test_counter(void)
{
	uint64_t a, b;

	__asm__ volatile("rdtime %0" : "=r"(a));
	__asm__ volatile("rdtime %0" : "=r"(b));
	CHECK(b >= a);
}

int main(void)
{
	TAP_FORK(test_exceptions);
	TAP_RUN(test_misaligned);
	TAP_FORK(test_fpu);
	TAP_FORK(test_frame);
	TAP_FORK(test_forged_frames);
	TAP_RUN(test_self_modifying);
	TAP_RUN(test_hwprobe);
	TAP_RUN(test_hwprobe_misaligned);
	TAP_RUN(test_which_cpus);
	TAP_RUN(test_zero_block);
	TAP_RUN(test_counter);
	return tap_done();
}

#endif

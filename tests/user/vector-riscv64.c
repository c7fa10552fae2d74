/* SPDX-License-Identifier: MIT */
/*
 * The vector unit of riscv64, where there is one: registers over preemption, in signal frames, through
 * sigreturn with changes, fork, threads of different use, PR_RISCV_V_SET_CONTROL, and frames that lie.
 * Source: Linux Documentation/arch/riscv/vector.rst, uapi asm/{sigcontext,ptrace}.h.
 */
#include "tap.h"

#ifndef __riscv

int main(void)
{
	SKIP("not a riscv64 machine");
}

#else

#include "ticks.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <ucontext.h>

#define HWCAP_V (1UL << ('v' - 'a'))
#define SYS_HWPROBE 258

#define V_SET_CONTROL 69
#define V_GET_CONTROL 70
#define V_OFF	      1
#define V_ON	      2
#define V_NEXT(x)     ((x) << 2)
#define V_INHERIT     0x10

#define V_MAGIC	     0x53465457u
#define MAX_VLENB    8192
#define SPIN_TICKS   20000
#define SIGFRAME_UC  128
#define UC_MC	     176
#define MC_EXT	     776

struct v_state {
	uint64_t vstart, vl, vtype, vcsr, vlenb;
	uint64_t data;
};

static uint8_t pattern[32 * MAX_VLENB], seen[32 * MAX_VLENB];
static size_t vlenb;

#define V_ASM(code) ".option push\n\t.option arch, +v\n\t" code "\n\t.option pop"

static size_t read_vlenb(void)
{
	size_t v;

	__asm__ volatile(V_ASM("csrr %0, vlenb") : "=r"(v));
	return v;
}

#define EIGHT(insn, first) insn " v" #first ", (t0)\n\tadd t0, t0, t1\n\t"

static void load_all(const void *from)
{
	__asm__ volatile(V_ASM("mv t0, %0\n\tslli t1, %1, 3\n\t" EIGHT("vl8re8.v", 0) EIGHT(
		"vl8re8.v", 8) EIGHT("vl8re8.v", 16) EIGHT("vl8re8.v", 24))
			 :
			 : "r"(from), "r"(vlenb)
			 : "t0", "t1", "memory");
}

static void store_all(void *to)
{
	__asm__ volatile(V_ASM("mv t0, %0\n\tslli t1, %1, 3\n\t" EIGHT("vs8r.v", 0)
				       EIGHT("vs8r.v", 8) EIGHT("vs8r.v", 16) EIGHT("vs8r.v", 24))
			 :
			 : "r"(to), "r"(vlenb)
			 : "t0", "t1", "memory");
}

/* vl = 3 elements of 16 bits, tail and mask agnostic. */
static void set_type(void)
{
	__asm__ volatile(V_ASM("li t0, 3\n\tvsetvli t0, t0, e16, m2, ta, ma") : : : "t0");
}

static uint64_t read_type(void)
{
	uint64_t v;

	__asm__ volatile(V_ASM("csrr %0, vtype") : "=r"(v));
	return v;
}

static uint64_t read_vl(void)
{
	uint64_t v;

	__asm__ volatile(V_ASM("csrr %0, vl") : "=r"(v));
	return v;
}

static uint64_t ticks(void)
{
	uint64_t v;

	__asm__ volatile("rdtime %0" : "=r"(v));
	return v;
}

static void fill(unsigned int seed)
{
	for (size_t i = 0; i < 32 * vlenb; i++)
		pattern[i] = (uint8_t)(seed * 41 + i * 7 + i / 251);
}

/* ---- Preemption ---- */

/* No system call between load and store: those may destroy the registers. */
static void spin_with_pattern(void)
{
	fill((unsigned int)getpid());
	for (int round = 0; round < 40; round++) {
		uint64_t until = ticks() + SPIN_TICKS;

		load_all(pattern);
		set_type();
		while (ticks() < until)
			;
		CHECK_EQ(read_vl(), 3);
		CHECK_EQ(read_type(), 0xc9);
		store_all(seen);
		CHECK_EQ(memcmp(seen, pattern, 32 * vlenb), 0);
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

static struct v_state *find_state(void *uc)
{
	uint32_t *header = (uint32_t *)((char *)uc + UC_MC + MC_EXT);

	if (header[0] != V_MAGIC)
		return NULL;
	CHECK_EQ(header[1], 8 + sizeof(struct v_state) + 32 * vlenb);
	return (struct v_state *)(header + 2);
}

static void on_alarm(int sig, siginfo_t *info, void *uc)
{
	struct v_state *v = find_state(uc);
	static uint8_t zero[32 * MAX_VLENB];
	uint32_t *end;

	(void)sig;
	(void)info;
	caught = 1;
	CHECK(v != NULL);
	if (!v)
		return;
	CHECK_EQ((uintptr_t)v % 16, 0);
	CHECK_EQ(v->vlenb, vlenb);
	CHECK_EQ(v->vl, 3);
	CHECK_EQ(v->vtype, 0xc9);
	CHECK_EQ(v->data, (uintptr_t)(v + 1));
	CHECK_EQ(memcmp((void *)v->data, pattern, 32 * vlenb), 0);
	end = (uint32_t *)(v->data + 32 * vlenb);
	CHECK_EQ(end[0], 0);
	CHECK_EQ(end[1], 0);
	/* Seen by the program after the return. */
	((uint8_t *)v->data)[5 * vlenb] ^= 0xff;
	load_all(zero);
}

/* A function of its own, or the compiler might keep something of its caller in a vector register. */
__attribute__((noinline)) static void spin_until_caught(void)
{
	load_all(pattern);
	set_type();
	spinning = 1;
	while (!caught)
		;
	CHECK_EQ(read_vl(), 3);
	CHECK_EQ(read_type(), 0xc9);
	store_all(seen);
}

static void test_signal(void)
{
	fill(99);
	start_ticks(on_alarm);
	spin_until_caught();
	pattern[5 * vlenb] ^= 0xff;
	CHECK_EQ(memcmp(seen, pattern, 32 * vlenb), 0);
	CHECK(getauxval(AT_MINSIGSTKSZ) >= SIGFRAME_UC + UC_MC + 784 + 48 + 32 * vlenb + 8);
}

/* Frames whose record is not the kernel's: refused. */
static int forgery;

static void forge(int sig, siginfo_t *info, void *uc)
{
	uint32_t *header = (uint32_t *)((char *)uc + UC_MC + MC_EXT);
	struct v_state *v = find_state(uc);

	(void)sig;
	(void)info;
	if (!v)
		_exit(3);
	switch (forgery) {
	case 0:
		header[0] ^= 1;
		break;
	case 1:
		header[1] += 8;
		break;
	case 2:
		header[1] = 0;
		break;
	case 3:
		v->data = 8;
		break;
	case 4:
		((uint32_t *)(v->data + 32 * vlenb))[0] = V_MAGIC;
		break;
	}
	caught = 1;
}

static void return_from_forged(void)
{
	fill(1);
	start_ticks(forge);
	spin_until_caught();
	_exit(2);
}

static void test_forged(void)
{
	for (forgery = 0; forgery < 5; forgery++) {
		int status = tap_wait(tap_spawn(return_from_forged));

		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), SIGSEGV);
	}
}

/* CSR values that cannot be are taken as the CPU takes them; the program goes on. */
static void odd_values(int sig, siginfo_t *info, void *uc)
{
	struct v_state *v = find_state(uc);

	(void)sig;
	(void)info;
	caught = 1;
	if (!v)
		_exit(3);
	v->vtype = ~0UL;
	v->vl = ~0UL;
	v->vstart = ~0UL;
	v->vcsr = ~0UL;
}

static void test_odd_values(void)
{
	start_ticks(odd_values);
	load_all(pattern);
	set_type();
	spinning = 1;
	while (!caught)
		;
	CHECK_EQ(read_type() >> 63, 1);
	CHECK_EQ(read_vl(), 0);
}

/* ---- Control ---- */

static void test_control(void)
{
	CHECK_EQ(prctl(V_GET_CONTROL), V_ON);
	CHECK_ERRNO(prctl(V_SET_CONTROL, V_OFF), EPERM);
	CHECK_ERRNO(prctl(V_SET_CONTROL, 3), EINVAL);
	CHECK_ERRNO(prctl(V_SET_CONTROL, V_NEXT(3)), EINVAL);
	CHECK_ERRNO(prctl(V_SET_CONTROL, 0x20), EINVAL);
	CHECK_OK(prctl(V_SET_CONTROL, V_NEXT(V_OFF) | V_INHERIT));
	CHECK_EQ(prctl(V_GET_CONTROL), V_ON | V_NEXT(V_OFF) | V_INHERIT);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(prctl(V_GET_CONTROL), V_ON | V_NEXT(V_OFF) | V_INHERIT);
		execl("/proc/self/exe", "vector", "off", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(prctl(V_SET_CONTROL, V_NEXT(V_OFF)));
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "vector", "off-once", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
}

/* Programs that are started from now on may use the unit, or not. */
static void test_default(void)
{
	static const char path[] = "/proc/sys/abi/riscv_v_default_allow";
	char text[4] = "";
	int fd = CHECK_OK(open(path, O_RDWR));
	pid_t pid;

	CHECK_EQ(read(fd, text, sizeof(text)), 2);
	CHECK(!strcmp(text, "1\n"));
	CHECK_EQ(pwrite(fd, "0\n", 2, 0), 2);
	CHECK_OK(prctl(V_SET_CONTROL, 0));
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "vector", "off-once", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(pwrite(fd, "1\n", 2, 0), 2);
	close(fd);
}

static void use_vectors(void)
{
	(void)read_vlenb();
}

/* In a program that was started without the unit. */
static int without(bool inherit)
{
	int status;

	CHECK_EQ(getauxval(AT_HWCAP) & HWCAP_V, 0);
	CHECK_EQ(prctl(V_GET_CONTROL), V_OFF | (inherit ? V_NEXT(V_OFF) | V_INHERIT : 0));
	status = tap_wait(tap_spawn(use_vectors));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGILL);
	CHECK_OK(prctl(V_SET_CONTROL, V_OFF));
	CHECK_OK(prctl(V_SET_CONTROL, V_ON));
	CHECK_EXIT(tap_spawn(use_vectors), 0);
	return tap_nfailed ? 1 : 0;
}

static void test_hwprobe(void)
{
	struct {
		int64_t key;
		uint64_t value;
	} pair = { 4, 0 };

	CHECK_EQ(syscall(SYS_HWPROBE, &pair, 1, 0, NULL, 0), 0);
	CHECK_EQ(pair.value >> 2 & 1, 1);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return without(!strcmp(argv[1], "off"));
	if (!(getauxval(AT_HWCAP) & HWCAP_V)) {
		CHECK_ERRNO(prctl(V_GET_CONTROL), EINVAL);
		CHECK_ERRNO(prctl(V_SET_CONTROL, V_ON), EINVAL);
		SKIP("no vector unit");
	}
	vlenb = read_vlenb();
	TAP_RUN(test_preemption);
	TAP_FORK(test_signal);
	TAP_FORK(test_forged);
	TAP_FORK(test_odd_values);
	TAP_FORK(test_control);
	TAP_FORK(test_default);
	TAP_RUN(test_hwprobe);
	return tap_done();
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: registration and its errors, the CPU's number, aborts by preemption, migration and signals, what fork, clone
 * and exec keep, invalid descriptions, membarrier(2)'s commands for them. glibc registers its own: this test is for libraries that do not.
 */
#include "tap.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>

#ifndef SYS_rseq
#ifdef __x86_64__
#define SYS_rseq 334
#else
#define SYS_rseq 293
#endif
#endif
#define SIG 0x53053053u
#define UNREGISTER 1
#define CMD_RSEQ 0x80
#define CMD_REGISTER_RSEQ 0x100
#define CMD_SYNC_CORE 0x20
#define CMD_REGISTER_SYNC_CORE 0x40

struct rseq_area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t rseq_cs;
	uint32_t flags, node_id, mm_cid;
} __attribute__((aligned(32)));

struct sequence {
	uint32_t version, flags;
	uint64_t start_ip, post_commit_offset, abort_ip;
} __attribute__((aligned(32)));

static __thread union {
	struct rseq_area r;
	char room[64];
} area __attribute__((aligned(32)));

static long rseq(void *addr, uint32_t len, int flags, uint32_t sig)
{
	return syscall(SYS_rseq, addr, len, flags, sig);
}

/*
 * long spin(volatile uint64_t *cs_field, struct sequence *seq, volatile long *stop, long max): a sequence that counts down from @max while
 * *stop is 0. 0: it came to its end; 1: it was aborted. It fills in its addresses itself.
 */
long spin(volatile uint64_t *cs_field, struct sequence *seq, volatile long *stop, long max);

#if defined(__x86_64__)
__asm__(".text\n.globl spin\n.type spin,@function\nspin:\n"
	"lea 1f(%rip), %rax\nmov %rax, 8(%rsi)\n"
	"lea 2f(%rip), %r8\nsub %rax, %r8\nmov %r8, 16(%rsi)\n"
	"lea 4f(%rip), %rax\nmov %rax, 24(%rsi)\n"
	"mov %rsi, (%rdi)\n"
	"1:\ncmpq $0, (%rdx)\njne 2f\ndec %rcx\njnz 1b\n"
	"2:\nxor %eax, %eax\nmovq $0, (%rdi)\nret\n"
	".byte 0x0f, 0xb9, 0x3d\n.long 0x53053053\n"
	"4:\nmov $1, %eax\nret\n.size spin, .-spin\n");
#elif defined(__riscv)
__asm__(".text\n.globl spin\n.type spin,@function\nspin:\n"
	"lla t0, 1f\nsd t0, 8(a1)\nlla t1, 2f\nsub t1, t1, t0\nsd t1, 16(a1)\nlla t0, 4f\nsd t0, "
	"24(a1)\n"
	"sd a1, 0(a0)\n"
	"1:\nld t0, 0(a2)\nbnez t0, 2f\naddi a3, a3, -1\nbnez a3, 1b\n"
	"2:\nsd zero, 0(a0)\nli a0, 0\nret\n"
	".balign 4\n.word 0x53053053\n"
	"4:\nli a0, 1\nret\n.size spin, .-spin\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl spin\n.type spin,@function\nspin:\n"
	"adr x4, 1f\nstr x4, [x1, 8]\nadr x5, 2f\nsub x5, x5, x4\nstr x5, [x1, 16]\nadr x4, "
	"4f\nstr x4, [x1, 24]\n"
	"str x1, [x0]\n"
	"1:\nldr x4, [x2]\ncbnz x4, 2f\nsub x3, x3, 1\ncbnz x3, 1b\n"
	"2:\nstr xzr, [x0]\nmov x0, 0\nret\n"
	".word 0x53053053\n"
	"4:\nmov x0, 1\nret\n.size spin, .-spin\n");
#elif defined(__loongarch64)
__asm__(".text\n.globl spin\n.type spin,@function\nspin:\n"
	"la.local $t0, 1f\nst.d $t0, $a1, 8\nla.local $t1, 2f\nsub.d $t1, $t1, $t0\nst.d $t1, $a1, "
	"16\n"
	"la.local $t0, 4f\nst.d $t0, $a1, 24\n"
	"st.d $a1, $a0, 0\n"
	"1:\nld.d $t0, $a2, 0\nbnez $t0, 2f\naddi.d $a3, $a3, -1\nbnez $a3, 1b\n"
	"2:\nst.d $zero, $a0, 0\nmove $a0, $zero\nret\n"
	".word 0x53053053\n"
	"4:\nli.w $a0, 1\nret\n.size spin, .-spin\n");
#endif

static volatile long never;

static long spin_here(long max)
{
	static __thread struct sequence seq;

	return spin(&area.r.rseq_cs, &seq, &never, max);
}

static void registration(void)
{
	area.r.cpu_id = 0xffffffff;
	CHECK_ERRNO(rseq(&area, 32, 2, SIG), EINVAL);
	CHECK_ERRNO(rseq(&area, 31, 0, SIG), EINVAL);
	CHECK_ERRNO(rseq((char *)&area + 8, 32, 0, SIG), EINVAL);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIG), EINVAL);
	CHECK_ERRNO(rseq((void *)(~0ul << 12), 32, 0, SIG), EFAULT);
	CHECK_OK(rseq(&area, 32, 0, SIG));
	CHECK(TAP_AWAIT(area.r.cpu_id ==
			(unsigned)sched_getcpu())); /* moved between the two, it is not */
	CHECK(TAP_AWAIT(area.r.cpu_id_start == area.r.cpu_id));
	CHECK_ERRNO(rseq(&area, 32, 0, SIG), EBUSY);
	CHECK_ERRNO(rseq(&area, 32, 0, SIG + 1), EPERM);
	CHECK_ERRNO(rseq(&area, 64, 0, SIG), EINVAL);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIG + 1), EPERM);
	CHECK_ERRNO(rseq(&area, 64, UNREGISTER, SIG), EINVAL);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER | 2, SIG), EINVAL);
	CHECK_OK(rseq(&area, 32, UNREGISTER, SIG));
	CHECK_EQ(area.r.cpu_id, 0xffffffff);
	CHECK_EQ(area.r.cpu_id_start, 0);
	CHECK_OK(rseq(&area, 32, 0, SIG));
}

static void cpu_numbers(void)
{
	cpu_set_t all, one;

	CHECK_OK(sched_getaffinity(0, sizeof(all), &all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
		CHECK_EQ(area.r.cpu_id, cpu);
		/* One thread: no more than one number in use. */
		if (getauxval(27) >= 28)
			CHECK_EQ(area.r.mm_cid, 0);
	}
	CHECK_OK(sched_setaffinity(0, sizeof(all), &all));
}

/* Long enough that a slice ends, while another thread wants the CPU; a short one comes to its end. */
static volatile bool done;

static void *busy(void *arg)
{
	while (!done)
		;
	return NULL;
}

static void preemption(void)
{
	cpu_set_t one;
	pthread_t other;
	int aborted = 0, finished = 0;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	REQUIRE(pthread_create(&other, NULL, busy, NULL) == 0);
	for (int i = 0; i < 3; i++)
		aborted += (int)spin_here(1L << 60);
	for (int i = 0; i < 100000 && finished < 100; i++)
		finished += !spin_here(3);
	done = true;
	pthread_join(other, NULL);
	CHECK_EQ(aborted, 3);
	CHECK_EQ(finished, 100);
	CHECK_EQ(area.r.rseq_cs, 0);
}

static volatile uint64_t cs_in_handler;

static void on_alarm(int sig)
{
	cs_in_handler = area.r.rseq_cs;
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timespec ts = { 0, 20000000 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec its = { .it_value = ts, .it_interval = ts };
	timer_t timer;

	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	cs_in_handler = 1;
	CHECK_OK(timer_settime(timer, 0, &its, NULL));
	CHECK_EQ(spin_here(1L << 60), 1);
	CHECK(TAP_AWAIT(cs_in_handler == 0));
	timer_delete(timer);
}

static void *unregistered(void *arg)
{
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIG), EINVAL);
	CHECK_OK(rseq(&area, 32, 0, SIG));
	CHECK(TAP_AWAIT(area.r.cpu_id == (unsigned)sched_getcpu()));
	return NULL;
}

static void children(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_ERRNO(rseq(&area, 32, 0, SIG), EBUSY);
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	REQUIRE(pthread_create(&thread, NULL, unregistered, NULL) == 0);
	pthread_join(thread, NULL);
}

/* What cannot be read or is not signed ends the program. */
static void die(void (*spoil)(struct sequence *))
{
	static struct sequence seq;
	pid_t pid = fork();

	if (pid == 0) {
		seq.start_ip = (uintptr_t)die;
		seq.post_commit_offset = 1;
		seq.abort_ip = (uintptr_t)spin;
		area.r.rseq_cs = (uintptr_t)&seq;
		spoil(&seq);
		for (;;)
			sched_yield(), tap_sleep_ms(1);
	}
	CHECK_KILLED(pid, SIGSEGV);
}

static void spoil_nothing(struct sequence *s)
{
}

static void spoil_version(struct sequence *s)
{
	s->version = 1;
}

static void spoil_pointer(struct sequence *s)
{
	area.r.rseq_cs = 8;
}

static void spoil_range(struct sequence *s)
{
	s->abort_ip = s->start_ip;
}

static void invalid(void)
{
	die(spoil_nothing); /* no signature before spin() */
	die(spoil_version);
	die(spoil_pointer);
	die(spoil_range);
}

struct spinner {
	volatile long ready, stop, aborted;
	volatile int cpu;
};

static void *spin_thread(void *arg)
{
	struct spinner *s = arg;
	static __thread struct sequence seq;

	CHECK_OK(rseq(&area, 32, 0, SIG));
	while (!s->stop) {
		s->cpu = sched_getcpu();
		s->ready = 1;
		s->aborted += spin(&area.r.rseq_cs, &seq, &s->stop, 1L << 60);
	}
	return NULL;
}

static void barriers(void)
{
	struct spinner s = { 0 };
	pthread_t thread;
	long all = CHECK_OK(syscall(SYS_membarrier, 0, 0, 0)), before;

	if (!(all & CMD_RSEQ)) {
		NOTE("no membarrier for rseq");
		return;
	}
	CHECK_ERRNO(syscall(SYS_membarrier, CMD_RSEQ, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_membarrier, CMD_REGISTER_RSEQ, 1, 0), EINVAL);
	CHECK_OK(syscall(SYS_membarrier, CMD_REGISTER_RSEQ, 0, 0));
	CHECK_ERRNO(syscall(SYS_membarrier, CMD_RSEQ, 2, 0), EINVAL);
	CHECK_OK(syscall(SYS_membarrier, CMD_RSEQ, 1, 100000));
	REQUIRE(pthread_create(&thread, NULL, spin_thread, &s) == 0);
	while (!s.ready)
		tap_sleep_ms(1);
	before = s.aborted;
	for (int i = 0; i < 100000 && s.aborted == before; i++) {
		CHECK_OK(syscall(SYS_membarrier, CMD_RSEQ, i & 1, s.cpu));
		i < 1000 ? sched_yield() : usleep(1000);
	}
	CHECK(s.aborted > before);
	s.stop = 1;
	pthread_join(thread, NULL);
	if (all & CMD_SYNC_CORE) {
		CHECK_ERRNO(syscall(SYS_membarrier, CMD_SYNC_CORE, 0, 0), EPERM);
		CHECK_OK(syscall(SYS_membarrier, CMD_REGISTER_SYNC_CORE, 0, 0));
		CHECK_OK(syscall(SYS_membarrier, CMD_SYNC_CORE, 0, 0));
	}
}

static void seen_by_tracer(void)
{
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} conf = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK(WIFSTOPPED(({
		int st = 0;
		waitpid(pid, &st, 0);
		st;
	})));
	CHECK_EQ(syscall(SYS_ptrace, 0x420f, pid, sizeof(conf), &conf), (long)sizeof(conf));
	CHECK_EQ(conf.pointer, (uintptr_t)&area);
	CHECK_EQ(conf.size, 32);
	CHECK_EQ(conf.signature, SIG);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EXIT(pid, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1) /* after an exec nothing is registered */
		return rseq(&area, 32, 0, SIG) ? 1 : 0;
	if (rseq(&area, 32, UNREGISTER, SIG) == -1 && errno == ENOSYS)
		SKIP("no rseq");
	if (rseq(&area, 32, 0, SIG))
		SKIP("the library has registered");
	rseq(&area, 32, UNREGISTER, SIG);
	TAP_RUN(registration);
	TAP_RUN(cpu_numbers);
	TAP_FORK(preemption);
	TAP_RUN(signals);
	TAP_RUN(children);
	TAP_RUN(invalid);
	TAP_RUN(barriers);
	TAP_RUN(seen_by_tracer);
	if (tap_nfailed == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			execl("/proc/self/exe", argv[0], "child", NULL);
			_exit(2);
		}
		CHECK_EXIT(pid, 0);
	}
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs: processes spread over them, affinity is obeyed, busy processes add up. Processor
 * time is compared with elapsed time, both as the kernel under test sees them, so that a slow
 * emulator does not matter. With one CPU only affinity's errors remain; the rest is skipped.
 */
#include "tap.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static long long *results;
static int ncpus;

static int only_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int current_cpu(void)
{
	unsigned cpu = ~0U;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	return (int)cpu;
}

/* After sched_setaffinity() returns, this very process runs on that CPU and stays. */
static void affinity_is_obeyed(void)
{
	cpu_set_t set;

	for (int round = 0; round < 3; round++)
		for (int cpu = 0; cpu < ncpus; cpu++) {
			CHECK_OK(only_cpu(cpu));
			for (int i = 0; i < 20; i++) {
				CHECK_EQ(current_cpu(), cpu);
				sched_yield();
			}
			CHECK_OK(sched_getaffinity(0, sizeof(set), &set));
			CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set));
		}
	CHECK_ERRNO(only_cpu(1000), EINVAL);
}

static void inherited(void)
{
	pid_t pid;

	CHECK_OK(only_cpu(ncpus - 1));
	pid = fork();
	if (pid == 0)
		_exit(current_cpu() == ncpus - 1 ? 0 : 1);
	CHECK_EXIT(pid, 0);
}

/* Move another process while it runs. */
static void moved_from_outside(void)
{
	cpu_set_t set;
	volatile long long *seen = results;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			*seen = current_cpu();
	for (int cpu = 0; cpu < ncpus; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		CHECK_OK(sched_setaffinity(pid, sizeof(set), &set));
		CHECK(TAP_AWAIT(*seen == cpu));
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

/* Burn for @ms of elapsed time; report the processor time got. */
static void burn(int slot, long ms)
{
	long long end = tap_now_ns() + ms * 1000000;

	while (tap_now_ns() < end)
		;
	results[slot] = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* Run @n busy processes at once; return processor time / elapsed time, in hundredths. */
static long busy_processes(int n)
{
	long long start = tap_now_ns(), total = 0;
	pid_t pids[8];

	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			burn(i, 800); /* long against what forking and reaping take */
			_exit(0);
		}
	}
	for (int i = 0; i < n; i++) {
		CHECK_EXIT(pids[i], 0);
		total += results[i];
	}
	return (long)(total * 100 / (tap_now_ns() - start));
}

/* Runnable processes beside this one, from /proc/loadavg. */
static int others_running(void)
{
	char text[128] = "";
	int running = 1;

	tap_read_file("/proc/loadavg", text, sizeof(text));
	sscanf(text, "%*f %*f %*f %d", &running);
	return running - 1;
}

static void throughput(void)
{
	int n = ncpus < 4 ? ncpus : 4, disturbed = 0, tries = 0;
	long best = 0;

	/* Not on and on where others are busy most of the time. */
	for (; tries < 30 && best < n * 75 && (tries < 5 || disturbed <= tries / 2); tries++) {
		long got;

		tap_sleep_ms(5); /* what has just exited is no other */
		disturbed += others_running() > 0;
		got = busy_processes(n);
		best = got > best ? got : best;
	}
	if (best < n * 75 && disturbed > tries / 2)
		NOTE("left out: other processes are busy here (%ld of %d)", best, n * 100);
	else if (best < n * 75)
		tap_fail(__FILE__, __LINE__, "%d busy processes got %ld%% of a CPU in all", n,
			 best);
}

/* Threads of one process run at the same time, too: they meet by spinning. */
static volatile int arrived;

static void *meet(void *arg)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	for (long long end = tap_now_ns() + TAP_LIMIT_MS * 1000000; tap_now_ns() < end;)
		if (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) >= (int)(long)arg)
			return NULL;
	return (void *)1;
}

static void threads_meet(void)
{
	pthread_t threads[8];
	int n = ncpus < 8 ? ncpus : 8;

	for (int i = 0; i < n; i++)
		REQUIRE(pthread_create(&threads[i], NULL, meet, (void *)(long)n) == 0);
	for (int i = 0; i < n; i++) {
		void *late;

		pthread_join(threads[i], &late);
		CHECK(late == NULL);
	}
}

/*
 * One thread takes the right to write away while another writes all the time. The kernel must tell
 * every CPU before mprotect() returns: afterwards no write gets through.
 */
static volatile long *page_word;
static volatile long writes;

static void give_up(int sig, siginfo_t *info, void *context)
{
	for (;;)
		pause();
}

static void *writer(void *arg)
{
	for (;;) {
		*page_word = *page_word + 1;
		writes++;
	}
	return NULL;
}

static void protection_reaches_all(void)
{
	struct sigaction sa = { .sa_sigaction = give_up, .sa_flags = SA_SIGINFO };
	pthread_t thread;
	long seen;

	REQUIRE(sigaction(SIGSEGV, &sa, NULL) == 0);
	page_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page_word != MAP_FAILED);
	REQUIRE(pthread_create(&thread, NULL, writer, NULL) == 0);
	while (writes < 1000)
		;
	CHECK_OK(mprotect((void *)page_word, 4096, PROT_READ));
	seen = *page_word;
	tap_sleep_ms(20);
	CHECK_EQ(*page_word, seen);
	_exit(tap_nfailed ? 1 : 0); /* the thread never ends by itself */
}

/*
 * Threads that fault on the same pages, to read and to write, while others give them back: what one has written it reads or finds zeroed,
 * and when all is unmapped every page is accounted for.
 */
#define SHARED_PAGES 64
#define FAULT_LOOPS  200

static volatile long *shared_pages;

static void *fault_and_drop(void *arg)
{
	long self = (long)arg, bad = 0;

	for (int loop = 0; loop < FAULT_LOOPS; loop++) {
		for (int i = 0; i < SHARED_PAGES; i++) {
			volatile long *word = &shared_pages[i * 512 + self];
			long seen = *word;

			bad += seen != 0 && seen != self + 1;
			*word = self + 1;
			seen = *word;
			bad += seen != 0 && seen != self + 1;
		}
		if (madvise((void *)&shared_pages[loop % 8 * 4096], 8 * 4096, MADV_DONTNEED) != 0)
			bad++;
	}
	return (void *)bad;
}

static long resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident = -1;

	if (f && fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = -1;
	if (f)
		fclose(f);
	return resident;
}

static void threads_fault(void)
{
	pthread_t threads[4];
	long before, after;

	before = resident_pages();
	shared_pages = mmap(NULL, SHARED_PAGES * 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared_pages != MAP_FAILED);
	for (long i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, fault_and_drop, (void *)i) == 0);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		CHECK_EQ((long)bad, 0);
	}
	CHECK_OK(munmap((void *)shared_pages, SHARED_PAGES * 4096));
	after = resident_pages();
	/* A page that is counted twice or not at all in each loop adds up. Linux's counts are of some dozen pages' precision. */
	CHECK(before > 0 && labs(after - before) <= FAULT_LOOPS);
}

int main(void)
{
	cpu_set_t set;

	results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(results != MAP_FAILED);
	CHECK_OK(sched_getaffinity(0, sizeof(set), &set));
	ncpus = CPU_COUNT(&set);
	CHECK_EQ(ncpus, sysconf(_SC_NPROCESSORS_ONLN));
	for (int cpu = 0; cpu < ncpus; cpu++)
		if (!CPU_ISSET(cpu, &set))
			SKIP("this process may not use every CPU");
	TAP_FORK(affinity_is_obeyed);
	TAP_FORK(inherited);
	if (ncpus < 2)
		SKIP("one CPU only");
	TAP_RUN(moved_from_outside);
	TAP_RUN(threads_meet);
	TAP_FORK(threads_fault);
	for (int i = 0; i < 10; i++)
		TAP_FORK(protection_reaches_all);
	TAP_RUN(throughput);
	return tap_done();
}

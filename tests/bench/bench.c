/* SPDX-License-Identifier: MIT */
/*
 * Measure what the kernel costs. Prints `name ns_per_op`, one row a line.
 *
 *   bench [NAME...]      only these rows; without names all of them
 *
 * Time is CLOCK_MONOTONIC: with QEMU's -icount shift=0 a nanosecond is an instruction. System calls
 * that are measured are made without the libc's wrappers. Each row runs a fixed number of rounds
 * three times and the fastest counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPEATS 3

static const char *self;
static int zero_fd, null_fd;
static int ping[2], pong[2];
static volatile int caught;

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* A measurement that cannot be made is no measurement: say why and fail. */
static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void run_getppid(long rounds)
{
	while (rounds--)
		syscall(SYS_getppid);
}

static void run_read(long rounds)
{
	char byte;

	while (rounds--)
		if (syscall(SYS_read, zero_fd, &byte, 1) != 1)
			die("read");
}

static void run_write(long rounds)
{
	while (rounds--)
		if (syscall(SYS_write, null_fd, "x", 1) != 1)
			die("write");
}

static void run_stat(long rounds)
{
	struct stat st;

	while (rounds--)
		if (stat("/dev/null", &st) != 0)
			die("stat");
}

static void run_open_close(long rounds)
{
	while (rounds--) {
		int fd = open("/dev/null", O_RDONLY);

		if (fd < 0)
			die("open");
		close(fd);
	}
}

static void reap(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("child");
}

static void run_fork(long rounds)
{
	while (rounds--) {
		pid_t pid = (pid_t)fork();

		if (pid == 0)
			_exit(0);
		reap(pid);
	}
}

static void run_fork_exec(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self, self, "--exit", (char *)NULL);
			_exit(1);
		}
		reap(pid);
	}
}

static char child_stack[16384] __attribute__((aligned(16)));

static int exec_child(void *arg)
{
	execl(self, self, "--exit", (char *)NULL);
	_exit(1);
}

/* clone(VM | VFORK), because vfork() is fork() in some libcs. */
static void run_vfork_exec(long rounds)
{
	while (rounds--)
		reap(clone(exec_child, child_stack + sizeof(child_stack),
			   CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static void echo(long rounds)
{
	char byte;

	while (rounds--)
		if (read(ping[0], &byte, 1) != 1 || write(pong[1], &byte, 1) != 1)
			_exit(1);
	_exit(0);
}

static void run_pipe(long rounds)
{
	char byte = 'p';
	pid_t pid = fork();

	if (pid == 0)
		echo(rounds);
	while (rounds--)
		if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
			die("pipe");
	reap(pid);
}

static void run_mmap(long rounds)
{
	while (rounds--) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			die("mmap");
		for (int i = 0; i < 65536; i += 4096)
			p[i] = 1;
		munmap(p, 65536);
	}
}

static void handler(int sig)
{
	caught++;
}

static void run_signal_install(long rounds)
{
	struct sigaction sa = { .sa_handler = handler };

	while (rounds--)
		sigaction(SIGUSR1, &sa, NULL);
}

static void run_signal_catch(long rounds)
{
	pid_t pid = getpid();

	signal(SIGUSR1, handler);
	while (rounds--)
		kill(pid, SIGUSR1);
}

/* Two processes on one CPU that yield to one another; two switches a round. */
static void run_switch(long rounds)
{
	cpu_set_t one, old;
	pid_t pid;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_getaffinity(0, sizeof(old), &old);
	sched_setaffinity(0, sizeof(one), &one);
	pid = fork();
	for (long i = 0; i < rounds; i++)
		sched_yield();
	if (pid == 0)
		_exit(0);
	reap(pid);
	sched_setaffinity(0, sizeof(old), &old);
}

static void *thread_main(void *arg)
{
	return arg;
}

static void run_thread(long rounds)
{
	pthread_t thread;

	while (rounds--) {
		if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

/* One unit of work of about a hundred thousand instructions. */
static void work(void)
{
	for (int i = 0; i < 50000; i++)
		__asm__ volatile("" ::: "memory");
}

static void busy(int processes, long rounds)
{
	pid_t pids[4];

	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (long r = 0; r < rounds; r++)
				work();
			_exit(0);
		}
	}
	for (int i = 0; i < processes; i++)
		reap(pids[i]);
}

static void run_busy1(long rounds)
{
	busy(1, rounds);
}

/* Rounds are divided among four: on four idle CPUs a round costs a quarter of busy1's. */
static void run_busy4(long rounds)
{
	busy(4, rounds / 4);
}

static const struct row {
	const char *name;
	void (*run)(long rounds);
	long rounds;
} rows[] = {
	{ "getppid", run_getppid, 20000 },
	{ "read1", run_read, 20000 },
	{ "write1", run_write, 20000 },
	{ "stat", run_stat, 5000 },
	{ "open-close", run_open_close, 5000 },
	{ "fork-exit-wait", run_fork, 200 },
	{ "fork-exec-wait", run_fork_exec, 100 },
	{ "vfork-exec-wait", run_vfork_exec, 100 },
	{ "pipe-round-trip", run_pipe, 2000 },
	{ "mmap-touch-unmap", run_mmap, 500 },
	{ "signal-install", run_signal_install, 10000 },
	{ "signal-catch", run_signal_catch, 5000 },
	{ "context-switch", run_switch, 2000 },
	{ "thread-create-join", run_thread, 300 },
	{ "busy1", run_busy1, 400 },
	{ "busy4", run_busy4, 400 },
};

static void measure(const struct row *row)
{
	long long best = -1;

	row->run(row->rounds / 20 + 1);
	for (int i = 0; i < REPEATS; i++) {
		long long start = now_ns(), took;

		row->run(row->rounds);
		took = now_ns() - start;
		if (best < 0 || took < best)
			best = took;
	}
	printf("%s %lld\n", row->name, best / row->rounds);
	fflush(stdout);
}

static int run_named(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0) {
			measure(&rows[i]);
			return 0;
		}
	fprintf(stderr, "bench: no row %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	long long start = now_ns();
	int status = 0;

	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		_exit(0);
	self = access("/proc/self/exe", X_OK) == 0 ? "/proc/self/exe" : argv[0];
	zero_fd = open("/dev/zero", O_RDONLY);
	null_fd = open("/dev/null", O_WRONLY);
	if (zero_fd < 0 || null_fd < 0 || pipe(ping) != 0 || pipe(pong) != 0)
		die("bench");
	if (argc == 1 && getpid() == 1)
		printf("%-20s %10lld\n", "boot-to-main",
		       start); /* the clock starts with the kernel */
	if (argc == 1)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			measure(&rows[i]);
	for (int i = 1; i < argc; i++)
		status |= run_named(argv[i]);
	return status;
}

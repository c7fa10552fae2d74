/* SPDX-License-Identifier: MIT */
/*
 * Measure what the kernel costs: the same static program on Caelum and on Linux.
 *
 *   bench [-r ROUNDS] [-t MS] NAME...    these rows; a NAME that ends in * means all that begin with it. With -r only that many
 *                                rounds, once after the warm-up, for a profile. With -t a measurement takes at least MS milliseconds, and lines
 *                                `@NAME begin 0`, `@NAME end ROUNDS` say between which moments the machine did nothing but the row
 *   bench -l                     the names of all rows
 *
 * As process 1 it takes its words from /.bench-words, if there is such a file. It then first mounts what a row may need,
 * with `-s SECONDS` lets the kernel settle, and after that powers the machine off at the end.
 *
 * Prints a line `NAME VALUE UNIT` for each row, or `NAME failed WHY`, and at last `bench done`.
 *
 * Time is CLOCK_MONOTONIC: with QEMU's -icount shift=0 a nanosecond is an instruction. Each row runs in a process of
 * its own, a fixed number of rounds (with -t: as often as that takes), three times after a short warm-up, and the fastest counts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define REPEATS	     3
#define ROW_LIMIT_NS 180000000000LL
#define MOST_REPEATS 5	    /* with -t */
#define ENOUGH_NS    3000000000LL /* a round that takes that long is not repeated */

static const struct row *const tables[] = { call_rows, file_rows,     memory_rows,  process_rows,
					    ipc_rows,  parallel_rows, program_rows, probe_rows };
const char *self;
static long only_rounds;   /* -r */
static long long least_ns; /* -t */
static int report;	   /* where a row's process writes its result */

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

_Noreturn void die_saying(const char *what, const char *why)
{
	dprintf(report, "failed %s: %s\n", what, why);
	_exit(1);
}

_Noreturn void die(const char *what)
{
	die_saying(what, strerror(errno));
}

void reap(int pid)
{
	int status;

	if (pid < 0)
		die("fork");
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (status != 0)
		die_saying("a child", "did not end with status 0");
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void pin_to_first(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	while (n--)
		CPU_SET(n, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* How long @times times the row's rounds take, in ns. */
static long long timed(const struct row *row, long times)
{
	long long start = now_ns();

	while (times--)
		row->run(row->rounds);
	return now_ns() - start;
}

/* Tell who looks on from outside, and give it time to look. */
static void mark(const struct row *row, const char *what, long rounds)
{
	dprintf(1, "@%s %s %ld\n", row->name, what, rounds);
	usleep(20000);
}

/* The same as fastest(), each measurement at least @least_ns long. Between the marks nothing but the row's rounds is done. */
static long long fastest_of_long(const struct row *row)
{
	long long best = timed(row, 1), sum = best;
	long times = best < least_ns ? (long)(least_ns / (best + 1)) + 1 : 1, done = 0;

	mark(row, "begin", 0);
	for (int i = 0; i < MOST_REPEATS && (i == 0 || sum < ENOUGH_NS); i++) {
		long long took = timed(row, times);

		sum += took;
		done += times * row->rounds;
		if (took / times < best)
			best = took / times;
	}
	mark(row, "end", done);
	return best / row->rounds;
}

/* The fastest of some measurements, in ns a round. */
static long long fastest(const struct row *row)
{
	long long best = timed(row, 1);

	for (int i = 1; i < REPEATS && row->rounds > 1; i++) {
		long long took = timed(row, 1);

		if (took < best)
			best = took;
	}
	return best / row->rounds;
}

static void measure(const struct row *row)
{
	if (row->prepare)
		row->prepare(row->arg);
	if (row->value) {
		dprintf(report, "%ld %s\n", row->value(row->arg), row->unit);
		return;
	}
	if (row->rounds > 1)
		row->run(row->rounds / 20 + 1);
	if (only_rounds) {
		row->run(only_rounds);
		dprintf(report, "0 ns\n");
		return;
	}
	dprintf(report, "%lld ns\n", least_ns ? fastest_of_long(row) : fastest(row));
}

/* Wait for the row's process, with its result, no longer than ROW_LIMIT_NS. */
static void collect(const struct row *row, pid_t pid, int fd)
{
	long long limit = now_ns() + ROW_LIMIT_NS;
	char line[256];
	int status;
	ssize_t n;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ns() > limit) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			printf("%s failed no end after 180 s\n", row->name);
			return;
		}
		usleep(50000);
	}
	kill(-pid, SIGKILL);
	n = read(fd, line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	if (n > 0)
		printf("%s %s", row->name, line);
	else
		printf("%s failed status %#x\n", row->name, status);
}

static void run_row(const struct row *row)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		printf("%s failed pipe\n", row->name);
		return;
	}
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		report = fds[1];
		measure(row);
		_exit(0);
	}
	close(fds[1]);
	collect(row, pid, fds[0]);
	close(fds[0]);
	fflush(stdout);
	usleep(100000);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return strncmp(pattern, name, n - 1) == 0;
	return strcmp(pattern, name) == 0;
}

/* Run what @pattern names; list it when @list. Return: how many rows that were. */
static int each_row(const char *pattern, int list)
{
	int found = 0;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct row *row = tables[t]; row->name; row++) {
			if (!matches(pattern, row->name))
				continue;
			found++;
			if (list)
				printf("%s\n", row->name);
			else
				run_row(row);
		}
	return found;
}

/* What an init has to do. Errors are left to the rows that need what is then missing. */
static void become_init(void)
{
	int fd;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/tmp", 01777);
	if (access("/dev/null", W_OK) != 0)
		mount("dev", "/dev", "devtmpfs", 0, NULL);
	if (access("/proc/self", F_OK) != 0)
		mount("proc", "/proc", "proc", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	if (access("/sys/kernel/tracing/uprobe_events", W_OK) != 0) {
		mkdir("/sys", 0755);
		mount("sys", "/sys", "sysfs", 0, NULL);
		mount("tracing", "/sys/kernel/tracing", "tracefs", 0, NULL);
	}
	if (fcntl(1, F_GETFD) < 0) {
		fd = open("/dev/console", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
}

static void print_boot_time(unsigned long long ticks, long long kernel_ns)
{
	printf("reset-to-main %llu ns\n",
	       (unsigned long long)((unsigned __int128)ticks * 1000000000 / counter_hz()));
	printf("boot-to-main %lld ns\n", kernel_ns);
	fflush(stdout);
}

/* Split the words of /.bench-words into @argv, of @room entries. Return: how many there are, 0 without the file. */
static int read_words(char **argv, int room)
{
	static char text[4096];
	int fd = open("/.bench-words", O_RDONLY | O_CLOEXEC), n = 1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	close(fd);
	argv[0] = "/bin/bench";
	for (char *w = strtok(text, " \n"); w && n < room - 1; w = strtok(NULL, " \n"))
		argv[n++] = w;
	argv[n] = NULL;
	return n;
}

int main(int argc, char **argv)
{
	static char *words[128];
	unsigned long long ticks = counter();
	long long start = now_ns();
	int option, unknown = 0, settle = 0;

	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		_exit(0);
	if (getpid() == 1 && read_words(words, 128)) {
		argv = words;
		argc = 0;
		while (words[argc])
			argc++;
	}
	while ((option = getopt(argc, argv, "lr:s:t:")) != -1)
		if (option == 'l')
			return each_row("*", 1) == 0;
		else if (option == 'r')
			only_rounds = atol(optarg);
		else if (option == 's')
			settle = atoi(optarg);
		else if (option == 't')
			least_ns = atoll(optarg) * 1000000;
		else
			return 2;
	if (getpid() == 1) {
		become_init();
		print_boot_time(ticks, start);
	}
	self = access("/proc/self/exe", X_OK) == 0 ? "/proc/self/exe" : argv[0];
	sleep(settle);
	for (int i = optind; i < argc; i++)
		if (each_row(argv[i], 0) == 0) {
			printf("%s failed no such row\n", argv[i]);
			unknown = 1;
		}
	printf("bench done\n");
	fflush(stdout);
	if (settle && getpid() == 1) {
		sleep(1);
		reboot(RB_POWER_OFF);
	}
	return unknown;
}

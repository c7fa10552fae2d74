/* SPDX-License-Identifier: MIT */
/*
 * Rows where several processes work at once. The number after @ is how many; each has a CPU of its own when the machine has that
 * many. Of hackbench it is the number of groups, in par-hackbench that of CPUs which four groups share. A round is one unit of work of any
 * worker, so perfect scaling divides the result by that number.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define MOST 64

static long workers;
static int own_directories;

static void set_workers(long arg)
{
	workers = arg;
}

/* Have each worker do its part of @rounds on its CPU. */
static void share(long rounds, void (*work)(int worker, long rounds))
{
	pid_t pids[MOST];

	for (int i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			pin(i);
			work(i, rounds / workers);
			_exit(0);
		}
	}
	for (int i = 0; i < workers; i++)
		reap(pids[i]);
}

static void busy(int worker, long rounds)
{
	while (rounds--)
		for (int i = 0; i < 50000; i++)
			__asm__ volatile("" ::: "memory");
}

static void run_busy(long rounds)
{
	share(rounds, busy);
}

static void fault(int worker, long rounds)
{
	while (rounds > 0) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			_exit(1);
		madvise(p, 1 << 20, MADV_NOHUGEPAGE);
		for (int i = 0; i < 1 << 20; i += 4096, rounds--)
			p[i] = 1;
		munmap(p, 1 << 20);
	}
}

static void run_par_fault(long rounds)
{
	share(rounds, fault);
}

static long thread_rounds;

/* The same in one address space. */
static void *fault_thread(void *worker)
{
	pin((int)(long)worker);
	fault(0, thread_rounds);
	return NULL;
}

static void run_thread_fault(long rounds)
{
	pthread_t threads[MOST];

	thread_rounds = rounds / workers;
	for (long i = 0; i < workers; i++)
		if (pthread_create(&threads[i], NULL, fault_thread, (void *)i))
			die("pthread_create");
	for (int i = 0; i < workers; i++)
		pthread_join(threads[i], NULL);
}

static void forks(int worker, long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		reap(pid);
	}
}

static void run_forks(long rounds)
{
	share(rounds, forks);
}

static void file_name(char *name, size_t size, int worker)
{
	snprintf(name, size, "/tmp/dir%d/file%d", own_directories ? worker : 0, worker);
}

static void make_files(long arg, int own)
{
	char name[64];

	own_directories = own;
	workers = arg;
	for (int i = 0; i < arg; i++) {
		int fd;

		snprintf(name, sizeof(name), "/tmp/dir%d", i);
		mkdir(name, 0755);
		file_name(name, sizeof(name), i);
		fd = open(name, O_CREAT | O_WRONLY, 0644);
		if (fd < 0)
			die(name);
		close(fd);
	}
}

static void make_one(long arg)
{
	make_files(arg, 0);
}

static void make_many(long arg)
{
	make_files(arg, 1);
}

static void open_stat(int worker, long rounds)
{
	char name[64];
	struct stat st;

	file_name(name, sizeof(name), worker);
	while (rounds--) {
		int fd = open(name, O_RDONLY);

		if (fd < 0 || stat(name, &st) != 0 || close(fd) != 0)
			_exit(1);
	}
}

static void run_open_stat(long rounds)
{
	share(rounds, open_stat);
}

/* Each worker is a pair of processes on one CPU with two pipes between them. */
static void pipes(int worker, long rounds)
{
	int there[2], back[2];
	pid_t pid;
	char byte = 0;

	if (pipe(there) != 0 || pipe(back) != 0)
		_exit(1);
	pid = fork();
	for (long i = 0; i < rounds; i++) {
		int in = pid ? back[0] : there[0], out = pid ? there[1] : back[1];

		if (pid && write(out, &byte, 1) != 1)
			_exit(1);
		if (read(in, &byte, 1) != 1)
			_exit(1);
		if (!pid && write(out, &byte, 1) != 1)
			_exit(1);
	}
	if (pid == 0)
		_exit(0);
	reap(pid);
}

static void run_pipes(long rounds)
{
	share(rounds, pipes);
}

/* ---- groups of ten senders and ten receivers; every sender writes to each receiver ---- */

#define GROUP 10
static int use_sockets;

static void make_groups(long arg)
{
	workers = arg;
}

static void make_socket_groups(long arg)
{
	use_sockets = 1;
	workers = arg;
}

static void groups_on(long cpus)
{
	workers = 4;
	pin_to_first((int)cpus);
}

static void socket_groups_on(long cpus)
{
	use_sockets = 1;
	groups_on(cpus);
}

static void receive(int fd, long messages)
{
	char data[100];

	for (long left = messages * (long)sizeof(data); left > 0;) {
		ssize_t n = read(fd, data, left < 100 ? (size_t)left : sizeof(data));

		if (n <= 0)
			_exit(1);
		left -= n;
	}
	_exit(0);
}

static void send_all(int fds[][2], long loops)
{
	char data[100] = "";

	while (loops--)
		for (int i = 0; i < GROUP; i++)
			if (write(fds[i][1], data, sizeof(data)) != sizeof(data))
				_exit(1);
	_exit(0);
}

/* One group, which is done when its processes are. A round is a message. */
static void group(int worker, long rounds)
{
	int fds[GROUP][2];
	pid_t pids[2 * GROUP];
	long loops = rounds / (GROUP * GROUP) + 1;

	for (int i = 0; i < GROUP; i++) {
		int failed =
			use_sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]) : pipe(fds[i]);

		if (failed)
			_exit(1);
	}
	for (int i = 0; i < 2 * GROUP; i++) {
		pids[i] = fork();
		if (pids[i] == 0 && i < GROUP)
			receive(fds[i][0], loops * GROUP);
		if (pids[i] == 0)
			send_all(fds, loops);
	}
	for (int i = 0; i < 2 * GROUP; i++)
		reap(pids[i]);
}

static void run_groups(long rounds)
{
	pid_t pids[MOST];

	for (int i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			group(i, rounds / workers);
			_exit(0);
		}
	}
	for (int i = 0; i < workers; i++)
		reap(pids[i]);
}

const struct row parallel_rows[] = {
	ROW("hackbench-pipe@1", run_groups, 2000, .prepare = make_groups, .arg = 1),
	ROW("hackbench-unix@1", run_groups, 2000, .prepare = make_socket_groups, .arg = 1),
	ROW("par-hackbench-pipe@1", run_groups, 40000, .prepare = groups_on, .arg = 1),
	ROW("par-hackbench-pipe@2", run_groups, 40000, .prepare = groups_on, .arg = 2),
	ROW("par-hackbench-pipe@4", run_groups, 40000, .prepare = groups_on, .arg = 4),
	ROW("par-hackbench-unix@1", run_groups, 40000, .prepare = socket_groups_on, .arg = 1),
	ROW("par-hackbench-unix@2", run_groups, 40000, .prepare = socket_groups_on, .arg = 2),
	ROW("par-hackbench-unix@4", run_groups, 40000, .prepare = socket_groups_on, .arg = 4),
	ROW("par-busy@1", run_busy, 400, .prepare = set_workers, .arg = 1),
	ROW("par-busy@2", run_busy, 400, .prepare = set_workers, .arg = 2),
	ROW("par-busy@4", run_busy, 400, .prepare = set_workers, .arg = 4),
	ROW("par-fault@1", run_par_fault, 8192, .prepare = set_workers, .arg = 1),
	ROW("par-fault@2", run_par_fault, 8192, .prepare = set_workers, .arg = 2),
	ROW("par-fault@4", run_par_fault, 8192, .prepare = set_workers, .arg = 4),
	ROW("par-thread-fault@1", run_thread_fault, 8192, .prepare = set_workers, .arg = 1),
	ROW("par-thread-fault@2", run_thread_fault, 8192, .prepare = set_workers, .arg = 2),
	ROW("par-thread-fault@4", run_thread_fault, 8192, .prepare = set_workers, .arg = 4),
	ROW("par-fork@1", run_forks, 400, .prepare = set_workers, .arg = 1),
	ROW("par-fork@2", run_forks, 400, .prepare = set_workers, .arg = 2),
	ROW("par-fork@4", run_forks, 400, .prepare = set_workers, .arg = 4),
	ROW("par-open-one@1", run_open_stat, 8000, .prepare = make_one, .arg = 1),
	ROW("par-open-one@2", run_open_stat, 8000, .prepare = make_one, .arg = 2),
	ROW("par-open-one@4", run_open_stat, 8000, .prepare = make_one, .arg = 4),
	ROW("par-open-many@1", run_open_stat, 8000, .prepare = make_many, .arg = 1),
	ROW("par-open-many@2", run_open_stat, 8000, .prepare = make_many, .arg = 2),
	ROW("par-open-many@4", run_open_stat, 8000, .prepare = make_many, .arg = 4),
	ROW("par-pipe@1", run_pipes, 4000, .prepare = set_workers, .arg = 1),
	ROW("par-pipe@2", run_pipes, 4000, .prepare = set_workers, .arg = 2),
	ROW("par-pipe@4", run_pipes, 4000, .prepare = set_workers, .arg = 4),
	{ .name = NULL },
};

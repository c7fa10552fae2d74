/* SPDX-License-Identifier: MIT */
/* Rows of talking between processes and of waiting for events. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

static int there[2], back[2];
static int event, poller;

static void make_pipes(long arg)
{
	if (pipe(there) != 0 || pipe(back) != 0)
		die("pipe");
}

static void make_sockets(long arg)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		die("socketpair");
	there[1] = back[0] = fds[0];
	there[0] = back[1] = fds[1];
}

static void echo(long rounds)
{
	char byte;

	while (rounds--)
		if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
			_exit(1);
	_exit(0);
}

/* A byte there and a byte back between two processes. */
static void run_latency(long rounds)
{
	char byte = 'p';
	pid_t pid = fork();

	if (pid == 0)
		echo(rounds);
	while (rounds--)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("round trip");
	reap(pid);
}

static char block[65536];

/* 64 KiB from one process to another a round. */
static void run_bandwidth(long rounds)
{
	long left = rounds * (long)sizeof(block);
	pid_t pid = fork();

	if (pid == 0) {
		while (rounds--)
			if (write(there[1], block, sizeof(block)) != sizeof(block))
				_exit(1);
		_exit(0);
	}
	while (left > 0) {
		ssize_t n = read(there[0], block, sizeof(block));

		if (n <= 0)
			die("read");
		left -= n;
	}
	reap(pid);
}

static void make_event(long arg)
{
	event = eventfd(0, 0);
	if (event < 0)
		die("eventfd");
}

static void run_eventfd(long rounds)
{
	uint64_t value = 1;

	while (rounds--)
		if (sys3(SYS_write, event, (long)&value, 8) != 8 ||
		    sys3(SYS_read, event, (long)&value, 8) != 8)
			die("eventfd");
}

static void watch(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

/* @count event counters are watched; one of them is ready. */
static void make_epoll(long count)
{
	poller = epoll_create1(0);
	make_event(0);
	watch(event);
	for (long i = 1; i < count; i++) {
		int fd = eventfd(0, 0);

		if (fd < 0)
			die("eventfd");
		watch(fd);
	}
}

static void run_epoll(long rounds)
{
	uint64_t value = 1;
	struct epoll_event e;

	while (rounds--)
		if (sys3(SYS_write, event, (long)&value, 8) != 8 ||
		    epoll_wait(poller, &e, 1, -1) != 1 || e.data.fd != event ||
		    sys3(SYS_read, event, (long)&value, 8) != 8)
			die("epoll");
}

static volatile int *words;

static void make_words(long arg)
{
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED)
		die("mmap");
}

static void pass(volatile int *mine, volatile int *other)
{
	while (__atomic_load_n(mine, __ATOMIC_ACQUIRE) == 0)
		syscall(SYS_futex, mine, FUTEX_WAIT, 0, NULL, NULL, 0);
	*mine = 0;
	__atomic_store_n(other, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, other, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void run_futex(long rounds)
{
	pid_t pid;

	words[0] = 1;
	words[1] = 0;
	pid = fork();
	for (long i = 0; i < rounds; i++)
		if (pid == 0)
			pass(&words[1], &words[0]);
		else
			pass(&words[0], &words[1]);
	if (pid == 0)
		_exit(0);
	reap(pid);
}

/* Two processes on one CPU that yield to one another; two switches a round. */
static void run_switch(long rounds)
{
	pid_t pid = fork();

	for (long i = 0; i < rounds; i++)
		sys3(SYS_sched_yield, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	reap(pid);
}

static void pin_first(long arg)
{
	pin(0);
}

/* ---- a token goes round a ring of processes, each of which reads its working set ---- */

#define MOST 64
static int ring[MOST][2];
static long members, set_bytes;
static char *working_set;

/* @arg: processes, and the KiB that each works on, as processes * 1000 + KiB. */
static void make_ring(long arg)
{
	members = arg / 1000;
	set_bytes = arg % 1000 * 1024;
	working_set = calloc(1, (size_t)set_bytes + 1);
	for (long i = 0; i < members; i++)
		if (pipe(ring[i]) != 0)
			die("pipe");
	pin(0);
}

static void turn(long from, long to)
{
	char byte;

	if (read(ring[from][0], &byte, 1) != 1)
		_exit(1);
	for (long i = 0; i < set_bytes; i += 64)
		(*(volatile char *)(working_set + i))++;
	if (write(ring[to][1], &byte, 1) != 1)
		_exit(1);
}

/* A round is one switch. */
static void run_ring(long rounds)
{
	long laps = rounds / members + 1;
	pid_t pids[MOST];

	for (long i = 1; i < members; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (long lap = 0; lap < laps; lap++)
				turn(i, (i + 1) % members);
			_exit(0);
		}
	}
	if (write(ring[0][1], "t", 1) != 1)
		die("write");
	for (long lap = 0; lap < laps; lap++)
		turn(0, 1 % members);
	for (long i = 1; i < members; i++)
		reap(pids[i]);
	if (read(ring[0][0], &(char){ 0 }, 1) != 1)
		die("the token is lost");
}

const struct row ipc_rows[] = {
	ROW("pipe-latency", run_latency, 2000, .prepare = make_pipes),
	ROW("pipe-bandwidth-64k", run_bandwidth, 200, .prepare = make_pipes),
	ROW("unix-latency", run_latency, 2000, .prepare = make_sockets),
	ROW("unix-bandwidth-64k", run_bandwidth, 200, .prepare = make_sockets),
	ROW("eventfd", run_eventfd, 5000, .prepare = make_event),
	ROW("epoll-1", run_epoll, 3000, .prepare = make_epoll, .arg = 1),
	ROW("epoll-1000", run_epoll, 3000, .prepare = make_epoll, .arg = 1000),
	ROW("futex-ping-pong", run_futex, 2000, .prepare = make_words),
	ROW("yield-switch", run_switch, 2000, .prepare = pin_first),
	ROW("switch-2-0k", run_ring, 2000, .prepare = make_ring, .arg = 2000),
	ROW("switch-2-16k", run_ring, 2000, .prepare = make_ring, .arg = 2016),
	ROW("switch-16-0k", run_ring, 2000, .prepare = make_ring, .arg = 16000),
	ROW("switch-16-64k", run_ring, 1000, .prepare = make_ring, .arg = 16064),
	ROW("switch-64-0k", run_ring, 2000, .prepare = make_ring, .arg = 64000),
	{ .name = NULL },
};

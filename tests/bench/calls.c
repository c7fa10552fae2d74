/* SPDX-License-Identifier: MIT */
/* Rows of single system calls and of signals. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static int fd;
static volatile int caught;

static void run_null(long rounds)
{
	while (rounds--)
		sys3(SYS_getppid, 0, 0, 0);
}

static void run_clock(long rounds)
{
	struct timespec ts;

	while (rounds--)
		if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
			die("clock_gettime");
}

static void run_clock_call(long rounds)
{
	struct timespec ts;

	while (rounds--)
		if (sys3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0) != 0)
			die("clock_gettime");
}

static void open_zero(long arg)
{
	fd = open("/dev/zero", O_RDONLY);
	if (fd < 0)
		die("/dev/zero");
}

static void open_null(long arg)
{
	fd = open("/dev/null", O_WRONLY);
	if (fd < 0)
		die("/dev/null");
}

static void run_read(long rounds)
{
	char byte = 1;

	while (rounds--)
		if (sys3(SYS_read, fd, (long)&byte, 1) != 1 || byte)
			die("read");
}

static void run_write(long rounds)
{
	while (rounds--)
		if (sys3(SYS_write, fd, (long)"x", 1) != 1)
			die("write");
}

static void handler(int sig)
{
	caught++;
}

static void run_signal_install(long rounds)
{
	struct sigaction sa = { .sa_handler = handler };

	while (rounds--)
		if (sigaction(SIGUSR1, &sa, NULL) != 0)
			die("sigaction");
}

/* Without the C library's share. The struct is the kernel's: handler, flags, then restorer or mask: all 0. */
static void run_signal_install_call(long rounds)
{
	unsigned long action[4] = { (unsigned long)handler };

	while (rounds--)
		if (sys4(SYS_rt_sigaction, SIGUSR2, (long)action, 0, 8) != 0)
			die("rt_sigaction");
}

static void run_signal_catch(long rounds)
{
	long pid = getpid();

	signal(SIGUSR1, handler);
	caught = 0;
	for (long i = 0; i < rounds; i++)
		sys3(SYS_kill, pid, SIGUSR1, 0);
	if (caught != rounds)
		die("signals were lost");
}

static void run_yield(long rounds)
{
	while (rounds--)
		sys3(SYS_sched_yield, 0, 0, 0);
}

static int select_fds[100];

static void open_select(long arg)
{
	for (int i = 0; i < 100; i++) {
		int p[2];

		if (pipe(p) != 0)
			die("pipe");
		select_fds[i] = p[0];
	}
}

static void run_select(long rounds)
{
	struct timeval none;
	fd_set set;

	while (rounds--) {
		int top = 0;

		FD_ZERO(&set);
		for (int i = 0; i < 100; i++) {
			FD_SET(select_fds[i], &set);
			top = select_fds[i] > top ? select_fds[i] : top;
		}
		none = (struct timeval){ 0, 0 };
		if (select(top + 1, &set, NULL, NULL, &none) != 0)
			die("select");
	}
}

const struct row call_rows[] = {
	ROW("null", run_null, 20000),
	ROW("clock_gettime", run_clock, 20000),
	ROW("clock_gettime-call", run_clock_call, 20000),
	ROW("read1", run_read, 20000, .prepare = open_zero),
	ROW("write1", run_write, 20000, .prepare = open_null),
	ROW("signal-install", run_signal_install, 10000),
	ROW("signal-install-call", run_signal_install_call, 10000),
	ROW("signal-catch", run_signal_catch, 5000),
	ROW("yield", run_yield, 5000),
	ROW("select-100", run_select, 1000, .prepare = open_select),
	{ .name = NULL },
};

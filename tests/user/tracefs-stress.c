/* SPDX-License-Identifier: MIT */
/*
 * Everything in tracefs at once, for a while: events and filters switched, buffers resized and cleared, clocks changed,
 * threads chosen, trace and trace_pipe read, while system calls, markers, forks and signals happen. Nothing may break; what is read
 * consists of whole lines; afterwards a marker arrives as ever.
 */
#include "tap.h"
#include "tracefs.h"
#include <pthread.h>
#include <sched.h>

#define SECONDS 3

static volatile int stop;

static void truncate_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

struct change {
	const char *file, *value;
};

/* Go through a list of changes until it is time to stop. */
static void change(const struct change *list, size_t n)
{
	for (size_t i = 0; !stop; i = (i + 1) % n)
		if (list[i].value)
			put(list[i].file, list[i].value);
		else
			truncate_file(list[i].file);
}

static void *switch_events(void *arg)
{
	static const struct change list[] = {
		{ "events/raw_syscalls/enable", "1" },
		{ "events/sched/enable", "1" },
		{ "events/syscalls/enable", "1" },
		{ "events/raw_syscalls/enable", "0" },
		{ "set_event", "signal:*" },
		{ "events/syscalls/enable", "0" },
		{ "set_event", NULL },
		{ "events/enable", "1" },
		{ "events/sched/enable", "0" },
		{ "events/enable", "0" },
	};

	change(list, ARRAY_SIZE(list));
	return arg;
}

static void *change_filters(void *arg)
{
	static const struct change list[] = {
		{ "events/raw_syscalls/sys_enter/filter", "id > 3 && common_pid != 1" },
		{ "events/sched/sched_switch/filter", "prev_comm ~ \"t*\" || next_pid == 0" },
		{ "events/sched/filter", "pid > 0" },
		{ "events/raw_syscalls/sys_enter/filter", "broken ==" },
		{ "events/raw_syscalls/sys_enter/filter", "0" },
		{ "events/sched/sched_switch/filter", "0" },
		{ "set_event_pid", "1 2 3 4 5 6 7 8 9 10 11 12" },
		{ "events/sched/filter", "0" },
		{ "set_event_pid", NULL },
	};

	change(list, ARRAY_SIZE(list));
	return arg;
}

static void *change_buffers(void *arg)
{
	static const struct change list[] = {
		{ "buffer_size_kb", "32" },
		{ "trace", NULL },
		{ "per_cpu/cpu0/buffer_size_kb", "200" },
		{ "trace_clock", "counter" },
		{ "tracing_on", "0" },
		{ "trace_options", "nooverwrite" },
		{ "tracing_on", "1" },
		{ "buffer_size_kb", "100" },
		{ "trace_clock", "mono" },
		{ "trace_options", "overwrite" },
		{ "per_cpu/cpu0/trace", NULL },
	};

	change(list, ARRAY_SIZE(list));
	return arg;
}

/* Read in pieces of odd sizes; every line ends, and is not longer than one can be. */
static void *read_file(void *arg)
{
	char buf[3001];
	size_t length = 0;

	while (!stop) {
		int fd = open(arg, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		ssize_t n = 0;

		/* A child that has not exited yet may still have the pipe open. */
		CHECK(fd >= 0 || errno == EBUSY);
		if (fd < 0)
			continue;
		for (int i = 0;
		     !stop && i < 200 && (n = read(fd, buf, sizeof(buf) - (size_t)i)) > 0; i++)
			for (ssize_t at = 0; at < n; at++) {
				length = buf[at] == '\n' ? 0 : length + 1;
				CHECK(buf[at] != '\0' && length < 9000);
			}
		CHECK(n >= 0 || errno == EAGAIN);
		close(fd);
		length = 0;
		sched_yield();
	}
	return NULL;
}

static void *make_noise(void *arg)
{
	while (!stop) {
		pid_t pid;

		put("trace_marker", "noise");
		for (int i = 0; i < 50; i++)
			syscall(SYS_getppid);
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			tap_wait(pid);
	}
	return arg;
}

static void still_works(void)
{
	put("tracing_on", "1");
	put("events/enable", "0");
	put("trace_options", "overwrite");
	put("trace_clock", "local");
	truncate_file("set_event_pid");
	put("buffer_size_kb", "1408");
	truncate_file("trace");
	CHECK_OK(put("trace_marker", "the end"));
	CHECK(tap_read_file("trace", text, sizeof(text)) > 0);
	CHECK(strstr(text, "tracing_mark_write: the end\n") != NULL);
}

static void everything(void)
{
	static void *(*const fn[])(void *) = { switch_events, change_filters, change_buffers,
					       read_file,     read_file,      make_noise,
					       make_noise,    read_file };
	static char *const arg[] = { NULL,	   NULL, NULL, "trace",
				     "trace_pipe", NULL, NULL, "set_event" };
	pthread_t thread[ARRAY_SIZE(fn)];

	for (size_t i = 0; i < ARRAY_SIZE(fn); i++)
		REQUIRE(pthread_create(&thread[i], NULL, fn[i], arg[i]) == 0);
	tap_sleep_ms(SECONDS * 1000);
	stop = 1;
	for (size_t i = 0; i < ARRAY_SIZE(fn); i++)
		pthread_join(thread[i], NULL);
	still_works();
}

int main(void)
{
	tracefs_enter();
	TAP_RUN(everything);
	tracefs_leave();
	return tap_done();
}

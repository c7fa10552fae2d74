/* SPDX-License-Identifier: MIT */
/* Rows of probes: a function of this program, or of the kernel, with a probe whose event is filtered out, so that it only counts. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define TRACING "/sys/kernel/tracing/"

static volatile long sum;

__attribute__((noinline)) void probed(long n)
{
	sum += n;
	__asm__ volatile("" : : : "memory");
}

static void run_probed(long rounds)
{
	while (rounds--)
		probed(rounds);
}

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_APPEND);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -1 : 0;
}

/* The file offset of probed(), from the mapping it is in. */
static unsigned long offset_of_probed(char *path)
{
	unsigned long start, end, offset, addr = (unsigned long)probed;
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &start, &end, &offset, path) ==
			    4 &&
		    addr >= start && addr < end) {
			fclose(f);
			return addr - start + offset;
		}
	die("where am I");
}

/* @kind: 'p' or 'r'. */
static void prepare_probe(long kind)
{
	char path[256], line[512];
	unsigned long offset = offset_of_probed(path);

	put(TRACING "events/bench/enable", "0");
	put(TRACING "uprobe_events", "-:bench/hit");
	snprintf(line, sizeof(line), "%c:bench/hit %s:0x%lx", (int)kind, path, offset);
	if (put(TRACING "uprobe_events", line))
		die("uprobe_events");
	if (put(TRACING "events/bench/hit/filter", "common_pid == 0") ||
	    put(TRACING "events/bench/hit/enable", "1"))
		die("uprobe");
}

/* getppid() and a probe in it: less "null", that is the probe's. Kernels name the function by their architecture. */
static void run_kprobed(long rounds)
{
	while (rounds--)
		sys3(SYS_getppid, 0, 0, 0);
}

static void prepare_kprobe(long arg)
{
	static const char *const names[] = { "sys_getppid", "__x64_sys_getppid",
					     "__arm64_sys_getppid", "__riscv_sys_getppid" };
	char line[128];
	size_t i;

	put(TRACING "events/bench/enable", "0");
	put(TRACING "kprobe_events", "-:bench/khit");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "p:bench/khit %s", names[i]);
		if (put(TRACING "kprobe_events", line) == 0)
			break;
	}
	if (i == sizeof(names) / sizeof(names[0]))
		die("kprobe_events");
	if (put(TRACING "events/bench/khit/filter", "common_pid == 0") ||
	    put(TRACING "events/bench/khit/enable", "1"))
		die("kprobe");
}

const struct row probe_rows[] = {
	ROW("call-unprobed", run_probed, 20000),
	ROW("uprobe-hit", run_probed, 5000, .prepare = prepare_probe, .arg = 'p'),
	ROW("uretprobe-hit", run_probed, 5000, .prepare = prepare_probe, .arg = 'r'),
	ROW("kprobe-hit", run_kprobed, 5000, .prepare = prepare_kprobe),
	{ .name = NULL },
};

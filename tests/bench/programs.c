/* SPDX-License-Identifier: MIT */
/* Rows of whole programs: what busybox does with scripts and with data in a tmpfs. A round is one run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define MIB (1L << 20)

static const char *script;

/* The script of a row; its status is that of the check at its end. */
static const char *const scripts[] = {
	"i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; [ $i = 10000 ]",
	"i=0; while [ $i -lt 10000 ]; do (:); i=$((i+1)); done; [ $i = 10000 ]",
	"sort /tmp/lines >/tmp/sorted && sort -c /tmp/sorted",
	"sha256sum /tmp/lines >/tmp/sum && [ -s /tmp/sum ]",
	"tar -cf - -C /tmp tree | gzip -1 >/tmp/tree.tgz && gzip -t /tmp/tree.tgz",
	"for d in 1 2 3 4 5 6 7 8; do cp -r /tmp/tree /tmp/copy$d && find /tmp/copy$d -type f | wc "
	"-l && "
	"rm -r /tmp/copy$d; done >/tmp/counts && [ $(sort -u /tmp/counts) = 200 ]",
};

enum { BUILTINS, FORKS, SORT, SUM, TAR, TREE };

static void make_script(long which)
{
	script = scripts[which];
}

static unsigned next(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* @bytes of lines of 16 bytes with a random number each. */
static void make_lines(const char *name, long bytes, unsigned seed)
{
	FILE *f = fopen(name, "w");

	if (!f)
		die(name);
	for (long i = 0; i < bytes; i += 16)
		fprintf(f, "%015u\n", next(&seed));
	if (fclose(f) != 0)
		die(name);
}

static void make_sort(long mib)
{
	make_lines("/tmp/lines", mib * MIB, 1);
	make_script(SORT);
}

static void make_sum(long mib)
{
	make_lines("/tmp/lines", mib * MIB, 1);
	make_script(SUM);
}

/* 200 files of 8 KiB in 20 directories. */
static void make_tree(long which)
{
	char name[64];

	mkdir("/tmp/tree", 0755);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "/tmp/tree/d%d", i % 20);
		mkdir(name, 0755);
		snprintf(name, sizeof(name), "/tmp/tree/d%d/f%d", i % 20, i);
		make_lines(name, 8192, (unsigned)i);
	}
	make_script(which);
}

static void run_script(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0) {
			close(2);
			execl("/bin/sh", "sh", "-c", script, (char *)NULL);
			_exit(127);
		}
		reap(pid);
	}
}

const struct row program_rows[] = {
	ROW("prog-sh-builtins", run_script, 1, .prepare = make_script, .arg = BUILTINS),
	ROW("prog-sh-forks", run_script, 1, .prepare = make_script, .arg = FORKS),
	ROW("prog-copy-tree", run_script, 1, .prepare = make_tree, .arg = TREE),
	ROW("prog-tar-gzip", run_script, 1, .prepare = make_tree, .arg = TAR),
	ROW("prog-sha256sum-16m", run_script, 1, .prepare = make_sum, .arg = 16),
	ROW("prog-sort-50m", run_script, 1, .prepare = make_sort, .arg = 50),
	{ .name = NULL },
};

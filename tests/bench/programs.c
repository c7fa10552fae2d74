/* SPDX-License-Identifier: MIT */
/*
 * Rows of whole programs, in a tmpfs. A round is one run. The prog- rows are busybox's; the pkg- rows are programs of the
 * distribution with their shared libraries, which caelum bench puts into the image.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
	"lua5.4 -e 'local t = {} for i = 1, 100000 do t[i] = i * i % 7 end table.sort(t) "
	"print(#t .. t[1] .. t[#t])' >/tmp/out && [ $(cat /tmp/out) = 10000004 ]",
	"python3 -c 'import os, re; print(sum(range(1000)))' >/tmp/out && [ $(cat /tmp/out) = "
	"499500 ]",
	"rm -f /tmp/db && sqlite3 /tmp/db 'create table t(a integer primary key, b text); "
	"with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) "
	"insert into t select x, hex(x * 7919) from c; create index i on t(b); "
	"delete from t where a % 2 = 0; select count(*), sum(a) from t indexed by i where b > 0;' "
	">/tmp/out && [ $(cat /tmp/out) = '10000|100000000' ]",
	"tcc -nostdinc -c /tmp/program.c -o /tmp/program.o && [ -s /tmp/program.o ]",
	"cc1 -fpreprocessed -quiet /tmp/program.c -o /tmp/program.s && [ -s /tmp/program.s ]",
	"rm -rf /tmp/clone && git clone -q --no-local /tmp/tree /tmp/clone && "
	"[ $(find /tmp/clone -name 'f*' -type f | wc -l) -ge 200 ]",
	"strace -f -c -o /tmp/out debian-find / /tmp -xdev >/tmp/names 2>/tmp/errors && "
	"[ $(wc -l </tmp/names) -ge 500 ] && grep -q total /tmp/out",
};

enum { BUILTINS, FORKS, SORT, SUM, TAR, TREE, LUA, PYTHON, SQLITE, TCC, CC1, GIT, STRACE };

static void make_script(long which)
{
	script = scripts[which];
}

static unsigned next(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* @bytes of lines of @width bytes with a random number each. */
static void make_lines(const char *name, long bytes, int width, unsigned seed)
{
	FILE *f = fopen(name, "w");

	if (!f)
		die(name);
	for (long i = 0; i < bytes; i += width)
		fprintf(f, "%-*u\n", width - 1, next(&seed));
	if (fclose(f) != 0)
		die(name);
}

static void make_sort(long mib)
{
	make_lines("/tmp/lines", mib * MIB, 256, 1);
	make_script(SORT);
}

static void make_sum(long mib)
{
	make_lines("/tmp/lines", mib * MIB, 16, 1);
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
		make_lines(name, 8192, 16, (unsigned)i);
	}
	make_script(which);
}

/* Say what the shell's programs complained of last. */
static _Noreturn void die_of_shell(void)
{
	char line[200] = "", last[200] = "it gave no reason";
	FILE *f = fopen("/tmp/stderr", "r");

	while (f && fgets(line, sizeof(line), f))
		strcpy(last, line);
	last[strcspn(last, "\n")] = '\0';
	die_saying("the script", last);
}

static void shell(const char *text)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open("/tmp/stderr", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		dup2(fd, 2);
		setenv("HOME", "/tmp", 1);
		setenv("PATH", "/bin", 1);
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("the script");
	if (status)
		die_of_shell();
}

static void run_script(long rounds)
{
	while (rounds--)
		shell(script);
}

/* A C file of 2,000 functions, 300 for the compiler that thinks about them. */
static void make_source(long which)
{
	FILE *f = fopen("/tmp/program.c", "w");
	int n = which == CC1 ? 300 : 2000;

	if (!f)
		die("program.c");
	for (int i = 0; i < n; i++)
		fprintf(f,
			"int f%d(int a, int b)\n{\n\tint s = %d;\n\n\tfor (int i = a; i < b; i++)\n"
			"\t\ts += i * s %% %d;\n\treturn s;\n}\n\n",
			i, i, i + 3);
	if (fclose(f) != 0)
		die("program.c");
	make_script(which);
}

static void make_repository(long which)
{
	make_tree(which);
	shell("cd /tmp/tree && git init -q && git add . && "
	      "git -c user.name=b -c user.email=b@b commit -q -m 1");
}

const struct row program_rows[] = {
	ROW("prog-sh-builtins", run_script, 1, .prepare = make_script, .arg = BUILTINS),
	ROW("prog-sh-forks", run_script, 1, .prepare = make_script, .arg = FORKS),
	ROW("prog-copy-tree", run_script, 1, .prepare = make_tree, .arg = TREE),
	ROW("prog-tar-gzip", run_script, 1, .prepare = make_tree, .arg = TAR),
	ROW("prog-sha256sum-16m", run_script, 1, .prepare = make_sum, .arg = 16),
	ROW("prog-sort-50m", run_script, 1, .prepare = make_sort, .arg = 50),
	ROW("pkg-lua", run_script, 1, .prepare = make_script, .arg = LUA),
	ROW("pkg-python3-start", run_script, 1, .prepare = make_script, .arg = PYTHON),
	ROW("pkg-sqlite3", run_script, 1, .prepare = make_script, .arg = SQLITE),
	ROW("pkg-tcc", run_script, 1, .prepare = make_source, .arg = TCC),
	ROW("pkg-cc1", run_script, 1, .prepare = make_source, .arg = CC1),
	ROW("pkg-git-clone", run_script, 1, .prepare = make_repository, .arg = GIT),
	ROW("pkg-strace-find", run_script, 1, .prepare = make_tree, .arg = STRACE),
	{ .name = NULL },
};

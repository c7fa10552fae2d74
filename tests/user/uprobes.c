/* SPDX-License-Identifier: MIT */
/*
 * uprobes through tracefs: counts and arguments, in this process, in children, in programs started later; return probes, with nesting,
 * longjmp and fork; a probe on every instruction of some code, which must work as before; signals, faults and stops
 * in the middle; what is refused; what maps and memory show.
 *
 *	uprobes --call N		call target() N times: the program that is started later
 *	uprobes --call-on-line N	the same after a line of input
 *	uprobes --place			where target() is, for uprobe_events
 */
#include "tap.h"
#include "probes.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static char self[256];
static volatile long target_calls;

__attribute__((noinline)) long target(long a, const char *s, unsigned int bits)
{
	__asm__ volatile("" : : "r"(s), "r"(bits) : "memory");
	target_calls++;
	return a * 3;
}

static long (*volatile again)(long n); /* so that no compiler makes a loop of it */

__attribute__((noinline)) long recursive(long n)
{
	return n ? again(n - 1) + n : 0;
}

static unsigned long offset_of(const void *fn)
{
	return probe_file_offset(fn, self);
}

static void define(const char *kind, const char *name, const void *fn, const char *args)
{
	unsigned long offset = offset_of(fn);

	CHECK_OK(probe_put("uprobe_events", O_APPEND, "%s:%s %s:0x%lx %s\n", kind, name, self,
			   offset, args));
}

static void undefine(const char *name)
{
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "-:%s\n", name));
}

static void call(int n)
{
	for (int i = 0; i < n; i++)
		target(i, "hello", 0xabcd);
}

static long hits(const char *name)
{
	return probe_hits("uprobe_profile", name);
}

/* ---- counting ---- */

static void test_count(void)
{
	unsigned char before[16], during[16], after[16];

	memcpy(before, (void *)target, sizeof(before));
	define("p", "count", target, "");
	CHECK(hits("count") == 0);
	call(3);
	CHECK(hits("count") == 0);
	CHECK_OK(probe_enable("uprobes", "count", 1));
	memcpy(during, (void *)target, sizeof(during));
	CHECK(memcmp(before, during, sizeof(before)) != 0);
	target_calls = 0;
	call(100);
	CHECK(target_calls == 100);
	CHECK(hits("count") == 100);
	CHECK(strstr(probe_get("events/uprobes/count/enable"), "1") != NULL);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "-:count\n"), EBUSY);
	CHECK_OK(probe_enable("uprobes", "count", 0));
	memcpy(after, (void *)target, sizeof(after));
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	call(5);
	CHECK(hits("count") == 100);
	undefine("count");
	CHECK(hits("count") == -1);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "-:count\n"), ENOENT);
}

static void test_two_consumers(void)
{
	define("p", "first", target, "");
	define("p", "second", target, "");
	CHECK_OK(probe_enable("uprobes", "first", 1));
	CHECK_OK(probe_enable("uprobes", "second", 1));
	call(4);
	CHECK_OK(probe_enable("uprobes", "first", 0));
	call(3);
	CHECK(hits("first") == 4);
	CHECK(hits("second") == 7);
	CHECK_OK(probe_enable("uprobes", "second", 0));
	undefine("first");
	undefine("second");
}

/* ---- arguments ---- */

#if defined(__x86_64__)
#define ARG0 "%di"
#define ARG1 "%si"
#define ARG2 "%dx"
#elif defined(__riscv)
#define ARG0 "%a0"
#define ARG1 "%a1"
#define ARG2 "%a2"
#elif defined(__aarch64__)
#define ARG0 "%x0"
#define ARG1 "%x1"
#define ARG2 "%x2"
#else
#define ARG0 "%r4"
#define ARG1 "%r5"
#define ARG2 "%r6"
#endif

static void test_arguments(void)
{
	char want[128];

	define("p", "args", target,
	       "num=" ARG0 ":s32 text=+0(" ARG1 "):string hex=" ARG2 ":x16 " ARG0
	       " comm=$comm imm=\\77:u8 low=" ARG2 ":b4@4/32 sp=$stack c=+1(" ARG1
	       "):u8 bad=+0(\\16):string str=+0(" ARG1 "):char[3]");
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "args", 1));
	target(-5, "hello world", 0x1234abcd);
	CHECK_OK(probe_enable("uprobes", "args", 0));
	snprintf(want, sizeof(want),
		 "args: (0x%lx) num=-5 text=\"hello world\" hex=0xabcd arg4=0xfffffffffffffffb",
		 (unsigned long)target);
	CHECK(strstr(probe_get("trace"), want) != NULL);
	CHECK(strstr(probe_text, " imm=77 low=12 sp=0x") != NULL);
	CHECK(strstr(probe_text, " comm=\"uprobes\"") != NULL);
	CHECK(strstr(probe_text, " c=101 bad=(fault) str={'h','e','l'}") != NULL);
	probe_get("events/uprobes/args/format");
	CHECK(strstr(probe_text,
		     "field:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;") != NULL);
	CHECK(strstr(probe_text, "field:s32 num;\toffset:16;\tsize:4;\tsigned:1;") != NULL);
	CHECK(strstr(probe_text, "field:__data_loc char[] text;\toffset:20;\tsize:4;") != NULL);
	CHECK(strstr(probe_text, "print fmt: \"(%lx) num=%d text=\\\"%s\\\" hex=0x%x") != NULL);
	undefine("args");
}

/* Strings that a table points to, one of them nowhere. */
static void test_string_array(void)
{
	static const char *const words[] = { "one", "", "three words", (const char *)16 };

	define("p", "words", target,
	       "first=+0(" ARG1 "):string[1] all=+0(" ARG1 "):string[4] last=+8(" ARG1
	       "):ustring[2] n=" ARG0 ":u8");
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "words", 1));
	target(9, (const char *)words, 0);
	CHECK_OK(probe_enable("uprobes", "words", 0));
	CHECK(strstr(probe_get("trace"),
		     " first={\"one\"} all={\"one\",\"\",\"three words\",(fault)}"
		     " last={\"\",\"three words\"} n=9") != NULL);
	probe_get("events/uprobes/words/format");
	CHECK(strstr(probe_text, "field:__data_loc char[][4] all;\toffset:20;\tsize:16;") != NULL);
	CHECK(strstr(probe_text, " first={\\\"%s\\\"} all={\\\"%s\\\",\\\"%s\\\",") != NULL);
	CHECK(strstr(probe_text, ", __get_str(all[0]), __get_str(all[1]), ") != NULL);
	undefine("words");
}

static void test_filter(void)
{
	define("p", "filtered", target, "num=" ARG0 ":u32");
	CHECK_OK(probe_put("events/uprobes/filtered/filter", 0, "num > 7\n"));
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "filtered", 1));
	call(10);
	CHECK_OK(probe_enable("uprobes", "filtered", 0));
	CHECK(hits("filtered") == 10);
	CHECK(probe_lines("filtered:") == 2);
	undefine("filtered");
}

/* ---- several probes of one event ---- */

static void test_several_places(void)
{
	unsigned long a = offset_of(target), b = offset_of((void *)recursive);

	again = recursive;
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx x=%s\n", self, a, ARG0));
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx x=%s\n", self, b, ARG0));
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx x=%s\n", self, b, ARG0),
		    EEXIST);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx\n", self, b + 64),
		    EEXIST);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx y=%s\n", self, b + 64,
			      ARG0),
		    EEXIST);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:both %s:0x%lx x=%s:u8\n", self, b + 64,
			      ARG0),
		    EEXIST);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "r:both %s:0x%lx x=%s\n", self, b, ARG0),
		    EEXIST);
	probe_put("trace", O_TRUNC, "\n");
	CHECK_OK(probe_enable("uprobes", "both", 1));
	call(2);
	recursive(0);
	CHECK_OK(probe_enable("uprobes", "both", 0));
	call(1);
	recursive(0);
	CHECK(probe_lines("both: (") == 3);
	/* Only the first; the event stays with the other. */
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "-:both %s:0x%016lx\n", self, a));
	probe_put("trace", O_TRUNC, "\n");
	CHECK_OK(probe_enable("uprobes", "both", 1));
	call(2);
	recursive(0);
	CHECK_OK(probe_enable("uprobes", "both", 0));
	CHECK(probe_lines("both: (") == 1);
	undefine("both");
	CHECK_STR(probe_get("uprobe_events"), "");
}

/* ---- counters that tell a program that somebody looks ---- */

/* In the middle of what is long: pages at the ends are mapped for two segments, and then which one is told is anybody's guess. */
static volatile unsigned short counters[1 << 16] = { 1 };
#define looked_at counters[1 << 15]

static void test_reference_counter(void)
{
	unsigned long offset = offset_of(target),
		      ref = probe_file_offset((const void *)&looked_at, self);
	char want[512];
	pid_t pid;

	CHECK_OK(
		probe_put("uprobe_events", O_APPEND, "p:ref %s:0x%lx(0x%lx)\n", self, offset, ref));
	snprintf(want, sizeof(want), "p:uprobes/ref %s:0x%016lx(0x%lx)\n", self, offset, ref);
	CHECK_STR(probe_get("uprobe_events"), want);
	CHECK_EQ(looked_at, 0);
	CHECK_OK(probe_enable("uprobes", "ref", 1));
	CHECK(looked_at > 0); /* one for each mapping of the place */
	CHECK_EQ(counters[(1 << 15) - 1] + counters[(1 << 15) + 1], 0);
	call(2);
	CHECK(hits("ref") == 2);
	pid = fork();
	if (!pid)
		_exit(looked_at > 0);
	CHECK_EXIT(pid, 1);
	pid = fork();
	if (!pid) {
		execl(self, self, "--looked-at", (char *)NULL);
		_exit(100);
	}
	CHECK_EXIT(pid, 1);
	/* Another counter for the same place cannot be. */
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:other %s:0x%lx(0x%lx)\n", self, offset,
			      ref + 2),
		    EINVAL);
	CHECK_OK(probe_enable("uprobes", "ref", 0));
	CHECK_EQ(looked_at, 0);
	undefine("ref");
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:ref %s:0x%lx(0x10\n", self, offset),
		    EINVAL);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:ref %s:0x%lx(0x10)x\n", self, offset),
		    EINVAL);
	CHECK_ERRNO(probe_put("uprobe_events", O_APPEND, "p:ref %s:0x%lx(z)\n", self, offset),
		    EINVAL);
	pid = fork();
	if (!pid) {
		execl(self, self, "--looked-at", (char *)NULL);
		_exit(100);
	}
	CHECK_EXIT(pid, 0);
}

static void test_listing(void)
{
	unsigned long offset = offset_of(target);
	char want[512];

	CHECK_OK(probe_put("uprobe_events", O_TRUNC,
			   "p:mine/one %s:%lu a=%s\n# comment\n\nr %s:%lu%%return\n", self, offset,
			   ARG0, self, offset));
	snprintf(want, sizeof(want), "p:mine/one %s:0x%016lx a=%s\n", self, offset, ARG0);
	CHECK(strstr(probe_get("uprobe_events"), want) != NULL);
	snprintf(want, sizeof(want), "r:uprobes/p_uprobes_0x%lx %s:0x%016lx\n", offset, self,
		 offset);
	CHECK(strstr(probe_text, want) != NULL);
	CHECK(access(TRACING "/events/mine/one/format", R_OK) == 0);
	CHECK(access(TRACING "/events/mine/one/id", R_OK) == 0);
	CHECK_OK(probe_put("uprobe_events", O_TRUNC, "\n"));
	CHECK(strcmp(probe_get("uprobe_events"), "") == 0);
	CHECK(access(TRACING "/events/mine/one/format", R_OK) != 0);
}

/* dynamic_events shows what the other files do, and takes the same commands. */
static void test_dynamic_events(void)
{
	unsigned long offset = offset_of(target);
	char want[512];

	CHECK_OK(probe_put("dynamic_events", O_APPEND, "p:dyn/one %s:%lu\n", self, offset));
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:dyn/two %s:%lu\n", self, offset));
	snprintf(want, sizeof(want), "p:dyn/one %s:0x%016lx\n", self, offset);
	CHECK(strstr(probe_get("uprobe_events"), want) != NULL);
	CHECK(strstr(probe_get("dynamic_events"), want) != NULL);
	CHECK(strstr(probe_text, "p:dyn/two ") != NULL);
	CHECK_OK(probe_enable("dyn", "one", 1));
	call(2);
	CHECK(hits("one") == 2);
	CHECK_ERRNO(probe_put("dynamic_events", O_APPEND, "-:dyn/one\n"), EBUSY);
	CHECK_OK(probe_enable("dyn", "one", 0));
	CHECK_OK(probe_put("dynamic_events", O_APPEND, "-:dyn/one\n"));
	CHECK_ERRNO(probe_put("dynamic_events", O_APPEND, "-:dyn/one\n"), ENOENT);
	CHECK(strstr(probe_get("uprobe_events"), "dyn/one") == NULL);
	/* a whole group */
	CHECK_OK(probe_put("dynamic_events", O_APPEND, "-:dyn/\n"));
	CHECK(strstr(probe_get("dynamic_events"), "dyn/") == NULL);
}

/* @command with PATH:OFFSET of target() for {}. */
static void expand(char *line, const char *command)
{
	const char *at = strstr(command, "{}");

	if (at)
		sprintf(line, "%.*s%s:0x%lx%s", (int)(at - command), command, self,
			offset_of(target), at + 2);
	else
		strcpy(line, command);
}

static void test_refused(void)
{
	static const struct {
		const char *command;
		int error;
	} bad[] = {
		{ "p:x", EINVAL },
		{ "p:x /bin/sh", EINVAL },
		{ "q:x {}", EINVAL },
		{ "p:x /none:0x10", ENOENT },
		{ "p:x /proc/self/status/x:0x0", ENOTDIR },
		{ "p:x /:0x10", EINVAL },
		{ "p:1x {}", EINVAL },
		{ "p:a-b/x-y {}", EINVAL },
		{ "p:x {}%wrong", EINVAL },
		{ "p:x {} a=%nosuchreg", EINVAL },
		{ "p:x {} a=$retval", EINVAL },
		{ "p:x {} a=" ARG0 ":u7", EINVAL },
		{ "p:x {} a=" ARG0 ":string", EINVAL },
		{ "p:x {} a=+0(" ARG0, EINVAL },
		{ "p:x {} a=+0" ARG0, EINVAL },
		{ "p:x {} a=" ARG0 " a=" ARG0, EINVAL },
		{ "p:x {} =" ARG0, EINVAL },
		{ "p:x {} a=", EINVAL },
		{ "p:x {} a=" ARG0 ":b33@0/32", EINVAL },
		{ "p:x {} a=@sym", EINVAL },
		{ "-x", EINVAL },
		{ "-:x", ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char line[600];

		expand(line, bad[i].command);
		errno = 0;
		if (probe_put("uprobe_events", O_APPEND, "%s\n", line) != -1 ||
		    errno != bad[i].error)
			tap_fail(__FILE__, __LINE__, "\"%s\": %s", line, tap_errname(errno));
	}
	CHECK(strcmp(probe_get("uprobe_events"), "") == 0);
	/* Beyond the end of the file: known only when it is enabled. */
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:far %s:0x7fffffff0\n", self));
	CHECK_ERRNO(probe_enable("uprobes", "far", 1), EINVAL);
	undefine("far");
	probe_get("error_log");
	CHECK(strstr(probe_text, "trace_uprobe: error: ") != NULL);
	CHECK(strstr(probe_text, "  Command: ") != NULL);
}

/* ---- return probes ---- */

static void test_return(void)
{
	char want[128];

	define("r", "back", target, "val=$retval:u64");
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "back", 1));
	CHECK(target(14, "", 0) == 42);
	CHECK_OK(probe_enable("uprobes", "back", 0));
	snprintf(want, sizeof(want), " <- 0x%lx) val=42", (unsigned long)target);
	CHECK(strstr(probe_get("trace"), want) != NULL);
	CHECK(hits("back") == 1);
	undefine("back");

	define("r", "nested", recursive, "val=$retval:u64");
	again = recursive;
	CHECK_OK(probe_enable("uprobes", "nested", 1));
	CHECK(recursive(20) == 210);
	CHECK(hits("nested") == 21);
	/* Deeper than is followed: everything still works. */
	CHECK(recursive(200) == 20100);
	CHECK_OK(probe_enable("uprobes", "nested", 0));
	undefine("nested");
}

static jmp_buf env;

__attribute__((noinline)) long jumper(long n)
{
	__asm__ volatile("" : "+r"(n) : : "memory");
	if (n == 0)
		longjmp(env, 1);
	return again(n - 1) + 1;
}

static void test_return_longjmp(void)
{
	again = jumper;
	define("r", "jumped", jumper, "");
	probe_clear_trace();
	define("r", "after", target, "");
	CHECK_OK(probe_enable("uprobes", "jumped", 1));
	CHECK_OK(probe_enable("uprobes", "after", 1));
	for (int i = 0; i < 100; i++)
		if (!setjmp(env))
			jumper(10);
	CHECK(target(5, "", 0) == 15);
	/* The profile counts entries. */
	CHECK(hits("jumped") == 1100);
	CHECK(probe_lines("jumped:") == 0);
	CHECK(hits("after") == 1);
	CHECK_OK(probe_enable("uprobes", "jumped", 0));
	CHECK_OK(probe_enable("uprobes", "after", 0));
	undefine("jumped");
	undefine("after");
}

__attribute__((noinline)) int forker(void)
{
	int pid = fork();

	__asm__ volatile("" : : : "memory");
	return pid;
}

static void test_return_fork(void)
{
	int pid;

	define("r", "forked", forker, "");
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "forked", 1));
	pid = forker();
	if (pid == 0)
		_exit(target(2, "", 0) == 6 ? 0 : 1);
	CHECK_EXIT(pid, 0);
	CHECK(hits("forked") == 1);
	CHECK(probe_lines("forked:") == 2);
	CHECK_OK(probe_enable("uprobes", "forked", 0));
	undefine("forked");
}

__attribute__((noinline)) int disabler(void)
{
	int r = probe_enable("uprobes", "off", 0);

	__asm__ volatile("" : : : "memory");
	return r;
}

/* Disabled while a function is being executed: it returns all the same. */
static void test_return_disabled(void)
{
	define("r", "off", disabler, "");
	probe_clear_trace();
	CHECK_OK(probe_enable("uprobes", "off", 1));
	CHECK(disabler() == 0);
	CHECK(hits("off") == 1);
	CHECK(probe_lines("off:") == 0);
	undefine("off");
}

/* ---- other processes ---- */

static void test_running_process(void)
{
	volatile long *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long before, calls, seen, now;
	pid_t pid;

	REQUIRE(shared != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			target(1, "", 0);
			shared[0]++;
			if (shared[1])
				_exit(0);
		}
	}
	while (shared[0] < 100)
		usleep(100);
	define("p", "running", target, "");
	before = shared[0];
	CHECK_OK(probe_enable("uprobes", "running", 1));
	calls = shared[0];
	while (shared[0] < calls + 1000)
		usleep(100);
	seen = hits("running");
	now = shared[0];
	printf("# %ld hits while %ld to %ld calls began\n", seen, now - calls - 1,
	       now - before + 1);
	CHECK(seen >= 999 && seen <= now - before + 1);
	shared[1] = 1;
	CHECK_EXIT(pid, 0);
	CHECK_OK(probe_enable("uprobes", "running", 0));
	undefine("running");
}

static void run_later(int n, int expect)
{
	char count[16];
	pid_t pid;

	snprintf(count, sizeof(count), "%d", n);
	pid = fork();
	if (pid == 0) {
		execl(self, self, "--call", count, (char *)NULL);
		_exit(127);
	}
	CHECK_EXIT(pid, expect);
}

static void test_later_program(void)
{
	define("p", "later", target, "");
	define("r", "later_ret", target, "v=$retval");
	CHECK_OK(probe_enable("uprobes", "later", 1));
	CHECK_OK(probe_enable("uprobes", "later_ret", 1));
	run_later(17, 0);
	CHECK(hits("later") == 17);
	CHECK(hits("later_ret") == 17);
	CHECK_OK(probe_enable("uprobes", "later", 0));
	CHECK_OK(probe_enable("uprobes", "later_ret", 0));
	run_later(17, 0);
	CHECK(hits("later") == 17);
	undefine("later");
	undefine("later_ret");
}

static void test_fork_inherits(void)
{
	pid_t pid;

	define("p", "inherited", target, "");
	CHECK_OK(probe_enable("uprobes", "inherited", 1));
	pid = fork();
	if (pid == 0) {
		call(5);
		pid = fork();
		if (pid == 0) {
			call(6);
			_exit(0);
		}
		_exit(tap_wait(pid) == 0 ? 0 : 1);
	}
	CHECK_EXIT(pid, 0);
	call(1);
	CHECK(hits("inherited") == 12);
	CHECK_OK(probe_enable("uprobes", "inherited", 0));
	undefine("inherited");
}

/* ---- mappings ---- */

static void test_mappings(void)
{
	unsigned long offset = offset_of(target);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open(self, O_RDONLY);
	unsigned char *shared, *private, *writable;
	size_t in_page = offset % page;

	REQUIRE(fd >= 0);
	define("p", "mapped", target, "");
	CHECK_OK(probe_enable("uprobes", "mapped", 1));
	CHECK(strstr((tap_read_file("/proc/self/maps", probe_text, sizeof(probe_text)), probe_text),
		     "[uprobes]") != NULL);
	/* Shared and writable mappings show the file. */
	shared = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)(offset - in_page));
	writable = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
			(off_t)(offset - in_page));
	private =
		mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)(offset - in_page));
	REQUIRE(shared != MAP_FAILED && writable != MAP_FAILED && private != MAP_FAILED);
	CHECK(memcmp(shared + in_page, writable + in_page, 2) == 0);
	CHECK(memcmp(private + in_page, (void *)target, 2) == 0);
	CHECK(memcmp(shared + in_page, (void *)target, 4) != 0);
	/* Moved, the breakpoint goes along and is found there. */
	private = mremap(private, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, writable);
	CHECK(private == writable);
	CHECK_OK(probe_enable("uprobes", "mapped", 0));
	CHECK(memcmp(private + in_page, shared + in_page, 16) == 0);
	CHECK_OK(probe_enable("uprobes", "mapped", 1));
	CHECK(memcmp(private + in_page, (void *)target, 2) == 0);
	munmap(private, page);
	CHECK_OK(probe_enable("uprobes", "mapped", 0));
	munmap(shared, page);
	undefine("mapped");
	close(fd);
}

/* ---- every instruction ---- */

/* Code of many kinds, in a section of its own; what it computes must not depend on probes. */
#define WORK __attribute__((noinline, section("work_text")))
extern char __start_work_text[], __stop_work_text[];
static double fp_table[4] = { 1.5, -2.25, 3.125, 1e10 };

WORK unsigned long work_integer(unsigned long x, const unsigned char *s, unsigned long n)
{
	unsigned long h = 14695981039346656037UL, i;

	for (i = 0; i < n; i++) {
		h = (h ^ s[i]) * 1099511628211UL;
		if (h & 1)
			h = h >> 3 | h << 61;
		else if ((long)h < 0)
			h -= x / (i + 3);
		switch (h % 7) {
		case 0:
			h += 11;
			break;
		case 1:
			h ^= 0x55aa;
			break;
		case 2:
			h = ~h;
			break;
		case 3:
			h -= (unsigned int)x;
			break;
		case 4:
			h += i * i;
			break;
		default:
			h++;
		}
	}
	return h;
}

WORK double work_double(double a, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++) {
		double v = fp_table[i % 4] * a + i;

		sum += v > 10 ? v / 3 : v < -5 ? -v * 2 : (double)(long)v;
		if (sum != sum)
			return -1;
	}
	return sum;
}

WORK unsigned long work_calls(unsigned long n)
{
	unsigned long (*volatile fn)(unsigned long, const unsigned char *, unsigned long) =
		work_integer;
	unsigned long local[8];

	for (int i = 0; i < 8; i++)
		local[i] = fn(n + i, (const unsigned char *)"some text to hash", 17);
	return n < 3 ? local[n]
		     : work_calls(n - 1) + local[n % 8] + (unsigned long)work_double((double)n, 9);
}

#ifdef __x86_64__
/* Instructions that compilers use less; each address is noted in the section probe_points. */
unsigned long work_asm(unsigned long a, unsigned long *memory);
extern unsigned long __start_probe_points[], __stop_probe_points[];
static unsigned long asm_data[4] __attribute__((used)) = { 1, 2, 3, 4 };
__asm__(".macro P insn:vararg\n"
	"99: \\insn\n"
	".pushsection probe_points, \"aw\"\n.quad 99b\n.popsection\n"
	".endm\n"
	".pushsection work_text, \"ax\"\n"
	".globl work_asm\nwork_asm:\n"
	"P push %rbp\nP mov %rsp, %rbp\nP push %rbx\nP push %r12\n"
	"P mov asm_data(%rip), %rax\nP add asm_data+8(%rip), %rax\nP lea asm_data(%rip), %rsi\n"
	"P cmpq $3, asm_data+16(%rip)\nP sete %cl\nP movzbl %cl, %ecx\nP add %rcx, %rax\n"
	"P imul $7, asm_data+24(%rip), %rdi\nP add %rdi, %rax\nP mov asm_data(%rip), %rsi\n"
	"P add %rsi, %rax\nP mov $3, %ecx\n1: P inc %rax\nP loop 1b\nP jrcxz 2f\nP ud2\n"
	"2: P call 3f\nP add $5, %rax\nP jmp 4f\n3: P add $1, %rax\nP ret $0\n"
	"4: P lea 5f(%rip), %r12\nP jmp *%r12\nP ud2\n5: P lea 6f(%rip), %rbx\nP call *%rbx\nP jmp "
	"7f\n"
	"6: P xor $0x10, %rax\nP ret\n7: P lahf\nP sahf\nP clc\nP jc 8f\nP stc\nP jnc 8f\nP mov "
	"$0, %ecx\nP test %ecx, %ecx\n"
	"P jne 8f\nP je 9f\n8: P ud2\n9: P movdqu asm_data(%rip), %xmm1\nP movq %xmm1, %rcx\nP add "
	"%rcx, %rax\n"
	"P mov $1, %ecx\nP lock xadd %rcx, asm_data+8(%rip)\nP add %rcx, %rax\nP lock subq $1, "
	"asm_data+8(%rip)\n"
	"P pop %r12\nP pop %rbx\nP leave\nP ret\n"
	".popsection\n");
#endif

static const void *work_points[2048];
static unsigned int nwork;

/* Where instructions begin: every word; by their first bits; or as noted. */
static void find_points(void)
{
	nwork = 0;
#if defined(__x86_64__)
	for (unsigned long *p = __start_probe_points; p < __stop_probe_points; p++)
		work_points[nwork++] = (const void *)*p;
	work_points[nwork++] = (const void *)work_integer;
	work_points[nwork++] = (const void *)work_double;
	work_points[nwork++] = (const void *)work_calls;
#else
	for (char *p = __start_work_text;
	     p < __stop_work_text && nwork < ARRAY_SIZE(work_points);) {
		work_points[nwork++] = p;
#if defined(__riscv)
		p += (*p & 3) == 3 ? 4 : 2;
#else
		p += 4;
#endif
	}
#endif
}

static unsigned long work_all(void)
{
	unsigned long r = work_integer(1234567, (const unsigned char *)"The quick brown fox", 19) ^
			  work_calls(5);

	r += (unsigned long)(work_double(0.75, 40) * 1000);
#ifdef __x86_64__
	r ^= work_asm(1, asm_data);
#endif
	return r;
}

static void test_every_instruction(void)
{
	unsigned long want, got, in_file = 0;
	unsigned int enabled = 0;
	char name[32];

	find_points();
	want = work_all();
	CHECK(want == work_all());
	for (unsigned int i = 0; i < nwork; i++) {
		snprintf(name, sizeof(name), "w%u", i);
		CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:work/%s %s:0x%lx\n", name, self,
				   offset_of(work_points[i])));
		if (probe_enable("work", name, 1) == 0)
			enabled++;
		got = work_all();
		if (got != want) {
			tap_fail(__FILE__, __LINE__, "instruction %u at %p: %lx, wanted %lx", i,
				 work_points[i], got, want);
			break;
		}
	}
	/* All at once: each was executed, few were refused. */
	CHECK(work_all() == want);
	CHECK(enabled >= nwork - nwork / 20);
	for (unsigned int i = 0; i < nwork; i++) {
		snprintf(name, sizeof(name), "w%u", i);
		in_file += (unsigned long)probe_hits("uprobe_profile", name);
	}
	CHECK(in_file > 2UL * nwork);
	CHECK_OK(probe_put("events/work/enable", 0, "0\n"));
	CHECK(work_all() == want);
	CHECK_OK(probe_put("uprobe_events", O_TRUNC, "\n"));
}

/* ---- signals and faults ---- */

unsigned long load_word(const unsigned long *p);
#if defined(__x86_64__)
__asm__(".globl load_word\nload_word: mov (%rdi), %rax\nret");
#elif defined(__riscv)
__asm__(".globl load_word\nload_word: ld a0, 0(a0)\nret");
#elif defined(__aarch64__)
__asm__(".globl load_word\nload_word: ldr x0, [x0]\nret");
#else
__asm__(".globl load_word\nload_word: ld.d $a0, $a0, 0\njr $ra");
#endif

static volatile sig_atomic_t ticks, bad_ip;
static unsigned long slots_start, slots_end;

static unsigned long ip_of(const void *context)
{
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	return (unsigned long)uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__riscv)
	return uc->uc_mcontext.__gregs[0];
#elif defined(__aarch64__)
	return uc->uc_mcontext.pc;
#else
	return uc->uc_mcontext.__pc;
#endif
}

static void on_tick(int sig, siginfo_t *info, void *context)
{
	unsigned long ip = ip_of(context);

	ticks++;
	/* Where functions return to is there, too: at the beginning. */
	if (ip >= slots_start + 128 && ip < slots_end)
		bad_ip = 1;
}

static void find_slots(void)
{
	char *at;

	tap_read_file("/proc/self/maps", probe_text, sizeof(probe_text));
	at = strstr(probe_text, "[uprobes]");
	REQUIRE(at != NULL);
	while (at > probe_text && at[-1] != '\n')
		at--;
	CHECK(sscanf(at, "%lx-%lx", &slots_start, &slots_end) == 2);
}

/* No handler ever sees a slot, and every call is counted once. */
static void test_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval fast = { { 0, 500 }, { 0, 500 } }, off = { 0 };
	unsigned long word = 3, sum = 3;
	long calls = 1;

	define("p", "ticked", (void *)load_word, "");
	define("r", "ticked_ret", target, "");
	CHECK_OK(probe_enable("uprobes", "ticked", 1));
	CHECK_OK(probe_enable("uprobes", "ticked_ret", 1));
	call(1);
	load_word(&word);
	find_slots();
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &fast, NULL);
	while (ticks < 200 && calls < 3000000) {
		call(10);
		for (int i = 0; i < 10; i++)
			sum += load_word(&word);
		calls += 10;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(ticks >= 200);
	CHECK(!bad_ip);
	CHECK(sum == 3UL * (unsigned long)calls);
	CHECK(hits("ticked") == calls);
	CHECK(hits("ticked_ret") == calls);
	CHECK_OK(probe_enable("uprobes", "ticked", 0));
	CHECK_OK(probe_enable("uprobes", "ticked_ret", 0));
	undefine("ticked");
	undefine("ticked_ret");
}

static sigjmp_buf fault_env;
static volatile unsigned long fault_ip, fault_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	fault_ip = ip_of(context);
	fault_addr = (unsigned long)info->si_addr;
	siglongjmp(fault_env, 1);
}

static void test_fault(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	unsigned long word = 77;

	define("p", "load", (void *)load_word, "");
	CHECK_OK(probe_enable("uprobes", "load", 1));
	CHECK(load_word(&word) == 77);
	sigaction(SIGSEGV, &sa, NULL);
	for (int i = 0; i < 3; i++) {
		fault_ip = 0;
		if (!sigsetjmp(fault_env, 1)) {
			load_word((unsigned long *)16);
			CHECK(!"returned");
		}
		CHECK(fault_ip == (unsigned long)load_word);
		CHECK(fault_addr == 16);
		CHECK(load_word(&word) == 77);
	}
	CHECK_OK(probe_enable("uprobes", "load", 0));
	CHECK(hits("load") == 7);
	undefine("load");
}

/* ---- threads ---- */

static volatile int stop;

static void *caller(void *arg)
{
	long *n = arg;

	while (!stop) {
		if (target(*n, "", 0) != *n * 3 || recursive(5) != 15)
			return (void *)1;
		++*n;
	}
	return NULL;
}

/* Probes come and go while four threads run there. */
static void test_threads(void)
{
	pthread_t threads[4];
	long counts[4] = { 0 }, sum = 0;
	void *result;

	again = recursive;
	define("p", "busy", target, "");
	define("r", "busy_ret", recursive, "");
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, caller, &counts[i]) == 0);
	/* Until there was a hit: the threads may get little of a busy machine. */
	for (int i = 0; i < 60 || (i < 20000 && !hits("busy")); i++) {
		CHECK_OK(probe_enable("uprobes", "busy", i & 1));
		CHECK_OK(probe_enable("uprobes", "busy_ret", i / 2 & 1));
		usleep(2000);
	}
	stop = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		CHECK(result == NULL);
		sum += counts[i];
	}
	CHECK(hits("busy") > 0 && hits("busy") <= sum);
	CHECK_OK(probe_enable("uprobes", "busy", 0));
	CHECK_OK(probe_enable("uprobes", "busy_ret", 0));
	undefine("busy");
	undefine("busy_ret");
}

/* What scripts and other tests start. Return: exit status, or -1: not one of these. */
static int other_use(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--looked-at") == 0)
		return looked_at > 0;
	if (argc == 2 && strcmp(argv[1], "--place") == 0) {
		unsigned long offset = offset_of(target);

		printf("%s:0x%lx\n", self, offset);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--call-on-line") == 0) {
		while (getchar() != '\n')
			;
		call(atoi(argv[2]));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--call") == 0) {
		call(atoi(argv[2]));
		return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int status = other_use(argc, argv);

	if (status >= 0)
		return status;
	probe_require("uprobe_events");
	probe_put("uprobe_events", O_TRUNC, "\n");
	offset_of(target);
	TAP_RUN(test_count);
	TAP_RUN(test_two_consumers);
	TAP_RUN(test_arguments);
	TAP_RUN(test_string_array);
	TAP_RUN(test_filter);
	TAP_RUN(test_several_places);
	TAP_RUN(test_reference_counter);
	TAP_RUN(test_listing);
	TAP_RUN(test_dynamic_events);
	TAP_RUN(test_refused);
	TAP_RUN(test_return);
	TAP_RUN(test_return_longjmp);
	TAP_RUN(test_return_fork);
	TAP_RUN(test_return_disabled);
	TAP_RUN(test_running_process);
	TAP_RUN(test_later_program);
	TAP_RUN(test_fork_inherits);
	TAP_RUN(test_mappings);
	TAP_RUN(test_every_instruction);
	TAP_FORK(test_signals);
	TAP_FORK(test_fault);
	TAP_RUN(test_threads);
	probe_put("uprobe_events", O_TRUNC, "\n");
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * kprobes through tracefs: counts, arguments and return values of functions of the kernel, on all instructions of some that
 * are in use, while other CPUs run them; what is refused. The functions are Caelum's: on Linux this is skipped.
 */
#include "tap.h"
#include "probes.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static int define(const char *what)
{
	return probe_put("kprobe_events", O_APPEND, "%s\n", what);
}

static long hits(const char *name)
{
	return probe_hits("kprobe_profile", name);
}

static void remove_all(void)
{
	CHECK_OK(probe_put("kprobe_events", O_TRUNC, "\n"));
	CHECK(strcmp(probe_get("kprobe_events"), "") == 0);
}

static void test_count(void)
{
	CHECK_OK(define("p:getppid sys_getppid"));
	probe_clear_trace();
	CHECK_OK(probe_enable("kprobes", "getppid", 1));
	for (int i = 0; i < 50; i++)
		syscall(SYS_getppid);
	CHECK_OK(probe_enable("kprobes", "getppid", 0));
	CHECK(hits("getppid") == 50);
	for (int i = 0; i < 5; i++)
		syscall(SYS_getppid);
	CHECK(hits("getppid") == 50);
	CHECK(strstr(probe_get("trace"), "getppid: (sys_getppid+0x0/0x") != NULL);
	CHECK(strstr(probe_get("kprobe_events"), "p:kprobes/getppid sys_getppid\n") != NULL);
	remove_all();
}

static void test_return(void)
{
	char want[64];

	CHECK_OK(define("r:ppid_ret sys_getppid val=$retval:s64 comm=$comm"));
	probe_clear_trace();
	CHECK_OK(probe_enable("kprobes", "ppid_ret", 1));
	for (int i = 0; i < 20; i++)
		CHECK(syscall(SYS_getppid) == getppid());
	CHECK_OK(probe_enable("kprobes", "ppid_ret", 0));
	CHECK(hits("ppid_ret") == 40);
	snprintf(want, sizeof(want), " <- sys_getppid+0x0/0x");
	CHECK(strstr(probe_get("trace"), want) != NULL);
	snprintf(want, sizeof(want), ") val=%d comm=\"kprobes\"", getppid());
	CHECK(strstr(probe_text, want) != NULL);
	remove_all();
}

static void test_arguments(void)
{
	CHECK_OK(define("p:brk vm_brk brk=$arg2:x64 start=+0($arg1):u32 text=+0($arg2):ustring "
			"bad=@16:u64"));
	probe_clear_trace();
	CHECK_OK(probe_enable("kprobes", "brk", 1));
	syscall(SYS_brk, 0x1234);
	CHECK_OK(probe_enable("kprobes", "brk", 0));
	CHECK(strstr(probe_get("trace"), "brk: (vm_brk+0x0/0x") != NULL);
	CHECK(strstr(probe_text, " brk=0x1234 start=") != NULL);
	CHECK(strstr(probe_text, " text=(fault) bad=0") != NULL);
	remove_all();
}

static void test_refused(void)
{
	CHECK_ERRNO(define("p:x no_such_symbol"), EINVAL);
	CHECK_ERRNO(define("p:x memcpy"), EINVAL);
	CHECK_ERRNO(define("p:x upcall_kernel_break"), EINVAL);
	CHECK_ERRNO(define("p:x 0x1000"), EINVAL);
	CHECK_ERRNO(define("p:x sys_getppid a=$retval"), EINVAL);
	CHECK_ERRNO(define("p:x sys_getppid a=@+16"), EINVAL);
	CHECK_ERRNO(define("p7:x sys_getppid"), EINVAL);
	CHECK_ERRNO(define("r99999:x sys_getppid"), EINVAL);
	CHECK_ERRNO(define("r:x sys_getppid+4"), EINVAL);
	CHECK_ERRNO(define("-:x"), ENOENT);
	remove_all();
}

/* ---- all instructions of functions that are in use ---- */

static const char *const busy[] = { "vm_handle_fault",	 "vm_brk",    "pipe_read",
				    "pipe_write",	 "do_clone",  "schedule",
				    "trace_event_write", "vsnprintf", "path_lookup",
				    "kmalloc",		 "kfree",     "user_task_loop" };

static void exercise(void)
{
	char c = 'x', buf[64];
	int fd[2];
	pid_t pid;
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 1, 65536);
	munmap(p, 65536);
	CHECK_OK(pipe(fd));
	CHECK(write(fd[1], &c, 1) == 1 && read(fd[0], &c, 1) == 1 && c == 'x');
	close(fd[0]);
	close(fd[1]);
	pid = fork();
	if (pid == 0)
		_exit(7);
	CHECK_EXIT(pid, 7);
	CHECK(tap_read_file("/proc/self/stat", buf, sizeof(buf)) > 0);
	sched_yield();
}

static void test_every_instruction(void)
{
	char name[64], line[128];
	int placed, total = 0;

	for (size_t f = 0; f < ARRAY_SIZE(busy); f++) {
		placed = 0;
		for (int off = 0; off < 64; off++) {
			snprintf(name, sizeof(name), "i%zu_%d", f, off);
			snprintf(line, sizeof(line), "p:every/%s %s+%d", name, busy[f], off);
			if (define(line) != 0)
				continue;
			placed += probe_enable("every", name, 1) == 0;
		}
		exercise();
		exercise();
		total += placed;
		if (placed)
			CHECK_OK(probe_put("events/every/enable", 0, "0\n"));
		remove_all();
		exercise();
	}
	CHECK(total >= 100);
}

/* ---- while others run there ---- */

static volatile int stop;

static void *caller(void *arg)
{
	pid_t parent = getppid();

	while (!stop)
		if (syscall(SYS_getppid) != parent)
			return (void *)1;
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[4];
	void *result;

	CHECK_OK(define("p:busy sys_getppid"));
	CHECK_OK(define("r:busy_ret sys_getppid v=$retval"));
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, caller, NULL) == 0);
	/* Until both have been hit: the threads may get little of a busy machine. */
	for (int i = 0; i < 60 || (i < 20000 && !(hits("busy") && hits("busy_ret"))); i++) {
		CHECK_OK(probe_enable("kprobes", "busy", i & 1));
		CHECK_OK(probe_enable("kprobes", "busy_ret", i / 2 & 1));
		usleep(1000);
	}
	stop = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		CHECK(result == NULL);
	}
	CHECK(hits("busy") > 0);
	CHECK(hits("busy_ret") > 0);
	CHECK_OK(probe_enable("kprobes", "busy", 0));
	CHECK_OK(probe_enable("kprobes", "busy_ret", 0));
	remove_all();
}

/* A return that is awaited when the probe goes. */
static void test_return_pending(void)
{
	int fd[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(define("r:pending pipe_read"));
	CHECK_OK(probe_enable("kprobes", "pending", 1));
	pid = fork();
	if (pid == 0)
		_exit(read(fd[0], &c, 1) == 1 ? 0 : 1);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(probe_enable("kprobes", "pending", 0));
	remove_all();
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK_EXIT(pid, 0);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	probe_require("kprobe_events");
	if (define("p:own sys_getppid") != 0)
		SKIP("not this kernel's functions");
	remove_all();
	TAP_RUN(test_count);
	TAP_RUN(test_return);
	TAP_RUN(test_arguments);
	TAP_RUN(test_refused);
	TAP_RUN(test_every_instruction);
	TAP_RUN(test_threads);
	TAP_RUN(test_return_pending);
	return tap_done();
}

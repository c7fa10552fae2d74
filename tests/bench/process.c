/* SPDX-License-Identifier: MIT */
/* Rows of processes and threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static void run_fork(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		reap(pid);
	}
}

static void run_fork_exec(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self, self, "--exit", (char *)NULL);
			_exit(1);
		}
		reap(pid);
	}
}

static char child_stack[16384] __attribute__((aligned(16)));

static int exec_child(void *arg)
{
	execl(self, self, "--exit", (char *)NULL);
	_exit(1);
}

/* clone(VM | VFORK), because vfork() is fork() in some libcs. */
static void run_vfork_exec(long rounds)
{
	while (rounds--)
		reap(clone(exec_child, child_stack + sizeof(child_stack),
			   CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static void run_shell(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
			_exit(1);
		}
		reap(pid);
	}
}

static void *thread_main(void *arg)
{
	return arg;
}

static void run_thread(long rounds)
{
	pthread_t thread;

	while (rounds--) {
		if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

/* Bytes of memory that are free, from /proc/meminfo. */
static long available(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	fclose(f);
	if (kib < 0)
		die("MemFree");
	return kib * 1024;
}

static long idle_memory(long processes)
{
	long before = available(), used;
	pid_t *pids = calloc((size_t)processes, sizeof(pid_t));

	for (long i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0) {
			pause();
			_exit(0);
		}
	}
	usleep(200000);
	used = before - available();
	for (long i = 0; i < processes; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return used;
}

static pid_t tracee;

static void prepare_tracee(long unused)
{
	int status;

	(void)unused;
	tracee = fork();
	if (tracee == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (;;)
			syscall(SYS_getppid);
	}
	if (waitpid(tracee, &status, 0) != tracee || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_EXITKILL))
		die("ptrace");
}

/* From one syscall stop to the next. */
static void run_ptrace(long rounds)
{
	int status;

	while (rounds--)
		if (ptrace(PTRACE_SYSCALL, tracee, 0, 0) ||
		    waitpid(tracee, &status, __WALL) != tracee || !WIFSTOPPED(status))
			die("ptrace");
}

const struct row process_rows[] = {
	ROW("fork-exit-wait", run_fork, 200),
	ROW("fork-exec-wait", run_fork_exec, 100),
	ROW("vfork-exec-wait", run_vfork_exec, 100),
	ROW("sh-c", run_shell, 50),
	ROW("thread-create-join", run_thread, 300),
	ROW("ptrace-stop", run_ptrace, 500, .prepare = prepare_tracee),
	ROW("idle-1000-memory", NULL, 1, .arg = 1000, .value = idle_memory, .unit = "bytes"),
	{ .name = NULL },
};

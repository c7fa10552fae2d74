/* SPDX-License-Identifier: MIT */
/*
 * Who a process is and what it may use: user and group ids, sessions and process groups, resource
 * limits, scheduling parameters, prctl, sysinfo, random numbers.
 */
#include "tap.h"
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

static void process_ids(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		_exit(getppid() == parent && getpid() != parent &&
				      syscall(SYS_gettid) == getpid() &&
				      getpgrp() == getpgid(parent)
			      ? 0
			      : 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(getpgid(0), getpgrp());
	CHECK_ERRNO(getpgid(0x3ffffff), ESRCH);
	CHECK_ERRNO(getsid(0x3ffffff), ESRCH);
	CHECK_ERRNO(getpgid(-1), ESRCH);
}

static pid_t pausing(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void groups_and_sessions(void)
{
	char path[64], text[64];
	pid_t a, b;

	CHECK_EQ(setsid(), getpid());
	CHECK_EQ(getsid(0), getpid());
	CHECK_EQ(getpgrp(), getpid());
	CHECK_ERRNO(setsid(), EPERM);
	CHECK_ERRNO(setpgid(0, 0), EPERM); /* a session leader */
	a = pausing();
	b = pausing();
	CHECK_OK(setpgid(a, 0));
	CHECK_EQ(getpgid(a), a);
	CHECK_OK(setpgid(b, a));
	CHECK_EQ(getpgid(b), a);
	CHECK_ERRNO(setpgid(b, -1), EINVAL);
	CHECK_ERRNO(setpgid(b, 0x3ffffff), EPERM);
	CHECK_ERRNO(setpgid(0x3ffffff, 0), ESRCH);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
	kill(-a, SIGKILL);
	CHECK_KILLED(a, SIGKILL);
	CHECK_KILLED(b, SIGKILL);
	a = fork();
	if (a == 0) {
		char *argv[] = { "ids-limits", "pause", NULL };

		execv("/proc/self/exe", argv);
		_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/%d/cmdline", a);
	CHECK(TAP_AWAIT(tap_read_file(path, text, sizeof(text)) > 0 &&
			!strcmp(text, "ids-limits")));
	CHECK_ERRNO(setpgid(a, a), EACCES); /* it has executed */
	kill(a, SIGKILL);
	CHECK_KILLED(a, SIGKILL);
}

static void user_ids(void)
{
	uid_t r, e, s;

	if (geteuid() != 0) {
		NOTE("left out: not root");
		return;
	}
	CHECK_OK(setresuid(10, 20, 30));
	CHECK_OK(getresuid(&r, &e, &s));
	CHECK(r == 10 && e == 20 && s == 30);
	CHECK_EQ(getuid(), 10);
	CHECK_EQ(geteuid(), 20);
	CHECK_ERRNO(setresuid(11, (uid_t)-1, (uid_t)-1), EPERM);
	CHECK_ERRNO(setuid(0), EPERM);
	CHECK_OK(setresuid(30, 10, (uid_t)-1));
	CHECK_OK(setreuid((uid_t)-1, 30));
	CHECK_OK(getresuid(&r, &e, &s));
	CHECK(r == 30 && e == 30 && s == 30);
	CHECK_ERRNO(setresuid(10, 10, 10), EPERM); /* nothing of 10 is left */
	CHECK_OK(setuid(30));
	CHECK_ERRNO(setgid(5), EPERM);
	CHECK_ERRNO(setgroups(0, NULL), EPERM);
	CHECK_ERRNO(kill(1, 0), EPERM);
}

static void group_ids(void)
{
	gid_t list[3] = { 7, 8, 9 }, got[8], r, e, s;

	if (geteuid() != 0)
		return;
	CHECK_OK(setgroups(3, list));
	CHECK_EQ(getgroups(0, NULL), 3);
	CHECK_EQ(getgroups(8, got), 3);
	CHECK(got[0] == 7 && got[2] == 9);
	CHECK_ERRNO(getgroups(2, got), EINVAL);
	CHECK_ERRNO(setgroups(65537, list), EINVAL);
	CHECK_OK(setresgid(1, 2, 3));
	CHECK_OK(getresgid(&r, &e, &s));
	CHECK(r == 1 && e == 2 && s == 3);
	CHECK_OK(setgid(4));
	CHECK_OK(getresgid(&r, &e, &s));
	CHECK(r == 4 && e == 4 && s == 4); /* root sets all three */
}

static void limits(void)
{
	struct rlimit limit, old;

	CHECK_OK(getrlimit(RLIMIT_NOFILE, &old));
	CHECK(old.rlim_cur <= old.rlim_max);
	limit = (struct rlimit){ old.rlim_cur - 1, old.rlim_max };
	CHECK_OK(prlimit(0, RLIMIT_NOFILE, &limit, &old));
	CHECK_OK(prlimit(getpid(), RLIMIT_NOFILE, NULL, &old));
	CHECK_EQ(old.rlim_cur, limit.rlim_cur);
	limit.rlim_cur = limit.rlim_max + 1;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
	CHECK_ERRNO(prlimit(0x3ffffff, RLIMIT_CORE, NULL, &old), ESRCH);
	CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
	CHECK(limit.rlim_cur >= 1 << 20);
	limit = (struct rlimit){ 0, 0 };
	CHECK_OK(setrlimit(RLIMIT_CORE, &limit));
	if (geteuid() == 0)
		REQUIRE(setresuid(1000, 1000, 1000) == 0);
	limit.rlim_max = 1;
	CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EPERM);
}

static void process_limit(void)
{
	struct rlimit limit = { 1, 1 };

	if (geteuid() != 0)
		return;
	REQUIRE(setrlimit(RLIMIT_NPROC, &limit) == 0);
	REQUIRE(setresuid(54321, 54321, 54321) == 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_EQ(pid, -1);
	CHECK_EQ(errno, EAGAIN);
}

static void cpu_limit(void)
{
	struct rlimit limit = { 1, 2 };

	REQUIRE(setrlimit(RLIMIT_CPU, &limit) == 0);
	for (;;)
		;
}

static void exceeded(int sig)
{
	struct rlimit limit;

	CHECK_OK(getrlimit(RLIMIT_RTTIME, &limit));
	CHECK(limit.rlim_cur >= 1100000); /* a second more before the next signal */
	_exit(tap_nfailed);
}

/* A real-time thread that does not sleep; the limit binds only those of such policies. */
static void rt_limit(void)
{
	struct rlimit limit = { 100000, RLIM_INFINITY };
	struct sched_param param = { .sched_priority = 1 };

	signal(SIGXCPU, exceeded);
	REQUIRE(setrlimit(RLIMIT_RTTIME, &limit) == 0);
	for (clock_t until = clock() + CLOCKS_PER_SEC * 4 / 10; clock() < until;)
		;
	CHECK_OK(getrlimit(RLIMIT_RTTIME, &limit));
	CHECK_EQ(limit.rlim_cur, 100000);
	REQUIRE(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param) == 0);
	for (;;)
		;
}

static void rt_hard_limit(void)
{
	struct rlimit limit = { 100000, 100000 };
	struct sched_param param = { .sched_priority = 1 };

	REQUIRE(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param) == 0);
	REQUIRE(setrlimit(RLIMIT_RTTIME, &limit) == 0);
	for (;;)
		;
}

static void priorities(void)
{
	struct sched_param param = { .sched_priority = 0 };
	cpu_set_t set, old;
	int nice;

	nice = getpriority(PRIO_PROCESS, 0) > 7 ? getpriority(PRIO_PROCESS, 0) : 7;
	CHECK_OK(setpriority(PRIO_PROCESS, 0, nice));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), nice);
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20 - nice);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 100));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_ERRNO(setpriority(99, 0, 0), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0x3ffffff, 0), ESRCH);
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	param.sched_priority = 5;
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, 77, &param), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getscheduler, 0x3ffffff), ESRCH);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_OTHER), 0);
	CHECK_OK(sched_getaffinity(0, sizeof(old), &old));
	CHECK(CPU_COUNT(&old) >= 1);
	CPU_ZERO(&set);
	CHECK_ERRNO(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CHECK_ERRNO(sched_getaffinity(0x3ffffff, sizeof(set), &set), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 7L, &set), EINVAL);
	if (geteuid() == 0)
		REQUIRE(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -5), EACCES);
}

static void process_controls(void)
{
	char name[17] = "";
	int sig = -1;
	pid_t middle, orphan;
	int fds[2];

	CHECK_OK(prctl(PR_SET_NAME, "a name of more than fifteen"));
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STR(name, "a name of more ");
	CHECK_ERRNO(prctl(99999, 0L, 0L, 0L, 0L), EINVAL);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 7L, 0L, 0L, 0L), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 99L), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L), 0);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L), EINVAL);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L), 1);
	/* a child whose parent dies gets the signal that it asked for */
	REQUIRE(pipe(fds) == 0);
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L));
	middle = fork();
	if (middle == 0) {
		orphan = fork();
		if (orphan == 0) {
			prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
			prctl(PR_GET_PDEATHSIG, &sig);
			if (sig != SIGTERM || write(fds[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		_exit(read(fds[0], name, 1) == 1 ? 0 : 1);
	}
	CHECK_EXIT(middle, 0);
	orphan = wait(&sig);
	CHECK(orphan > 0 && WIFSIGNALED(sig) && WTERMSIG(sig) == SIGTERM);
}

static void system_information(void)
{
	struct sysinfo si;

	memset(&si, 0xff, sizeof(si));
	CHECK_OK(sysinfo(&si));
	CHECK(si.uptime < 1L << 32);
	CHECK(si.mem_unit >= 1 && si.totalram > 0 && si.freeram <= si.totalram);
	CHECK(si.procs >= 1);
	CHECK_EQ(si.totalhigh, 0);
}

static void random_numbers(void)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 }, big[1024];
	int same = 0;

	CHECK_EQ(getrandom(a, 64, 0), 64);
	CHECK_EQ(getrandom(b, 64, GRND_NONBLOCK), 64);
	for (int i = 0; i < 64; i++)
		same += a[i] == b[i];
	CHECK(same < 10);
	CHECK_EQ(getrandom(big, sizeof(big), GRND_RANDOM), sizeof(big));
	CHECK_EQ(getrandom(a, 0, 0), 0);
	CHECK_ERRNO(getrandom(a, 1, 0x100), EINVAL);
}

static long ioprio_set(int which, int who, int value)
{
	return syscall(SYS_ioprio_set, which, who, value);
}

static void io_priorities(void)
{
	enum { PROCESS = 1, PGRP, USER, RT = 1 << 13, BE = 2 << 13, IDLE = 3 << 13 };
	pid_t pid;

	CHECK_OK(ioprio_set(PROCESS, 0, BE | 3));
	CHECK_EQ(syscall(SYS_ioprio_get, PROCESS, 0), BE | 3);
	CHECK_EQ(syscall(SYS_ioprio_get, PROCESS, getpid()), BE | 3);
	pid = fork();
	if (!pid)
		_exit(syscall(SYS_ioprio_get, PROCESS, 0) != (BE | 3));
	CHECK_EXIT(pid, 0);
	CHECK_OK(setpgid(0, 0));
	CHECK_OK(ioprio_set(PGRP, 0, IDLE));
	CHECK_EQ(syscall(SYS_ioprio_get, PGRP, getpid()), IDLE);
	CHECK_ERRNO(ioprio_set(0, 0, BE), EINVAL);
	CHECK_ERRNO(ioprio_set(4, 0, BE), EINVAL);
	CHECK_ERRNO(ioprio_set(PROCESS, 0, 1), EINVAL);
	CHECK_ERRNO(ioprio_set(PROCESS, 0, 4 << 13), EINVAL);
	CHECK_ERRNO(ioprio_set(PROCESS, 0x3ffffff, BE), ESRCH);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_get, PROCESS, 0x3ffffff), ESRCH);
	if (getuid())
		return;
	CHECK_OK(ioprio_set(PROCESS, 0, RT | 1));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(ioprio_set(PROCESS, 0, RT), EPERM);
	CHECK_ERRNO(ioprio_set(PROCESS, 1, BE), EPERM);
	CHECK_OK(ioprio_set(PROCESS, 0, BE));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		for (;;)
			pause();
	TAP_RUN(process_ids);
	TAP_FORK(groups_and_sessions);
	TAP_FORK(user_ids);
	TAP_FORK(group_ids);
	TAP_FORK(limits);
	TAP_FORK(process_limit);
	tap_current = "cpu_limit";
	CHECK_KILLED(tap_spawn(cpu_limit), SIGXCPU);
	if (geteuid() == 0) {
		tap_current = "rt_limit";
		CHECK_EXIT(tap_spawn(rt_limit), 0);
		CHECK_KILLED(tap_spawn(rt_hard_limit), SIGKILL);
	}
	TAP_FORK(priorities);
	TAP_FORK(io_priorities);
	TAP_FORK(process_controls);
	TAP_RUN(system_information);
	TAP_RUN(random_numbers);
	return tap_done();
}

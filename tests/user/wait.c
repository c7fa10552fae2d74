/* SPDX-License-Identifier: MIT */
/*
 * wait4 and waitid: every option, stopped and continued children, zombies, process groups, orphans,
 * ignored SIGCHLD, and what is refused. Semantics: waitpid(2), wait4(2), waitid(2).
 */
#include "tap.h"
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef WNOTHREAD
#define WNOTHREAD 0x20000000
#endif

static pid_t exiting(int code)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(code);
	return pid;
}

static pid_t pausing(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void statuses(void)
{
	int status = 0;
	pid_t pid = exiting(0x1ff);

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0xff00);
	pid = pausing();
	kill(pid, SIGTERM);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGTERM);
	pid = exiting(3);
	CHECK_EQ(wait(&status), pid);
	CHECK_EQ(status, 0x300);
	pid = exiting(4);
	CHECK_EQ(wait(NULL), pid);
	CHECK_ERRNO(wait(&status), ECHILD);
}

static void refused(void)
{
	siginfo_t info;
	int status;
	pid_t pid;

	CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(1 << 22, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(getpid(), &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(-1, &status, 0x100), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
	CHECK_ERRNO(waitid(9, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERRNO(syscall(SYS_wait4, 0x80000000, NULL, 0, NULL), ESRCH);
	pid = pausing();
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_ERRNO(waitpid(-pid, &status, WNOHANG), ECHILD);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void nowait_leaves_it(void)
{
	pid_t pid = exiting(9);
	siginfo_t info;

	for (int i = 0; i < 2; i++) {
		memset(&info, 0, sizeof(info));
		CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
		CHECK_EQ(info.si_signo, SIGCHLD);
		CHECK_EQ(info.si_code, CLD_EXITED);
		CHECK_EQ(info.si_pid, pid);
		CHECK_EQ(info.si_status, 9);
		CHECK_EQ(info.si_uid, getuid());
	}
	CHECK_EQ(tap_proc_state(pid), 'Z');
	CHECK_OK(kill(pid, 0));
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
	CHECK_ERRNO(waitid(P_PID, (id_t)pid, &info, WEXITED), ECHILD);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
}

static void nohang(void)
{
	pid_t pid = pausing();
	siginfo_t info;
	int status;

	memset(&info, 0xff, sizeof(info));
	CHECK_OK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(info.si_signo, 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGKILL);
}

static void stop_and_continue(void)
{
	pid_t pid = pausing();
	siginfo_t info;
	int status;

	CHECK_OK(setpgid(pid, pid)); /* in an orphaned group SIGTSTP would not stop it */
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, (SIGSTOP << 8) | 0x7f);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* reported once */
	CHECK_EQ(tap_proc_state(pid), 'T');
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK_EQ(status, 0xffff);
	CHECK(WIFCONTINUED(status));
	kill(pid, SIGTSTP);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGTSTP);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	kill(pid, SIGCONT);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	CHECK_EQ(info.si_status, SIGCONT);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

/* SIGKILL ends a stopped process; other signals stay pending until it continues. */
static void signals_while_stopped(void)
{
	pid_t pid = pausing();
	int status;

	/* Not before it is out of fork(), which may block signals. */
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGTERM);
	tap_sleep_ms(10);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGCONT);
	CHECK_KILLED(pid, SIGTERM);
	pid = pausing();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static volatile sig_atomic_t chld_hits;
static volatile int chld_codes[4];

static void on_chld(int sig, siginfo_t *info, void *context)
{
	chld_codes[chld_hits++ % 4] = info->si_code;
}

static void await_hits(int n)
{
	CHECK(TAP_AWAIT(chld_hits >= n));
}

static void stop_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t pid;
	int status;

	sigaction(SIGCHLD, &sa, NULL);
	pid = pausing();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	await_hits(1);
	CHECK_EQ(chld_codes[0], CLD_STOPPED);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	await_hits(2);
	CHECK_EQ(chld_codes[1], CLD_CONTINUED);
	sa.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &sa, NULL);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	tap_sleep_ms(5);
	CHECK_EQ(chld_hits, 2);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	await_hits(3);
	CHECK_EQ(chld_codes[2], CLD_KILLED);
}

static void ignored_children(void)
{
	int status;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = exiting(1);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
	signal(SIGCHLD, SIG_DFL);
	struct sigaction sa = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	sigaction(SIGCHLD, &sa, NULL);
	pid = exiting(1);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

static void groups(void)
{
	siginfo_t info;
	int status;
	pid_t a = pausing(), b = pausing();

	CHECK_OK(setpgid(a, a));
	CHECK_EQ(waitpid(-a, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(0, &status, WNOHANG), 0);
	kill(b, SIGKILL);
	CHECK_EQ(waitpid(0, &status, 0), b);
	CHECK_ERRNO(waitpid(0, &status, 0), ECHILD);
	kill(-a, SIGKILL);
	CHECK_OK(waitid(P_PGID, (id_t)a, &info, WEXITED));
	CHECK_EQ(info.si_pid, a);
}

/* Orphans get the nearest subreaper as parent, and it can wait for them. */
static void orphans(void)
{
	pid_t middle, orphan = -1;
	int fds[2], status;

	REQUIRE(pipe(fds) == 0);
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L));
	middle = fork();
	if (middle == 0) {
		pid_t me = getpid(), pid = fork();

		if (pid == 0) {
			while (getppid() == me)
				tap_sleep_ms(1);
			pid = getppid();
			_exit(write(fds[1], &pid, sizeof(pid)) == sizeof(pid) ? 17 : 1);
		}
		_exit(0);
	}
	CHECK_EXIT(middle, 0);
	CHECK_EQ(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
	CHECK_EQ(orphan, getpid());
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_EQ(WEXITSTATUS(status), 17);
	close(fds[0]);
	close(fds[1]);
}

/* A zombie whose parent exits first goes to the reaper too. */
static void orphaned_zombie(void)
{
	int status;
	pid_t middle = fork();

	if (middle == 0) {
		pid_t pid = exiting(18);
		siginfo_t info;

		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
		_exit(0);
	}
	CHECK_EXIT(middle, 0);
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_EQ(WEXITSTATUS(status), 18);
}

static void usage(void)
{
	struct rusage ru, all;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		long long end = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 30000000;

		while (tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
			;
		_exit(0);
	}
	memset(&ru, 0xff, sizeof(ru));
	CHECK_EQ(wait4(pid, &status, 0, &ru), pid);
	long us = ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
		  ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec;
	CHECK(us >= 20000 && us < 100000000);
	CHECK(ru.ru_minflt >= 0);
	CHECK_OK(getrusage(RUSAGE_CHILDREN, &all));
	CHECK(all.ru_utime.tv_sec * 1000000 + all.ru_utime.tv_usec + all.ru_stime.tv_sec * 1000000 +
		      all.ru_stime.tv_usec >=
	      20000);
}

static void interrupt(int sig)
{
}

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = interrupt };
	pid_t parent = getpid(), sleeper = pausing(), poker;
	int status;

	sigaction(SIGUSR1, &sa, NULL);
	poker = fork();
	if (poker == 0) {
		tap_wait_state(parent, 'S');
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(waitpid(sleeper, &status, 0), EINTR);
	CHECK_EXIT(poker, 0);
	kill(sleeper, SIGKILL);
	CHECK_KILLED(sleeper, SIGKILL);
}

static void many_zombies(void)
{
	int status, seen = 0;

	for (int i = 0; i < 100; i++)
		REQUIRE(exiting(i) > 0);
	for (int i = 0; i < 100; i++) {
		CHECK(wait(&status) > 0);
		seen += WEXITSTATUS(status);
	}
	CHECK_EQ(seen, 99 * 100 / 2);
	CHECK_ERRNO(wait(&status), ECHILD);
}

int main(void)
{
	TAP_FORK(statuses);
	TAP_FORK(refused);
	TAP_FORK(nowait_leaves_it);
	TAP_FORK(nohang);
	TAP_FORK(stop_and_continue);
	TAP_FORK(signals_while_stopped);
	TAP_FORK(stop_signals);
	TAP_FORK(ignored_children);
	TAP_FORK(groups);
	TAP_FORK(usage);
	TAP_FORK(interrupted);
	TAP_FORK(many_zombies);
	TAP_RUN(orphans);
	TAP_RUN(orphaned_zombie);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Orphaned process groups: those without a member whose parent is in another group of the same session. Nobody could continue them, so
 * the terminal does not stop them, and when a group becomes one, what is stopped in it is sent SIGHUP and SIGCONT. POSIX, setpgid(2), signal(7),
 * tty_ioctl(4). As process 1, too, which inherits its children's children.
 *
 * A member tells by letters in a pipe what happens to it: H and C for the signals, a dot when it goes on.
 */
#include "tap.h"
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>

static int out;
static volatile sig_atomic_t finish;

static void say(char c)
{
	(void)!write(out, &c, 1);
}

static void on_hup(int sig)
{
	say('H');
}

static void on_cont(int sig)
{
	say('C');
}

static void on_end(int sig)
{
	finish = 1;
}

static void watch_signals(void)
{
	signal(SIGHUP, on_hup);
	signal(SIGCONT, on_cont);
	signal(SIGUSR1, on_end);
}

/* Read what the members say, until they have ended. */
static void expect(int fd, const char *want, const char *or_else)
{
	char got[64];
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(got) - 1 && (r = read(fd, got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)r;
	got[n] = '\0';
	close(fd);
	if (strcmp(got, want) && (!or_else || strcmp(got, or_else)))
		tap_fail(__FILE__, __LINE__, "%s: the group said \"%s\", not \"%s\"", tap_current,
			 got, want);
}

/* Fork @parent in a group of its own; the end of the pipe to read from. */
static int begin(void (*parent)(void), pid_t *pid)
{
	int fd[2];

	REQUIRE(pipe(fd) == 0);
	out = fd[1];
	*pid = fork();
	REQUIRE(*pid >= 0);
	if (!*pid) {
		close(fd[0]);
		setpgid(0, 0);
		parent();
		_exit(tap_nfailed != 0);
	}
	close(fd[1]);
	return fd[0];
}

static pid_t parent;

/* In a parent: fork @member into the group @group (0: its own). */
static pid_t member(void (*fn)(void), pid_t group)
{
	pid_t pid;

	parent = getpid();
	pid = fork();

	if (!pid) {
		setpgid(0, group);
		fn();
		_exit(0);
	}
	setpgid(pid, group ? group : pid);
	return pid;
}

static void wait_stopped(pid_t pid, int sig)
{
	int status;

	REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == sig);
}

/* In a member: until the parent is gone. */
static void wait_parent(void)
{
	while (getppid() == parent)
		tap_sleep_ms(1);
}

/* ---- a stopped group becomes one ---- */

static void stops_itself(void)
{
	watch_signals();
	raise(SIGTSTP); /* the parent looks after us: it works */
	say('.');
}

static void leaves_it_stopped(void)
{
	wait_stopped(member(stops_itself, 0), SIGTSTP);
}

static void hung_up_and_continued(void)
{
	pid_t pid;
	int fd = begin(leaves_it_stopped, &pid);

	CHECK_EXIT(pid, 0);
	expect(fd, "CH.", "HC.");
}

static void stops_by_default(void)
{
	raise(SIGSTOP);
	say('.');
}

static void leaves_default(void)
{
	wait_stopped(member(stops_by_default, 0), SIGSTOP);
}

static void dies_of_it(void)
{
	pid_t pid;
	int fd = begin(leaves_default, &pid);

	CHECK_EXIT(pid, 0);
	expect(fd, "", NULL);
}

/* One that is not stopped hears nothing. */
static void waits_for_orphanage(void)
{
	watch_signals();
	wait_parent();
	tap_sleep_ms(20);
	say('.');
}

static void leaves_it_running(void)
{
	member(waits_for_orphanage, 0);
	tap_sleep_ms(5);
}

static void running(void)
{
	pid_t pid;
	int fd = begin(leaves_it_running, &pid);

	CHECK_EXIT(pid, 0);
	expect(fd, ".", NULL);
}

/* Two parents: the group is one when the second is gone, too. */
static int go[2], ready[2];

static void second_parent(void)
{
	pid_t group;
	char c;

	REQUIRE(read(go[0], &group, sizeof(group)) == sizeof(group));
	wait_stopped(member(stops_itself, group), SIGTSTP);
	say('2');
	REQUIRE(write(ready[1], "x", 1) == 1);
	REQUIRE(read(go[0], &c, 1) == 1);
	say('3');
}

static void first_parent(void)
{
	pid_t group;
	char c;

	member(second_parent, 0);
	group = member(stops_itself, 0);
	wait_stopped(group, SIGTSTP);
	REQUIRE(write(go[1], &group, sizeof(group)) == sizeof(group));
	REQUIRE(read(ready[0], &c, 1) == 1);
}

static void two_parents(void)
{
	char c = 0;
	pid_t pid;
	int fd;

	REQUIRE(pipe(go) == 0 && pipe(ready) == 0);
	fd = begin(first_parent, &pid);
	CHECK_EXIT(pid, 0);
	REQUIRE(read(fd, &c, 1) == 1);
	CHECK_EQ(c, '2');
	tap_sleep_ms(20);
	REQUIRE(write(go[1], "x", 1) == 1);
	REQUIRE(read(fd, &c, 1) == 1);
	CHECK_EQ(c, '3'); /* and nothing before it */
	for (int n[256] = { 0 };;) {
		if (read(fd, &c, 1) != 1) {
			CHECK_EQ(n['H'], 2);
			CHECK_EQ(n['C'], 2);
			CHECK_EQ(n['.'], 2);
			break;
		}
		n[(unsigned char)c]++;
	}
	close(fd);
	close(go[0]);
	close(go[1]);
	close(ready[0]);
	close(ready[1]);
}

/* The last member with a parent outside ends: its own child remains, an orphan. */
static void ends_before_its_child(void)
{
	wait_stopped(member(stops_itself, getpgrp()), SIGTSTP);
}

static void waits_for_member(void)
{
	CHECK_EXIT(member(ends_before_its_child, 0), 0);
	tap_sleep_ms(50); /* it is not our end that counts */
}

static void member_ends(void)
{
	pid_t pid;
	int fd = begin(waits_for_member, &pid);

	expect(fd, "CH.", "HC.");
	CHECK_EXIT(pid, 0);
}

/* A reaper in the same session and another group looks after it. */
static int continued[2];

static void is_continued(void)
{
	watch_signals();
	raise(SIGTSTP);
	say('.');
	(void)!write(continued[1], "c", 1);
	while (!finish)
		tap_sleep_ms(1);
}

static void tell_and_leave(void)
{
	pid_t pid = member(is_continued, 0);

	wait_stopped(pid, SIGTSTP);
	REQUIRE(write(go[1], &pid, sizeof(pid)) == sizeof(pid));
}

static void reaps(void)
{
	pid_t pid, child;
	char c;

	REQUIRE(pipe(continued) == 0);
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK_EXIT(member(tell_and_leave, 0), 0);
	REQUIRE(read(go[0], &child, sizeof(child)) == sizeof(child));
	tap_sleep_ms(20);
	CHECK_EQ(tap_proc_state(child), 'T');
	CHECK_OK(kill(child, SIGCONT));
	REQUIRE(read(continued[0], &c, 1) ==
		1); /* a stop would take a SIGCONT back that is on its way */
	CHECK_OK(kill(child, SIGTSTP));
	CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
	CHECK_EQ(tap_proc_state(child), 'T');
	CHECK_OK(kill(child, SIGUSR1));
	CHECK_OK(kill(child, SIGCONT));
	pid = waitpid(child, NULL, 0);
	CHECK_EQ(pid, child);
}

static void reaped(void)
{
	pid_t pid;
	int fd;

	REQUIRE(pipe(go) == 0);
	fd = begin(reaps, &pid);
	expect(fd, "C.C", NULL);
	CHECK_EXIT(pid, 0);
	close(go[0]);
	close(go[1]);
}

/* ---- stopping in one ---- */

static void cannot_stop(void)
{
	wait_parent();
	raise(SIGTSTP);
	say('a');
	raise(SIGTTIN);
	say('b');
	raise(SIGTTOU);
	say('c');
	signal(SIGCONT, on_cont);
	raise(SIGSTOP); /* this does */
	say('.');
}

static pid_t last_member;

static void tell_member(void)
{
	pid_t pid = member(cannot_stop, 0);

	REQUIRE(write(go[1], &pid, sizeof(pid)) == sizeof(pid));
}

static void signals_without_effect(void)
{
	pid_t pid;
	int fd;

	REQUIRE(pipe(go) == 0);
	fd = begin(tell_member, &pid);
	CHECK_EXIT(pid, 0);
	REQUIRE(read(go[0], &last_member, sizeof(last_member)) == sizeof(last_member));
	CHECK(tap_wait_state(last_member, 'T'));
	CHECK_OK(kill(last_member, SIGCONT));
	expect(fd, "abcC.", NULL);
	close(go[0]);
	close(go[1]);
}

/* A session's leader has no parent inside. */
static void session_leader(void)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		raise(SIGTSTP);
		_exit(3);
	}
	CHECK_EXIT(pid, 3);
	pid = fork();
	if (!pid) {
		setsid();
		pid = fork(); /* nor has a child in its leader's group */
		if (!pid) {
			raise(SIGTTIN);
			_exit(4);
		}
		CHECK_EXIT(pid, 4);
		pid = fork(); /* but one in its own */
		if (!pid) {
			setpgid(0, 0);
			raise(SIGTTOU);
			_exit(5);
		}
		wait_stopped(pid, SIGTTOU);
		kill(pid, SIGCONT);
		CHECK_EXIT(pid, 5);
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
}

/* ---- at a terminal ---- */

static int slave;

static void uses_terminal(void)
{
	struct termios t;
	char c;

	signal(SIGHUP, SIG_IGN);
	wait_parent();
	CHECK_ERRNO(read(slave, &c, 1), EIO);
	CHECK_OK(tcgetattr(slave, &t));
	CHECK_ERRNO(tcsetattr(slave, TCSANOW, &t), EIO);
	CHECK_ERRNO(tcsetpgrp(slave, getpgrp()), ENOTTY);
	CHECK_EQ(write(slave, "x", 1), 1); /* without TOSTOP anybody may */
	signal(SIGTTOU, SIG_IGN);
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	t.c_lflag |= TOSTOP;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(write(slave, "y", 1), 1);
	signal(SIGTTOU, SIG_DFL);
	CHECK_ERRNO(write(slave, "z", 1), EIO);
	say(tap_nfailed ? '!' : '.');
}

static void leaves_terminal_user(void)
{
	member(uses_terminal, 0);
}

/* Leader of the terminal's session, and its foreground group. */
static void at_terminal(void)
{
	int unlock = 0, number, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[32], c = 0;
	pid_t pid;
	int fd;

	REQUIRE(master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0);
	REQUIRE(ioctl(master, TIOCGPTN, &number) == 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	REQUIRE(setsid() == getpid());
	slave = open(name, O_RDWR);
	REQUIRE(slave >= 0);
	CHECK_EQ(tcgetpgrp(slave), getpgrp());
	fd = begin(leaves_terminal_user, &pid);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '.');
}

/* ---- process 1 ---- */

static void stops_and_ends(void)
{
	raise(SIGTSTP);
}

/* Its own children it looks after, unlike on Linux: it may be a shell. */
static void own_child_of_init(void)
{
	pid_t pid = member(stops_and_ends, 0);

	wait_stopped(pid, SIGTSTP);
	kill(pid, SIGCONT);
	CHECK_EXIT(pid, 0);
}

int main(void)
{
	TAP_RUN(hung_up_and_continued);
	TAP_RUN(dies_of_it);
	TAP_RUN(running);
	TAP_RUN(two_parents);
	TAP_RUN(member_ends);
	TAP_RUN(reaped);
	TAP_RUN(signals_without_effect);
	TAP_RUN(session_leader);
	TAP_FORK(at_terminal);
	if (getpid() == 1)
		TAP_RUN(own_child_of_init);
	return tap_done();
}

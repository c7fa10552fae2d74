/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2) and signals: signal-delivery stops, what a tracer may make of a signal, group stops and PTRACE_LISTEN, restarted system
 * calls under a tracer, siginfo and masks.
 */
#include "pt.h"
#include <poll.h>

static volatile sig_atomic_t got, got_code, got_value;

static void handler(int sig, siginfo_t *info, void *ctx)
{
	got = sig;
	got_code = info->si_code;
	got_value = info->si_value.sival_int;
}

static void catch_all(int flags)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	for (int sig = 1; sig < 32; sig++)
		sigaction(sig, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
}

/* ---- delivery ---- */

static void raise_usr1(void)
{
	catch_all(0);
	pt_raise(SIGUSR1);
	_exit(got);
}

/* Run until the child raises, then resume with @sig; it exits with what arrived. */
static int resumed_with(int sig)
{
	pid_t pid = pt_child(raise_usr1, 0);
	int status;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_EQ(pt_siginfo(pid).si_code, SI_TKILL);
	CHECK_EQ(pt_siginfo(pid).si_pid, pid);
	CHECK_OK(pt(PT_CONT, pid, 0, sig));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void delivery(void)
{
	CHECK_EQ(resumed_with(SIGUSR1), SIGUSR1 << 8);
	CHECK_EQ(resumed_with(0), 0);
	CHECK_EQ(resumed_with(SIGUSR2), SIGUSR2 << 8);
	CHECK_EQ(resumed_with(SIGKILL), SIGKILL);
}

static void ignored_too(void)
{
	signal(SIGUSR1, SIG_IGN);
	pt_raise(SIGUSR1);
	pt_raise(SIGWINCH);
	_exit(0);
}

/* A tracer sees what the program ignores. */
static void ignored(void)
{
	pid_t pid = pt_child(ignored_too, 0);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGUSR1));
	EXPECT(pid, ST_STOP(SIGWINCH));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGTERM));
	EXPECT(pid, SIGTERM);
}

static void wait_value(void)
{
	catch_all(0);
	while (!got)
		pause();
	_exit(got == SIGRTMIN && got_code == SI_QUEUE && got_value == 77 ? 0 : 1);
}

static void changed_siginfo(void)
{
	pid_t pid = pt_child(wait_value, 0);
	union sigval value = { .sival_int = 5 };
	siginfo_t info;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(sigqueue(pid, SIGRTMIN, value));
	EXPECT(pid, ST_STOP(SIGRTMIN));
	info = pt_siginfo(pid);
	CHECK_EQ(info.si_value.sival_int, 5);
	CHECK_EQ(info.si_pid, getpid());
	info.si_value.sival_int = 77;
	CHECK_OK(pt(PT_SETSIGINFO, pid, 0, &info));
	CHECK_ERRNO(pt(PT_SETSIGINFO, pid, 0, 8), EFAULT);
	CHECK_OK(pt(PT_CONT, pid, 0, SIGRTMIN));
	EXPECT(pid, 0);
}

/* Faults come to the tracer even where they would kill at once. */
static void fault_blocked(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)16 = 1;
	_exit(0);
}

static void fault(void)
{
	pid_t pid = pt_child(fault_blocked, 0);
	siginfo_t info;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSEGV));
	info = pt_siginfo(pid);
	CHECK_EQ(info.si_code, 1 /* SEGV_MAPERR */);
	CHECK_EQ((long)info.si_addr, 16);
	/* Suppressed: it faults again. */
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSEGV));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGSEGV));
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
}

static void mask(void)
{
	pid_t pid = pt_child(raise_usr1, 0);
	uint64_t set = 1;

	CHECK_OK(pt(PT_GETSIGMASK, pid, 8, &set));
	CHECK_EQ(set, 0);
	set = ~0ULL;
	CHECK_OK(pt(PT_SETSIGMASK, pid, 8, &set));
	CHECK_OK(pt(PT_GETSIGMASK, pid, 8, &set));
	CHECK_EQ(set, ~(1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1)));
	/* With everything blocked nothing is delivered. */
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	/* A signal that the tracer injects and the mask blocks waits. */
	pid = pt_child(raise_usr1, 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	set = 1ULL << (SIGUSR1 - 1);
	CHECK_OK(pt(PT_SETSIGMASK, pid, 8, &set));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGUSR1));
	EXPECT(pid, 0);
}

struct peek_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

static void block_and_stop(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pt_raise(SIGSTOP);
	_exit(0);
}

static void peek_siginfo(void)
{
	pid_t pid = pt_child(block_and_stop, 0);
	struct peek_args args = { .nr = 10, .flags = 1 };
	siginfo_t info[10];

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	for (int i = 0; i < 5; i++)
		CHECK_OK(sigqueue(pid, SIGRTMIN + i, (union sigval){ .sival_int = i }));
	CHECK_OK(syscall(SYS_tgkill, pid, pid, SIGUSR1));
	memset(info, 0, sizeof(info));
	CHECK_EQ(pt(PT_PEEKSIGINFO, pid, &args, info), 5);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(info[i].si_signo, SIGRTMIN + i);
		CHECK_EQ(info[i].si_value.sival_int, i);
	}
	args.off = 3;
	CHECK_EQ(pt(PT_PEEKSIGINFO, pid, &args, info), 2);
	CHECK_EQ(info[0].si_value.sival_int, 3);
	args.nr = 1;
	CHECK_EQ(pt(PT_PEEKSIGINFO, pid, &args, info), 1);
	args.off = 100;
	CHECK_EQ(pt(PT_PEEKSIGINFO, pid, &args, info), 0);
	args = (struct peek_args){ .nr = 10 };
	CHECK_EQ(pt(PT_PEEKSIGINFO, pid, &args, info), 1);
	CHECK_EQ(info[0].si_signo, SIGUSR1);
	CHECK_ERRNO(pt(PT_PEEKSIGINFO, pid, &args, 8), EFAULT);
	CHECK_ERRNO(pt(PT_PEEKSIGINFO, pid, 8, info), EFAULT);
	args.nr = -1;
	CHECK_ERRNO(pt(PT_PEEKSIGINFO, pid, &args, info), EINVAL);
	args = (struct peek_args){ .nr = 1, .flags = 2 };
	CHECK_ERRNO(pt(PT_PEEKSIGINFO, pid, &args, info), EINVAL);
	pt_kill(pid);
}

/* ---- group stops ---- */

static void stop_self(void)
{
	pt_raise(SIGSTOP);
	_exit(3);
}

/* Of a tracee that is not seized, a group stop looks like the signal without siginfo; CONT ends it. */
static void group_stop(void)
{
	pid_t pid = pt_child(stop_self, 0);
	siginfo_t info;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_EQ(pt_siginfo(pid).si_signo, SIGSTOP);
	CHECK_OK(pt(PT_CONT, pid, 0, SIGSTOP));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_ERRNO(pt(PT_GETSIGINFO, pid, 0, &info), EINVAL);
	CHECK_ERRNO(pt(PT_LISTEN, pid, 0, 0), EIO);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 3 << 8);
}

static pid_t seized_spinner(void)
{
	pid_t pid = tap_spawn(pt_spin);

	CHECK_OK(pt(PT_SEIZE, pid, 0, 0));
	return pid;
}

static void seized_group_stop(void)
{
	pid_t pid = seized_spinner();

	kill(pid, SIGTSTP);
	EXPECT(pid, ST_STOP(SIGTSTP));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGSTOP));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	CHECK_EQ(pt_siginfo(pid).si_signo, SIGSTOP);
	CHECK_EQ(pt_siginfo(pid).si_code, SIGSTOP | PT_EVENT_STOP << 8);
	CHECK_OK(pt(PT_LISTEN, pid, 0, 0));
	EXPECT_NOTHING(pid);
	/* Listening: neither running nor to be asked anything. */
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
	CHECK_EQ(tap_proc_state(pid), 't');
	/* SIGCONT is told of, then delivered. */
	kill(pid, SIGCONT);
	EXPECT(pid, ST_EVSTOP(SIGTRAP));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGCONT));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGCONT));
	/* INTERRUPT while listening stops anew. */
	kill(pid, SIGSTOP);
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGSTOP));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	CHECK_OK(pt(PT_LISTEN, pid, 0, 0));
	CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	/* A tracer may let it run although its process is stopped. */
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'R'));
	CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	/* Let go, it is stopped as its process is. */
	CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'T'));
	kill(pid, SIGCONT);
	CHECK(tap_wait_state(pid, 'R'));
	pt_kill(pid);
}

/* Attaching to a stopped process: what it reports is there at once. */
static void attach_to_stopped(void)
{
	pid_t pid = tap_spawn(pt_pause);
	int status;

	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_SEIZE, pid, 0, 0));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'T'));
	CHECK_OK(pt(PT_ATTACH, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_EQ(tap_proc_state(pid), 't');
	CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'T'));
	pt_kill(pid);
}

/* ---- interrupted calls ---- */

static int pipe_fd;

static void read_pipe(void)
{
	char c;

	signal(SIGUSR1, SIG_IGN);
	_exit(read(pipe_fd, &c, 1) == 1 ? 0 : 1);
}

#define ERESTARTSYS	      512
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

/* Enter the call that sleeps, and interrupt it by SIGUSR1. */
static void into_sleep(pid_t pid, long nr)
{
	struct pt_syscall_info info;

	for (int i = 0; i < 100; i++) {
		CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
		EXPECT(pid, ST_SYSCALL);
		CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == 1 && info.entry.nr == (uint64_t)nr)
			break;
	}
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGUSR1);
	EXPECT(pid, ST_SYSCALL);
}

static void restarted_read(void)
{
	struct pt_syscall_info info;
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	pipe_fd = fds[0];
	pid = pt_child(read_pipe, PT_O_TRACESYSGOOD);
	into_sleep(pid, SYS_read);
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	CHECK_EQ(info.exit.rval, -ERESTARTSYS);
	CHECK_EQ(info.exit.is_error, 1);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	/* made again */
	EXPECT(pid, ST_SYSCALL);
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	CHECK_EQ(info.entry.nr, SYS_read);
	CHECK_EQ(info.entry.args[0], pipe_fd);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	write(fds[1], "x", 1);
	EXPECT(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

static void read_pipe_handler(void)
{
	char c;

	catch_all(got_value ? SA_RESTART : 0);
	if (read(pipe_fd, &c, 1) == -1)
		_exit(errno == EINTR && got == SIGUSR1 ? 9 : 1);
	_exit(got == SIGUSR1 ? 8 : 2);
}

/* With a handler, SA_RESTART decides, traced or not. */
static void read_with_handler(void)
{
	for (int restart = 0; restart < 2; restart++) {
		int fds[2];
		pid_t pid;

		CHECK_OK(pipe(fds));
		pipe_fd = fds[0];
		got_value = restart;
		pid = pt_child(read_pipe_handler, PT_O_TRACESYSGOOD);
		into_sleep(pid, SYS_read);
		CHECK_OK(pt(PT_CONT, pid, 0, 0));
		EXPECT(pid, ST_STOP(SIGUSR1));
		CHECK_OK(pt(PT_CONT, pid, 0, SIGUSR1));
		if (restart) {
			CHECK(tap_wait_state(pid, 'S'));
			write(fds[1], "x", 1);
		}
		EXPECT(pid, (restart ? 8 : 9) << 8);
		close(fds[0]);
		close(fds[1]);
	}
	got_value = 0;
}

static long long sleep_ns = 150000000;

static void sleep_a_while(void)
{
	struct timespec ts = { sleep_ns / NSEC_PER_SEC, sleep_ns % NSEC_PER_SEC };
	long long start = tap_now_ns();

	signal(SIGUSR1, SIG_IGN);
	if (nanosleep(&ts, NULL) != 0)
		_exit(1);
	_exit(tap_now_ns() - start >= sleep_ns ? 0 : 2);
}

/* Interrupt the sleep. Return: whether it had not come to its end before. */
static int interrupt_sleep(pid_t pid)
{
	struct pt_syscall_info info;

	for (int i = 0; i < 100; i++) {
		CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
		EXPECT(pid, ST_SYSCALL);
		CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == 1 &&
		    (info.entry.nr == SYS_nanosleep || info.entry.nr == SYS_clock_nanosleep))
			break;
	}
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	/* Asleep, or stopped at the end of the call. */
	CHECK(TAP_AWAIT(strchr("St", tap_proc_state(pid))));
	kill(pid, SIGUSR1);
	EXPECT(pid, ST_SYSCALL);
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	if (!info.exit.is_error)
		return 0;
	CHECK_EQ(info.exit.rval, -ERESTART_RESTARTBLOCK);
	return 1;
}

static void restarted_sleep(void)
{
	struct pt_syscall_info info;
	pid_t pid;

	/* Longer and longer, until the machine is fast enough to interrupt it. */
	for (;;) {
		sleep_ns *= 2;
		pid = pt_child(sleep_a_while, PT_O_TRACESYSGOOD);
		if (interrupt_sleep(pid))
			break;
		pt_kill(pid);
	}
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	CHECK_EQ(info.entry.nr, SYS_restart_syscall);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void pause_result(void)
{
	signal(SIGUSR1, SIG_IGN);
	pt_pause();
}

static void pause_shows_nohand(void)
{
	pid_t pid = pt_child(pause_result, PT_O_TRACESYSGOOD);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGUSR1);
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGUSR1);
	EXPECT(pid, ST_SYSCALL);
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), -ERESTARTNOHAND);
	pt_kill(pid);
}

/* INTERRUPT does not disturb a call that sleeps, but for making it again. */
static void interrupted_read(void)
{
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	pipe_fd = fds[0];
	pid = tap_spawn(read_pipe);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(pt(PT_SEIZE, pid, 0, 0));
	for (int i = 0; i < 10; i++) {
		CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
		EXPECT(pid, ST_EVSTOP(SIGTRAP));
		CHECK_OK(pt(PT_CONT, pid, 0, 0));
	}
	write(fds[1], "x", 1);
	EXPECT(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	alarm(290);
	TAP_FORK(delivery);
	TAP_FORK(ignored);
	TAP_FORK(changed_siginfo);
	TAP_FORK(fault);
	TAP_FORK(mask);
	TAP_FORK(peek_siginfo);
	TAP_FORK(group_stop);
	TAP_FORK(seized_group_stop);
	TAP_FORK(attach_to_stopped);
	TAP_FORK(restarted_read);
	TAP_FORK(read_with_handler);
	TAP_FORK(restarted_sleep);
	TAP_FORK(pause_shows_nohand);
	TAP_FORK(interrupted_read);
	return tap_done();
}

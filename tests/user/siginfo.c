/* SPDX-License-Identifier: MIT */
/*
 * What comes with a signal, and who may say it: siginfo of every source by handler, sigwaitinfo and signalfd; the rules of
 * sigqueueinfo; the limit on pending signals, which is per user. Sources: sigaction(2), rt_sigqueueinfo(2), signalfd(2), getrlimit(2).
 */
#include "tap.h"
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>

#define SIG_A 40
#define SIG_B 41

static int queueinfo(pid_t pid, int sig, siginfo_t *si)
{
	return (int)syscall(SYS_rt_sigqueueinfo, pid, sig, si);
}

static int tgqueueinfo(pid_t tgid, pid_t tid, int sig, siginfo_t *si)
{
	return (int)syscall(SYS_rt_tgsigqueueinfo, tgid, tid, sig, si);
}

static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	REQUIRE(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
}

static int take(int sig, siginfo_t *si)
{
	struct timespec zero = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, si, &zero);
}

static siginfo_t info_of(int code)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_code = code;
	si.si_pid = 4242;
	si.si_uid = 4343;
	si.si_ptr = (void *)0x123456789abc;
	return si;
}

/* ---- sigqueueinfo ---- */

/* Of siginfo_t's 128 bytes the last 80 carry nothing: they are dropped, or refused where the code is not one that has a meaning. */
static void tail_of_info(void)
{
	siginfo_t si = info_of(SI_QUEUE);

	block_all();
	memset((char *)&si + 48, 0x55, sizeof(si) - 48);
	REQUIRE(queueinfo(getpid(), SIGUSR1, &si) == 0);
	memset(&si, 0x77, sizeof(si));
	CHECK_EQ(take(SIGUSR1, &si), SIGUSR1);
	CHECK_EQ(si.si_pid, 4242);
	CHECK(si.si_ptr == (void *)0x123456789abc);
	for (size_t i = 48; i < sizeof(si); i++)
		CHECK_EQ(((char *)&si)[i], 0);
	si.si_code = -1000;
	CHECK_EQ(queueinfo(getpid(), SIGUSR1, &si), 0);
	CHECK_EQ(take(SIGUSR1, &si), SIGUSR1);
	CHECK_EQ(si.si_code, -1000);
	((char *)&si)[127] = 1;
	CHECK_ERRNO(queueinfo(getpid(), SIGUSR1, &si), E2BIG);
	si.si_code = SI_ASYNCNL;
	CHECK_EQ(queueinfo(getpid(), SIGUSR1, &si), 0);
}

static void *other_thread(void *arg)
{
	siginfo_t si = info_of(SI_USER);

	/* The number is compared with the thread's, not the process's. */
	CHECK_ERRNO(queueinfo(getpid(), SIG_A, &si), EPERM);
	si.si_code = SI_TKILL;
	CHECK_ERRNO(queueinfo(getpid(), SIG_A, &si), EPERM);
	CHECK_ERRNO(tgqueueinfo(getpid(), getpid(), SIG_A, &si), EPERM);
	CHECK_OK(tgqueueinfo(getpid(), (pid_t)syscall(SYS_gettid), SIG_A, &si));
	CHECK_EQ(take(SIG_A, &si), SIG_A);
	CHECK_EQ(si.si_code, SI_TKILL);
	CHECK_EQ(si.si_pid, 4242);
	return NULL;
}

static void queue_rules(void)
{
	siginfo_t si = info_of(SI_QUEUE);
	pthread_t t;
	pid_t pid;

	block_all();
	CHECK_OK(queueinfo(getpid(), SIG_A, &si));
	si = info_of(-60);
	CHECK_OK(queueinfo(getpid(), SIG_A, &si));
	si = info_of(SI_USER); /* to itself a process may say anything */
	CHECK_OK(queueinfo(getpid(), SIG_A, &si));
	si = info_of(SI_KERNEL);
	CHECK_OK(tgqueueinfo(getpid(), getpid(), SIG_A, &si));
	si = info_of(SI_QUEUE);
	CHECK_ERRNO(tgqueueinfo(getppid(), getpid(), SIG_A, &si), ESRCH);
	CHECK_ERRNO(tgqueueinfo(0, getpid(), SIG_A, &si), EINVAL);
	CHECK_ERRNO(tgqueueinfo(getpid(), -1, SIG_A, &si), EINVAL);
	CHECK_ERRNO(queueinfo(getpid(), 65, &si), EINVAL);
	CHECK_ERRNO(queueinfo(getpid(), -1, &si), EINVAL);
	CHECK_ERRNO(queueinfo(getpid(), SIG_A, (siginfo_t *)8), EFAULT);
	CHECK_OK(queueinfo(getpid(), 0, &si));
	CHECK_EQ(take(SIG_A, &si), SIG_A); /* the thread's own queue first */
	CHECK_EQ(si.si_code, SI_KERNEL);
	CHECK_EQ(take(SIG_A, &si), SIG_A); /* then in order */
	CHECK_EQ(si.si_code, SI_QUEUE);
	CHECK_EQ(si.si_pid, 4242);
	CHECK_EQ(si.si_uid, 4343);
	CHECK(si.si_ptr == (void *)0x123456789abc);
	CHECK_EQ(take(SIG_A, &si), SIG_A);
	CHECK_EQ(si.si_code, -60);
	CHECK_EQ(take(SIG_A, &si), SIG_A);
	CHECK_EQ(si.si_code, SI_USER);
	CHECK_EQ(take(SIG_A, &si), -1);
	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	si = info_of(SI_USER);
	CHECK_ERRNO(queueinfo(pid, SIG_A, &si), EPERM);
	si = info_of(SI_KERNEL);
	CHECK_ERRNO(queueinfo(pid, SIG_A, &si), EPERM);
	si = info_of(SI_TKILL);
	CHECK_ERRNO(tgqueueinfo(pid, pid, SIG_A, &si), EPERM);
	si = info_of(SI_TIMER);
	CHECK_OK(queueinfo(pid, SIG_A, &si));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_KILLED(pid, SIGKILL);
	REQUIRE(pthread_create(&t, NULL, other_thread, NULL) == 0);
	pthread_join(t, NULL);
}

/* ---- the limit ---- */

static void limit_pending(rlim_t n)
{
	struct rlimit r = { n, n };

	REQUIRE(setrlimit(RLIMIT_SIGPENDING, &r) == 0);
}

/* Signals of one user count together, whichever process they wait for. */
static void pending_limit(void)
{
	union sigval v = { 0 };
	siginfo_t si;
	char text[4096], *line;
	unsigned long now, max;
	pid_t pid;
	int n = 0;

	block_all();
	REQUIRE(setuid(54321) == 0); /* a user of our own */
	limit_pending(10);
	while (n < 100 && sigqueue(getpid(), SIG_A, v) == 0)
		n++;
	CHECK_EQ(n, 10);
	CHECK_EQ(errno, EAGAIN);
	REQUIRE(tap_read_file("/proc/self/status", text, sizeof(text)) > 0);
	line = strstr(text, "SigQ:");
	REQUIRE(line && sscanf(line, "SigQ: %lu/%lu", &now, &max) == 2);
	CHECK_EQ(now, 10);
	CHECK_EQ(max, 10);
	pid = fork(); /* pending signals are not inherited, the count is the user's */
	if (!pid) {
		sigset_t set;

		CHECK_ERRNO(sigqueue(getpid(), SIG_B, v), EAGAIN);
		CHECK_EQ(sigpending(&set), 0);
		_exit(tap_nfailed != 0);
	}
	tap_wait(pid);
	/* Kill needs no place in the queue. */
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(take(SIGUSR1, &si), SIGUSR1);
	CHECK_EQ(si.si_code, SI_USER);
	CHECK_EQ(si.si_pid, getpid());
	/* A standard signal that is queued arrives without what it carried, a real-time one by kill() too. */
	CHECK_OK(sigqueue(getpid(), SIGUSR2, v));
	CHECK_EQ(take(SIGUSR2, &si), SIGUSR2);
	CHECK_EQ(si.si_code, SI_USER);
	CHECK_EQ(si.si_pid, 0);
	CHECK_OK(kill(getpid(), SIG_B));
	CHECK_EQ(take(SIG_B, &si), SIG_B);
	CHECK_EQ(si.si_code, SI_USER);
	CHECK_EQ(si.si_pid, 0);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), getpid(), SIG_B), EAGAIN);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(take(SIG_A, &si), SIG_A);
	CHECK_EQ(take(SIG_A, &si), -1);
	CHECK_OK(sigqueue(getpid(), SIG_A, v));
}

/* A timer holds a place for its signal as long as it exists. */
static void timers_count(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIG_A };
	union sigval v = { 0 };
	timer_t t[3];

	block_all();
	REQUIRE(setuid(54322) == 0);
	limit_pending(3);
	for (int i = 0; i < 3; i++)
		CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &t[i]));
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &ev, &t[0]), EAGAIN);
	CHECK_ERRNO(sigqueue(getpid(), SIG_B, v), EAGAIN);
	CHECK_OK(timer_delete(t[1]));
	CHECK_OK(sigqueue(getpid(), SIG_B, v));
}

/* ---- signalfd ---- */

static int fd;
static struct signalfd_siginfo si;

static int next_signal(void)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	memset(&si, 0x5a, sizeof(si));
	return poll(&p, 1, TAP_LIMIT_MS) == 1 && read(fd, &si, sizeof(si)) == sizeof(si)
		       ? (int)si.ssi_signo
		       : -1;
}

static void from_signalfd(void)
{
	struct itimerval soon = { .it_value = { 0, 1000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIG_B,
			       .sigev_value.sival_ptr = (void *)0x7777 };
	struct itimerspec its = { .it_value = { 0, 1000 } };
	union sigval v = { .sival_ptr = (void *)0x123400005678 };
	siginfo_t in;
	sigset_t set;
	timer_t timer;
	pid_t pid;

	block_all();
	sigfillset(&set);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	REQUIRE(fd >= 0);
	CHECK_ERRNO(read(fd, &si, sizeof(si)), EAGAIN);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(next_signal(), SIGUSR1);
	CHECK_EQ(si.ssi_code, SI_USER);
	CHECK_EQ(si.ssi_pid, getpid());
	CHECK_EQ(si.ssi_uid, getuid());
	CHECK_EQ(si.ssi_ptr, 0);
	CHECK_EQ(si.ssi_addr, 0);
	CHECK_EQ(si.ssi_status, 0);
	CHECK_OK(sigqueue(getpid(), SIG_A, v));
	CHECK_EQ(next_signal(), SIG_A);
	CHECK_EQ(si.ssi_code, SI_QUEUE);
	CHECK_EQ(si.ssi_ptr, 0x123400005678);
	CHECK_EQ(si.ssi_int, 0x5678);
	CHECK_EQ(si.ssi_pid, getpid());
	CHECK_OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2));
	CHECK_EQ(next_signal(), SIGUSR2);
	CHECK_EQ(si.ssi_code, SI_TKILL);
	CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
	CHECK_EQ(next_signal(), SIGALRM);
	CHECK_EQ(si.ssi_code, SI_KERNEL);
	CHECK_EQ(si.ssi_pid, 0);
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	CHECK_OK(timer_settime(timer, 0, &its, NULL));
	CHECK_EQ(next_signal(), SIG_B);
	CHECK_EQ(si.ssi_code, SI_TIMER);
	CHECK_EQ(si.ssi_ptr, 0x7777);
	CHECK_EQ(si.ssi_overrun, 0);
	pid = fork();
	if (!pid)
		_exit(9);
	CHECK_EQ(next_signal(), SIGCHLD);
	CHECK_EQ(si.ssi_code, CLD_EXITED);
	CHECK_EQ(si.ssi_pid, pid);
	CHECK_EQ(si.ssi_status, 9);
	CHECK_EXIT(pid, 9);
	/* What looks like a fault, a SIGIO or a SIGSYS is laid out as one. */
	memset(&in, 0, sizeof(in));
	in.si_code = SEGV_ACCERR;
	in.si_addr = (void *)0xabcd000;
	CHECK_OK(queueinfo(getpid(), SIGSEGV, &in));
	CHECK_EQ(next_signal(), SIGSEGV);
	CHECK_EQ(si.ssi_code, SEGV_ACCERR);
	CHECK_EQ(si.ssi_addr, 0xabcd000);
	CHECK_EQ(si.ssi_pid, 0);
	memset(&in, 0, sizeof(in));
	in.si_code = POLL_IN;
	in.si_band = 0x41;
	in.si_fd = 17;
	CHECK_OK(queueinfo(getpid(), SIGIO, &in));
	CHECK_EQ(next_signal(), SIGIO);
	CHECK_EQ(si.ssi_band, 0x41);
	CHECK_EQ(si.ssi_fd, 17);
	memset(&in, 0, sizeof(in));
	in.si_code = SI_USER;
	in.si_pid = 12;
	in.si_uid = 13;
	CHECK_OK(queueinfo(getpid(), SIGSEGV, &in));
	CHECK_EQ(next_signal(), SIGSEGV);
	CHECK_EQ(si.ssi_pid, 12);
	CHECK_EQ(si.ssi_uid, 13);
}

/* ---- flags of sigaction ---- */

#define UNSUPPORTED 0x400
#define EXPOSE_TAGBITS 0x800

struct kernel_action {
	void *handler;
	unsigned long flags;
#if defined(__x86_64__) || defined(__aarch64__)
	void *restorer;
#endif
	unsigned long mask;
};

/* How a program finds out which flags the kernel knows. Source: sigaction(2), "Dynamically probing for flag bit support". */
static void flag_probing(void)
{
	struct kernel_action a = { 0 }, b = { 0 };
	unsigned long known = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
			      SA_NODEFER | (unsigned)SA_RESETHAND | EXPOSE_TAGBITS;

	a.flags = known | UNSUPPORTED | 0x10000 | 0x20000;
	CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8));
	CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &b, 8));
	CHECK_EQ(b.flags, known);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGKILL, &a, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGSTOP, &a, NULL, 8), EINVAL);
	CHECK_OK(syscall(SYS_rt_sigaction, SIGKILL, NULL, &b, 8));
	CHECK_ERRNO(syscall(SYS_rt_sigaction, 65, NULL, &b, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &b, 4), EINVAL);
}

static volatile uintptr_t fault_at;
static char *guarded;

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	fault_at = (uintptr_t)info->si_addr;
	mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
	/* An address with a tag in it stays what it is: the access is made again and succeeds. */
}

/* SA_EXPOSE_TAGBITS: aarch64 shows the tag of the address, when asked. */
static void tag_bits(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	uintptr_t tagged;

	guarded = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(guarded != MAP_FAILED);
	tagged = (uintptr_t)guarded + 24;
#ifdef __aarch64__
	tagged |= 0xaUL << 56;
#endif
	for (int expose = 0; expose < 2; expose++) {
		sa.sa_flags = SA_SIGINFO | (expose ? EXPOSE_TAGBITS : 0);
		REQUIRE(sigaction(SIGSEGV, &sa, NULL) == 0);
		REQUIRE(mprotect(guarded, 4096, PROT_NONE) == 0);
		*(volatile int *)tagged = 5;
		CHECK_EQ(fault_at, expose ? tagged : (uintptr_t)guarded + 24);
	}
}

/* A death of the parent is told by its number. */
static volatile pid_t from;
static volatile int code;

static void on_death(int sig, siginfo_t *info, void *uc)
{
	from = info->si_pid;
	code = info->si_code;
}

static void parent_death(void)
{
	struct sigaction sa = { .sa_sigaction = on_death, .sa_flags = SA_SIGINFO };
	int fds[2], got[2] = { 0 };
	pid_t middle;

	REQUIRE(pipe(fds) == 0);
	middle = fork();
	if (!middle) {
		int ready[2];
		char c;

		REQUIRE(pipe(ready) == 0);
		if (!fork()) {
			sigaction(SIGUSR1, &sa, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			(void)!write(ready[1], "x", 1);
			(void)TAP_AWAIT(from);
			got[0] = from;
			got[1] = code;
			(void)!write(fds[1], got, sizeof(got));
			_exit(0);
		}
		(void)!read(ready[0], &c, 1);
		_exit(0);
	}
	CHECK_EXIT(middle, 0);
	CHECK_EQ(read(fds[0], got, sizeof(got)), sizeof(got));
	CHECK_EQ(got[0], middle);
	CHECK_EQ(got[1], SI_USER);
}

int main(void)
{
	TAP_FORK(queue_rules);
	TAP_FORK(tail_of_info);
	if (!getuid()) {
		TAP_FORK(pending_limit);
		TAP_FORK(timers_count);
	}
	TAP_FORK(from_signalfd);
	TAP_FORK(flag_probing);
	TAP_FORK(tag_bits);
	TAP_FORK(parent_death);
	return tap_done();
}

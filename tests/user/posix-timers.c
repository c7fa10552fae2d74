/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers: every way to notify, every clock, overruns, settings old and new, what is refused, what fork and exec make of them.
 * Calls go to the kernel itself, because libc has its own idea of SIGEV_THREAD. Sources: timer_create(2), timer_settime(2),
 * timer_getoverrun(2), sigevent(3type).
 */
#include "tap.h"

#include <pthread.h>
#include <sched.h>

#define MS 1000000LL
#define LIMIT_S 60 /* how long anything is waited for */

#define NOTIFY_SIGNAL	 0
#define NOTIFY_NONE	 1
#define NOTIFY_THREAD	 2
#define NOTIFY_THREAD_ID 4

struct event {
	union sigval value;
	int signo, notify, tid;
	char pad[44];
};
_Static_assert(sizeof(struct event) == 64, "sigevent");

static long create(clockid_t clock, struct event *ev, int *id)
{
	return syscall(SYS_timer_create, clock, ev, id);
}

static long settime(int id, int flags, long long value, long long interval, struct itimerspec *old)
{
	struct itimerspec its = { { interval / NSEC_PER_SEC, interval % NSEC_PER_SEC },
				  { value / NSEC_PER_SEC, value % NSEC_PER_SEC } };

	return syscall(SYS_timer_settime, id, flags, &its, old);
}

static int make(clockid_t clock, int notify, int signo)
{
	struct event ev = { .value.sival_int = 4711, .signo = signo, .notify = notify };
	int id = -1;

	CHECK_OK(create(clock, &ev, &id));
	return id;
}

static void delete(int id)
{
	CHECK_OK(syscall(SYS_timer_delete, id));
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int await(int sig, siginfo_t *si)
{
	struct timespec limit = { LIMIT_S, 0 };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, sig);
	do
		r = sigtimedwait(&set, si, &limit);
	while (r == -1 && errno == EINTR);
	return r;
}

static void drop_pending(int sig)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	while (sigtimedwait(&set, NULL, &now) == sig)
		;
}

/* ---- notifying ---- */

static void by_signal(void)
{
	siginfo_t si;
	int id;

	block(SIGRTMIN);
	for (int notify = NOTIFY_SIGNAL; notify <= NOTIFY_THREAD; notify += NOTIFY_THREAD) {
		id = make(CLOCK_MONOTONIC, notify, SIGRTMIN);
		CHECK_OK(settime(id, 0, MS, 0, NULL));
		CHECK_EQ(await(SIGRTMIN, &si), SIGRTMIN);
		CHECK_EQ(si.si_code, SI_TIMER);
		CHECK_EQ(si.si_timerid, id);
		CHECK_EQ(si.si_overrun, 0);
		CHECK_EQ(si.si_value.sival_int, 4711);
		delete (id);
	}
	/* Without a sigevent: SIGALRM, and the timer's number is the value. */
	block(SIGALRM);
	CHECK_OK(create(CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(settime(id, 0, MS, 0, NULL));
	CHECK_EQ(await(SIGALRM, &si), SIGALRM);
	CHECK_EQ(si.si_code, SI_TIMER);
	CHECK_EQ(si.si_value.sival_int, id);
	delete (id);
}

static volatile int caught_by, stop;

static void note_thread(int sig, siginfo_t *si, void *uc)
{
	caught_by = si->si_code == SI_TIMER ? (int)syscall(SYS_gettid) : -1;
}

static volatile int thread_id;

static void *thread(void *arg)
{
	thread_id = (int)syscall(SYS_gettid);
	while (!stop)
		tap_sleep_ms(1);
	return NULL;
}

/* The signal is that thread's, though another one could take it; and it is pending for that thread alone. */
static void by_thread_signal(void)
{
	struct sigaction sa = { .sa_sigaction = note_thread, .sa_flags = SA_SIGINFO };
	struct event ev = { .signo = SIGUSR1, .notify = NOTIFY_THREAD_ID };
	pthread_t t;
	int id;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	while (!thread_id)
		sched_yield();
	for (int turn = 0; turn < 2; turn++) {
		ev.tid = turn ? getpid() : thread_id;
		caught_by = 0;
		CHECK_OK(create(CLOCK_MONOTONIC, &ev, &id));
		CHECK_OK(settime(id, 0, MS, 0, NULL));
		for (long long end = tap_now_ns() + LIMIT_S * NSEC_PER_SEC;
		     !caught_by && tap_now_ns() < end;)
			tap_sleep_ms(1);
		CHECK_EQ(caught_by, ev.tid);
		delete (id);
	}
	/* The thread ends, its timer does not. */
	ev.tid = thread_id;
	CHECK_OK(create(CLOCK_MONOTONIC, &ev, &id));
	stop = 1;
	pthread_join(t, NULL);
	CHECK_OK(settime(id, 0, 1, MS, NULL));
	tap_sleep_ms(5);
	delete (id);
	/* It is joined before it is quite gone. */
	while (create(CLOCK_MONOTONIC, &ev, &id) == 0) {
		delete (id);
		sched_yield();
	}
	CHECK_EQ(errno, EINVAL);
}

/* ---- clocks ---- */

static void burn_until_pending(int sig)
{
	sigset_t set;
	long long end = tap_now_ns() + LIMIT_S * NSEC_PER_SEC;

	do
		sigpending(&set);
	while (!sigismember(&set, sig) && tap_now_ns() < end);
	CHECK(sigismember(&set, sig));
}

static void each_clock(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME,	      CLOCK_MONOTONIC,
					    CLOCK_BOOTTIME,	      CLOCK_TAI,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	siginfo_t si;

	block(SIGUSR1);
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		for (int absolute = 0; absolute < 2; absolute++) {
			int id = make(clocks[i], NOTIFY_SIGNAL, SIGUSR1);
			long long at = 2 * MS + (absolute ? tap_clock_ns(clocks[i]) : 0);

			CHECK_OK(settime(id, absolute ? TIMER_ABSTIME : 0, at, 0, NULL));
			burn_until_pending(SIGUSR1);
			if (absolute)
				CHECK(tap_clock_ns(clocks[i]) >= at);
			CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
			CHECK_EQ(si.si_timerid, id);
			/* a time that is over */
			CHECK_OK(settime(id, TIMER_ABSTIME, 1, 0, NULL));
			burn_until_pending(SIGUSR1);
			CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
			delete (id);
		}
	}
}

static void *burner(void *arg)
{
	thread_id = (int)syscall(SYS_gettid);
	while (!stop)
		;
	return NULL;
}

/* The clock of another thread of the process counts what that thread uses. */
static void clock_of_thread(void)
{
	clockid_t clock;
	siginfo_t si;
	pthread_t t;
	int id;

	block(SIGUSR1);
	thread_id = stop = 0;
	CHECK_EQ(pthread_create(&t, NULL, burner, NULL), 0);
	CHECK_EQ(pthread_getcpuclockid(t, &clock), 0);
	id = make(clock, NOTIFY_SIGNAL, SIGUSR1);
	CHECK_OK(settime(id, 0, 2 * MS, 0, NULL));
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK_EQ(si.si_timerid, id);
	stop = 1;
	pthread_join(t, NULL);
	delete (id);
}

/* ---- the CPU time of another process ---- */

static clockid_t clock_of(pid_t pid)
{
	clockid_t clock;

	REQUIRE(clock_getcpuclockid(pid, &clock) == 0);
	return clock;
}

static pid_t burning_child(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			;
	REQUIRE(pid > 0);
	return pid;
}

static void other_process(void)
{
	pid_t pid = burning_child();
	clockid_t clock = clock_of(pid);
	long long before = tap_clock_ns(clock);
	struct timespec ts = { 0, 5 * MS };
	struct itimerspec its;
	siginfo_t si;
	int id;

	block(SIGUSR1);
	id = make(clock, NOTIFY_SIGNAL, SIGUSR1);
	CHECK_OK(settime(id, 0, 5 * MS, 2 * MS, NULL));
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK(tap_clock_ns(clock) - before >= 5 * MS);
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK_OK(settime(id, 0, 0, 0, &its));
	CHECK_EQ(its.it_interval.tv_nsec, 2 * MS);
	drop_pending(SIGUSR1);
	before = tap_clock_ns(clock);
	CHECK_OK(settime(id, TIMER_ABSTIME, before + 3 * MS, 0, NULL));
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK(tap_clock_ns(clock) - before >= 3 * MS);
	before = tap_clock_ns(clock);
	CHECK_EQ(clock_nanosleep(clock, 0, &ts, NULL), 0);
	CHECK(tap_clock_ns(clock) - before >= 5 * MS);
	/* Stopped, it uses no time; ended and waited for, it is nobody. */
	kill(pid, SIGSTOP);
	CHECK(tap_wait_state(pid, 'T'));
	CHECK_OK(settime(id, 0, 2 * MS, 0, NULL));
	tap_sleep_ms(50);
	CHECK_OK(syscall(SYS_timer_gettime, id, &its));
	CHECK(its.it_value.tv_nsec > 0 && its.it_value.tv_nsec <= 2 * MS);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERRNO(settime(id, 0, 2 * MS, 0, NULL), ESRCH);
	CHECK_OK(syscall(SYS_timer_gettime, id, &its));
	CHECK_EQ(its.it_value.tv_nsec, 0);
	CHECK_ERRNO(syscall(SYS_clock_gettime, clock, &ts), EINVAL);
	CHECK_ERRNO(create(clock, NULL, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, clock, 0, &ts, NULL), EINVAL);
}

static void count_signals(pid_t pid)
{
	int id;
	siginfo_t si;

	block(SIGUSR1);
	id = make(clock_of(pid), NOTIFY_SIGNAL, SIGUSR1);
	CHECK_OK(settime(id, 0, MS, MS, NULL));
	for (int i = 0; i < 20; i++) {
		burn_until_pending(SIGUSR1);
		CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	}
}

static int burn(void *unused)
{
	for (;;)
		;
	return 0;
}

/* A process that shares this one's actions, hence the lock that both times are read under. */
static void of_the_same_actions(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(burn, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
	siginfo_t si;
	int id;

	REQUIRE(pid > 0);
	block(SIGUSR1);
	id = make(clock_of(pid), NOTIFY_SIGNAL, SIGUSR1);
	CHECK_OK(settime(id, 0, 5 * MS, 0, NULL));
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK(tap_clock_ns(clock_of(pid)) >= 5 * MS);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

/* Each looks at the other's time while that looks at its own. */
static void each_other(void)
{
	pid_t parent = getpid(), pid;
	int done[2];
	char ok = 0;

	CHECK_OK(pipe(done));
	pid = fork();
	if (!pid) {
		count_signals(parent);
		ok = tap_nfailed == 0;
		write(done[1], &ok, 1);
		for (;;)
			; /* so that the parent's timer goes on */
	}
	count_signals(pid);
	CHECK_EQ(fcntl(done[0], F_SETFL, O_NONBLOCK), 0);
	for (long long end = tap_now_ns() + LIMIT_S * NSEC_PER_SEC;
	     read(done[0], &ok, 1) != 1 && tap_now_ns() < end;)
		; /* so that the child's timer goes on */
	CHECK(ok);
	kill(pid, SIGKILL);
	tap_wait(pid);
}

/* ---- settings ---- */

static void settings(void)
{
	int id = make(CLOCK_MONOTONIC, NOTIFY_SIGNAL, SIGUSR1);
	struct itimerspec its;

	block(SIGUSR1);
	memset(&its, 0xff, sizeof(its));
	CHECK_OK(syscall(SYS_timer_gettime, id, &its));
	CHECK(!its.it_value.tv_sec && !its.it_value.tv_nsec && !its.it_interval.tv_nsec);
	CHECK_OK(settime(id, 0, 1000 * NSEC_PER_SEC, 7 * MS, &its));
	CHECK(!its.it_value.tv_sec && !its.it_value.tv_nsec);
	CHECK_OK(syscall(SYS_timer_gettime, id, &its));
	CHECK(its.it_value.tv_sec >= 900 && its.it_value.tv_sec <= 1000);
	CHECK_EQ(its.it_interval.tv_nsec, 7 * MS);
	/* stopped: the old setting is told */
	memset(&its, 0, sizeof(its));
	CHECK_OK(settime(id, 0, 0, 0, &its));
	CHECK(its.it_value.tv_sec >= 900 && its.it_value.tv_sec <= 1000);
	CHECK_EQ(its.it_interval.tv_nsec, 7 * MS);
	CHECK_OK(syscall(SYS_timer_gettime, id, &its));
	CHECK(!its.it_value.tv_sec && !its.it_value.tv_nsec);
	delete (id);
	CHECK_ERRNO(syscall(SYS_timer_gettime, id, &its), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_delete, id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_getoverrun, id), EINVAL);
}

/* While the signal waits to be taken, periods are counted. */
static void overruns(void)
{
	int id = make(CLOCK_MONOTONIC, NOTIFY_SIGNAL, SIGUSR1);
	siginfo_t si;

	block(SIGUSR1);
	CHECK_EQ(syscall(SYS_timer_getoverrun, id), 0);
	CHECK_OK(settime(id, 0, MS, MS, NULL));
	tap_sleep_ms(25);
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	CHECK(si.si_overrun >= 20);
	CHECK_EQ(syscall(SYS_timer_getoverrun, id), si.si_overrun);
	/* and it goes on */
	CHECK_EQ(await(SIGUSR1, &si), SIGUSR1);
	delete (id);
}

static void refused(void)
{
	struct event ev = { .signo = SIGUSR1, .notify = 3 };
	struct itimerspec its = { { 0, 0 }, { 1, 0 } };
	pid_t other = tap_spawn((void (*)(void))pause);
	int id = 99;

	CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.notify = NOTIFY_THREAD | NOTIFY_THREAD_ID;
	ev.tid = getpid();
	CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.notify = NOTIFY_THREAD_ID;
	ev.tid = other; /* somebody else's */
	CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.tid = 0;
	CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.tid = getpid();
	for (int signo = 0; signo <= 65; signo += 65) {
		ev.signo = signo;
		CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, &id), EINVAL);
	}
	CHECK_EQ(id, 99);
	CHECK_ERRNO(create(CLOCK_MONOTONIC, (void *)8, &id), EFAULT);
	ev = (struct event){ .signo = SIGUSR1 };
	CHECK_ERRNO(create(CLOCK_MONOTONIC, &ev, (void *)8), EFAULT);
	CHECK_ERRNO(create(77, &ev, &id), EINVAL);
	CHECK_ERRNO(create(CLOCK_MONOTONIC_COARSE, &ev, &id), EOPNOTSUPP);
	CHECK_ERRNO(create(CLOCK_REALTIME_COARSE, &ev, &id), EOPNOTSUPP);
	CHECK_ERRNO(create(CLOCK_MONOTONIC_RAW, &ev, &id), EOPNOTSUPP);
	id = make(CLOCK_MONOTONIC, NOTIFY_NONE, 0);
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, (void *)8, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, &its, (void *)8), EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_gettime, id, (void *)8), EFAULT);
	its.it_value.tv_nsec = NSEC_PER_SEC;
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, &its, NULL), EINVAL);
	its = (struct itimerspec){ { 0, -1 }, { 1, 0 } };
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, &its, NULL), EINVAL);
	its = (struct itimerspec){ { 0, 0 }, { -1, 0 } };
	CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, &its, NULL), EINVAL);
	delete (id);
	kill(other, SIGKILL);
	CHECK_KILLED(other, SIGKILL);
}

/* Clocks that wake a sleeping machine: only where there is a device for that, and for those who may. */
static void waking_clocks(void)
{
	struct event ev = { .signo = SIGUSR1 };
	long r;
	int id;

	r = create(CLOCK_BOOTTIME_ALARM, &ev, &id);
	CHECK(r == 0 || errno == EOPNOTSUPP || errno == EPERM);
	if (tap_on_caelum())
		CHECK_ERRNO(create(CLOCK_REALTIME_ALARM, &ev, &id), EOPNOTSUPP);
}

/* ---- fork, exec ---- */

static void own_ones(int argc, char **argv)
{
	struct itimerspec its;
	int id = argc > 1 ? atoi(argv[1]) : make(CLOCK_MONOTONIC, NOTIFY_SIGNAL, SIGUSR1);
	char number[16];
	pid_t pid;

	if (argc > 1) /* after exec: it is gone */
		_exit(syscall(SYS_timer_gettime, id, &its) == -1 && errno == EINVAL ? 0 : 1);
	pid = fork();
	if (!pid)
		_exit(syscall(SYS_timer_gettime, id, &its) == -1 && errno == EINVAL ? 0 : 1);
	CHECK_EXIT(pid, 0);
	CHECK_OK(settime(id, 0, 3600 * NSEC_PER_SEC, 0, NULL));
	pid = fork();
	if (!pid) {
		id = make(CLOCK_MONOTONIC, NOTIFY_SIGNAL, SIGUSR1);
		CHECK_OK(settime(id, 0, 3600 * NSEC_PER_SEC, 0, NULL));
		snprintf(number, sizeof(number), "%d", id);
		execl("/proc/self/exe", argv[0], number, (char *)NULL);
		_exit(2);
	}
	CHECK_EXIT(pid, 0);
	delete (id);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		own_ones(argc, argv);
	TAP_FORK(by_signal);
	TAP_FORK(by_thread_signal);
	TAP_FORK(each_clock);
	TAP_FORK(clock_of_thread);
	TAP_FORK(other_process);
	TAP_FORK(of_the_same_actions);
	TAP_FORK(each_other);
	TAP_FORK(settings);
	TAP_FORK(overruns);
	TAP_FORK(refused);
	TAP_FORK(waking_clocks);
	tap_current = "own_ones";
	own_ones(argc, argv);
	return tap_done();
}

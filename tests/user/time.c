/* SPDX-License-Identifier: MIT */
/*
 * Clocks, sleeps and timers: monotonic order, resolution, absolute and relative sleeps, interval and
 * POSIX timers, processor-time clocks.
 */
#include "tap.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static volatile sig_atomic_t hits;
static volatile int last_value, last_code, last_overrun;

static void record(int sig, siginfo_t *info, void *context)
{
	hits++;
	last_value = info->si_value.sival_int;
	last_code = info->si_code;
	last_overrun = info->si_overrun;
}

static void install(int sig)
{
	struct sigaction sa = { .sa_sigaction = record, .sa_flags = SA_SIGINFO };

	REQUIRE(sigaction(sig, &sa, NULL) == 0);
	hits = 0;
}

static void await_hits(int n)
{
	CHECK(TAP_AWAIT(hits >= n));
}

static void clocks(void)
{
	const clockid_t ids[] = { CLOCK_REALTIME,	    CLOCK_MONOTONIC,
				  CLOCK_MONOTONIC_RAW,	    CLOCK_REALTIME_COARSE,
				  CLOCK_MONOTONIC_COARSE,   CLOCK_BOOTTIME,
				  CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	struct timespec ts;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		CHECK_OK(clock_gettime(ids[i], &ts));
		CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < NSEC_PER_SEC && ts.tv_sec >= 0);
		CHECK_OK(clock_getres(ids[i], &ts));
		CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0 && ts.tv_nsec <= 10000000);
	}
	CHECK_ERRNO(clock_gettime(99, &ts), EINVAL);
	CHECK_ERRNO(clock_getres(99, &ts), EINVAL);
	ts = (struct timespec){ 0, 0 };
	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &ts), EINVAL);
}

static void never_backwards(void)
{
	long long last = tap_now_ns(), changes = 0;

	for (int i = 0; i < 20000; i++) {
		long long now = tap_now_ns();

		if (now < last)
			CHECK(!"the monotonic clock went backwards");
		changes += now != last;
		last = now;
	}
	CHECK(changes > 100);
}

static void *watch_clock(void *arg)
{
	static long long newest;

	for (int i = 0; i < 5000; i++) {
		long long seen = __atomic_load_n(&newest, __ATOMIC_SEQ_CST), now = tap_now_ns();

		if (now < seen)
			return (void *)1;
		while (now > seen &&
		       !__atomic_compare_exchange_n(&newest, &seen, now, 0, __ATOMIC_SEQ_CST,
						    __ATOMIC_SEQ_CST))
			;
	}
	return NULL;
}

/* Several CPUs agree on the order of time. */
static void same_on_all_cpus(void)
{
	pthread_t threads[4];
	void *wrong;

	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, watch_clock, NULL) == 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		CHECK(wrong == NULL);
	}
}

static void realtime_agrees(void)
{
	long long real = tap_clock_ns(CLOCK_REALTIME);
	struct timeval tv;
	time_t t;

	CHECK_OK(gettimeofday(&tv, NULL));
	t = time(NULL);
	long long late = (tv.tv_sec * 1000000LL + tv.tv_usec) - real / 1000;
	CHECK(late >= -1 && late < 100000000);
	CHECK(t >= real / NSEC_PER_SEC && t <= real / NSEC_PER_SEC + 100);
}

static void sleeps(void)
{
	struct timespec ts = { 0, 20000000 }, rem = { 9, 9 };
	long long start = tap_now_ns(), took;

	CHECK_OK(nanosleep(&ts, &rem));
	took = tap_now_ns() - start;
	CHECK(took >= 20000000 && took < 100 * NSEC_PER_SEC);
	ts.tv_nsec = 1000000000;
	CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
	ts = (struct timespec){ -1, 0 };
	CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(99, 0, &rem, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &rem, NULL), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0); /* now: at once */
	start = tap_now_ns();
	ts.tv_nsec += 30000000;
	ts.tv_sec += ts.tv_nsec / NSEC_PER_SEC;
	ts.tv_nsec %= NSEC_PER_SEC;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(tap_now_ns() >= ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
}

/* An interrupted relative sleep says what is left; an absolute one does not. */
static void interrupted_sleep(void)
{
	struct timespec ts = { 1000, 0 }, rem = { 9999, 0 };

	install(SIGALRM);
	tap_tick(10);
	CHECK_ERRNO(nanosleep(&ts, &rem), EINTR);
	CHECK(rem.tv_sec >= 800 && rem.tv_sec < 1000);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 1000;
	rem.tv_sec = 9999;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, &rem), EINTR);
	CHECK_EQ(rem.tv_sec, 9999);
	tap_tick(0);
}

static void interval_timers(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } }, old;

	install(SIGALRM);
	CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
	await_hits(4);
	CHECK_OK(getitimer(ITIMER_REAL, &old));
	CHECK_EQ(old.it_interval.tv_usec, 5000);
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 5000);
	it = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	CHECK_OK(setitimer(ITIMER_REAL, &it, &old));
	CHECK_EQ(old.it_interval.tv_usec, 5000);
	hits = 0;
	tap_sleep_ms(15);
	CHECK_EQ(hits, 0);
	CHECK_ERRNO(setitimer(9, &it, NULL), EINVAL);
	it.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
}

static void burn_cpu(long ms)
{
	long long end = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000;

	while (tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
}

static void processor_timers(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 10000 } };

	install(SIGVTALRM);
	CHECK_OK(setitimer(ITIMER_VIRTUAL, &it, NULL));
	for (long long end = tap_now_ns() + TAP_LIMIT_MS * 1000000; !hits && tap_now_ns() < end;)
		for (volatile int k = 0; k < 1000000; k++)
			;
	CHECK_EQ(hits, 1);
	install(SIGPROF);
	CHECK_OK(setitimer(ITIMER_PROF, &it, NULL));
	for (int i = 0; i < 1000 && hits == 0; i++)
		burn_cpu(5);
	CHECK_EQ(hits, 1);
}

static int is_pending(int sig)
{
	sigset_t set;

	CHECK_OK(sigpending(&set));
	return sigismember(&set, sig);
}

static void posix_timers(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, old;
	timer_t timer;
	sigset_t set;

	ev.sigev_value.sival_int = 4711;
	install(SIGRTMIN);
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	CHECK_OK(timer_settime(timer, 0, &it, NULL));
	await_hits(3);
	CHECK_EQ(last_value, 4711);
	CHECK_EQ(last_code, SI_TIMER);
	CHECK_OK(timer_gettime(timer, &old));
	CHECK_EQ(old.it_interval.tv_nsec, 5000000);
	/* blocked: expirations are counted, one signal comes */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(TAP_AWAIT(is_pending(SIGRTMIN)));
	tap_sleep_ms(30);
	it = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
	hits = 0;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(hits >= 1);
	CHECK(last_overrun >= 2 || timer_getoverrun(timer) >= 0);
	CHECK_OK(timer_settime(timer, 0, &it, &old));
	CHECK_OK(timer_delete(timer));
	CHECK_ERRNO(timer_create(99, &ev, &timer), EINVAL);
	ev.sigev_signo = 99;
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &ev, &timer), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_delete, 4444), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_settime, 4444, 0, &it, NULL), EINVAL);
}

static void silent_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	struct itimerspec it = { { 0, 0 }, { 1000, 0 } }, now;
	timer_t timer;

	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	CHECK_OK(timer_settime(timer, 0, &it, NULL));
	tap_sleep_ms(5);
	CHECK_OK(timer_gettime(timer, &now));
	CHECK(now.it_value.tv_sec >= 800 && now.it_value.tv_sec < 1000);
	CHECK_EQ(timer_getoverrun(timer), 0);
	CHECK_OK(timer_delete(timer));
}

static void processor_time(void)
{
	long long before = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID), slept = 0;
	struct rusage ru;
	struct tms t;
	clockid_t clock;

	char *memory = malloc(4 << 20);

	memset(memory, 1, 4 << 20);
	__asm__ volatile("" ::"r"(memory) : "memory");
	/* Sleeping costs no processor time; what a machine takes that runs this one cannot always be told from it. */
	for (int i = 0; i == 0 || (i < 20 && slept >= 25000000); i++) {
		before = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		tap_sleep_ms(30);
		slept = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	}
	CHECK(slept < 25000000);
	burn_cpu(40);
	CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	long us = ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
		  ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec;
	CHECK(us >= 35000);
	CHECK(ru.ru_maxrss > 2048);
	CHECK((long)times(&t) != -1);
	CHECK(t.tms_utime + t.tms_stime >= 2);
	free(memory);
	CHECK_ERRNO(getrusage(99, &ru), EINVAL);
	CHECK_EQ(clock_getcpuclockid(0, &clock), 0);
	CHECK(tap_clock_ns(clock) >= before);
}

static pthread_t burner;
static volatile int ticks, astray;

static void count_tick(int sig)
{
	if (pthread_self() == burner)
		ticks++;
	else
		astray++;
}

static void *burn(void *arg)
{
	struct itimerspec every = { { 0, 1000000 }, { 0, 1000000 } };
	timer_t id;

	burner = pthread_self();
	CHECK(tap_wait_state(getpid(), 'S')); /* while it runs, it may get the signal */
	CHECK_OK(timer_create(CLOCK_PROCESS_CPUTIME_ID, NULL, &id));
	CHECK_OK(timer_settime(id, 0, &every, NULL));
	for (time_t end = time(NULL) + TAP_LIMIT_MS / 1000;
	     ticks < 20 && !astray && time(NULL) < end;)
		;
	CHECK_OK(timer_delete(id));
	return NULL;
}

/* A timer's signal for the process is the running thread's, not the one's that sleeps. */
static void timer_finds_running_thread(void)
{
	/* Not blocked in its handler: else the next one, on a slow machine, is for who does not block it. */
	struct sigaction action = { .sa_handler = count_tick, .sa_flags = SA_NODEFER };
	pthread_t t;

	CHECK_OK(sigaction(SIGALRM, &action, NULL));
	CHECK_EQ(pthread_create(&t, NULL, burn, NULL), 0);
	pthread_join(t, NULL);
	CHECK(ticks >= 20);
	CHECK_EQ(astray, 0);
}

/* A new setting takes back the signal of the old one that is still pending. */
static void setting_withdraws(void)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 1000000 } }, late = { { 0, 0 }, { 1000, 0 } };
	sigset_t set;
	timer_t id;

	signal(SIGALRM, count_tick);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(timer_settime(id, 0, &soon, NULL));
	CHECK(TAP_AWAIT(is_pending(SIGALRM)));
	CHECK_OK(timer_settime(id, 0, &late, NULL));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(astray + ticks, 0);
	CHECK_OK(timer_delete(id));
}

static void yielding(void)
{
	for (int i = 0; i < 100; i++)
		CHECK_OK(sched_yield());
}

int main(void)
{
	TAP_RUN(clocks);
	TAP_RUN(never_backwards);
	TAP_RUN(same_on_all_cpus);
	TAP_RUN(realtime_agrees);
	TAP_RUN(sleeps);
	TAP_RUN(interrupted_sleep);
	TAP_RUN(interval_timers);
	TAP_RUN(processor_timers);
	TAP_RUN(posix_timers);
	TAP_RUN(silent_timer);
	TAP_RUN(processor_time);
	TAP_FORK(timer_finds_running_thread);
	TAP_FORK(setting_withdraws);
	TAP_RUN(yielding);
	return tap_done();
}

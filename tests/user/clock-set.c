/* SPDX-License-Identifier: MIT */
/*
 * The clock of the day: what waits for a time of it follows when it is set; adjtimex. Steps are small and taken back, for the
 * sake of the machine this runs on. clock_settime(2), timerfd_create(2), adjtimex(2).
 */
#include "tap.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET 2
#endif
#define MS 1000000LL

static long long now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static struct timespec to_ts(long long ns)
{
	return (struct timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

static int step(long long ns)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	tx.time.tv_sec = ns < 0 ? -1 : 0;
	tx.time.tv_usec = ns < 0 ? ns + NSEC_PER_SEC : ns;
	return adjtimex(&tx);
}

/* In 60 ms the clock goes on by 400, and in 60 more back again. */
static pid_t stepper(void)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(60000);
		if (step(400 * MS) < 0)
			_exit(1);
		usleep(60000);
		_exit(step(-400 * MS) < 0);
	}
	return pid;
}

static void sleep_follows(void)
{
	long long start = now_ns(CLOCK_MONOTONIC), took;
	struct timespec ts = to_ts(now_ns(CLOCK_REALTIME) + 420 * MS);
	pid_t pid = stepper();

	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
	took = now_ns(CLOCK_MONOTONIC) - start;
	CHECK(took < 400 * MS);
	CHECK_EXIT(pid, 0);
}

/* Relative sleeps do not care. */
static void relative_sleep_stays(void)
{
	long long start = now_ns(CLOCK_MONOTONIC), took;
	struct timespec ts = to_ts(200 * MS);
	pid_t pid = stepper();

	while (clock_nanosleep(CLOCK_REALTIME, 0, &ts, &ts) == EINTR)
		;
	took = now_ns(CLOCK_MONOTONIC) - start;
	CHECK(took >= 200 * MS);
	CHECK_EXIT(pid, 0);
}

static void timer_follows(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	long long start = now_ns(CLOCK_MONOTONIC);
	struct itimerspec its = { .it_value = to_ts(now_ns(CLOCK_REALTIME) + 420 * MS) };
	struct timespec limit = { 3, 0 };
	sigset_t set;
	timer_t id;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REQUIRE(!timer_create(CLOCK_REALTIME, &ev, &id));
	CHECK_OK(timer_settime(id, TIMER_ABSTIME, &its, NULL));
	pid = stepper();
	CHECK_EQ(sigtimedwait(&set, NULL, &limit), SIGUSR1);
	CHECK(now_ns(CLOCK_MONOTONIC) - start < 400 * MS);
	CHECK_EXIT(pid, 0);
}

static void timerfd_follows(void)
{
	long long start = now_ns(CLOCK_MONOTONIC);
	struct itimerspec its = { .it_value = to_ts(now_ns(CLOCK_REALTIME) + 420 * MS) };
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	uint64_t n;
	pid_t pid;

	REQUIRE(fd >= 0);
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	pid = stepper();
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(now_ns(CLOCK_MONOTONIC) - start < 400 * MS);
	CHECK_EXIT(pid, 0);
}

static void timerfd_cancelled(void)
{
	struct itimerspec its = { .it_value = to_ts(now_ns(CLOCK_REALTIME) + 3600 * NSEC_PER_SEC) };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;
	pid_t pid;

	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	pid = stepper();
	CHECK_EQ(poll(&p, 1, 3000), 1);
	CHECK_ERRNO(read(fd, &n, 8), ECANCELED);
	CHECK_EXIT(pid, 0);
	its.it_value = to_ts(now_ns(CLOCK_REALTIME) + 3600 * NSEC_PER_SEC);
	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
}

static void adjtimex_rules(void)
{
	struct timex old = { 0 }, tx;

	REQUIRE(adjtimex(&old) >= 0);
	CHECK(old.tick >= 9000 && old.tick <= 11000);
	tx = old;
	tx.modes = ADJ_TICK;
	tx.tick = 8999;
	CHECK_ERRNO(adjtimex(&tx), EINVAL);
	tx.tick = 11001;
	CHECK_ERRNO(adjtimex(&tx), EINVAL);
	tx = old;
	tx.modes = ADJ_SETOFFSET;
	tx.time.tv_sec = 0;
	tx.time.tv_usec = 1000000;
	CHECK_ERRNO(adjtimex(&tx), EINVAL);
	tx = old;
	tx.modes = ADJ_FREQUENCY;
	tx.freq = 100 << 16;
	CHECK(adjtimex(&tx) >= 0);
	CHECK_EQ(tx.freq, 100 << 16);
	tx.modes = 0;
	tx.freq = 0;
	CHECK(adjtimex(&tx) >= 0);
	CHECK_EQ(tx.freq, 100 << 16);
	tx.modes = ADJ_FREQUENCY;
	tx.freq = 1 << 30;
	CHECK(adjtimex(&tx) >= 0);
	CHECK_EQ(tx.freq, 500 << 16);
	old.modes = ADJ_FREQUENCY;
	CHECK(adjtimex(&old) >= 0);
	CHECK_ERRNO(adjtimex((void *)8), EFAULT);
	tx.modes = 0x8000;
	CHECK_ERRNO(adjtimex(&tx), EINVAL);
	CHECK_OK(setresuid(65534, 65534, 65534));
	tx.modes = ADJ_FREQUENCY;
	CHECK_ERRNO(adjtimex(&tx), EPERM);
	tx.modes = 0;
	CHECK(adjtimex(&tx) >= 0);
}

int main(void)
{
	if (geteuid())
		SKIP("only root may set the clock");
	TAP_FORK(sleep_follows);
	TAP_FORK(relative_sleep_stays);
	TAP_FORK(timer_follows);
	TAP_FORK(timerfd_follows);
	TAP_FORK(timerfd_cancelled);
	TAP_FORK(adjtimex_rules);
	return tap_done();
}

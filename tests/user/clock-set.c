/* SPDX-License-Identifier: MIT */
/*
 * The clock of the day: what waits for a time of it follows when it is set; adjtimex. Steps are taken back at once, for the sake of
 * the machine this runs on. clock_settime(2), timerfd_create(2), adjtimex(2).
 */
#include "tap.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET 2
#endif
#define NR_FUTEX_WAITV 449
#define LOCK_PI 6
#define WAIT_BITSET_REALTIME (9 | 256)
#define MS 1000000LL

static struct timespec to_ts(long long ns)
{
	return (struct timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

/* A step that no machine is slow enough to make up for by waiting, with fractions of a second in it. */
#define STEP (1000 * NSEC_PER_SEC + 400 * MS)

static int step(long long ns)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	tx.time.tv_sec = ns < 0 ? (ns + 1) / NSEC_PER_SEC - 1 : ns / NSEC_PER_SEC;
	tx.time.tv_usec = ns - tx.time.tv_sec * NSEC_PER_SEC;
	return adjtimex(&tx);
}

/* The time that the clock shows after a step. */
static struct timespec after_step(void)
{
	return to_ts(tap_clock_ns(CLOCK_REALTIME) + STEP - MS);
}

/* When its parent sleeps, the clock goes on by a step, and back again when the parent says so by @fd, or has ended. */
static pid_t stepper(int *fd)
{
	int back[2];
	pid_t parent = getpid(), pid;
	char c;

	REQUIRE(pipe(back) == 0);
	pid = fork();
	if (!pid) {
		close(back[1]);
		if (!tap_wait_state(parent, 'S') || step(STEP) < 0)
			_exit(1);
		(void)!read(back[0], &c, 1);
		_exit(step(-STEP) < 0);
	}
	close(back[0]);
	*fd = back[1];
	return pid;
}

static void step_back(int fd, pid_t pid)
{
	close(fd);
	CHECK_EXIT(pid, 0);
}

static void sleep_follows(void)
{
	struct timespec ts = after_step();
	long long start = tap_now_ns();
	int fd;
	pid_t pid = stepper(&fd);

	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(tap_now_ns() - start < STEP - MS);
	step_back(fd, pid);
}

/* A wait for a word until a time of the day: by the old call, the new one, and for a lock. */
static long wait_bitset(uint32_t *word, struct timespec *ts)
{
	return syscall(SYS_futex, word, WAIT_BITSET_REALTIME, 0, ts, NULL, ~0u);
}

static long wait_vector(uint32_t *word, struct timespec *ts)
{
	struct {
		uint64_t val, addr;
		uint32_t flags, reserved;
	} v = { 0, (uintptr_t)word, 2, 0 };

	return syscall(NR_FUTEX_WAITV, &v, 1, 0, ts, CLOCK_REALTIME);
}

static long wait_lock(uint32_t *word, struct timespec *ts)
{
	*word = (uint32_t)getppid(); /* who does not unlock it */
	return syscall(SYS_futex, word, LOCK_PI, 0, ts, NULL, 0);
}

static void futex_follows(void)
{
	long (*const waits[])(uint32_t *, struct timespec *) = { wait_bitset, wait_vector,
								 wait_lock };

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		struct timespec ts = after_step();
		long long start = tap_now_ns();
		uint32_t word = 0;
		int fd;
		pid_t pid = stepper(&fd);

		CHECK_ERRNO(waits[i](&word, &ts), ETIMEDOUT);
		CHECK(tap_now_ns() - start < STEP - MS);
		step_back(fd, pid);
	}
}

/* Relative sleeps do not care. */
static void relative_sleep_stays(void)
{
	long long start = tap_now_ns();
	struct timespec ts = to_ts(200 * MS);
	int fd;
	pid_t pid = stepper(&fd);

	while (clock_nanosleep(CLOCK_REALTIME, 0, &ts, &ts) == EINTR)
		;
	CHECK(tap_now_ns() - start >= 200 * MS);
	step_back(fd, pid);
}

static void timer_follows(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec its = { .it_value = after_step() };
	struct timespec limit = { TAP_LIMIT_MS / 1000, 0 };
	sigset_t set;
	timer_t id;
	pid_t pid;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REQUIRE(!timer_create(CLOCK_REALTIME, &ev, &id));
	CHECK_OK(timer_settime(id, TIMER_ABSTIME, &its, NULL));
	pid = stepper(&fd);
	CHECK_EQ(sigtimedwait(&set, NULL, &limit), SIGUSR1);
	step_back(fd, pid);
}

static void timerfd_follows(void)
{
	struct itimerspec its = { .it_value = after_step() };
	int fd = timerfd_create(CLOCK_REALTIME, 0), back;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;
	pid_t pid;

	REQUIRE(fd >= 0);
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	pid = stepper(&back);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(read(fd, &n, 8), 8);
	step_back(back, pid);
}

static void timerfd_cancelled(void)
{
	struct itimerspec its = { .it_value = to_ts(tap_clock_ns(CLOCK_REALTIME) +
						    3600 * NSEC_PER_SEC) };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), back;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;
	pid_t pid;

	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	pid = stepper(&back);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_ERRNO(read(fd, &n, 8), ECANCELED);
	step_back(back, pid);
	its.it_value = to_ts(tap_clock_ns(CLOCK_REALTIME) + 3600 * NSEC_PER_SEC);
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

static void set_tai(long seconds)
{
	struct timex tx = { .modes = ADJ_TAI, .constant = seconds };

	CHECK(adjtimex(&tx) >= 0);
}

static long long now_by_call(clockid_t clock)
{
	struct timespec ts;

	CHECK_OK(syscall(SYS_clock_gettime, clock, &ts));
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* CLOCK_TAI is ahead of CLOCK_REALTIME by what adjtimex sets, whichever way it is read. */
static void check_tai(long long (*now)(clockid_t), long seconds)
{
	long long before = now(CLOCK_REALTIME), tai = now(CLOCK_TAI), after = now(CLOCK_REALTIME);

	CHECK(tai - before >= seconds * NSEC_PER_SEC);
	CHECK(tai - after <= seconds * NSEC_PER_SEC);
}

/* Times of it are such times: were the offset forgotten, these would come 3,600 seconds late. */
static void tai_times(void)
{
	struct timespec ts = to_ts(tap_clock_ns(CLOCK_TAI) + 5 * MS),
			limit = { TAP_LIMIT_MS / 1000, 0 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec its;
	sigset_t set;
	timer_t id;

	CHECK_EQ(clock_nanosleep(CLOCK_TAI, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(tap_clock_ns(CLOCK_TAI) >= ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REQUIRE(!timer_create(CLOCK_TAI, &ev, &id));
	its = (struct itimerspec){ .it_value = to_ts(tap_clock_ns(CLOCK_TAI) + 5 * MS) };
	CHECK_OK(timer_settime(id, TIMER_ABSTIME, &its, NULL));
	CHECK_EQ(sigtimedwait(&set, NULL, &limit), SIGUSR1);
	CHECK_OK(timer_delete(id));
}

static void tai_offset(void)
{
	struct timex old = { 0 }, tx = { 0 };

	REQUIRE(adjtimex(&old) >= 0);
	set_tai(3600);
	CHECK(adjtimex(&tx) >= 0);
	CHECK_EQ(tx.tai, 3600);
	check_tai(tap_clock_ns, 3600);
	check_tai(now_by_call, 3600);
	alarm(TAP_LIMIT_MS / 1000);
	tai_times();
	set_tai(-1); /* not taken */
	check_tai(tap_clock_ns, 3600);
	set_tai(old.tai);
	check_tai(now_by_call, old.tai);
}

int main(void)
{
	if (geteuid())
		SKIP("only root may set the clock");
	TAP_FORK(sleep_follows);
	TAP_FORK(futex_follows);
	TAP_FORK(relative_sleep_stays);
	TAP_FORK(timer_follows);
	TAP_FORK(timerfd_follows);
	TAP_FORK(timerfd_cancelled);
	TAP_FORK(adjtimex_rules);
	TAP_FORK(tai_offset);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* The newer futex calls: waiting for several words, and one call for each operation. futex_waitv(2). */
#include "tap.h"

#include <pthread.h>
#include <sys/mman.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define SYS_FUTEX_WAKE	  454
#define SYS_FUTEX_WAIT	  455
#define SYS_FUTEX_REQUEUE 456
#define U32	2u
#define PRIVATE 128u

struct waitv {
	uint64_t val, addr;
	uint32_t flags, reserved;
};

static uint32_t word[8];
static long result;

static void fill(struct waitv *w, int n, uint32_t flags)
{
	for (int i = 0; i < n; i++)
		w[i] = (struct waitv){ .val = word[i],
				       .addr = (uintptr_t)&word[i],
				       .flags = flags };
}

static long waitv(struct waitv *w, unsigned n, unsigned flags, struct timespec *ts, clockid_t clock)
{
	return syscall(SYS_futex_waitv, w, n, flags, ts, clock);
}

static struct timespec after_ms(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static void *waiter(void *arg)
{
	struct waitv w[8];

	fill(w, 8, U32 | PRIVATE);
	result = waitv(w, 8, 0, NULL, 0);
	return arg;
}

static void wakes_one_of_many(void)
{
	pthread_t t;

	result = -2;
	REQUIRE(!pthread_create(&t, NULL, waiter, NULL));
	CHECK(TAP_AWAIT(syscall(SYS_futex, &word[5], 1 | 128, 1) == 1));
	pthread_join(t, NULL);
	CHECK_EQ(result, 5);
}

static void refuses(void)
{
	struct waitv w[2];
	struct timespec ts = after_ms(CLOCK_MONOTONIC, 20);

	fill(w, 2, U32 | PRIVATE);
	CHECK_ERRNO(waitv(w, 2, 1, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(w, 0, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(w, 129, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(w, 2, 0, &ts, CLOCK_TAI), EINVAL);
	CHECK_ERRNO(waitv((void *)8, 2, 0, NULL, 0), EFAULT);
	CHECK_ERRNO(waitv(w, 2, 0, &ts, CLOCK_MONOTONIC), ETIMEDOUT);
	ts = after_ms(CLOCK_REALTIME, 20);
	CHECK_ERRNO(waitv(w, 2, 0, &ts, CLOCK_REALTIME), ETIMEDOUT);
	w[1].val = 77;
	CHECK_ERRNO(waitv(w, 2, 0, NULL, 0), EAGAIN);
	w[1].flags = PRIVATE; /* 8 bits wide */
	CHECK_ERRNO(waitv(w, 2, 0, NULL, 0), EINVAL);
	w[1].flags = U32;
	w[1].reserved = 1;
	CHECK_ERRNO(waitv(w, 2, 0, NULL, 0), EINVAL);
	w[1].reserved = 0;
	w[1].addr += 1;
	CHECK_ERRNO(waitv(w, 2, 0, NULL, 0), EINVAL);
}

/* Across processes, through shared memory. */
static void shared(void)
{
	uint32_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct waitv w[2] = { { 0, (uintptr_t)p, U32, 0 }, { 0, (uintptr_t)(p + 9), U32, 0 } };
	pid_t pid = fork();

	if (!pid)
		_exit(waitv(w, 2, 0, NULL, 0) != 1);
	CHECK(TAP_AWAIT(syscall(SYS_futex, p + 9, 1, 1) == 1));
	CHECK_EXIT(pid, 0);
}

static void *single(void *arg)
{
	result = syscall(SYS_FUTEX_WAIT, &word[0], 0UL, 2UL, U32 | PRIVATE, NULL, 0);
	return arg;
}

static void single_calls(void)
{
	struct waitv w[2];
	struct timespec ts = after_ms(CLOCK_MONOTONIC, 20);
	pthread_t t;

	CHECK_ERRNO(syscall(SYS_FUTEX_WAIT, &word[0], 1UL, ~0U + 0UL, U32 | PRIVATE, NULL, 0),
		    EAGAIN);
	CHECK_ERRNO(syscall(SYS_FUTEX_WAIT, &word[0], 0UL, ~0U + 0UL, U32 | PRIVATE, &ts,
			    CLOCK_MONOTONIC),
		    ETIMEDOUT);
	CHECK_ERRNO(syscall(SYS_FUTEX_WAIT, &word[0], 0UL, 0UL, U32 | PRIVATE, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_FUTEX_WAKE, &word[0], ~0U + 0UL, 1, PRIVATE), EINVAL);
	CHECK_EQ(syscall(SYS_FUTEX_WAKE, &word[0], ~0U + 0UL, 0, U32 | PRIVATE), 0);
	REQUIRE(!pthread_create(&t, NULL, single, NULL));
	fill(w, 2, U32 | PRIVATE);
	CHECK(TAP_AWAIT(syscall(SYS_FUTEX_REQUEUE, w, 0, 0, 1) == 1));
	CHECK_EQ(syscall(SYS_FUTEX_WAKE, &word[0], ~0U + 0UL, 1, U32 | PRIVATE), 0);
	CHECK_EQ(syscall(SYS_FUTEX_WAKE, &word[1], 1UL, 1, U32 | PRIVATE), 0); /* other bits */
	CHECK_EQ(syscall(SYS_FUTEX_WAKE, &word[1], 2UL, 1, U32 | PRIVATE), 1);
	pthread_join(t, NULL);
	CHECK_EQ(result, 0);
	w[0].val = 9;
	CHECK_ERRNO(syscall(SYS_FUTEX_REQUEUE, w, 0, 1, 1), EAGAIN);
}

int main(void)
{
	if (waitv(NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
		SKIP("no futex_waitv");
	TAP_FORK(wakes_one_of_many);
	TAP_FORK(refuses);
	TAP_FORK(shared);
	if (syscall(SYS_FUTEX_WAKE, word, 1UL, 0, U32) == -1 && errno == ENOSYS)
		NOTE("no single calls");
	else
		TAP_FORK(single_calls);
	return tap_done();
}

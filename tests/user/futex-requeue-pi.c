/* SPDX-License-Identifier: MIT */
/* futex(2): FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI, which condition variables with priority-inheriting mutexes use. */
#include "tap.h"
#include <pthread.h>
#include <stdbool.h>

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI 12
#define FUTEX_REALTIME 256
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_TID_MASK 0x3fffffffu
#define NWAITERS 4

static uint32_t cond, lock, other_lock;
static int private_flag = 128;

static long futex(void *addr, int op, uint32_t val, const void *timeout, void *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op | private_flag, val, timeout, addr2, val3);
}

static long cmp_requeue(uint32_t *from, uint32_t *to, long nmove, uint32_t val)
{
	return futex(from, FUTEX_CMP_REQUEUE_PI, 1, (void *)nmove, to, val);
}

struct waiter {
	pthread_t thread;
	volatile pid_t tid;
	uint32_t *lock;
	const struct timespec *timeout;
	long result;
	int error;
	bool owned;
};

static int order[NWAITERS], nowned;
static struct waiter waiters[NWAITERS];

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	__atomic_store_n(&w->tid, tid, __ATOMIC_SEQ_CST);
	w->result = futex(&cond, FUTEX_WAIT_REQUEUE_PI, cond, w->timeout, w->lock, 0);
	w->error = errno;
	if (w->result)
		return NULL;
	w->owned = (*w->lock & FUTEX_TID_MASK) == (uint32_t)tid;
	order[nowned++] = (int)(w - waiters);
	if (!__sync_bool_compare_and_swap(w->lock, (uint32_t)tid, 0))
		CHECK_OK(futex(w->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	return NULL;
}

static void start_waiter(struct waiter *w, uint32_t *to, const struct timespec *timeout)
{
	*w = (struct waiter){ .lock = to, .timeout = timeout };
	REQUIRE(pthread_create(&w->thread, NULL, wait_thread, w) == 0);
	while (!w->tid)
		tap_sleep_ms(1);
	CHECK(tap_wait_state(w->tid, 'S'));
}

static void finish_waiter(struct waiter *w, long result, int error)
{
	CHECK_EQ(pthread_join(w->thread, NULL), 0);
	CHECK_EQ(w->result, result);
	if (result)
		CHECK_EQ(w->error, error);
	else
		CHECK(w->owned);
}

static void errors(void)
{
	cond = 7;
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 8, NULL, &lock, 0), EAGAIN);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 7, NULL, &cond, 0), EINVAL);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 7, NULL, (char *)&lock + 2, 0), EINVAL);
	CHECK_ERRNO(futex(&cond, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &lock, 7), EINVAL);
	CHECK_ERRNO(cmp_requeue(&cond, &cond, 1, 7), EINVAL);
	CHECK_ERRNO(cmp_requeue(&cond, &lock, -1, 7), EINVAL);
	CHECK_ERRNO(cmp_requeue(&cond, &lock, 1, 8), EAGAIN);
	CHECK_EQ(cmp_requeue(&cond, &lock, 1, 7), 0);
}

/* Nobody holds the lock: the first waiter gets it, the others stand in line, in their order. */
static void free_lock(void)
{
	lock = 0;
	nowned = 0;
	for (int i = 0; i < NWAITERS; i++)
		start_waiter(&waiters[i], &lock, NULL);
	CHECK_EQ(cmp_requeue(&cond, &lock, 1, cond), 2);
	CHECK_EQ(cmp_requeue(&cond, &lock, NWAITERS, cond), 2);
	for (int i = 0; i < NWAITERS; i++)
		finish_waiter(&waiters[i], 0, 0);
	CHECK_EQ(nowned, NWAITERS);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

/* We hold it: nobody goes on before we let go. */
static void held_lock(void)
{
	lock = 0;
	nowned = 0;
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	for (int i = 0; i < NWAITERS; i++)
		start_waiter(&waiters[i], &lock, NULL);
	CHECK_EQ(cmp_requeue(&cond, &lock, 100, cond), NWAITERS);
	CHECK_EQ(lock & FUTEX_WAITERS, FUTEX_WAITERS);
	tap_sleep_ms(20);
	CHECK_EQ(nowned, 0);
	CHECK_EQ(futex(&cond, FUTEX_WAKE, 100, NULL, NULL, 0), 0);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	for (int i = 0; i < NWAITERS; i++)
		finish_waiter(&waiters[i], 0, 0);
	for (int i = 0; i < NWAITERS; i++)
		CHECK_EQ(order[i], i);
}

/* Calls that do not go together do nothing. */
static void mismatch(void)
{
	lock = other_lock = 0;
	start_waiter(&waiters[0], &lock, NULL);
	CHECK_ERRNO(cmp_requeue(&cond, &other_lock, 1, cond), EINVAL);
	CHECK_ERRNO(futex(&cond, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&cond, FUTEX_REQUEUE, 0, (void *)1, &other_lock, 0), EINVAL);
	CHECK_EQ(other_lock, 0);
	CHECK_EQ(cmp_requeue(&cond, &lock, 0, cond), 1);
	finish_waiter(&waiters[0], 0, 0);
}

static void timeouts(void)
{
	struct timespec soon, past = { 1, 0 }, bad = { 0, -1 };

	lock = 0;
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI, cond, &past, &lock, 0), ETIMEDOUT);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI | FUTEX_REALTIME, cond, &past, &lock, 0),
		    ETIMEDOUT);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI, cond, &bad, &lock, 0), EINVAL);
	/* After the move, while the lock is held. */
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &soon);
	soon.tv_sec += 1;
	start_waiter(&waiters[0], &lock, &soon);
	CHECK_EQ(cmp_requeue(&cond, &lock, 0, cond), 1);
	finish_waiter(&waiters[0], -1, ETIMEDOUT);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

static void on_signal(int sig)
{
}

/* Before the move the call goes on after a handler, even without SA_RESTART; after it, it ends with EAGAIN. */
static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	lock = 0;
	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	start_waiter(&waiters[0], &lock, NULL);
	CHECK_EQ(pthread_kill(waiters[0].thread, SIGUSR1), 0);
	tap_sleep_ms(20);
	CHECK(tap_wait_state(waiters[0].tid, 'S'));
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	CHECK_EQ(cmp_requeue(&cond, &lock, 0, cond), 1);
	CHECK_EQ(pthread_kill(waiters[0].thread, SIGUSR1), 0);
	finish_waiter(&waiters[0], -1, EAGAIN);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
}

/* The owner ends without unlocking: the one that was moved takes the lock over. */
static void *lock_and_die(void *arg)
{
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	CHECK_EQ(cmp_requeue(&cond, &lock, 0, cond), 1);
	return NULL;
}

static void owner_dies(void)
{
	pthread_t owner;

	lock = 0;
	nowned = 0;
	start_waiter(&waiters[0], &lock, NULL);
	REQUIRE(pthread_create(&owner, NULL, lock_and_die, NULL) == 0);
	CHECK_EQ(pthread_join(owner, NULL), 0);
	finish_waiter(&waiters[0], 0, 0);
	CHECK_EQ(nowned, 1);
}

int main(void)
{
	TAP_RUN(errors);
	TAP_RUN(free_lock);
	TAP_RUN(held_lock);
	TAP_RUN(mismatch);
	TAP_RUN(timeouts);
	TAP_RUN(interrupted);
	TAP_RUN(owner_dies);
	private_flag = 0;
	TAP_RUN(free_lock);
	TAP_RUN(held_lock);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * The futex system call itself: waits and their errors, timeouts on both clocks, bit sets, requeue,
 * wake-op, priority inheritance, robust lists, private and shared keys. Semantics: futex(2).
 */
#include "tap.h"
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE 128
#define FUTEX_REALTIME 256
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define NWAITERS 4

static uint32_t word, word2;

static long futex(void *addr, int op, uint32_t val, const void *timeout, void *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

struct waiter {
	pthread_t thread;
	volatile pid_t tid;
	uint32_t *addr;
	uint32_t bits;
	int op;
	long result;
	int error;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->result = futex(w->addr, w->op, *w->addr, NULL, NULL, w->bits);
	w->error = errno;
	return NULL;
}

/* Start a thread that waits on @addr and return when it sleeps. */
static void start_waiter(struct waiter *w, uint32_t *addr, int op, uint32_t bits)
{
	*w = (struct waiter){ .addr = addr, .op = op, .bits = bits };
	REQUIRE(pthread_create(&w->thread, NULL, wait_thread, w) == 0);
	while (!w->tid)
		tap_sleep_ms(1);
	CHECK(tap_wait_state(w->tid, 'S'));
}

static void finish_waiter(struct waiter *w)
{
	CHECK_EQ(pthread_join(w->thread, NULL), 0);
	CHECK_EQ(w->result, 0);
}

static void errors(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	uint32_t words[2] = { 0, 0 };

	CHECK_ERRNO(futex(words, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex((char *)words + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((char *)words + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &negative, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, 77, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(words, FUTEX_WAKE | FUTEX_REALTIME, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex((void *)16, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex((void *)16, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	CHECK_EQ(futex((void *)16, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0), 0);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, (void *)16, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 5), EAGAIN);
	CHECK_ERRNO(futex(words, FUTEX_REQUEUE, -1u, NULL, words + 1, 0), EINVAL);
	CHECK_EQ(futex(words, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
}

static long long elapsed_since(long long start)
{
	return (tap_now_ns() - start) / 1000000;
}

static void timeouts(void)
{
	struct timespec rel = { 0, 20000000 }, abs;
	uint32_t value = 0;
	long long start = tap_now_ns();

	CHECK_ERRNO(futex(&value, FUTEX_WAIT, 0, &rel, NULL, 0), ETIMEDOUT);
	CHECK(elapsed_since(start) >= 20);
	CHECK_EQ(rel.tv_nsec, 20000000);
	clock_gettime(CLOCK_MONOTONIC, &abs);
	CHECK_ERRNO(futex(&value, FUTEX_WAIT_BITSET, 0, &abs, NULL, -1u), ETIMEDOUT);
	abs.tv_nsec += 20000000;
	abs.tv_sec += abs.tv_nsec / 1000000000;
	abs.tv_nsec %= 1000000000;
	start = tap_now_ns();
	CHECK_ERRNO(futex(&value, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, &abs, NULL, -1u),
		    ETIMEDOUT);
	CHECK(elapsed_since(start) >= 10);
	clock_gettime(CLOCK_REALTIME, &abs);
	CHECK_ERRNO(futex(&value, FUTEX_WAIT_BITSET | FUTEX_REALTIME, 0, &abs, NULL, -1u),
		    ETIMEDOUT);
	rel = (struct timespec){ 0, 0 };
	CHECK_ERRNO(futex(&value, FUTEX_WAIT, 0, &rel, NULL, 0), ETIMEDOUT);
}

static void nothing(int sig)
{
}

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct timespec rel = { 1000, 0 };
	pid_t parent = getpid(), pid;
	uint32_t value = 0;

	sigaction(SIGUSR1, &sa, NULL);
	pid = fork();
	if (pid == 0) {
		tap_wait_state(parent, 'S');
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(futex(&value, FUTEX_WAIT, 0, &rel, NULL, 0), EINTR);
	CHECK_EXIT(pid, 0);
	signal(SIGUSR1, SIG_DFL);
}

static void wake_counts(void)
{
	struct waiter w[NWAITERS];

	for (int i = 0; i < NWAITERS; i++)
		start_waiter(&w[i], &word, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0), 2);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0), 0);
	for (int i = 0; i < NWAITERS; i++)
		finish_waiter(&w[i]);
}

static void bitsets(void)
{
	struct waiter a, b;

	start_waiter(&a, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 1);
	start_waiter(&b, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 6);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 9, NULL, NULL, 8), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 9, NULL, NULL, 4), 1);
	finish_waiter(&b);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 9, NULL, NULL, 0), 1);
	finish_waiter(&a);
}

static void requeue(void)
{
	struct waiter w[NWAITERS];
	const int wait = FUTEX_WAIT | FUTEX_PRIVATE, wake = FUTEX_WAKE | FUTEX_PRIVATE;

	for (int i = 0; i < NWAITERS; i++)
		start_waiter(&w[i], &word, wait, 0);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, (void *)2, &word2, word), 3);
	CHECK_EQ(futex(&word, wake, 10, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&word2, wake, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < NWAITERS; i++)
		finish_waiter(&w[i]);
	for (int i = 0; i < 2; i++)
		start_waiter(&w[i], &word, wait, 0);
	CHECK_EQ(futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 0, (void *)10, &word2, 0), 2);
	CHECK_EQ(futex(&word2, wake, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < 2; i++)
		finish_waiter(&w[i]);
}

#define OP(op, oparg, cmp, cmparg) \
	(((uint32_t)(op) << 28) | ((cmp) << 24) | ((oparg) << 12) | (cmparg))

static void wake_op(void)
{
	const int op = FUTEX_WAKE_OP | FUTEX_PRIVATE;
	struct waiter a, b;

	word2 = 5;
	start_waiter(&a, &word, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	start_waiter(&b, &word2, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	/* add 3; the old value 5 is not equal to 6: only the first is woken */
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(1, 3, 0, 6)), 1);
	CHECK_EQ(word2, 8);
	finish_waiter(&a);
	/* or 1; old value 8 greater than 7: the second is woken */
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(2, 1, 4, 7)), 1);
	CHECK_EQ(word2, 9);
	finish_waiter(&b);
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(3, 8, 0, 0)), 0); /* andn */
	CHECK_EQ(word2, 1);
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(4, 3, 0, 0)), 0); /* xor */
	CHECK_EQ(word2, 2);
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(0, 7, 0, 0)), 0); /* set */
	CHECK_EQ(word2, 7);
	CHECK_EQ(futex(&word, op, 1, (void *)1, &word2, OP(8 | 0, 4, 0, 0)), 0); /* shifted */
	CHECK_EQ(word2, 16);
	CHECK_ERRNO(futex(&word, op, 1, (void *)1, &word2, OP(6, 4, 0, 0)), ENOSYS);
}

/* A shared mapping is one futex in two processes, a private one is not. */
static void shared_between_processes(void)
{
	uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t *again;
	pid_t pid;

	REQUIRE(shared != MAP_FAILED);
	pid = fork();
	if (pid == 0)
		_exit(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 && *shared == 1 ? 0 : 1);
	CHECK(tap_wait_state(pid, 'S'));
	again = mremap(shared, 0, 4096, MREMAP_MAYMOVE);
	CHECK(again != MAP_FAILED);
	*shared = 1;
	if (again != MAP_FAILED)
		CHECK_EQ(futex(again, FUTEX_WAKE, 10, NULL, NULL, 0), 1);
	CHECK_EXIT(pid, 0);
	munmap(shared, 4096);
}

static void shared_through_file(void)
{
	char name[] = "/tmp/futex.XXXXXX";
	int fd = mkstemp(name);
	uint32_t *a, *b;
	pid_t pid;

	REQUIRE(fd >= 0 && ftruncate(fd, 4096) == 0);
	unlink(name);
	a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(a != MAP_FAILED && b != MAP_FAILED && a != b);
	pid = fork();
	if (pid == 0)
		_exit(futex(a + 5, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_EQ(futex(b + 4, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
	CHECK_EQ(futex(b + 5, FUTEX_WAKE, 10, NULL, NULL, 0), 1);
	CHECK_EXIT(pid, 0);
	munmap(a, 4096);
	munmap(b, 4096);
	close(fd);
}

static void *lock_pi_thread(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->result = futex(w->addr, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0);
	w->error = errno;
	if (w->result == 0) {
		CHECK_EQ(*w->addr & 0x3fffffff, w->tid);
		CHECK_EQ(futex(w->addr, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), 0);
	}
	return NULL;
}

static void priority_inheritance(void)
{
	struct waiter w = { .addr = &word };
	uint32_t me = (uint32_t)syscall(SYS_gettid);

	word = 0;
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, me);
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	REQUIRE(pthread_create(&w.thread, NULL, lock_pi_thread, &w) == 0);
	while (!w.tid)
		tap_sleep_ms(1);
	CHECK(tap_wait_state(w.tid, 'S'));
	CHECK_EQ(__atomic_load_n(&word, __ATOMIC_SEQ_CST), me | FUTEX_WAITERS);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), 0);
	finish_waiter(&w);
	CHECK_EQ(word, 0);
	word = 1; /* some other thread's */
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EPERM);
	word = 0x3ffffff0;
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), ESRCH);
	word = 0;
}

struct robust_list {
	struct robust_list *next;
};

struct robust_head {
	struct robust_list list;
	long offset;
	struct robust_list *pending;
};

/* A dying owner's word gets FUTEX_OWNER_DIED and one waiter is woken. */
static void robust_list(void)
{
	struct entry {
		struct robust_list link;
		uint32_t word;
	} *entry = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct robust_head head = { .offset = offsetof(struct entry, word) };
	struct robust_head *got = NULL;
	size_t len = 0;
	pid_t pid;

	REQUIRE(entry != MAP_FAILED);
	CHECK_ERRNO(syscall(SYS_set_robust_list, &head, sizeof(head) - 1), EINVAL);
	pid = fork();
	if (pid == 0) {
		head.list.next = &entry->link;
		entry->link.next = &head.list;
		CHECK_OK(syscall(SYS_set_robust_list, &head, sizeof(head)));
		CHECK_OK(syscall(SYS_get_robust_list, 0, &got, &len));
		CHECK(got == &head && len == sizeof(head));
		entry->word = (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS;
		_exit(tap_nfailed);
	}
	while (__atomic_load_n(&entry->word, __ATOMIC_SEQ_CST) == 0)
		tap_sleep_ms(1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(entry->word, FUTEX_WAITERS | FUTEX_OWNER_DIED);
	munmap(entry, 4096);
}

/* Two threads pass a token 2,000 times; a lost wake-up hangs here. */
static void *ping(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	for (int i = 0; i < 2000; i++) {
		uint32_t now;

		while ((now = __atomic_load_n(&word, __ATOMIC_SEQ_CST)) % 2 != me)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, now, NULL, NULL, 0);
		__atomic_add_fetch(&word, 1, __ATOMIC_SEQ_CST);
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void ping_pong(void)
{
	pthread_t other;

	word = 0;
	REQUIRE(pthread_create(&other, NULL, ping, (void *)1) == 0);
	ping((void *)0);
	pthread_join(other, NULL);
	CHECK_EQ(word, 4000);
}

int main(void)
{
	TAP_RUN(errors);
	TAP_RUN(timeouts);
	TAP_RUN(interrupted);
	TAP_RUN(wake_counts);
	TAP_RUN(bitsets);
	TAP_RUN(requeue);
	TAP_RUN(wake_op);
	TAP_RUN(shared_between_processes);
	TAP_RUN(shared_through_file);
	TAP_RUN(priority_inheritance);
	TAP_RUN(robust_list);
	TAP_RUN(ping_pong);
	return tap_done();
}

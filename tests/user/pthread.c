/* SPDX-License-Identifier: MIT */
/*
 * POSIX threads over clone, futex, set_tid_address, set_robust_list and signals: every kind of
 * lock, condition variables, barriers, thread-local storage, cancellation (also of a thread that
 * sleeps in a system call), detached threads, robust mutexes and 64 threads at once.
 * Semantics: POSIX.1-2017 and pthreads(7).
 */
#include "tap.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#define NTHREADS 8
#define ROUNDS 2000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;

static void start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	int err = pthread_create(thread, NULL, fn, arg);

	if (err) {
		tap_fail(__FILE__, __LINE__, "pthread_create: %s", tap_errname(err));
		_exit(1);
	}
}

static void init_mutex(pthread_mutex_t *mutex, int type, int robust, int shared)
{
	pthread_mutexattr_t attr;

	CHECK_EQ(pthread_mutexattr_init(&attr), 0);
	CHECK_EQ(pthread_mutexattr_settype(&attr, type), 0);
	if (robust)
		CHECK_EQ(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
	if (shared)
		CHECK_EQ(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_mutex_init(mutex, &attr), 0);
	CHECK_EQ(pthread_mutexattr_destroy(&attr), 0);
}

static struct timespec after_ms(long ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += ms % 1000 * 1000000;
	ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static void *add_locked(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void mutex_counts(void)
{
	pthread_t threads[NTHREADS];
	void *result;

	counter = 0;
	for (long i = 0; i < NTHREADS; i++)
		start(&threads[i], add_locked, (void *)(i + 100));
	for (long i = 0; i < NTHREADS; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, i + 100);
	}
	CHECK_EQ(counter, NTHREADS * ROUNDS);
}

static void *try_lock(void *arg)
{
	return (void *)(long)pthread_mutex_trylock(arg);
}

static long in_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	void *result = (void *)-1;

	start(&thread, fn, arg);
	CHECK_EQ(pthread_join(thread, &result), 0);
	return (long)result;
}

static void mutex_kinds(void)
{
	pthread_mutex_t recursive, check, normal;
	struct timespec soon;

	init_mutex(&recursive, PTHREAD_MUTEX_RECURSIVE, 0, 0);
	CHECK_EQ(pthread_mutex_lock(&recursive), 0);
	CHECK_EQ(pthread_mutex_lock(&recursive), 0);
	CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
	CHECK_EQ(in_thread(try_lock, &recursive), EBUSY);
	CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
	CHECK_EQ(pthread_mutex_unlock(&recursive), EPERM);
	init_mutex(&check, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
	CHECK_EQ(pthread_mutex_lock(&check), 0);
	CHECK_EQ(pthread_mutex_lock(&check), EDEADLK);
	CHECK_EQ(pthread_mutex_unlock(&check), 0);
	CHECK_EQ(pthread_mutex_unlock(&check), EPERM);
	init_mutex(&normal, PTHREAD_MUTEX_NORMAL, 0, 0);
	CHECK_EQ(pthread_mutex_lock(&normal), 0);
	soon = after_ms(20);
	CHECK_EQ(pthread_mutex_timedlock(&normal, &soon), ETIMEDOUT);
	CHECK_EQ(pthread_mutex_unlock(&normal), 0);
}

static int turn;

static void *take_turns(void *arg)
{
	int me = (int)(long)arg;

	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		while (turn % 4 != me)
			pthread_cond_wait(&cond, &lock);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void condvars(void)
{
	pthread_t threads[4];
	struct timespec soon;

	turn = 0;
	for (long i = 0; i < 4; i++)
		start(&threads[i], take_turns, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(turn, 400);
	pthread_mutex_lock(&lock);
	soon = after_ms(20);
	CHECK_EQ(pthread_cond_timedwait(&cond, &lock, &soon), ETIMEDOUT);
	CHECK_EQ(in_thread(try_lock, &lock), EBUSY);
	pthread_mutex_unlock(&lock);
}

static pthread_barrier_t barrier;
static int serial_threads;
static int phase_count[20];

static void *cross_barrier(void *arg)
{
	for (int phase = 0; phase < 20; phase++) {
		__atomic_add_fetch(&phase_count[phase], 1, __ATOMIC_SEQ_CST);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial_threads, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&phase_count[phase], __ATOMIC_SEQ_CST) != NTHREADS)
			CHECK(!"a thread crossed the barrier early");
	}
	return arg;
}

static void barriers(void)
{
	pthread_t threads[NTHREADS];

	CHECK_EQ(pthread_barrier_init(&barrier, NULL, NTHREADS), 0);
	for (int i = 0; i < NTHREADS; i++)
		start(&threads[i], cross_barrier, NULL);
	for (int i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(serial_threads, 20);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];

static void *read_or_write(void *arg)
{
	for (int i = 0; i < 300; i++) {
		if (arg) {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			pair[1]++;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			if (pair[0] != pair[1])
				CHECK(!"a reader saw half a write");
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

static void *try_read(void *arg)
{
	long err = pthread_rwlock_tryrdlock(arg);

	if (err == 0)
		pthread_rwlock_unlock(arg);
	return (void *)err;
}

static void *try_write(void *arg)
{
	long err = pthread_rwlock_trywrlock(arg);

	if (err == 0)
		pthread_rwlock_unlock(arg);
	return (void *)err;
}

static void rwlocks(void)
{
	pthread_t threads[6];

	for (long i = 0; i < 6; i++)
		start(&threads[i], read_or_write, (void *)(i < 2 ? 1L : 0L));
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(pair[0], 600);
	pthread_rwlock_rdlock(&rwlock);
	CHECK_EQ(in_thread(try_read, &rwlock), 0);
	CHECK_EQ(in_thread(try_write, &rwlock), EBUSY);
	pthread_rwlock_unlock(&rwlock);
	pthread_rwlock_wrlock(&rwlock);
	CHECK_EQ(in_thread(try_read, &rwlock), EBUSY);
	pthread_rwlock_unlock(&rwlock);
}

static __thread int tls_data = 41;
static __thread char tls_zero[100];
static __thread _Alignas(64) int tls_aligned = 5;
static pthread_key_t key;
static int destroyed;

static void destroy_key(void *value)
{
	__atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_SEQ_CST);
}

static void *use_tls(void *arg)
{
	CHECK_EQ(tls_data, 41);
	CHECK_EQ(tls_zero[99], 0);
	CHECK_EQ(tls_aligned, 5);
	CHECK_EQ((uintptr_t)&tls_aligned % 64, 0);
	tls_data = (int)(long)arg;
	tls_zero[99] = 1;
	CHECK(pthread_getspecific(key) == NULL);
	pthread_setspecific(key, arg);
	sched_yield();
	CHECK_EQ(tls_data, (long)arg);
	CHECK(pthread_getspecific(key) == arg);
	return NULL;
}

static void tls(void)
{
	pthread_t threads[NTHREADS];

	tls_data = 41;
	CHECK_EQ(pthread_key_create(&key, destroy_key), 0);
	for (long i = 0; i < NTHREADS; i++)
		start(&threads[i], use_tls, (void *)(i + 1));
	for (int i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(destroyed, NTHREADS * (NTHREADS + 1) / 2);
	CHECK_EQ(tls_data, 41);
	CHECK_EQ(pthread_key_delete(key), 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_runs;

static void run_once(void)
{
	tap_sleep_ms(10);
	once_runs++;
}

static void *call_once(void *arg)
{
	pthread_once(&once, run_once);
	CHECK_EQ(once_runs, 1);
	return arg;
}

static void once_only(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		start(&threads[i], call_once, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(once_runs, 1);
}

static int cleanups;
static int read_pipe[2];
static volatile pid_t sleeper_tid;
static volatile int cancelled;

static void cleanup(void *arg)
{
	cleanups += (int)(long)arg;
}

static void *block_in_read(void *arg)
{
	char c;

	sleeper_tid = (pid_t)syscall(SYS_gettid);
	pthread_cleanup_push(cleanup, (void *)1);
	pthread_cleanup_push(cleanup, (void *)10);
	if (read(read_pipe[0], &c, 1) != -2)
		cleanups += 1000;
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return arg;
}

static void *spin_async(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sleeper_tid = 1;
	for (;;)
		__asm__ volatile("" ::: "memory");
	return arg;
}

static void *disabled_then_test(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	CHECK_EQ(old, PTHREAD_CANCEL_ENABLE);
	sleeper_tid = 1;
	while (!cancelled)
		tap_sleep_ms(1);
	cleanups = 7;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	cleanups = 8;
	return arg;
}

static void unlock_mutex(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void *wait_cond(void *arg)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock_mutex, &lock);
	sleeper_tid = (pid_t)syscall(SYS_gettid);
	for (;;)
		pthread_cond_wait(&cond, &lock);
	pthread_cleanup_pop(1);
	return arg;
}

/* Cancel a thread running @fn, asleep first when @asleep; it must be PTHREAD_CANCELED. */
static void cancel_one(void *(*fn)(void *), int asleep)
{
	pthread_t thread;
	void *result;

	sleeper_tid = 0;
	cancelled = 0;
	start(&thread, fn, NULL);
	while (!sleeper_tid)
		tap_sleep_ms(1);
	if (asleep)
		CHECK(tap_wait_state(sleeper_tid, 'S'));
	CHECK_EQ(pthread_cancel(thread), 0);
	cancelled = 1;
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

static void cancellation(void)
{
	REQUIRE(pipe(read_pipe) == 0);
	cleanups = 0;
	cancel_one(block_in_read, 1);
	CHECK_EQ(cleanups, 11);
	cancel_one(spin_async, 0);
	cancel_one(disabled_then_test, 0);
	CHECK_EQ(cleanups, 7);
	cancel_one(wait_cond, 1);
	CHECK_EQ(in_thread(try_lock, &lock), 0);
	pthread_mutex_init(&lock, NULL);
	close(read_pipe[0]);
	close(read_pipe[1]);
}

static sem_t detached_done;

static void *detached(void *arg)
{
	pthread_detach(pthread_self());
	sem_post(&detached_done);
	return arg;
}

static void detach(void)
{
	pthread_t thread;

	CHECK_EQ(sem_init(&detached_done, 0, 0), 0);
	for (int i = 0; i < 50; i++) {
		start(&thread, detached, NULL);
		CHECK_OK(sem_wait(&detached_done));
	}
}

static void *lock_and_die(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(arg), 0);
	return NULL;
}

static void robust_thread(void)
{
	pthread_mutex_t mutex;

	init_mutex(&mutex, PTHREAD_MUTEX_NORMAL, 1, 0);
	in_thread(lock_and_die, &mutex);
	CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	in_thread(lock_and_die, &mutex);
	CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
}

/* The owner is a process that is killed while another sleeps for the lock. */
static void robust_process(void)
{
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int fds[2];
	char c;

	REQUIRE(mutex != MAP_FAILED && pipe(fds) == 0);
	init_mutex(mutex, PTHREAD_MUTEX_NORMAL, 1, 1);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		if (write(fds[1], "x", 1) == 1)
			tap_sleep_ms(30);
		raise(SIGKILL);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	CHECK_KILLED(pid, SIGKILL);
	munmap(mutex, 4096);
	close(fds[0]);
	close(fds[1]);
}

static void *signal_self(void *arg)
{
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigwait(&set, &sig), 0);
	return (void *)(long)sig;
}

static void signals_to_threads(void)
{
	pthread_t thread;
	sigset_t set;
	void *result;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	start(&thread, signal_self, NULL);
	CHECK_EQ(pthread_kill(thread, 0), 0);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((long)result, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

static sem_t gate;
static int inside;

static void *wait_gate(void *arg)
{
	__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&gate) == -1)
		;
	return arg;
}

static void sixty_four(void)
{
	pthread_t threads[64];
	pthread_attr_t attr;

	CHECK_EQ(sem_init(&gate, 0, 0), 0);
	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 65536), 0);
	for (long i = 0; i < 64; i++)
		REQUIRE(pthread_create(&threads[i], &attr, wait_gate, (void *)i) == 0);
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) < 64)
		tap_sleep_ms(1);
	for (int i = 0; i < 64; i++)
		sem_post(&gate);
	for (long i = 0; i < 64; i++) {
		void *result;

		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, i);
	}
}

static void *exit_thread(void *arg)
{
	tap_sleep_ms(5);
	exit(3);
	return arg;
}

static void *raise_thread(void *arg)
{
	raise(SIGTERM);
	return arg;
}

static void *exec_thread(void *arg)
{
	char *argv[] = { "sh", "exec-child", NULL };

	execv("/proc/self/exe", argv);
	_exit(9);
	return arg;
}

/* exit() and fatal signals end every thread; exec from a thread leaves one with the leader's id. */
static void whole_process(void)
{
	void *(*const fns[])(void *) = { exit_thread, raise_thread, exec_thread };
	pid_t pids[3];
	pthread_t thread;

	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			start(&thread, spin_async, NULL);
			start(&thread, fns[i], NULL);
			for (;;)
				pause();
		}
	}
	CHECK_EXIT(pids[0], 3);
	CHECK_KILLED(pids[1], SIGTERM);
	CHECK_EXIT(pids[2], 5);
}

static pid_t main_thread_child_exit(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		start(&thread, exit_thread, NULL);
		pthread_exit(NULL);
	}
	return pid;
}

static void leader_exits_first(void)
{
	pid_t pid;

	fflush(NULL);
	pid = main_thread_child_exit();
	CHECK_EXIT(pid, 3);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "exec-child") == 0)
		return syscall(SYS_gettid) == getpid() ? 5 : 6;
	TAP_RUN(mutex_counts);
	TAP_RUN(mutex_kinds);
	TAP_RUN(condvars);
	TAP_RUN(barriers);
	TAP_RUN(rwlocks);
	TAP_RUN(tls);
	TAP_RUN(once_only);
	TAP_RUN(cancellation);
	TAP_RUN(detach);
	TAP_RUN(robust_thread);
	TAP_RUN(robust_process);
	TAP_RUN(signals_to_threads);
	TAP_RUN(sixty_four);
	TAP_RUN(whole_process);
	TAP_RUN(leader_exits_first);
	return tap_done();
}

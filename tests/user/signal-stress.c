/* SPDX-License-Identifier: MIT */
/*
 * Signals, futexes and timers under load: what must hold when many threads and processes use them at once. Each test counts what
 * was sent and what arrived.
 */
#include "tap.h"
#include <pthread.h>
#include <sys/time.h>

#define NTHREADS 8
#define ROUNDS   200

static volatile int stop;
static int arrived[65]; /* atomic */

static void arrive(int sig, siginfo_t *info, void *uc)
{
	__atomic_add_fetch(&arrived[sig], 1, __ATOMIC_RELAXED);
}

static void install(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = arrive, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	REQUIRE(sigaction(sig, &sa, NULL) == 0);
	arrived[sig] = 0;
}

/* ---- queued signals are not lost, whoever takes them ---- */

static void *spin_or_sleep(void *arg)
{
	while (!stop) {
		if ((long)arg & 1)
			tap_sleep_ms(1);
		else
			sched_yield();
	}
	return NULL;
}

static void queued_to_process(void)
{
	pthread_t threads[NTHREADS];
	pid_t pids[4];
	int sent = 0;

	install(SIGRTMIN + 1, SA_RESTART);
	for (long i = 0; i < NTHREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, spin_or_sleep, (void *)i) == 0);
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int n = 0; n < ROUNDS; n++)
			while (sigqueue(getppid(), SIGRTMIN + 1,
					(union sigval){ .sival_int = n }) != 0)
				if (errno != EAGAIN)
					_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EXIT(pids[i], 0);
		sent += ROUNDS;
	}
	(void)TAP_AWAIT(__atomic_load_n(&arrived[SIGRTMIN + 1], __ATOMIC_RELAXED) >= sent);
	CHECK_EQ(arrived[SIGRTMIN + 1], sent);
	stop = 1;
	for (int i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	stop = 0;
}

/* ---- a signal to each thread reaches that thread ---- */

static __thread volatile int mine;
static pid_t tids[NTHREADS];
static int counts[NTHREADS];

static void count_mine(int sig)
{
	mine++;
}

static void *count_own(void *arg)
{
	long i = (long)arg;

	__atomic_store_n(&tids[i], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	while (!stop || !mine) /* what was sent comes, if not yet */
		sched_yield();
	counts[i] = mine;
	return NULL;
}

static void aimed_at_threads(void)
{
	pthread_t threads[NTHREADS];

	signal(SIGUSR1, count_mine);
	for (long i = 0; i < NTHREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, count_own, (void *)i) == 0);
	for (int i = 0; i < NTHREADS; i++)
		while (!__atomic_load_n(&tids[i], __ATOMIC_SEQ_CST))
			sched_yield();
	/* Standard signals merge: one at a time, until it must have been seen. */
	for (int n = 0; n < NTHREADS; n++) {
		for (int i = 0; i <= n; i++)
			CHECK_OK(syscall(SYS_tgkill, getpid(), tids[n], SIGUSR1));
		tap_sleep_ms(2);
	}
	tap_sleep_ms(20);
	stop = 1;
	for (int i = 0; i < NTHREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(counts[i] >= 1 && counts[i] <= i + 1);
	}
	stop = 0;
}

/* ---- stops and continuations of a process with threads ---- */

static void stop_and_go(void)
{
	pthread_t thread;
	pid_t pid = fork();
	int status;

	if (!pid) {
		for (long i = 0; i < 4; i++)
			pthread_create(&thread, NULL, spin_or_sleep, (void *)i);
		for (;;)
			tap_sleep_ms(1);
	}
	for (int i = 0; i < 100; i++) {
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		CHECK_OK(kill(pid, SIGCONT));
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
		CHECK(WIFCONTINUED(status));
	}
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_KILLED(pid, SIGKILL);
}

/* Stops and continuations that are not waited for must not leave the process stopped. */
static void stop_go_race(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (!pid) {
		for (long i = 0; i < 4; i++)
			pthread_create(&thread, NULL, spin_or_sleep, (void *)i);
		tap_sleep_ms(150);
		_exit(4);
	}
	for (int i = 0; i < 300; i++) {
		kill(pid, i & 1 ? SIGTSTP : SIGSTOP);
		if (i % 3 == 0)
			sched_yield();
		kill(pid, SIGCONT);
	}
	CHECK_EXIT(pid, 4);
}

/* ---- processes that end while they are signalled ---- */

static void *exit_soon(void *arg)
{
	tap_sleep_ms((long)arg % 3);
	if ((long)arg == 5)
		_exit(6);
	return NULL;
}

static void signalled_to_the_end(void)
{
	for (int n = 0; n < 40; n++) {
		pid_t pid = fork();

		if (!pid) {
			pthread_t thread;

			install(SIGUSR2, SA_RESTART);
			install(SIGRTMIN + 3, 0);
			for (long i = 0; i < NTHREADS; i++)
				pthread_create(&thread, NULL, exit_soon, (void *)i);
			for (;;)
				pause();
		}
		tap_sleep_ms(1);
		/* Before its handlers are there these would kill it. */
		for (int i = 0; n % 2 && i < 200; i++) {
			kill(pid, SIGWINCH);
			kill(pid, i % 7 ? SIGCONT : SIGURG);
		}
		CHECK_EXIT(pid, 6);
	}
}

/* ---- timers aimed at threads, with futexes in between ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn, turns;

static void *take_turns(void *arg)
{
	int me = (int)(long)arg;

	pthread_mutex_lock(&lock);
	while (turns < ROUNDS) {
		while (turn != me && turns < ROUNDS)
			pthread_cond_wait(&turn_changed, &lock);
		if (turns >= ROUNDS)
			break;
		turns++;
		turn = (turn + 1) % NTHREADS;
		pthread_cond_broadcast(&turn_changed);
	}
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void turns_under_alarms(void)
{
	pthread_t threads[NTHREADS];

	install(SIGALRM, 0);
	turns = turn = 0;
	tap_tick(2);
	for (long i = 0; i < NTHREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, take_turns, (void *)i) == 0);
	for (int i = 0; i < NTHREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(turns, ROUNDS);
	CHECK(TAP_AWAIT(__atomic_load_n(&arrived[SIGALRM], __ATOMIC_RELAXED) >= 5));
	tap_tick(0);
}

/* ---- waiting for signals in several threads at once ---- */

static void *wait_for_some(void *arg)
{
	sigset_t set;
	long taken = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	for (;;) {
		siginfo_t info;

		if (sigwaitinfo(&set, &info) != SIGRTMIN + 4)
			continue;
		if (info.si_value.sival_int < 0)
			return (void *)taken;
		taken++;
	}
}

static void shared_out(void)
{
	pthread_t threads[4];
	long total = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, wait_for_some, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++)
		CHECK_OK(sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = i }));
	for (int i = 0; i < 4; i++)
		CHECK_OK(sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = -1 }));
	for (int i = 0; i < 4; i++) {
		void *taken;

		CHECK_EQ(pthread_join(threads[i], &taken), 0);
		total += (long)taken;
	}
	CHECK_EQ(total, ROUNDS);
}

/* ---- a signal ends the calls that it must, and no others ---- */

static int sleep_pipe[2];
static int interrupted[NTHREADS]; /* atomic: EINTRs seen */
static pid_t sleeper_tid[NTHREADS];

static void *read_until_told(void *arg)
{
	long i = (long)arg;
	char c;

	__atomic_store_n(&sleeper_tid[i], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	while (read(sleep_pipe[0], &c, 1) != 1)
		if (errno == EINTR)
			__atomic_add_fetch(&interrupted[i], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int all_interrupted(void)
{
	int n = 0;

	for (int i = 0; i < NTHREADS; i++)
		n += __atomic_load_n(&interrupted[i], __ATOMIC_SEQ_CST);
	return n;
}

static void interrupts_whom_it_must(void)
{
	pthread_t threads[NTHREADS];

	memset(interrupted, 0, sizeof(interrupted));
	memset(sleeper_tid, 0, sizeof(sleeper_tid));
	REQUIRE(pipe(sleep_pipe) == 0);
	install(SIGUSR1, 0);
	install(SIGUSR2, SA_RESTART);
	for (long i = 0; i < NTHREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, read_until_told, (void *)i) == 0);
	for (int i = 0; i < NTHREADS; i++) {
		(void)TAP_AWAIT(__atomic_load_n(&sleeper_tid[i], __ATOMIC_SEQ_CST));
		CHECK(tap_wait_state(sleeper_tid[i], 'S'));
	}
	for (int n = 0; n < 3; n++) {
		for (int i = 0; i < NTHREADS; i++) {
			int want = all_interrupted();

			/* The handler runs, and the call goes on. */
			CHECK_OK(syscall(SYS_tgkill, getpid(), sleeper_tid[i], SIGUSR2));
			(void)TAP_AWAIT(__atomic_load_n(&arrived[SIGUSR2], __ATOMIC_SEQ_CST) ==
					n * NTHREADS + i + 1);
			CHECK_EQ(all_interrupted(), want);
			CHECK(tap_wait_state(sleeper_tid[i], 'S'));
			CHECK_OK(syscall(SYS_tgkill, getpid(), sleeper_tid[i], SIGUSR1));
			(void)TAP_AWAIT(__atomic_load_n(&interrupted[i], __ATOMIC_SEQ_CST) ==
					n + 1);
			CHECK_EQ(all_interrupted(), want + 1);
			CHECK(tap_wait_state(sleeper_tid[i], 'S'));
		}
	}
	CHECK_EQ(write(sleep_pipe[1], "12345678", NTHREADS), NTHREADS);
	for (int i = 0; i < NTHREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_EQ(interrupted[i], 3);
	}
	close(sleep_pipe[0]);
	close(sleep_pipe[1]);
}

int main(void)
{
	TAP_FORK(queued_to_process);
	TAP_FORK(aimed_at_threads);
	TAP_FORK(stop_and_go);
	TAP_FORK(stop_go_race);
	TAP_FORK(signalled_to_the_end);
	TAP_FORK(turns_under_alarms);
	TAP_FORK(shared_out);
	TAP_FORK(interrupts_whom_it_must);
	return tap_done();
}

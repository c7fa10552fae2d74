/* SPDX-License-Identifier: MIT */
/*
 * What gdb is let loose on by tests/tools.py: a call, a signal, a variable that changes, a thread. With "wait" as argument it goes on until gdb sets
 * a variable; with "crash" it leaves a core with three threads.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
volatile int watched, calls;
__attribute__((noinline)) int target(int x)
{
	calls++;
	return x * 3;
}
static void *worker(void *arg)
{
	for (int i = 0; i < 5; i++)
		target(i);
	return arg;
}
static void on_usr1(int sig)
{
	watched = sig;
}
__attribute__((noinline)) static void send_signal(void)
{
	raise(SIGUSR1);
}

__attribute__((noinline)) static void tick(void)
{
	calls++;
}
static int wait_for_gdb(void)
{
	while (!watched) {
		usleep(1000);
		tick();
	}
	fputs("went on\n", stderr);
	return 42;
}

static pthread_barrier_t all;
static int looping;
__attribute__((noinline)) static void *waiter(void *arg)
{
	pthread_barrier_wait(&all);
	__atomic_fetch_add(&looping, 1, __ATOMIC_SEQ_CST);
	for (;;) /* here, not in the C library: it has nothing to unwind by */
		calls++;
	return arg;
}
static const char *volatile secret = "in the core";
__attribute__((noinline)) static void crash(volatile int *where)
{
	*where = secret[0];
}
static int leave_core(void)
{
	pthread_t t;
	pthread_barrier_init(&all, 0, 3);
	for (int i = 0; i < 2; i++)
		pthread_create(&t, 0, waiter, 0);
	pthread_barrier_wait(&all);
	while (__atomic_load_n(&looping, __ATOMIC_SEQ_CST) < 2)
		usleep(1000);
	crash((volatile int *)16);
	return 1;
}

int main(int argc, char **argv)
{
	pthread_t t;
	int r;
	if (argc > 1)
		return strcmp(argv[1], "wait") ? leave_core() : wait_for_gdb();
	r = target(7);
	signal(SIGUSR1, on_usr1);
	send_signal();
	watched = 42;
	pthread_create(&t, 0, worker, 0);
	pthread_join(t, 0);
	printf("r %d calls %d\n", r, calls);
	return calls;
}

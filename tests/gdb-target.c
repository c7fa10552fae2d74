/* SPDX-License-Identifier: MIT */
/* What gdb is let loose on by tests/tools.py: a call, a signal, a variable that changes, a thread. */
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

int main(int argc, char **argv)
{
	pthread_t t;
	int r = target(7);
	signal(SIGUSR1, on_usr1);
	send_signal();
	watched = 42;
	pthread_create(&t, 0, worker, 0);
	pthread_join(t, 0);
	printf("r %d calls %d\n", r, calls);
	return calls;
}

/* SPDX-License-Identifier: MIT */
/*
 * One signal while registers hold what a test has loaded: the timer ticks until then, because a tick may also come before.
 * The test sets `spinning` when they are loaded, and loops until `caught`, which its handler sets. Included after tap.h.
 */
#ifndef TESTS_USER_TICKS_H
#define TESTS_USER_TICKS_H

#include <signal.h>

static volatile sig_atomic_t caught, spinning;
static void (*on_spin)(int, siginfo_t *, void *);

/* One signal for @on_spin, once the registers are loaded. */
static void on_tick(int sig, siginfo_t *info, void *uc)
{
	if (spinning && !caught)
		on_spin(sig, info, uc);
}

static void start_ticks(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO };

	on_spin = handler;
	caught = spinning = 0;
	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	tap_tick(5);
}

#endif

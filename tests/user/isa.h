/* SPDX-License-Identifier: MIT */
/* What the tests of one architecture's exceptions and signal frames share. Included after tap.h. */
#ifndef TESTS_USER_ISA_H
#define TESTS_USER_ISA_H

#include <setjmp.h>
#include <signal.h>

/* What catch() saw last; it goes back to where sigsetjmp(back, 1) was called. */
static sigjmp_buf back;
static volatile int got_sig, got_code;
static void *volatile got_addr;

static void catch (int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_sig = sig;
	got_code = info->si_code;
	got_addr = info->si_addr;
	siglongjmp(back, 1);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(sig, &sa, NULL));
}

/* In a child, @handler changes the frame of a signal: the return from it is refused. @before is called first, if any. */
static void (*forger)(int, siginfo_t *, void *);
static void (*before_forging)(void);

static void forge(void)
{
	if (before_forging)
		before_forging();
	handle(SIGUSR1, forger);
	raise(SIGUSR1);
}

static void expect_refused(void (*handler)(int, siginfo_t *, void *), void (*before)(void))
{
	int status;

	forger = handler;
	before_forging = before;
	status = tap_wait(tap_spawn(forge));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

#endif

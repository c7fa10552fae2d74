/* SPDX-License-Identifier: MIT */
/*
 * Ways out of signal handlers, usual and unusual ones, that must work; and a forged signal frame, which Linux takes and Caelum
 * refuses (docs: CONFIG_SIGRETURN_GUARD).
 */
#include "tap.h"
#include <setjmp.h>
#include <sys/time.h>

#define DEEP 40

static volatile int hits, depth, deepest;
static sigjmp_buf back;
static char altstack[2 * 65536] __attribute__((aligned(64)));

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	REQUIRE(sigaction(sig, &sa, NULL) == 0);
}

static void use_altstack(void)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	REQUIRE(sigaltstack(&ss, NULL) == 0);
}

static void recurse(int sig, siginfo_t *info, void *uc)
{
	hits++;
	if (++depth > deepest)
		deepest = depth;
	if (depth < DEEP)
		raise(sig);
	depth--;
}

/* More handlers inside each other than any kernel keeps a record of. */
static void nested(void)
{
	hits = depth = deepest = 0;
	install(SIGUSR1, recurse, SA_NODEFER);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	CHECK_EQ(hits, 3 * DEEP);
	CHECK_EQ(deepest, DEEP);
	CHECK_EQ(depth, 0);
}

static void jump_out(int sig, siginfo_t *info, void *uc)
{
	hits++;
	siglongjmp(back, 1);
}

static void count(int sig, siginfo_t *info, void *uc)
{
	hits++;
}

/* Handlers left by siglongjmp, on either stack, with ordinary ones in between. */
static void long_jumps(void)
{
	hits = 0;
	use_altstack();
	for (int i = 0; i < 200; i++) {
		install(SIGUSR1, jump_out, i & 1 ? SA_ONSTACK : 0);
		install(SIGUSR2, count, i & 2 ? SA_ONSTACK : 0);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		raise(SIGUSR2);
	}
	CHECK_EQ(hits, 400);
}

static void jump_inside(int sig, siginfo_t *info, void *uc)
{
	for (int i = 0; i < 50; i++)
		if (!sigsetjmp(back, 1))
			raise(SIGUSR2);
	hits++;
}

/* A handler that survives many that were jumped out of still returns. */
static void jumps_in_handler(void)
{
	hits = 0;
	use_altstack();
	install(SIGUSR1, jump_inside, 0);
	install(SIGUSR2, jump_out, 0);
	raise(SIGUSR1);
	CHECK_EQ(hits, 51);
	install(SIGUSR2, jump_out, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK_EQ(hits, 102);
}

static void fork_inside(int sig, siginfo_t *info, void *uc)
{
	hits = fork();
}

/* The child of a fork in a handler returns from the handler, too. */
static void fork_in_handler(void)
{
	install(SIGUSR1, fork_inside, 0);
	raise(SIGUSR1);
	if (!hits)
		_exit(7);
	REQUIRE(hits > 0);
	CHECK_EXIT(hits, 7);
}

/* ---- a forged frame ---- */

#define FRAME_MAX 16384
static char copy[FRAME_MAX] __attribute__((aligned(64)));
static char *frame;
static size_t frame_size;
static volatile int arrivals, waiting;

/* Keep a copy of the frame that this handler runs on, at an address with the same alignment. */
static void keep_frame(int sig, siginfo_t *info, void *uc)
{
	if (!waiting || frame)
		return;
#if defined(__x86_64__)
	frame = (char *)uc - sizeof(long);
#else
	frame = (char *)info;
#endif
	frame_size = (size_t)(altstack + sizeof(altstack) - frame);
	REQUIRE(frame_size < FRAME_MAX - 64);
	memcpy(copy + ((uintptr_t)frame & 63), frame, frame_size);
}

__attribute__((noreturn)) static void return_through(char *forged)
{
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp; syscall"
			 :
			 : "r"(forged + sizeof(long)), "a"(SYS_rt_sigreturn)
			 : "memory");
#elif defined(__riscv)
	register long nr __asm__("a7") = SYS_rt_sigreturn;
	__asm__ volatile("mv sp, %0; ecall" : : "r"(forged), "r"(nr) : "memory");
#elif defined(__aarch64__)
	register long nr __asm__("x8") = SYS_rt_sigreturn;
	__asm__ volatile("mov sp, %0; svc 0" : : "r"(forged), "r"(nr) : "memory");
#elif defined(__loongarch__)
	register long nr __asm__("a7") = SYS_rt_sigreturn;
	__asm__ volatile("move $sp, %0; syscall 0" : : "r"(forged), "r"(nr) : "memory");
#endif
	__builtin_unreachable();
}

/* Come back to the place of the signal a second time through the copy: exit 3. */
__attribute__((noinline)) static void replay(int in_place)
{
	use_altstack();
	install(SIGALRM, keep_frame, SA_ONSTACK);
	tap_tick(1);
	/* Interrupted here, and not in a function whose stack frame is gone when the copy is used. */
	waiting = 1;
	while (!*(char *volatile *)&frame)
		;
	tap_tick(0);
	if (++arrivals == 2)
		_exit(3);
	if (!in_place)
		return_through(copy + ((uintptr_t)frame & 63));
	memcpy(frame, copy + ((uintptr_t)frame & 63), frame_size);
	return_through(frame);
}

static void forged(void)
{
	int guarded;

	guarded = tap_on_caelum();
	for (int in_place = 0; in_place < 2; in_place++) {
		pid_t pid = fork();

		if (!pid)
			replay(in_place);
		if (guarded)
			CHECK_KILLED(pid, SIGSEGV);
		else
			CHECK_EXIT(pid, 3);
	}
}

int main(void)
{
	TAP_FORK(nested);
	TAP_FORK(long_jumps);
	TAP_FORK(jumps_in_handler);
	TAP_FORK(fork_in_handler);
	TAP_FORK(forged);
	return tap_done();
}

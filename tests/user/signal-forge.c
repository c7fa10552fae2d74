/* SPDX-License-Identifier: MIT */
/*
 * Forged signal frames. An attacker who writes a stack can set all registers with one rt_sigreturn. On Linux that works; Caelum refuses
 * it (CONFIG_SIGRETURN_GUARD): each shape here must end in SIGSEGV there. In between, what programs do with handlers and stacks must go on
 * working, with as many deliveries outstanding as they like.
 */
#include "tap.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>

#define FRAME_MAX 16384
#define STACK (64 * 1024)

static char altstack[STACK + 1024] __attribute__((aligned(64)));
static char copy[FRAME_MAX] __attribute__((aligned(64)));
static char area[4 * FRAME_MAX] __attribute__((aligned(64)));
static char *frame; /* where the kernel built the frame: the stack pointer at rt_sigreturn */
static size_t frame_size;
static void *trampoline;
static volatile int arrivals, depth;
static sigjmp_buf back;

/* ---- machine ---- */

/* What the kernel finds as stack pointer when a handler has returned to its trampoline. */
static char *frame_start(siginfo_t *info, void *uc)
{
#if defined(__x86_64__)
	return (char *)uc;
#else
	return (char *)info;
#endif
}

/* Set the stack pointer and go. */
__attribute__((noreturn)) static void jump(char *sp, void *pc)
{
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp; jmp *%1" : : "r"(sp), "a"(pc) : "memory");
#elif defined(__riscv)
	__asm__ volatile("mv sp, %0; jr %1" : : "r"(sp), "r"(pc) : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov sp, %0; br %1" : : "r"(sp), "r"(pc) : "memory");
#else
	__asm__ volatile("move $sp, %0; jr %1" : : "r"(sp), "r"(pc) : "memory");
#endif
	__builtin_unreachable();
}

/* rt_sigreturn from a place of our own. */
__attribute__((noreturn)) static void sigreturn_at(char *sp)
{
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp; syscall" : : "r"(sp), "a"(SYS_rt_sigreturn) : "memory");
#elif defined(__riscv)
	register long nr __asm__("a7") = SYS_rt_sigreturn;
	__asm__ volatile("mv sp, %0; ecall" : : "r"(sp), "r"(nr) : "memory");
#elif defined(__aarch64__)
	register long nr __asm__("x8") = SYS_rt_sigreturn;
	__asm__ volatile("mov sp, %0; svc 0" : : "r"(sp), "r"(nr) : "memory");
#else
	register long nr __asm__("a7") = SYS_rt_sigreturn;
	__asm__ volatile("move $sp, %0; syscall 0" : : "r"(sp), "r"(nr) : "memory");
#endif
	_exit(4); /* refused with an error, and control kept: not on any kernel */
}

/* Call @fn on another stack. */
__attribute__((noinline)) static void call_on(char *top, void (*fn)(void))
{
#if defined(__x86_64__)
	__asm__ volatile("mov %%rsp, %%rbx; mov %0, %%rsp; call *%1; mov %%rbx, %%rsp"
			 :
			 : "r"(top), "r"(fn)
			 : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
			   "memory");
#elif defined(__riscv)
	__asm__ volatile("mv s2, sp; mv sp, %0; jalr %1; mv sp, s2"
			 :
			 : "r"(top), "r"(fn)
			 : "s2", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2",
			   "a3", "a4", "a5", "a6", "a7", "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov x19, sp; mov sp, %0; blr %1; mov sp, x19"
			 :
			 : "r"(top), "r"(fn)
			 : "x19", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
			   "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", "cc",
			   "memory");
#else
	__asm__ volatile("move $s2, $sp; move $sp, %0; jirl $ra, %1, 0; move $sp, $s2"
			 :
			 : "r"(top), "r"(fn)
			 : "$s2", "$ra", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7",
			   "$t8", "$a0", "$a1", "$a2", "$a3", "$a4", "$a5", "$a6", "$a7", "memory");
#endif
}

/* ---- getting a frame ---- */

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	REQUIRE(sigaction(sig, &sa, NULL) == 0);
}

static void use_altstack(void)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = STACK };

	REQUIRE(sigaltstack(&ss, NULL) == 0);
}

/* A place in @room with the alignment the frame has. */
static char *aligned_like(char *room)
{
	return room + ((uintptr_t)frame & 63);
}

static void keep(int sig, siginfo_t *info, void *uc)
{
	frame = frame_start(info, uc);
	trampoline = __builtin_return_address(0);
	frame_size = (size_t)(altstack + STACK - frame);
	REQUIRE(frame_size < FRAME_MAX - 64);
	memcpy(aligned_like(copy), frame, frame_size);
}

static void jump_out(int sig, siginfo_t *info, void *uc)
{
	siglongjmp(back, 1);
}

static void forge_at(char *where)
{
	memmove(where, aligned_like(copy), frame_size);
}

/* ---- shapes: each gets a kept frame of a delivery that has returned, and tries to come back through it ---- */

static void elsewhere(void)
{
	forge_at(aligned_like(area));
	sigreturn_at(aligned_like(area));
}

static void elsewhere_by_trampoline(void)
{
	forge_at(aligned_like(area));
	jump(aligned_like(area), trampoline);
}

static void in_place(void)
{
	forge_at(frame);
	sigreturn_at(frame);
}

static void in_place_by_trampoline(void)
{
	forge_at(frame);
	jump(frame, trampoline);
}

static void untouched_in_place(void)
{
	jump(frame, trampoline); /* what the handler left on its stack */
}

static void in_mapping(void)
{
	char *p = mmap(NULL, FRAME_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	forge_at(aligned_like(p));
	jump(aligned_like(p), trampoline);
}

static void off_by(long n)
{
	forge_at(frame + n);
	jump(frame + n, trampoline);
}

static void shifted_up(void)
{
	off_by(16);
}
static void shifted_down(void)
{
	off_by(-64);
}
static void shifted_by_a_word(void)
{
	off_by(sizeof(long));
}

/* Inside a handler, with a delivery outstanding. */
static void (*inside_fn)(siginfo_t *info, void *uc);

static void inside_handler(int sig, siginfo_t *info, void *uc)
{
	inside_fn(info, uc);
}

static void inside(void (*fn)(siginfo_t *info, void *uc))
{
	inside_fn = fn;
	install(SIGUSR2, inside_handler, 0);
	raise(SIGUSR2);
	_exit(5);
}

static void copy_inside(siginfo_t *info, void *uc)
{
	forge_at(aligned_like(area));
	jump(aligned_like(area), trampoline);
}
static void with_one_outstanding(void)
{
	inside(copy_inside);
}

/* The right place, but not from where handlers return to. */
static void own_code(siginfo_t *info, void *uc)
{
	char *here = frame_start(info, uc);

	forge_at(here); /* the content is the attacker's */
	sigreturn_at(here);
}
static void from_own_code(void)
{
	inside(own_code);
}

/* The right place, the cookie behind the frame overwritten. */
static void no_cookie(siginfo_t *info, void *uc)
{
	char *here = frame_start(info, uc);

	memset(here + frame_size - 96, 0x41, 4096);
	forge_at(here);
	jump(here, trampoline);
}
static void on_own_stack(void)
{
	/* Room above, so that what is overwritten is not needed. */
	call_on(area + sizeof(area) - 8192, from_own_code);
}
static void smash(void)
{
	inside(no_cookie);
}
static void cookie_overwritten(void)
{
	call_on(area + sizeof(area) - 8192, smash);
}

static void next_to_it(siginfo_t *info, void *uc)
{
	char *here = frame_start(info, uc) - FRAME_MAX;

	forge_at(aligned_like((char *)((uintptr_t)here & ~63UL)));
	jump(aligned_like((char *)((uintptr_t)here & ~63UL)), trampoline);
}
static void below_outstanding(void)
{
	inside(next_to_it);
}

/* After many deliveries that were jumped out of. */
static void after_long_jumps(void)
{
	install(SIGUSR1, jump_out, SA_NODEFER);
	for (volatile int i = 0; i < 100; i++)
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
	forge_at(aligned_like(area));
	jump(aligned_like(area), trampoline);
}

static void deep(int sig, siginfo_t *info, void *uc)
{
	if (++depth < 40)
		raise(sig);
	else if (inside_fn)
		inside_fn(info, uc);
}

static void deep_copy(siginfo_t *info, void *uc)
{
	copy_inside(info, uc);
}

/* More outstanding than are remembered: the forgotten ones are no way in. */
static void with_many_outstanding(void)
{
	inside_fn = deep_copy;
	install(SIGUSR1, deep, SA_NODEFER);
	raise(SIGUSR1);
	_exit(5);
}

static void after_many(void)
{
	inside_fn = NULL;
	install(SIGUSR1, deep, SA_NODEFER);
	raise(SIGUSR1);
	forge_at(aligned_like(area));
	jump(aligned_like(area), trampoline);
}

/* A thread that never had a signal. */
static void *fresh_thread(void *arg)
{
	forge_at(aligned_like(area));
	jump(aligned_like(area), trampoline);
}
static void in_new_thread(void)
{
	pthread_t t;

	REQUIRE(pthread_create(&t, NULL, fresh_thread, NULL) == 0);
	pthread_join(t, NULL);
	_exit(5);
}

/* A thread uses the frame of another that is in its handler. */
static char *theirs;
static void *stealer(void *arg)
{
	jump(theirs, trampoline);
}
static void steal(siginfo_t *info, void *uc)
{
	pthread_t t;

	theirs = frame_start(info, uc);
	forge_at(theirs);
	REQUIRE(pthread_create(&t, NULL, stealer, NULL) == 0);
	pthread_join(t, NULL);
	_exit(5);
}
static void frame_of_another_thread(void)
{
	inside(steal);
}

/* A handler's frame twice. */
static char *outer;
static void remember(int sig, siginfo_t *info, void *uc)
{
	outer = frame_start(info, uc);
}
static void twice(void)
{
	static volatile int came_back;

	install(SIGUSR1, remember, 0);
	raise(SIGUSR1);
	if (came_back++)
		_exit(3);
	jump(outer, trampoline);
}

/* In the child of a fork. */
static void after_fork(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		in_place_by_trampoline();
	status = tap_wait(pid);
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	kill(getpid(), WTERMSIG(status));
}

/* A frame that was jumped out of, after the handler around it has returned. */
static void inner(int sig, siginfo_t *info, void *uc)
{
	outer = frame_start(info, uc);
	siglongjmp(back, 1);
}
static void jumped_inside(int sig, siginfo_t *info, void *uc)
{
	if (!sigsetjmp(back, 1))
		raise(SIGUSR2);
}
static void discarded(void)
{
	install(SIGUSR1, jumped_inside, 0);
	install(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	forge_at(outer);
	jump(outer, trampoline);
}

/* Stack pointers that are no frames at all. */
static void at_null(void)
{
	sigreturn_at(NULL);
}
static void at_kernel(void)
{
	sigreturn_at((char *)-4096L);
}
static void at_end_of_page(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 4096, 4096);
	sigreturn_at(p + 4096 - 64);
}
static void zeros(void)
{
	memset(area, 0, sizeof(area));
	sigreturn_at(area + 64);
}

/* Linux takes them (exit 3, back where the signal came), or the frame is bad there, too. */
static const struct {
	const char *name;
	void (*fn)(void);
} shapes[] = {
#define S(f) { #f, f }
	S(elsewhere),
	S(elsewhere_by_trampoline),
	S(in_place),
	S(in_place_by_trampoline),
	S(untouched_in_place),
	S(in_mapping),
	S(shifted_up),
	S(shifted_down),
	S(shifted_by_a_word),
	S(with_one_outstanding),
	S(from_own_code),
	S(on_own_stack),
	S(cookie_overwritten),
	S(below_outstanding),
	S(after_long_jumps),
	S(with_many_outstanding),
	S(after_many),
	S(in_new_thread),
	S(frame_of_another_thread),
	S(twice),
	S(after_fork),
	S(discarded),
	S(at_null),
	S(at_kernel),
	S(at_end_of_page),
	S(zeros),
#undef S
};

/* Have a frame, then try. Whoever comes back here a second time has won. */
__attribute__((noinline)) static void attempt(void (*fn)(void))
{
	use_altstack();
	install(SIGALRM, keep, SA_ONSTACK);
	kill(getpid(), SIGALRM);
	while (!*(char *volatile *)&frame)
		;
	if (++arrivals >= 2)
		_exit(3);
	fn();
	_exit(6);
}

static void forged(void)
{

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			attempt(shapes[i].fn);
		status = tap_wait(pid);
		if (tap_on_caelum() && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV))
			tap_fail(__FILE__, __LINE__, "%s: wait status %#x, wanted SIGSEGV",
				 shapes[i].name, (unsigned)status);
	}
}

/* ---- what must work ---- */

static volatile int hits;
static char stacks[4][STACK] __attribute__((aligned(64)));

static void count(int sig, siginfo_t *info, void *uc)
{
	hits++;
}

/* Handlers on stacks of the program's own making, inside each other. */
static int level;
static void on_next_stack(void);
static void switching(int sig, siginfo_t *info, void *uc)
{
	hits++;
	if (level < 4)
		call_on(stacks[level++] + STACK, on_next_stack);
}
static void on_next_stack(void)
{
	raise(SIGUSR1);
	raise(SIGUSR2);
}

static void own_stacks(void)
{
	install(SIGUSR1, switching, SA_NODEFER);
	install(SIGUSR2, count, SA_NODEFER);
	for (int i = 0; i < 5; i++) {
		level = 0;
		raise(SIGUSR1);
	}
	CHECK_EQ(hits, 5 * (5 + 4));
}

/*
 * Threads in user space that are preempted by a signal: each is left and continued inside its handler, in turn, so that
 * deliveries return in another order than they came. With more of them than the kernel remembers.
 */
#define NCO 24
static char *co_stack[NCO];
static sigjmp_buf co_ctx[NCO];
static volatile int co_now, co_left, co_work[NCO];
static sigjmp_buf co_main;

static void preempt(int sig, siginfo_t *info, void *uc)
{
	int me = co_now;

	if (!sigsetjmp(co_ctx[me], 1))
		siglongjmp(co_main, 1);
}

static void co_body(void)
{
	int me = co_now;

	for (int i = 0; i < 20; i++) {
		co_work[me]++;
		raise(SIGUSR1);
	}
	co_left--;
	co_ctx[me][0] = co_main[0]; /* never continued */
	siglongjmp(co_main, 2);
}

static void user_threads(void)
{
	static volatile int done[NCO];
	volatile int turn = 0;

	install(SIGUSR1, preempt, SA_NODEFER);
	for (int i = 0; i < NCO; i++) {
		co_stack[i] = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
		REQUIRE(co_stack[i] != MAP_FAILED);
	}
	co_left = NCO;
	while (co_left) {
		int r = sigsetjmp(co_main, 1);

		if (r == 2)
			done[co_now] = 1;
		if (!co_left)
			break;
		if (r) {
			turn++;
			if (turn % 3 == 0) /* not always the next one */
				turn += 5;
			while (done[turn % NCO])
				turn++;
			co_now = turn % NCO;
			if (co_work[co_now])
				siglongjmp(co_ctx[co_now], 1);
			call_on(co_stack[co_now] + STACK, co_body);
		}
		co_now = turn % NCO;
		call_on(co_stack[co_now] + STACK, co_body);
	}
	for (int i = 0; i < NCO; i++)
		CHECK_EQ(co_work[i], 20);
}

int main(void)
{
	TAP_FORK(forged);
	TAP_FORK(own_stacks);
	TAP_FORK(user_threads);
	return tap_done();
}

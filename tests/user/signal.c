/* SPDX-License-Identifier: MIT */
/*
 * Signals: siginfo fields, restart, masks, alternate stacks, nesting, synchronous faults and their
 * codes, job-control and child siginfo, and leaving handlers by siglongjmp.
 * (Vector state and the machine context are in signal-fpu.c.)  Semantics: signal(7), sigaction(2).
 */
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>

static volatile sig_atomic_t hits;
/* All volatile: raise() and kill() look like leaf functions to a compiler. */
static volatile siginfo_t last;
static volatile uintptr_t handler_sp;
static sigset_t mask_in_handler; /* its address escapes, which is as good */
static char *volatile nowhere = (char *)8;
static sigjmp_buf jump;

static void count(int sig)
{
	hits++;
}

static void record(int sig, siginfo_t *info, void *context)
{
	char here;

	hits++;
	last = *info;
	handler_sp = (uintptr_t)&here;
	sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
	if (info->si_signo != sig || !context)
		CHECK(!"handler arguments");
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	REQUIRE(sigaction(sig, &sa, NULL) == 0);
	hits = 0;
	last = (siginfo_t){ 0 };
}

static void install_plain(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigemptyset(&sa.sa_mask);
	REQUIRE(sigaction(sig, &sa, NULL) == 0);
	hits = 0;
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = set_of(sig);

	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock(int sig)
{
	sigset_t set = set_of(sig);

	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void siginfo_fields(void)
{
	union sigval value = { .sival_int = 0x12345678 };

	install(SIGUSR1, record, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, SI_USER);
	CHECK_EQ(last.si_pid, getpid());
	CHECK_EQ(last.si_uid, getuid());
	CHECK_EQ(last.si_errno, 0);
	raise(SIGUSR1);
	CHECK_EQ(last.si_code, SI_TKILL);
	CHECK_EQ(last.si_pid, getpid());
	CHECK_OK(sigqueue(getpid(), SIGUSR1, value));
	CHECK_EQ(last.si_code, SI_QUEUE);
	CHECK_EQ(last.si_value.sival_int, 0x12345678);
	CHECK_EQ(hits, 3);
	CHECK(sigismember(&mask_in_handler, SIGUSR1));
}

static void bad_arguments(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	CHECK_ERRNO(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	CHECK_ERRNO(sigaction(0, &sa, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &sa, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4L), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &sa, NULL, 4L), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 77, &sa, NULL, 8L), EINVAL);
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(0x3ffffff, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0x3ffffff, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, -1, getpid(), SIGUSR1), EINVAL);
	CHECK_OK(kill(getpid(), 0));
}

static void masks(void)
{
	struct sigaction sa = { .sa_sigaction = record, .sa_flags = SA_SIGINFO };
	sigset_t before, after;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	sigprocmask(SIG_BLOCK, NULL, &before);
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(sigismember(&mask_in_handler, SIGUSR1) && sigismember(&mask_in_handler, SIGUSR2));
	CHECK(!sigismember(&mask_in_handler, SIGTERM));
	for (int sig = 1; sig < 65; sig++)
		CHECK_EQ(sigismember(&before, sig), sigismember(&after, sig));
	install(SIGUSR1, record, SA_NODEFER);
	raise(SIGUSR1);
	CHECK(!sigismember(&mask_in_handler, SIGUSR1));
	install(SIGUSR1, record, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK_EQ(hits, 1);
	CHECK_OK(sigaction(SIGUSR1, NULL, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
	block(SIGKILL);
	block(SIGSTOP);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(!sigismember(&after, SIGKILL) && !sigismember(&after, SIGSTOP));
}

static volatile int order[8], norder;

static void nest(int sig)
{
	order[norder++] = sig;
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	if (sig == SIGUSR2)
		raise(SIGHUP);
	order[norder++] = -sig;
}

static void nested(void)
{
	const int want[] = { SIGUSR1, SIGUSR2, SIGHUP, -SIGHUP, -SIGUSR2, -SIGUSR1 };

	install_plain(SIGUSR1, nest, 0);
	install_plain(SIGUSR2, nest, 0);
	install_plain(SIGHUP, nest, 0);
	norder = 0;
	raise(SIGUSR1);
	CHECK_EQ(norder, 6);
	CHECK(memcmp((const int *)order, want, sizeof(want)) == 0);
}

static volatile int values[16], nvalues;

static void record_value(int sig, siginfo_t *info, void *context)
{
	values[nvalues++] = sig * 100 + info->si_value.sival_int;
}

/* Standard signals merge while pending; real-time ones queue, lowest number first, in order. */
static void queueing(void)
{
	const int low = SIGRTMIN, high = SIGRTMIN + 1;
	sigset_t pending;

	install(low, record_value, 0);
	install(high, record_value, 0);
	install(SIGUSR1, record, 0);
	block(low);
	block(high);
	block(SIGUSR1);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(sigqueue(getpid(), high, (union sigval){ .sival_int = i }));
		CHECK_OK(sigqueue(getpid(), low, (union sigval){ .sival_int = i }));
		CHECK_OK(kill(getpid(), SIGUSR1));
	}
	CHECK_OK(sigpending(&pending));
	CHECK(sigismember(&pending, low) && sigismember(&pending, high));
	CHECK(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
	unblock(SIGUSR1);
	CHECK_EQ(hits, 1);
	nvalues = 0;
	unblock(low);
	unblock(high);
	CHECK_EQ(nvalues, 6);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(values[i], low * 100 + i);
		CHECK_EQ(values[3 + i], high * 100 + i);
	}
}

static void sigtimedwait_values(void)
{
	struct timespec none = { 0, 0 }, little = { 0, 20000000 }, bad = { 0, 1000000000 };
	sigset_t set = set_of(SIGRTMIN + 2);
	siginfo_t info;

	block(SIGRTMIN + 2);
	CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_ERRNO(sigtimedwait(&set, &info, &little), EAGAIN);
	CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
	CHECK_OK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = -5 }));
	CHECK_EQ(sigtimedwait(&set, &info, NULL), SIGRTMIN + 2);
	CHECK_EQ(info.si_code, SI_QUEUE);
	CHECK_EQ(info.si_value.sival_int, -5);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_OK(kill(getpid(), SIGRTMIN + 2));
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 2);
	CHECK_EQ(info.si_code, SI_USER);
}

static void suspend(void)
{
	sigset_t none, before, after;

	install(SIGUSR1, record, 0);
	block(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &before);
	raise(SIGUSR1);
	CHECK_EQ(hits, 0);
	sigemptyset(&none);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(hits, 1);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(memcmp(&before, &after, 8) == 0);
	unblock(SIGUSR1);
}

/* Fork a process that, when its parent sleeps, sends it SIGUSR1 and then writes to @fd. */
static pid_t poke_later(int fd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		tap_wait_state(parent, 'S');
		kill(parent, SIGUSR1);
		if (fd >= 0) {
			tap_sleep_ms(20);
			if (write(fd, "y", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	return pid;
}

static void restart(void)
{
	pid_t pid;
	int fds[2];
	char c = 0;

	REQUIRE(pipe(fds) == 0);
	install_plain(SIGUSR1, count, SA_RESTART);
	pid = poke_later(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(hits, 1);
	CHECK_EXIT(pid, 0);
	install_plain(SIGUSR1, count, 0);
	pid = poke_later(-1);
	CHECK_ERRNO(read(fds[0], &c, 1), EINTR);
	CHECK_EQ(hits, 1);
	CHECK_EXIT(pid, 0);
	signal(SIGUSR1, SIG_IGN);
	pid = poke_later(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EXIT(pid, 0);
	install_plain(SIGUSR1, count, SA_RESTART);
	pid = poke_later(-1);
	CHECK_ERRNO(nanosleep(&(struct timespec){ 1000, 0 }, NULL), EINTR);
	CHECK_EXIT(pid, 0);
	pid = poke_later(-1);
	CHECK_ERRNO(pause(), EINTR);
	CHECK_EXIT(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

static void alternate_stack(void)
{
	size_t size = 65536;
	char *stack = malloc(size);
	stack_t ss = { .ss_sp = stack, .ss_size = size }, old;

	CHECK_OK(sigaltstack(NULL, &old));
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	CHECK_OK(sigaltstack(&ss, NULL));
	CHECK_OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == stack && old.ss_size == size && old.ss_flags == 0);
	install(SIGUSR1, record, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(handler_sp > (uintptr_t)stack && handler_sp < (uintptr_t)stack + size);
	install(SIGUSR1, record, 0);
	raise(SIGUSR1);
	CHECK(handler_sp < (uintptr_t)stack || handler_sp > (uintptr_t)stack + size);
	ss.ss_size = 100;
	CHECK_ERRNO(syscall(SYS_sigaltstack, &ss, NULL), ENOMEM);
	ss.ss_flags = 0x40;
	CHECK_ERRNO(syscall(SYS_sigaltstack, &ss, NULL), EINVAL);
	ss.ss_flags = SS_DISABLE;
	CHECK_OK(sigaltstack(&ss, NULL));
	free(stack);
}

static volatile stack_t stack_in_handler;
static volatile int change_errno;

static void look_at_stack(int sig)
{
	stack_t ss = { .ss_flags = SS_DISABLE };

	sigaltstack(NULL, (stack_t *)&stack_in_handler);
	change_errno = sigaltstack(&ss, NULL) == -1 ? errno : 0;
}

static void on_stack_flag(void)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	CHECK_OK(sigaltstack(&ss, NULL));
	install_plain(SIGUSR1, look_at_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK_EQ(stack_in_handler.ss_flags, SS_ONSTACK);
	CHECK_EQ(change_errno, EPERM);
}

static void escape(int sig, siginfo_t *info, void *context)
{
	last = *info;
	hits++;
	siglongjmp(jump, 1);
}

/* Overflow the stack; SIGSEGV is only deliverable on the alternate one. */
__attribute__((noinline)) static int overflow(int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	if (nowhere)
		frame[4095] = (char)overflow(depth + 1);
	return frame[0] + frame[4095];
}

static void stack_overflow(void)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	CHECK_OK(sigaltstack(&ss, NULL));
	install(SIGSEGV, escape, SA_ONSTACK);
	if (sigsetjmp(jump, 1) == 0)
		overflow(0);
	CHECK_EQ(hits, 1);
	if (sigsetjmp(jump, 1) == 0)
		overflow(0);
	CHECK_EQ(hits, 2);
}

static void overflow_kills(void)
{
	install(SIGSEGV, escape, 0);
	overflow(0);
}

static void fault_read(const volatile char *p)
{
	if (sigsetjmp(jump, 1) == 0)
		(void)*p;
}

static void fault_write(volatile char *p)
{
	if (sigsetjmp(jump, 1) == 0)
		*p = 1;
}

static void fault_codes(void)
{
	char *map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigset_t now;

	install(SIGSEGV, escape, 0);
	fault_write(map + 5);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, SEGV_ACCERR);
	CHECK(last.si_addr == map + 5);
	munmap(map, 8192);
	fault_write(map + 4097);
	CHECK_EQ(last.si_code, SEGV_MAPERR);
	CHECK(last.si_addr == map + 4097);
	fault_read(map + 9);
	CHECK_EQ(last.si_code, SEGV_MAPERR);
	CHECK(last.si_addr == map + 9);
	fault_read(nowhere);
	CHECK_EQ(last.si_code, SEGV_MAPERR);
	CHECK(last.si_addr == nowhere);
	CHECK_EQ(hits, 4);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGSEGV));
}

static void fault_prot_none_and_exec(void)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	install(SIGSEGV, escape, 0);
	if (sigsetjmp(jump, 1) == 0)
		((void (*)(void))map)();
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, SEGV_ACCERR);
	CHECK(last.si_addr == map);
	mprotect(map, 4096, PROT_NONE);
	fault_read(map);
	CHECK_EQ(hits, 2);
	CHECK_EQ(last.si_code, SEGV_ACCERR);
	/* A kernel address: no information about what is there, on any machine a SIGSEGV. */
	fault_read((char *)-4096L);
	CHECK_EQ(hits, 3);
	munmap(map, 4096);
}

static void bus_error(void)
{
	char name[] = "/tmp/bus.XXXXXX";
	int fd = mkstemp(name);
	char *map;

	REQUIRE(fd >= 0 && ftruncate(fd, 100) == 0);
	unlink(name);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(map != MAP_FAILED);
	install(SIGBUS, escape, 0);
	fault_read(map + 4095);
	CHECK_EQ(hits, 0);
	fault_read(map + 4096);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, BUS_ADRERR);
	CHECK(last.si_addr == map + 4096);
	CHECK_OK(ftruncate(fd, 0));
	fault_write(map);
	CHECK_EQ(hits, 2);
	munmap(map, 8192);
	close(fd);
}

static void illegal_instruction(void)
{
	install(SIGILL, escape, 0);
	if (sigsetjmp(jump, 1) == 0) {
#if defined(__x86_64__)
		__asm__ volatile("ud2");
#else
		__asm__ volatile(".word 0");
#endif
	}
	CHECK_EQ(hits, 1);
	CHECK(last.si_code == ILL_ILLOPN || last.si_code == ILL_ILLOPC);
	CHECK(last.si_addr != NULL);
}

static void breakpoint(void)
{
	install(SIGTRAP, escape, 0);
	if (sigsetjmp(jump, 1) == 0) {
#if defined(__x86_64__)
		__asm__ volatile("int3");
#elif defined(__aarch64__)
		__asm__ volatile("brk #0");
#elif defined(__riscv)
		__asm__ volatile("ebreak");
#elif defined(__loongarch__)
		__asm__ volatile("break 0");
#endif
	}
	CHECK_EQ(hits, 1);
#if defined(__x86_64__)
	CHECK_EQ(last.si_code, SI_KERNEL);
#else
	CHECK_EQ(last.si_code, TRAP_BRKPT);
#endif
}

static void divide_error(void)
{
#if defined(__x86_64__)
	install(SIGFPE, escape, 0);
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::
					 : "eax", "ecx", "edx");
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, FPE_INTDIV);
	CHECK(last.si_addr != NULL);
#endif
}

static void blocked_fault(void)
{
	install(SIGSEGV, escape, 0);
	block(SIGSEGV);
	*nowhere = 0;
}

static void ignored_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	*nowhere = 0;
}

static void fault_in_own_handler(int sig)
{
	*nowhere = 0;
}

static void fault_while_handling(void)
{
	install_plain(SIGSEGV, fault_in_own_handler, 0);
	*nowhere = 0;
}

static void faults_that_kill(void)
{
	CHECK_KILLED(tap_spawn(blocked_fault), SIGSEGV);
	CHECK_KILLED(tap_spawn(ignored_fault), SIGSEGV);
	CHECK_KILLED(tap_spawn(fault_while_handling), SIGSEGV);
	CHECK_KILLED(tap_spawn(overflow_kills), SIGSEGV);
}

static void jump_restores_mask(void)
{
	sigset_t now;

	install(SIGUSR1, escape, 0);
	for (int i = 0; i < 200; i++)
		if (sigsetjmp(jump, 1) == 0)
			raise(SIGUSR1);
	CHECK_EQ(hits, 200);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1));
	if (sigsetjmp(jump, 0) == 0)
		raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	unblock(SIGUSR1);
}

static void change_mask(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	sigaddset(&uc->uc_sigmask, SIGHUP);
}

static void sigreturn_sets_mask(void)
{
	sigset_t now;

	install(SIGUSR1, change_mask, 0);
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGHUP));
	CHECK(!sigismember(&now, SIGUSR1));
	unblock(SIGHUP);
}

static void child_info(void)
{
	pid_t pid;
	int status;

	install(SIGCHLD, record, 0);
	block(SIGCHLD);
	pid = fork();
	if (pid == 0)
		_exit(42);
	status = tap_wait(pid);
	unblock(SIGCHLD);
	CHECK_EQ(WEXITSTATUS(status), 42);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, CLD_EXITED);
	CHECK_EQ(last.si_pid, pid);
	CHECK_EQ(last.si_status, 42);
	CHECK_EQ(last.si_uid, getuid());
	block(SIGCHLD);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(1);
	}
	tap_wait(pid);
	unblock(SIGCHLD);
	CHECK_EQ(last.si_code, CLD_KILLED);
	CHECK_EQ(last.si_status, SIGKILL);
	signal(SIGCHLD, SIG_DFL);
}

static void broken_pipe(void)
{
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	close(fds[0]);
	install(SIGPIPE, record, 0);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last.si_code, SI_USER);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(fds[1]);
}

static void alarm_clock(void)
{
	unsigned left;

	install(SIGALRM, record, 0);
	tap_tick(10);
	CHECK_ERRNO(pause(), EINTR);
	CHECK(hits >= 1);
	CHECK_EQ(last.si_code, SI_KERNEL);
	tap_tick(0);
	CHECK_EQ(alarm(1000), 0);
	left = alarm(0);
	CHECK(left > 800 && left <= 1000);
}

static pid_t group_child(pid_t group, int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, group);
		if (write(fd, "r", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	setpgid(pid, group ? group : pid);
	return pid;
}

static void groups(void)
{
	pid_t a, b, other;
	int fds[2];
	char c[3];

	REQUIRE(pipe(fds) == 0);
	a = group_child(0, fds[1]);
	b = group_child(a, fds[1]);
	other = group_child(0, fds[1]);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(read(fds[0], c, 1), 1);
	CHECK_OK(kill(-a, SIGTERM));
	CHECK_KILLED(a, SIGTERM);
	CHECK_KILLED(b, SIGTERM);
	CHECK_EQ(waitpid(other, NULL, WNOHANG), 0);
	CHECK_ERRNO(kill(-a, 0), ESRCH);
	CHECK_OK(kill(other, SIGINT));
	CHECK_KILLED(other, SIGINT);
	close(fds[0]);
	close(fds[1]);
}

static void exit_now(int sig)
{
	_exit(4);
}

/* Default actions: which signals end a process, and which do not. */
static void defaults(void)
{
	const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	const int fatal[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGABRT, SIGKILL,   SIGTERM,
			      SIGUSR1, SIGALRM, SIGPIPE, SIGXCPU, SIGVTALRM, SIGSYS };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		signal(ignored[i], SIG_DFL);
		raise(ignored[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (fatal[i] != SIGKILL)
				signal(fatal[i], SIG_DFL);
			signal(SIGCHLD, exit_now);
			unblock(fatal[i]);
			raise(fatal[i]);
			_exit(0);
		}
		CHECK_KILLED(pid, fatal[i]);
	}
}

/* A pending signal survives exec, a handler does not, "ignored" does (checked in exec.c too). */
static void fork_clears_pending(void)
{
	sigset_t pending;
	pid_t pid;

	install(SIGUSR1, record, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	pid = fork();
	if (pid == 0) {
		sigpending(&pending);
		_exit(sigismember(&pending, SIGUSR1) ? 1 : 0);
	}
	CHECK_EXIT(pid, 0);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1));
	unblock(SIGUSR1);
	CHECK_EQ(hits, 1);
}

int main(void)
{
	TAP_FORK(siginfo_fields);
	TAP_FORK(bad_arguments);
	TAP_FORK(masks);
	TAP_FORK(nested);
	TAP_FORK(queueing);
	TAP_FORK(sigtimedwait_values);
	TAP_FORK(suspend);
	TAP_FORK(restart);
	TAP_FORK(alternate_stack);
	TAP_FORK(on_stack_flag);
	TAP_FORK(stack_overflow);
	TAP_FORK(fault_codes);
	TAP_FORK(fault_prot_none_and_exec);
	TAP_FORK(bus_error);
	TAP_FORK(illegal_instruction);
	TAP_FORK(breakpoint);
	TAP_FORK(divide_error);
	TAP_RUN(faults_that_kill);
	TAP_FORK(jump_restores_mask);
	TAP_FORK(sigreturn_sets_mask);
	TAP_FORK(child_info);
	TAP_FORK(broken_pipe);
	TAP_FORK(alarm_clock);
	TAP_FORK(groups);
	TAP_FORK(defaults);
	TAP_FORK(fork_clears_pending);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2) and new tasks, threads, exec and exit: PTRACE_EVENT_*, tracees that are threads, exec by a thread that is not the leader,
 * zombie leaders, __WNOTHREAD, and races between tracer and tracee.
 */
#include "pt.h"
#include <pthread.h>
#include <sched.h>

#define FORK_OPTIONS (PT_O_TRACEFORK | PT_O_TRACEVFORK | PT_O_TRACECLONE | PT_O_TRACEVFORKDONE)

/* ---- fork, vfork, clone ---- */

static void fork_once(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	_exit(tap_wait(pid) == 5 << 8 ? 0 : 1);
}

static void fork_event(void)
{
	pid_t pid = pt_child(fork_once, PT_O_TRACEFORK | PT_O_EXITKILL), child;
	siginfo_t info;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_FORK));
	child = (pid_t)pt_eventmsg(pid);
	CHECK(child > pid);
	info = pt_siginfo(pid);
	CHECK_EQ(info.si_signo, SIGTRAP);
	CHECK_EQ(info.si_code, SIGTRAP | PT_EVENT_FORK << 8);
	EXPECT(child, ST_STOP(SIGSTOP));
	CHECK_EQ(pt_status_number(child, "TracerPid:\t"), getpid());
	CHECK_EQ(pt_status_number(child, "PPid:\t"), pid);
	CHECK_OK(pt(PT_CONT, child, 0, 0));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	/* The tracer sees its end; then the parent gets it, and SIGCHLD, which the tracer sees. */
	EXPECT(child, 5 << 8);
	EXPECT(pid, ST_STOP(SIGCHLD));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* The option is inherited, a seized tracee's children are seized. */
static void fork_in_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		fork_once();
	_exit(tap_wait(pid) == 0 ? 0 : 1);
}

static void inherited_options(void)
{
	pid_t pid, child, grandchild;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		pt_raise(SIGSTOP);
		fork_in_fork();
	}
	waitpid(pid, NULL, WUNTRACED);
	CHECK_OK(pt(PT_SEIZE, pid, 0, PT_O_TRACEFORK));
	EXPECT(pid, ST_EVSTOP(SIGSTOP));
	kill(pid, SIGCONT);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVSTOP(SIGTRAP));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGCONT));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_FORK));
	child = (pid_t)pt_eventmsg(pid);
	EXPECT(child, ST_EVSTOP(SIGTRAP));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK_OK(pt(PT_CONT, child, 0, 0));
	EXPECT(child, ST_EVENT(PT_EVENT_FORK));
	grandchild = (pid_t)pt_eventmsg(child);
	EXPECT(grandchild, ST_EVSTOP(SIGTRAP));
	CHECK_OK(pt(PT_DETACH, grandchild, 0, 0));
	CHECK_OK(pt(PT_DETACH, child, 0, 0));
	EXPECT(pid, ST_STOP(SIGCHLD));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static char clone_stack[65536] __attribute__((aligned(16)));

static int exit_6(void *arg)
{
	_exit(6);
}

/* Not by vfork(3): that is fork in some libraries. */
static void vfork_once(void)
{
	clone(exit_6, clone_stack + sizeof(clone_stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	_exit(0);
}

static void vfork_event(void)
{
	pid_t pid = pt_child(vfork_once, PT_O_TRACEVFORK | PT_O_TRACEVFORKDONE), child;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_VFORK));
	child = (pid_t)pt_eventmsg(pid);
	EXPECT(child, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	tap_sleep_ms(5);
	EXPECT_NOTHING(pid);
	CHECK_OK(pt(PT_CONT, child, 0, 0));
	EXPECT(child, 6 << 8);
	EXPECT(pid, ST_EVENT(PT_EVENT_VFORK_DONE));
	CHECK_EQ(pt_eventmsg(pid), child);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	/* SIGCHLD, unless it came before the end */
	for (int status = -1; waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);) {
		CHECK_EQ(status, ST_STOP(SIGCHLD));
		CHECK_OK(pt(PT_CONT, pid, 0, 0));
	}
}

/* VFORKDONE alone; the child is not traced. */
static void vfork_done_only(void)
{
	pid_t pid = pt_child(vfork_once, PT_O_TRACEVFORKDONE);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_VFORK_DONE));
	pt_kill(pid);
}

static int clone_child(void *arg)
{
	return 0;
}

static void clone_untraced(void)
{
	pid_t pid = clone(clone_child, clone_stack + sizeof(clone_stack),
			  0x00800000 /* CLONE_UNTRACED */ | SIGCHLD, NULL);

	_exit(tap_wait(pid) == 0 ? 0 : 1);
}

static void clone_no_signal(void)
{
	pid_t pid = clone(clone_child, clone_stack + sizeof(clone_stack), 0, NULL);

	_exit(waitpid(pid, NULL, __WALL) == pid ? 0 : 1);
}

static void clone_ptrace(void)
{
	pid_t pid = clone(clone_child, clone_stack + sizeof(clone_stack),
			  0x2000 /* CLONE_PTRACE */ | SIGCHLD, NULL);

	_exit(tap_wait(pid) == 0 ? 0 : 1);
}

static void clone_events(void)
{
	pid_t pid = pt_child(clone_untraced, FORK_OPTIONS), child;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGCHLD));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	/* The exit signal, not the call, makes it a clone. */
	pid = pt_child(clone_no_signal, FORK_OPTIONS);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_CLONE));
	child = (pid_t)pt_eventmsg(pid);
	EXPECT(child, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_CONT, child, 0, 0));
	EXPECT(child, 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	/* CLONE_PTRACE: traced although no event was asked for. */
	pid = pt_child(clone_ptrace, 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	child = EXPECT(-1, ST_STOP(SIGSTOP));
	CHECK(child > pid);
	CHECK_OK(pt(PT_CONT, child, 0, 0));
	EXPECT(child, 0);
	EXPECT(pid, ST_STOP(SIGCHLD));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* PTRACE_SYSCALL from the event leads to the end of the call. */
static void event_then_exit_stop(void)
{
	pid_t pid = pt_child(fork_once, PT_O_TRACEFORK | PT_O_TRACESYSGOOD), child;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_FORK));
	child = (pid_t)pt_eventmsg(pid);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), child);
	CHECK_EQ(pt_eventmsg(pid), 2);
	EXPECT(child, ST_STOP(SIGSTOP));
	pt_kill(pid);
	kill(child, SIGKILL);
	EXPECT(child, SIGKILL);
}

/* ---- exec, exit ---- */

static void exec_self(void)
{
	char *argv[] = { "/proc/self/exe", "exit", NULL };

	execv("/nonexistent", argv);
	execv(argv[0], argv);
	_exit(98);
}

static void exec_event(void)
{
	pid_t pid = pt_child(exec_self, PT_O_TRACEEXEC | PT_O_TRACESYSGOOD);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_EXEC));
	CHECK_EQ(pt_eventmsg(pid), pid);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	/* A seized one is not sent SIGTRAP. */
	pid = tap_spawn(exec_self);
	if (pt(PT_SEIZE, pid, 0, 0) == 0)
		EXPECT(pid, 0);
}

static void exit_42(void)
{
	_exit(42);
}

static void exit_event(void)
{
	pid_t pid = pt_child(exit_42, PT_O_TRACEEXIT);
	pt_regs regs;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_EXIT));
	CHECK_EQ(pt_eventmsg(pid), 42 << 8);
	regs = pt_getregs(pid);
	CHECK(PT_PC(regs) != 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 42 << 8);
	/* by a signal */
	pid = pt_child(pt_pause, PT_O_TRACEEXIT);
	CHECK_OK(pt(PT_CONT, pid, 0, SIGTERM));
	EXPECT(pid, ST_EVENT(PT_EVENT_EXIT));
	CHECK_EQ(pt_eventmsg(pid), SIGTERM);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, SIGTERM);
}

/* ---- threads ---- */

static int ready[2], go[2];
static volatile pid_t thread_tid;

static void *thread_main(void *arg)
{
	char c;

	thread_tid = (pid_t)syscall(SYS_gettid);
	write(ready[1], (void *)&thread_tid, sizeof(thread_tid));
	while (read(go[0], &c, 1) == -1)
		;
	if (c == 'e')
		exec_self();
	if (c == 'x')
		_exit(11);
	return NULL;
}

static pthread_t start_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread_main, NULL))
		_exit(97);
	return t;
}

static void one_thread(void)
{
	pthread_join(start_thread(), NULL);
	_exit(0);
}

static void thread_outlives_leader(void)
{
	start_thread();
	syscall(SYS_exit, 3);
}

static pid_t threaded(void (*fn)(void), long options, pid_t *thread)
{
	pid_t pid;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = pt_child(fn, options | PT_O_TRACECLONE);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_CLONE));
	*thread = (pid_t)pt_eventmsg(pid);
	EXPECT(*thread, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_CONT, *thread, 0, 0));
	return pid;
}

/* Each thread stops, and ends, by itself. */
static void thread_tracee(void)
{
	pid_t thread, pid = threaded(one_thread, PT_O_TRACEEXIT, &thread);
	long word;

	CHECK_EQ(read(ready[0], &word, 4), 4);
	CHECK_EQ((pid_t)word, thread);
	/* the leader is still in its event */
	CHECK_OK(pt(PT_PEEKDATA, pid, &thread_tid, &word));
	CHECK_EQ((pid_t)word, thread);
	CHECK_ERRNO(pt(PT_PEEKDATA, thread, &thread_tid, &word), ESRCH);
	CHECK_OK(syscall(SYS_tgkill, pid, thread, SIGUSR1));
	EXPECT(thread, ST_STOP(SIGUSR1));
	CHECK_OK(pt(PT_PEEKDATA, thread, &thread_tid, &word));
	CHECK_OK(pt(PT_CONT, thread, 0, 0));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	write(go[1], "r", 1);
	EXPECT(thread, ST_EVENT(PT_EVENT_EXIT));
	CHECK_OK(pt(PT_CONT, thread, 0, 0));
	EXPECT(thread, 0);
	CHECK_ERRNO(waitpid(thread, NULL, __WALL), ECHILD);
	EXPECT(pid, ST_EVENT(PT_EVENT_EXIT));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* exec by a thread: it takes the leader's number, the others are gone. */
static void thread_exec(void)
{
	pid_t thread, pid = threaded(one_thread, PT_O_TRACEEXEC, &thread);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	write(go[1], "e", 1);
	EXPECT(-1, ST_EVENT(PT_EVENT_EXEC));
	CHECK_EQ(pt_eventmsg(pid), thread);
	CHECK_ERRNO(waitpid(thread, NULL, __WALL), ECHILD);
	CHECK_ERRNO(pt(PT_CONT, thread, 0, 0), ESRCH);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void two_threads(void)
{
	start_thread();
	pthread_join(start_thread(), NULL);
	_exit(0);
}

/* Every other thread reports its end before the exec is told of. */
static void exec_ends_threads(void)
{
	pid_t pid, first, second, who;
	int status, seen = 0;

	pid = threaded(two_threads, PT_O_TRACEEXEC, &first);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_CLONE));
	second = (pid_t)pt_eventmsg(pid);
	EXPECT(second, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_CONT, second, 0, 0));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK_EQ(read(ready[0], &who, 4), 4);
	CHECK_EQ(read(ready[0], &who, 4), 4);
	write(go[1], "e", 1);
	who = waitpid(-1, &status, __WALL);
	CHECK(who == first || who == second);
	CHECK(WIFEXITED(status) || WIFSIGNALED(status));
	seen = who == first ? second : first;
	EXPECT(-1, ST_EVENT(PT_EVENT_EXEC));
	CHECK_EQ(pt_eventmsg(pid), seen);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void zombie_leader(void)
{
	pid_t thread, pid = threaded(thread_outlives_leader, 0, &thread);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK(tap_wait_state(pid, 'Z'));
	EXPECT_NOTHING(pid);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
	write(go[1], "x", 1);
	EXPECT(thread, 11 << 8);
	EXPECT(pid, 11 << 8);
}

/* A process with a dead traced thread that nobody waited for is not finished. */
static void unreaped_thread(void)
{
	pid_t thread, pid = threaded(one_thread, 0, &thread);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	write(go[1], "r", 1);
	CHECK(tap_wait_state(pid, 'Z'));
	EXPECT_NOTHING(pid);
	CHECK(tap_wait_state(thread, 'Z')); /* it lets others know before that */
	EXPECT(thread, 0);
	EXPECT(pid, 0);
}

static void *wait_in_thread(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	CHECK_ERRNO(waitpid(pid, NULL, __WALL | __WNOTHREAD | WNOHANG), ECHILD);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
	EXPECT(pid, ST_STOP(SIGUSR1));
	return NULL;
}

/* Any thread may wait, only the tracer may make requests. */
static void wnothread(void)
{
	pid_t pid = pt_child(pt_pause, 0);
	pthread_t t;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	kill(pid, SIGUSR1);
	CHECK_OK(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WSTOPPED | WNOWAIT));
	pthread_create(&t, NULL, wait_in_thread, &pid);
	pthread_join(t, NULL);
	CHECK_EQ(waitpid(pid, NULL, __WALL | __WNOTHREAD | WNOHANG), 0);
	CHECK_OK(pt(PT_CONT, pid, 0, SIGUSR1));
	EXPECT(pid, SIGUSR1);
}

static void *seize_in_thread(void *arg)
{
	CHECK_OK(pt(PT_SEIZE, *(pid_t *)arg, 0, 0));
	CHECK_OK(pt(PT_INTERRUPT, *(pid_t *)arg, 0, 0));
	EXPECT(*(pid_t *)arg, ST_EVSTOP(SIGTRAP));
	return NULL;
}

/* The tracer is the thread: when it ends, tracing does, though its process lives. */
static void tracing_thread_ends(void)
{
	pid_t pid = tap_spawn(pt_pause);
	pthread_t t;

	pthread_create(&t, NULL, seize_in_thread, &pid);
	pthread_join(t, NULL);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_EQ(pt_status_number(pid, "TracerPid:\t"), 0);
	pt_kill(pid);
}

static void *traced_thread(void *arg)
{
	thread_main(NULL);
	return NULL;
}

static void untraced_threads(void)
{
	pthread_t t;

	pthread_create(&t, NULL, traced_thread, NULL);
	pthread_join(t, NULL);
	_exit(0);
}

/* One thread of a process that is otherwise not traced. */
static void single_thread_of_many(void)
{
	pid_t pid, thread = 0;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = tap_spawn(untraced_threads);
	CHECK_EQ(read(ready[0], &thread, 4), 4);
	CHECK_OK(pt(PT_SEIZE, thread, 0, PT_O_TRACEEXIT));
	CHECK_OK(pt(PT_INTERRUPT, thread, 0, 0));
	EXPECT(thread, ST_EVSTOP(SIGTRAP));
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(pt(PT_CONT, thread, 0, 0));
	write(go[1], "r", 1);
	EXPECT(thread, ST_EVENT(PT_EVENT_EXIT));
	CHECK_OK(pt(PT_DETACH, thread, 0, 0));
	EXPECT(pid, 0);
}

/* ---- races ---- */

static void fork_many(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		tap_wait(pid);
	}
	_exit(0);
}

static void *nothing(void *arg)
{
	return NULL;
}

static int rounds = 75;

static void clone_many(void)
{
	pthread_t t[4];

	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < 4; k++)
			pthread_create(&t[k], NULL, nothing, NULL);
		for (int k = 0; k < 4; k++)
			pthread_join(t[k], NULL);
	}
	_exit(0);
}

/* Resume everything that stops until nothing is left. Return the number of events. */
static int run_all(long how)
{
	int status, events = 0;
	pid_t who;

	while ((who = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0;

		if (!WIFSTOPPED(status))
			continue;
		if (status >> 16)
			events++;
		else if (WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != (SIGTRAP | 0x80))
			sig = WSTOPSIG(status);
		if (pt(how, who, 0, sig) != 0)
			CHECK_EQ(errno, ESRCH);
	}
	return events;
}

static void many_events(void)
{
	CHECK_OK(pt(PT_CONT, pt_child(fork_many, FORK_OPTIONS), 0, 0));
	CHECK_EQ(run_all(PT_CONT), 100);
	CHECK_OK(pt(PT_CONT, pt_child(clone_many, FORK_OPTIONS), 0, 0));
	CHECK_EQ(run_all(PT_CONT), 300);
	rounds = 3;
	CHECK_OK(pt(PT_CONT, pt_child(clone_many, FORK_OPTIONS | PT_O_TRACESYSGOOD), 0, 0));
	CHECK_EQ(run_all(PT_SYSCALL), 12);
}

static void exec_for_ever(void)
{
	char *argv[] = { "/proc/self/exe", "again", NULL };

	execv(argv[0], argv);
	_exit(98);
}

/* Attach, look, let go, while the other one execs, or dies. */
static void attach_against_exec(void)
{
	pid_t pid = tap_spawn(exec_for_ever);

	for (int i = 0; i < 20; i++) {
		int status = 0;

		CHECK_OK(pt(PT_SEIZE, pid, 0, i & 1 ? PT_O_TRACEEXEC : 0));
		CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		CHECK(WIFSTOPPED(status));
		CHECK(PT_PC(pt_getregs(pid)) != 0);
		CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	}
	pt_kill(pid);
}

static void peek_against_exit(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = pt_child(pt_spin, 0), killer = fork();
		long word;
		int n = 0;

		if (killer == 0) {
			kill(pid, SIGKILL);
			_exit(0);
		}
		while (pt(PT_PEEKDATA, pid, &thread_tid, &word) == 0 && n < 10000000)
			n++;
		CHECK_EQ(errno, ESRCH);
		EXPECT(pid, SIGKILL);
		CHECK_EXIT(killer, 0);
	}
}

/* Tracers die at any moment of their tracees' lives. */
static void tracer_dies_any_time(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t tracer = fork();
		int status;

		if (tracer == 0) {
			pid_t pid = pt_child(clone_many, FORK_OPTIONS | PT_O_EXITKILL);

			pt(PT_CONT, pid, 0, 0);
			run_all(PT_CONT);
			_exit(0);
		}
		tap_sleep_ms(1 + i * 3);
		kill(tracer, SIGKILL);
		status = tap_wait(tracer);
		CHECK(status == SIGKILL || status == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "again"))
		exec_for_ever();
	if (argc > 1)
		return 0;
	alarm(290);
	TAP_FORK(fork_event);
	TAP_FORK(inherited_options);
	TAP_FORK(vfork_event);
	TAP_FORK(vfork_done_only);
	TAP_FORK(clone_events);
	TAP_FORK(event_then_exit_stop);
	TAP_FORK(exec_event);
	TAP_FORK(exit_event);
	TAP_FORK(thread_tracee);
	TAP_FORK(thread_exec);
	TAP_FORK(exec_ends_threads);
	TAP_FORK(zombie_leader);
	TAP_FORK(unreaped_thread);
	TAP_FORK(wnothread);
	TAP_FORK(tracing_thread_ends);
	TAP_FORK(single_thread_of_many);
	TAP_FORK(many_events);
	TAP_FORK(attach_against_exec);
	TAP_FORK(peek_against_exit);
	TAP_FORK(tracer_dies_any_time);
	return tap_done();
}

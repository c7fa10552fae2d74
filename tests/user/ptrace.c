/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2): beginning and end of tracing, syscall stops and what may be changed in them, memory, options, who may trace whom, what
 * is refused. Signals are in ptrace-signals.c, threads and events in ptrace-events.c, registers and stepping in ptrace-regs.c.
 */
#include "pt.h"
#include <sys/mman.h>

static volatile long shared_word = 0x1122334455667788;
static const long readonly_word = 0x0807060504030201;

/* ---- beginning ---- */

static void return_7(void)
{
	_exit(7);
}

static void traceme(void)
{
	pid_t pid = pt_child(return_7, 0);

	CHECK_EQ(pt_status_number(pid, "TracerPid:\t"), getpid());
	CHECK_EQ(tap_proc_state(pid), 't');
	EXPECT_NOTHING(pid);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 7 << 8);
	CHECK_ERRNO(waitpid(pid, NULL, __WALL), ECHILD);
}

static void traceme_twice(void)
{
	CHECK_EQ(pt(PT_TRACEME, 0, 0, 0), 0);
	CHECK_ERRNO(pt(PT_TRACEME, 0, 0, 0), EPERM);
}

static void traceme_twice_parent(void)
{
	CHECK_EXIT(tap_spawn(traceme_twice), 0);
}

static void sigchld_of_stop(void)
{
	siginfo_t info;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = pt_child(return_7, 0);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_TRAPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 7);
	EXPECT(pid, 7 << 8);
}

static void waitid_forms(void)
{
	siginfo_t info;
	pid_t pid = pt_child(return_7, PT_O_TRACESYSGOOD);

	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	memset(&info, 0, sizeof(info));
	/* WSTOPPED is not needed to see a tracee, but some option is. */
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_TRAPPED);
	CHECK_EQ(info.si_status, SIGTRAP | 0x80);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	CHECK_EQ(info.si_status, SIGTRAP | 0x80);
	info.si_pid = 1;
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG));
	CHECK_EQ(info.si_pid, 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 7);
}

static void exec_true(void)
{
	char *argv[] = { "/proc/self/exe", "exit", NULL };

	execv(argv[0], argv);
	_exit(98);
}

/* Without an option, a successful exec is SIGTRAP; a failed one is nothing. */
static void exec_sigtrap(void)
{
	siginfo_t info;
	pid_t pid = pt_child(exec_true, 0);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGTRAP));
	info = pt_siginfo(pid);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, pid);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void attach(void)
{
	pid_t pid = tap_spawn(pt_pause);

	CHECK_OK(pt(PT_ATTACH, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_ERRNO(pt(PT_ATTACH, pid, 0, 0), EPERM);
	CHECK_ERRNO(pt(PT_SEIZE, pid, 0, 0), EPERM);
	CHECK_EQ(pt_status_number(pid, "TracerPid:\t"), getpid());
	CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	CHECK_EQ(pt_status_number(pid, "TracerPid:\t"), 0);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_EQ(waitpid(pid, NULL, WNOHANG | WUNTRACED), 0);
	pt_kill(pid);
}

static void seize(void)
{
	pid_t pid = tap_spawn(pt_pause);
	siginfo_t info;

	CHECK(tap_wait_state(pid, 'S'));
	CHECK_ERRNO(pt(PT_SEIZE, pid, 1, 0), EIO);
	CHECK_ERRNO(pt(PT_SEIZE, pid, 0, 0x80000000), EIO);
	CHECK_OK(pt(PT_SEIZE, pid, 0, PT_O_TRACESYSGOOD));
	EXPECT_NOTHING(pid);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
	CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
	EXPECT(pid, ST_EVSTOP(SIGTRAP));
	info = pt_siginfo(pid);
	CHECK_EQ(info.si_signo, SIGTRAP);
	CHECK_EQ(info.si_code, SIGTRAP | PT_EVENT_STOP << 8);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	/* pause is made again */
	EXPECT(pid, ST_SYSCALL);
	CHECK_OK(pt(PT_DETACH, pid, 0, SIGTERM));
	EXPECT(pid, SIGTERM);
}

static void seize_running(void)
{
	pid_t pid = tap_spawn(pt_spin);

	CHECK_OK(pt(PT_SEIZE, pid, 0, 0));
	for (int i = 0; i < 20; i++) {
		CHECK_OK(pt(PT_INTERRUPT, pid, 0, 0));
		EXPECT(pid, ST_EVSTOP(SIGTRAP));
		CHECK_OK(pt(PT_CONT, pid, 0, 0));
	}
	kill(pid, SIGKILL);
	EXPECT(pid, SIGKILL);
}

/* ---- end ---- */

static void detach_with_signal(void)
{
	pid_t pid = pt_child(pt_pause, 0);

	CHECK_ERRNO(pt(PT_DETACH, pid, 0, 65), EIO);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 1000), EIO);
	/* Still stopped: the refusals did nothing. */
	CHECK_EQ(tap_proc_state(pid), 't');
	CHECK_OK(pt(PT_DETACH, pid, 0, SIGUSR1));
	EXPECT(pid, SIGUSR1);
}

static void kill_request(void)
{
	pid_t pid = pt_child(pt_pause, 0);

	CHECK_OK(pt(PT_KILL, pid, 0, 0));
	EXPECT(pid, SIGKILL);
}

static void sigkill_in_stop(void)
{
	pid_t pid = pt_child(pt_pause, 0);
	long word;

	kill(pid, SIGKILL);
	while (pt(PT_PEEKDATA, pid, &shared_word, &word) == 0)
		;
	CHECK_EQ(errno, ESRCH);
	EXPECT(pid, SIGKILL);
}

static int to_parent[2];

/* A tracer that leaves @how with its tracee in a signal stop. */
static void dying_tracer(long options, int running)
{
	pid_t pid = pt_child(pt_pause, options);

	if (running)
		CHECK_OK(pt(PT_CONT, pid, 0, 0));
	write(to_parent[1], &pid, sizeof(pid));
	_exit(0);
}

static void tracer_death(void)
{
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	for (int i = 0; i < 4; i++) {
		long options = i & 1 ? PT_O_EXITKILL : 0;
		pid_t tracer, pid = 0;

		CHECK_OK(pipe(to_parent));
		tracer = fork();
		if (tracer == 0)
			dying_tracer(options, i & 2);
		CHECK_EQ(tap_wait(tracer), 0);
		CHECK_EQ(read(to_parent[0], &pid, sizeof(pid)), sizeof(pid));
		close(to_parent[0]);
		close(to_parent[1]);
		if (options) {
			EXPECT(pid, SIGKILL);
			continue;
		}
		CHECK_EQ(pt_status_number(pid, "TracerPid:\t"), 0);
		CHECK(tap_wait_state(pid, 'S'));
		pt_kill(pid);
	}
}

/* The end is the tracer's to see first, then the parent's. */
static void end_seen_by_both(void)
{
	pid_t pid = tap_spawn(pt_pause), tracer;
	int go[2];
	char c;

	CHECK_OK(pipe(go));
	CHECK_OK(pipe(to_parent));
	tracer = fork();
	if (tracer == 0) {
		CHECK_OK(pt(PT_SEIZE, pid, 0, 0));
		write(to_parent[1], "a", 1);
		kill(pid, SIGTERM);
		EXPECT(pid, ST_STOP(SIGTERM));
		CHECK_OK(pt(PT_CONT, pid, 0, SIGTERM));
		CHECK_OK(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
		write(to_parent[1], "b", 1);
		read(go[0], &c, 1);
		EXPECT(pid, SIGTERM);
		CHECK_ERRNO(waitpid(pid, NULL, __WALL), ECHILD);
		_exit(tap_nfailed != 0);
	}
	CHECK_EQ(read(to_parent[0], &c, 1), 1);
	CHECK_EQ(read(to_parent[0], &c, 1), 1);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	write(go[1], "c", 1);
	EXPECT(pid, SIGTERM);
	CHECK_EXIT(tracer, 0);
}

/* ---- syscall stops ---- */

static void two_calls(void)
{
	syscall(SYS_getppid);
	if (syscall(SYS_getppid) != 4711)
		_exit(1);
	if (syscall(SYS_gettid) != getppid())
		_exit(2);
	_exit(0);
}

static void syscall_stops(void)
{
	pid_t pid = pt_child(two_calls, PT_O_TRACESYSGOOD);
	struct pt_syscall_info info;
	siginfo_t si;
	pt_regs regs;

	info = pt_until_call(pid, SYS_getppid);
	CHECK_EQ(pt_eventmsg(pid), 1);
	si = pt_siginfo(pid);
	CHECK_EQ(si.si_signo, SIGTRAP);
	CHECK_EQ(si.si_code, SIGTRAP | 0x80);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(info.ip, PT_PC(pt_getregs(pid)));
	info = pt_next_call(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(pt_eventmsg(pid), 2);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_EQ(info.exit.is_error, 0);
	/* the result of the second one is changed */
	pt_until_call(pid, SYS_getppid);
	pt_next_call(pid);
	regs = pt_getregs(pid);
	CHECK_EQ(PT_RESULT(regs), getpid());
	PT_RESULT(regs) = 4711;
	pt_setregs(pid, &regs);
	/* another call is made instead */
	pt_until_call(pid, SYS_gettid);
	pt_set_nr(pid, SYS_getppid);
	info = pt_next_call(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void skipped_calls(void)
{
	long r = syscall(SYS_getppid);

	if (r != -1 || errno != ENOSYS)
		_exit(1);
	r = syscall(SYS_getppid);
	if (r != 815)
		_exit(2);
	if (syscall(SYS_write, -1, "", 1) != -1 || errno != EACCES)
		_exit(3);
	_exit(0);
}

static void skipping(void)
{
	pid_t pid = pt_child(skipped_calls, PT_O_TRACESYSGOOD);
	struct pt_syscall_info info;
	pt_regs regs;

	pt_until_call(pid, SYS_getppid);
	pt_set_nr(pid, -1);
#ifdef __aarch64__
	/* x0 is both argument and result: what is there stays. */
	regs = pt_getregs(pid);
	PT_RESULT(regs) = (unsigned long)-ENOSYS;
	pt_setregs(pid, &regs);
#else
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), -ENOSYS);
#endif
	info = pt_next_call(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, -ENOSYS);
	CHECK_EQ(info.exit.is_error, 1);
	/* a result of the tracer's */
	pt_until_call(pid, SYS_getppid);
	pt_set_nr(pid, -1);
	regs = pt_getregs(pid);
	PT_RESULT(regs) = 815;
	pt_setregs(pid, &regs);
	pt_next_call(pid);
	pt_until_call(pid, SYS_write);
	pt_set_nr(pid, -1);
	pt_next_call(pid);
	regs = pt_getregs(pid);
	PT_RESULT(regs) = (unsigned long)-EACCES;
	pt_setregs(pid, &regs);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static int fds[2];

static void write_ab(void)
{
	syscall(SYS_write, fds[1], "ab", 2);
	_exit(0);
}

static void changed_argument(void)
{
	static const char text[] = "xy";
	char got[3] = "";
	pt_regs regs;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = pt_child(write_ab, PT_O_TRACESYSGOOD);
	pt_until_call(pid, SYS_write);
	regs = pt_getregs(pid);
	PT_ARG1(regs) = (unsigned long)text; /* the child has it at the same address */
	pt_setregs(pid, &regs);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	CHECK_EQ(read(fds[0], got, 2), 2);
	CHECK_STR(got, "xy");
	close(fds[0]);
	close(fds[1]);
}

static void without_sysgood(void)
{
	struct pt_syscall_info info;
	pid_t pid = pt_child(two_calls, 0);

	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGTRAP));
	CHECK_EQ(pt_siginfo(pid).si_code, SIGTRAP);
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info), 24);
	CHECK_EQ(info.op, 0);
	pt_kill(pid);
}

static void syscall_info_sizes(void)
{
	unsigned char buf[128];
	pid_t pid = pt_child(two_calls, PT_O_TRACESYSGOOD);

	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, sizeof(buf), buf), 24);
	CHECK_EQ(buf[0], 0);
	pt_until_call(pid, SYS_getppid);
	memset(buf, 0xaa, sizeof(buf));
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, 3, buf), 80);
	CHECK_EQ(buf[0], 1);
	CHECK_EQ(buf[3], 0xaa);
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, 0, NULL), 80);
	CHECK_ERRNO(pt(PT_GET_SYSCALL_INFO, pid, 80, 8), EFAULT);
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	memset(buf, 0xaa, sizeof(buf));
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, sizeof(buf), buf), 33);
	CHECK_EQ(buf[33], 0xaa);
	pt_kill(pid);
}

static void sysemu_calls(void)
{
	long r = syscall(SYS_getppid);

	_exit(r == 99 ? 0 : 1);
}

static void sysemu(void)
{
	pid_t pid = pt_child(sysemu_calls, PT_O_TRACESYSGOOD);
	struct pt_syscall_info info;
	pt_regs regs;
	long r = 0;

	for (int i = 0; i < 100; i++) {
		r = pt(PT_SYSEMU, pid, 0, 0);
		if (r)
			break;
		EXPECT(pid, ST_SYSCALL);
		CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		CHECK_EQ(info.op, 1);
		if (info.entry.nr == SYS_getppid)
			break;
	}
	if (r) {
		NOTE("no PTRACE_SYSEMU");
		pt_kill(pid);
		return;
	}
	regs = pt_getregs(pid);
	PT_RESULT(regs) = 99;
	pt_setregs(pid, &regs);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* ---- memory ---- */

__attribute__((noinline)) static int text_function(int x)
{
	__asm__ __volatile__("" : "+r"(x));
	return x + 1;
}

static void check_memory(void)
{
	if (shared_word != 0x4242)
		_exit(1);
	_exit(*(volatile const long *)&readonly_word == 0x4343 ? 0 : 2);
}

static void memory(void)
{
	pid_t pid = pt_child(check_memory, 0);
	long word = 0, text, *addr = (long *)((unsigned long)text_function & ~7UL);

	CHECK_OK(pt(PT_PEEKDATA, pid, &shared_word, &word));
	CHECK_EQ(word, 0x1122334455667788);
	CHECK_OK(pt(PT_PEEKTEXT, pid, &readonly_word, &word));
	CHECK_EQ(word, 0x0807060504030201);
	/* unaligned, and over a page boundary where there are two pages */
	CHECK_OK(pt(PT_PEEKDATA, pid, (char *)&shared_word + 1, &word));
	CHECK_EQ(word & 0xffffffffffffff, 0x11223344556677);
	CHECK_OK(pt(PT_POKEDATA, pid, &shared_word, 0x4242));
	/* read-only: it gets a copy of its own */
	CHECK_OK(pt(PT_POKEDATA, pid, &readonly_word, 0x4343));
	CHECK_EQ(*(volatile const long *)&readonly_word, 0x0807060504030201);
	CHECK_EQ(shared_word, 0x1122334455667788);
	CHECK_OK(pt(PT_PEEKTEXT, pid, addr, &text));
	CHECK_EQ(text, *addr);
	CHECK_OK(pt(PT_POKETEXT, pid, addr, ~text));
	CHECK_OK(pt(PT_PEEKTEXT, pid, addr, &word));
	CHECK_EQ(word, ~text);
	CHECK_EQ(*addr, text);
	CHECK_EQ(text_function(1), 2);
	CHECK_OK(pt(PT_POKETEXT, pid, addr, text));
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, 8, &word), EIO);
	CHECK_ERRNO(pt(PT_POKEDATA, pid, 8, 1), EIO);
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, -8L, &word), EIO);
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, -4L, &word), EIO);
	CHECK_ERRNO(pt(PT_POKEDATA, pid, 0x8000000000000000, 1), EIO);
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, &shared_word, 8), EFAULT);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static char *map;

static void touch_map(void)
{
	_exit(map[0] == 'q' ? 0 : 1);
}

static void protected_memory(void)
{
	long word;
	pid_t pid;

	map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(map + 8192, 4096);
	map[0] = 'p';
	mprotect(map, 8192, PROT_NONE);
	pid = pt_child(touch_map, 0);
	CHECK_OK(pt(PT_PEEKDATA, pid, map, &word));
	CHECK_EQ(word, 'p');
	CHECK_OK(pt(PT_POKEDATA, pid, map, 'q'));
	CHECK_OK(pt(PT_PEEKDATA, pid, map + 4092, &word));
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, map + 8188, &word), EIO);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSEGV));
	CHECK_EQ((long)pt_siginfo(pid).si_addr, (long)map);
	CHECK_EQ(pt_siginfo(pid).si_code, 2 /* SEGV_ACCERR */);
	pt_kill(pid);
	/* A shared mapping that may not be written is not. */
	munmap(map, 8192);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = pt_child(touch_map, 0);
	CHECK_ERRNO(pt(PT_POKEDATA, pid, map, 'q'), EIO);
	pt_kill(pid);
	munmap(map, 4096);
}

/* ---- what is refused ---- */

static void refused(void)
{
	pid_t pid = tap_spawn(pt_pause);
	long word;

	CHECK_ERRNO(pt(PT_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERRNO(pt(PT_ATTACH, 0x3ffffff, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_ATTACH, 0, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_ATTACH, -1, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, &shared_word, &word), ESRCH);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_DETACH, pid, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_KILL, pid, 0, 0), ESRCH);
	CHECK_ERRNO(pt(0x7777, pid, 0, 0), ESRCH);
	CHECK_OK(pt(PT_ATTACH, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_ERRNO(pt(0x7777, pid, 0, 0), EIO);
	CHECK_ERRNO(pt(-1, pid, 0, 0), EIO);
	CHECK_ERRNO(pt(PT_SETOPTIONS, pid, 0, 0x80000000), EINVAL);
	CHECK_ERRNO(pt(PT_INTERRUPT, pid, 0, 0), EIO);
	CHECK_ERRNO(pt(PT_LISTEN, pid, 0, 0), EIO);
	CHECK_ERRNO(pt(PT_GETEVENTMSG, pid, 0, 8), EFAULT);
	CHECK_ERRNO(pt(PT_GETSIGINFO, pid, 0, 8), EFAULT);
	CHECK_ERRNO(pt(PT_GETSIGMASK, pid, 4, &word), EINVAL);
	CHECK_ERRNO(pt(PT_GETSIGMASK, pid, 8, 8), EFAULT);
	CHECK_ERRNO(pt(PT_SETSIGMASK, pid, 16, &word), EINVAL);
	CHECK(pt(PT_SECCOMP_GET_FILTER, pid, 0, 0) == -1 && (errno == EINVAL || errno == EACCES));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	/* running again */
	CHECK_ERRNO(pt(PT_PEEKDATA, pid, &shared_word, &word), ESRCH);
	CHECK_ERRNO(pt(PT_SETOPTIONS, pid, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_DETACH, pid, 0, 0), ESRCH);
	CHECK_ERRNO(pt(PT_INTERRUPT, pid, 0, 0), EIO);
	kill(pid, SIGKILL);
	EXPECT(pid, SIGKILL);
	CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
}

/* Only the tracer may. */
static void not_the_tracer(void)
{
	pid_t pid = pt_child(pt_pause, 0), other = fork();
	long word;

	if (other == 0) {
		CHECK_ERRNO(pt(PT_PEEKDATA, pid, &shared_word, &word), ESRCH);
		CHECK_ERRNO(pt(PT_CONT, pid, 0, 0), ESRCH);
		CHECK_ERRNO(pt(PT_KILL, pid, 0, 0), ESRCH);
		CHECK_ERRNO(pt(PT_ATTACH, pid, 0, 0), EPERM);
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(other, 0);
	pt_kill(pid);
}

/* ---- permission ---- */

static void drop_to(uid_t uid)
{
	REQUIRE(setgroups(0, NULL) == 0);
	REQUIRE(setresgid(uid, uid, uid) == 0);
	REQUIRE(setresuid(uid, uid, uid) == 0);
}

static void pause_as_1000(void)
{
	drop_to(1000);
	prctl(PR_SET_DUMPABLE, 1);
	write(to_parent[1], "x", 1);
	pt_pause();
}

static void pause_undumpable(void)
{
	drop_to(1000);
	write(to_parent[1], "x", 1);
	pt_pause();
}

static int attach_errno(pid_t pid)
{
	return pt(PT_SEIZE, pid, 0, 0) == 0 ? 0 : errno;
}

static void as_user(pid_t root, pid_t same, pid_t undumpable)
{
	drop_to(1000);
	CHECK_EQ(attach_errno(root), EPERM);
	CHECK_EQ(attach_errno(undumpable), EPERM);
	CHECK_EQ(attach_errno(1), EPERM);
	CHECK_EQ(attach_errno(same), 0);
	_exit(tap_nfailed != 0);
}

static void permission(void)
{
	pid_t root, same, undumpable, user;
	char c;

	if (getuid() != 0) {
		NOTE("not root");
		return;
	}
	CHECK_OK(pipe(to_parent));
	root = tap_spawn(pt_pause);
	same = tap_spawn(pause_as_1000);
	CHECK_EQ(read(to_parent[0], &c, 1), 1);
	/* A change of ids takes the right to be looked into. */
	undumpable = tap_spawn(pause_undumpable);
	CHECK_EQ(read(to_parent[0], &c, 1), 1);
	user = fork();
	if (user == 0)
		as_user(root, same, undumpable);
	CHECK_EXIT(user, 0);
	pt_kill(root);
	pt_kill(same);
	pt_kill(undumpable);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	alarm(290);
	TAP_FORK(traceme);
	TAP_FORK(traceme_twice_parent);
	TAP_FORK(sigchld_of_stop);
	TAP_FORK(waitid_forms);
	TAP_FORK(exec_sigtrap);
	TAP_FORK(attach);
	TAP_FORK(seize);
	TAP_FORK(seize_running);
	TAP_FORK(detach_with_signal);
	TAP_FORK(kill_request);
	TAP_FORK(sigkill_in_stop);
	TAP_FORK(tracer_death);
	TAP_FORK(end_seen_by_both);
	TAP_FORK(syscall_stops);
	TAP_FORK(skipping);
	TAP_FORK(changed_argument);
	TAP_FORK(without_sysgood);
	TAP_FORK(syscall_info_sizes);
	TAP_FORK(sysemu);
	TAP_FORK(memory);
	TAP_FORK(protected_memory);
	TAP_FORK(refused);
	TAP_FORK(not_the_tracer);
	TAP_FORK(permission);
	return tap_done();
}

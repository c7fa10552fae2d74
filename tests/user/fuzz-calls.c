/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer for the kernel under it: signals, ptrace, memfds and mappings, processes and threads, timers, sockets, /proc and tracefs, from several
 * threads of several processes at once, with valid objects and with nonsense.
 *
 *	fuzz-calls [SEED [SECONDS [PROCESSES]]]
 *
 * Without arguments it is a smoke test of a few seconds; "caelum fuzz" runs it for longer. A round lasts a second: the processes of
 * the round, all of one user without rights, are then killed with all their descendants. Passed is: nothing hangs, the kernel is alive,
 * and (on Caelum) the counts of tasks, files, address spaces and other objects, and of free memory, return to where they were.
 * The same seed makes the same calls, but for what races decide.
 */
#include "tap.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <elf.h>
#include "probes.h"

#define FUZZ_UID 54777
#define THREADS 3
#define NFDS 48
#define NPIDS 12
#define NREGIONS 8
#define REGION (16 * 4096UL)
#define ROUND_MS 1000
#define TRACING "/sys/kernel/tracing"

/* ---- numbers ---- */

static _Thread_local uint64_t state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static unsigned below(unsigned n)
{
	return (unsigned)((rnd() >> 32) * n >> 32);
}

static int one_in(unsigned n)
{
	return below(n) == 0;
}

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = { 0,	    1,		2,	    7,		8,
					15,	    16,		64,	    127,	128,
					4095,	    4096,	4097,	    0x7fffffff, 0x80000000,
					0xffffffff, 1ULL << 32, 1ULL << 47, 1ULL << 63, ~0ULL,
					~0ULL - 1,  ~0ULL << 12 };

	switch (below(4)) {
	case 0:
		return rnd();
	case 1:
		return below(256);
	default:
		return odd[below(ARRAY_SIZE(odd))];
	}
}

/* ---- objects of a process ---- */

static int fds[NFDS];
static pid_t pids[NPIDS], tids[THREADS];
static char *regions[NREGIONS];
static timer_t timers[4];
static char scratch[65536] __attribute__((aligned(4096)));
static _Thread_local sigjmp_buf escape;
static _Thread_local volatile int may_escape;

static int some_fd(void)
{
	return one_in(20) ? (int)odd_number() : fds[below(NFDS)];
}

static void put_fd(int fd)
{
	int *slot = &fds[below(NFDS)];

	if (fd < 0)
		return;
	if (*slot > 2)
		close(*slot);
	*slot = fd;
}

static pid_t some_pid(void)
{
	switch (below(8)) {
	case 0:
		return getpid();
	case 1:
		return tids[below(THREADS)];
	case 2:
		return (pid_t)odd_number();
	default:
		return pids[below(NPIDS)];
	}
}

static char *some_memory(void)
{
	switch (below(12)) {
	case 0:
		return (char *)odd_number();
	case 1:
		return NULL;
	case 2:
		return scratch + sizeof(scratch) - below(64);
	case 3:
	case 4:
		return scratch + below(sizeof(scratch));
	default:
		return regions[below(NREGIONS)] + below(REGION);
	}
}

static int some_signal(void)
{
	static const int usual[] = {
		SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
		SIGURG,	 SIGIO,	  SIGPROF, SIGTRAP, SIGSEGV, SIGHUP,  SIGTERM,
		SIGTTIN, 34,	  40,	   64,	    SIGSYS,  SIGXCPU, SIGWINCH
	};

	return one_in(16) ? (int)below(70) - 2 : usual[below(ARRAY_SIZE(usual))];
}

/* ---- signals ---- */

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP) {
		if (may_escape)
			siglongjmp(escape, 1);
		_exit(1);
	}
	if (one_in(8))
		raise(one_in(2) ? SIGUSR1 : SIGUSR2);
	if (one_in(16) && may_escape)
		siglongjmp(escape, 1);
}

/* A function that may get breakpoints: no other one holds a copy of it. */
#define PROBED __attribute__((noinline))

static PROBED void do_sigaction(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	static const int flags[] = { SA_RESTART, SA_NODEFER,   (int)SA_RESETHAND,
				     SA_ONSTACK, SA_NOCLDSTOP, SA_NOCLDWAIT,
				     0x400,	 0x800 };

	for (int i = 0; i < 3; i++)
		sa.sa_flags |= flags[below(ARRAY_SIZE(flags))];
	if (one_in(6))
		sa.sa_handler = one_in(2) ? SIG_IGN : SIG_DFL;
	memset(&sa.sa_mask, one_in(3) ? (int)rnd() : 0, 8);
	sigaction(some_signal(), &sa, NULL);
	sa.sa_sigaction = on_signal;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	for (int sig = SIGILL; sig <= SIGSEGV; sig++)
		if (sig != SIGKILL)
			sigaction(sig, &sa, NULL);
}

static void do_sigmask(void)
{
	sigset_t set;

	memset(&set, 0, sizeof(set));
	for (int i = 0; i < 4; i++)
		sigaddset(&set, some_signal());
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	if (one_in(3))
		memset(&set, 0, sizeof(set));
	pthread_sigmask((int)below(3), &set, NULL);
}

static PROBED void do_send(void)
{
	siginfo_t si = { 0 };
	int sig = some_signal();
	pid_t pid = some_pid();

	if (pid <= 1)
		pid = getpid();
	switch (below(6)) {
	case 0:
		kill(one_in(12) ? 0 : pid, sig);
		break;
	case 1:
		syscall(SYS_tkill, pid, sig);
		break;
	case 2:
		syscall(SYS_tgkill, getpid(), tids[below(THREADS)], sig);
		break;
	case 3:
		si.si_code = one_in(3) ? (int)odd_number() : SI_QUEUE;
		syscall(SYS_rt_sigqueueinfo, pid, sig, one_in(8) ? (void *)some_memory() : &si);
		break;
	case 4:
		si.si_code = SI_QUEUE;
		syscall(SYS_rt_tgsigqueueinfo, getpid(), tids[below(THREADS)], sig, &si);
		break;
	case 5:
		syscall(424, some_fd(), sig, NULL, one_in(4) ? 1u << below(4) : 0);
		break;
	}
	if (one_in(2))
		kill(pid, SIGCONT);
}

static void do_sigwait(void)
{
	struct timespec soon = { 0, (long)below(3000000) };
	siginfo_t si;
	sigset_t set;

	memset(&set, one_in(2) ? 0xff : (int)rnd(), sizeof(set));
	sigtimedwait(&set, &si, &soon);
}

static void do_altstack(void)
{
	static _Thread_local char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (one_in(3))
		ss.ss_flags = (int)(one_in(2) ? SS_DISABLE : 1u << 31);
	if (one_in(10)) {
		ss.ss_sp = some_memory();
		ss.ss_size = odd_number();
	}
	sigaltstack(&ss, NULL);
}

static void do_fault(void)
{
	switch (below(5)) {
	case 0:
		*(volatile char *)some_memory() = 1;
		break;
	case 1:
		(void)*(volatile char *)some_memory();
		break;
	case 2:
		__builtin_trap();
		break;
	case 3:
		*(volatile uint64_t *)(scratch + 1 + below(4000)) = rnd();
		break;
	case 4:
#ifdef __loongarch__
		/* QEMU (10.0) hangs when a program jumps to a page of the kernel, or to one that its TLB takes for such. */
		((void (*)(void))((uintptr_t)some_memory() & 0x7fffffffffffUL))();
#else
		((void (*)(void))some_memory())();
#endif
		break;
	}
}

static void do_forge(void)
{
	if (one_in(40))
		syscall(SYS_rt_sigreturn);
}

static PROBED void do_timers(void)
{
	struct itimerspec its = { { 0, (long)below(2000000) }, { 0, (long)below(2000000) } };
	struct itimerval itv = { { 0, below(3000) }, { 0, below(3000) } };
	struct sigevent ev = { .sigev_notify = (int)below(5), .sigev_signo = some_signal() };
	static const int clocks[] = { CLOCK_REALTIME,
				      CLOCK_MONOTONIC,
				      CLOCK_PROCESS_CPUTIME_ID,
				      CLOCK_THREAD_CPUTIME_ID,
				      CLOCK_BOOTTIME,
				      -6,
				      -42,
				      99 };
	timer_t *t = &timers[below(ARRAY_SIZE(timers))];

	if (one_in(8))
		its.it_value.tv_nsec = (long)odd_number();
	switch (below(6)) {
	case 0:
		syscall(SYS_timer_create, clocks[below(ARRAY_SIZE(clocks))], one_in(4) ? NULL : &ev,
			t);
		break;
	case 1:
		syscall(SYS_timer_settime, *(int *)t, below(2), &its, NULL);
		break;
	case 2:
		syscall(SYS_timer_delete, *(int *)t);
		break;
	case 3:
		syscall(SYS_timer_getoverrun, *(int *)t);
		syscall(SYS_timer_gettime, *(int *)t, &its);
		break;
	case 4:
		setitimer((int)below(4), &itv, NULL);
		break;
	case 5:
		timerfd_settime(some_fd(), (int)below(4), &its, NULL);
		break;
	}
}

/* ---- memory ---- */

static PROBED void do_memfd(void)
{
	int fd = some_fd();
	static char data[8192];

	switch (below(9)) {
	case 0:
		put_fd((int)syscall(SYS_memfd_create, "fuzz", below(32)));
		break;
	case 1:
		if (ftruncate(fd, (off_t)(one_in(10) ? odd_number() : below(20) * 1000)))
			break;
		break;
	case 2:
		fcntl(fd, 1033, one_in(4) ? (int)rnd() & 0x7f : 1 << below(6));
		break;
	case 3:
		(void)!pwrite(fd, data, below(sizeof(data)), (off_t)below(60000));
		break;
	case 4:
		(void)!pread(fd, data, below(sizeof(data)), (off_t)below(60000));
		break;
	case 5:
		fallocate(fd, (int)below(4), (off_t)below(60000), (off_t)below(60000));
		break;
	case 6:
		syscall(SYS_copy_file_range, fd, NULL, some_fd(), NULL, below(20000), 0);
		break;
	case 7:
		splice(fd, NULL, some_fd(), NULL, below(20000), below(16));
		break;
	case 8: {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		put_fd(open(path, (int)below(4) | (one_in(4) ? O_TRUNC : 0) | O_NONBLOCK));
		break;
	}
	}
}

static void do_map(void)
{
	unsigned i = below(NREGIONS);
	char *p = regions[i];
	size_t at = below(16) * 4096UL, len = (1 + below(16)) * 4096UL;
	int prot = (int)below(8);

	if (at + len > REGION)
		len = REGION - at;
	switch (below(8)) {
	case 0:
		mmap(p + at, len, prot, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		break;
	case 1:
		mmap(p + at, len, prot, MAP_FIXED | (one_in(2) ? MAP_SHARED : MAP_PRIVATE),
		     some_fd(), (off_t)below(8) * 4096);
		break;
	case 2:
		munmap(p + at, len);
		break;
	case 3:
		mprotect(p + at, len, prot);
		break;
	case 4:
		mremap(p + at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, regions[below(NREGIONS)]);
		break;
	case 5:
		madvise(p + at, len, (int)below(26));
		break;
	case 6:
		mmap(p, REGION, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
		break;
	case 7:
		mlock(p + at, len);
		munlock(p, REGION);
		break;
	}
}

static void do_remote(void)
{
	struct iovec a = { some_memory(), below(9000) }, b = { some_memory(), below(9000) };

	if (one_in(2))
		process_vm_readv(some_pid(), &a, 1, &b, 1, 0);
	else
		process_vm_writev(some_pid(), &a, 1, &b, 1, 0);
}

/* ---- ptrace ---- */

static void do_ptrace(void)
{
	static const int requests[] = { PTRACE_TRACEME,
					PTRACE_PEEKTEXT,
					PTRACE_PEEKDATA,
					PTRACE_PEEKUSER,
					PTRACE_POKETEXT,
					PTRACE_POKEDATA,
					PTRACE_POKEUSER,
					PTRACE_CONT,
					PTRACE_KILL,
					PTRACE_SINGLESTEP,
					PTRACE_ATTACH,
					PTRACE_DETACH,
					PTRACE_SYSCALL,
					0x4200,
					0x4201,
					0x4202,
					0x4203,
					0x4204,
					0x4205,
					0x4206,
					0x4207,
					0x4208,
					0x4209,
					0x420a,
					0x420b,
					0x420c,
					0x420d,
					0x420e,
					0x420f,
					0x4210,
					0x4211,
					0x4212,
					31,
					32,
					12,
					13,
					14,
					15 };
	static const unsigned long notes[] = { NT_PRSTATUS, NT_PRFPREG, 0x202, 0x400, 0x401,
					       0x402,	    0x403,	0x404, 0x405, 0x406,
					       0x900,	    0x901,	0xa00, 0xa02, 0xa03 };
	static uint64_t buf[1024];
	struct iovec iov = { one_in(8) ? (void *)some_memory() : buf,
			     one_in(4) ? (size_t)odd_number() : below(sizeof(buf)) };
	pid_t pid = some_pid();
	int r = requests[below(ARRAY_SIZE(requests))], status;
	unsigned long addr = one_in(3) ? odd_number() : (unsigned long)some_memory(),
		      arg = one_in(3) ? odd_number() : (unsigned long)buf;

	if (r == PTRACE_TRACEME && !one_in(20))
		return;
	if (r == 0x4204 || r == 0x4205) {
		addr = notes[below(ARRAY_SIZE(notes))];
		arg = (unsigned long)&iov;
	}
	if (r == 0x4200 || r == 0x4206)
		arg = rnd() & 0xff;
	if (r >= 0x420e && r <= 0x4212 && !one_in(4))
		addr = r == 0x4210 || r == 0x4211 ? 32 : 88;
	if (r == PTRACE_CONT || r == PTRACE_SYSCALL || r == PTRACE_DETACH || r == PTRACE_SINGLESTEP)
		arg = one_in(4) ? (unsigned long)some_signal() : 0;
	syscall(SYS_ptrace, r, pid, addr, arg);
	if (one_in(2))
		waitpid(one_in(2) ? -1 : pid, &status,
			WNOHANG | __WALL | (one_in(2) ? WUNTRACED : 0));
}

/* Take one's own child, walk it a few steps, let it go: the way a debugger does. */
static void do_debug(void)
{
	pid_t pid = pids[below(NPIDS)];
	int status, sig = 0;

	if (pid <= 1 || syscall(SYS_ptrace, one_in(2) ? PTRACE_ATTACH : 0x4206, pid, 0,
				one_in(2) ? 0 : rnd() & 0xff))
		return;
	if (one_in(2))
		syscall(SYS_ptrace, 0x4207, pid, 0, 0);
	for (unsigned i = 0, n = below(12); i < n; i++) {
		if (waitpid(pid, &status, __WALL | WNOHANG) <= 0) {
			usleep(below(300));
			continue;
		}
		if (!WIFSTOPPED(status))
			return;
		sig = WSTOPSIG(status) == SIGTRAP || status >> 16 ? 0 : WSTOPSIG(status);
		syscall(SYS_ptrace,
			one_in(3)   ? PTRACE_SINGLESTEP
			: one_in(2) ? PTRACE_SYSCALL
				    : PTRACE_CONT,
			pid, 0, sig);
	}
	syscall(SYS_ptrace, PTRACE_DETACH, pid, 0, sig);
}

/* ---- processes ---- */

static void live(uint64_t seed, int depth);

static void reap(void)
{
	siginfo_t si;
	int status;
	pid_t pid;

	switch (below(3)) {
	case 0:
		pid = waitpid(-1, &status, WNOHANG | (int)(below(4) & (WUNTRACED | WCONTINUED)));
		break;
	case 1:
		pid = waitid(P_ALL, 0, &si, WNOHANG | (int)(below(64) << 1)) ? 0 : si.si_pid;
		break;
	default:
		pid = waitpid(some_pid(), &status, WNOHANG | WUNTRACED | WCONTINUED);
	}
	(void)pid;
}

static void do_fork(int depth)
{
	pid_t *slot = &pids[below(NPIDS)], pid;
	uint64_t seed = rnd();

	reap();
	if (depth >= 2)
		return;
	pid = one_in(10) ? (pid_t)syscall(SYS_clone, rnd() & 0x80ff4fffUL & ~0x10f00UL, 0, 0, 0, 0)
			 : fork();
	if (!pid) {
		if (one_in(6))
			execl("/proc/self/exe", "fuzz-calls", "exec", NULL);
		live(seed, depth + 1);
	}
	if (pid > 1)
		*slot = pid;
}

static void do_groups(void)
{
	switch (below(6)) {
	case 0:
		setpgid(some_pid(), one_in(2) ? 0 : some_pid());
		break;
	case 1:
		if (one_in(10))
			setsid();
		break;
	case 2:
		prctl((int)below(60), odd_number(), odd_number(), odd_number(), odd_number());
		prctl(PR_SET_DUMPABLE, below(2));
		break;
	case 3:
		prctl(PR_SET_CHILD_SUBREAPER, below(2));
		prctl(PR_SET_PDEATHSIG, one_in(2) ? some_signal() : 0);
		break;
	case 4:
		sched_yield();
		break;
	case 5:
		setpriority(PRIO_PROCESS, some_pid() > 1 ? (id_t)some_pid() : 0, (int)below(20));
		break;
	}
}

static void *short_thread(void *arg)
{
	state = (uint64_t)(uintptr_t)arg | 1;
	if (one_in(8))
		execl("/proc/self/exe", "fuzz-calls", "exec", NULL);
	if (one_in(8))
		syscall(SYS_exit, 0);
	usleep(below(500));
	return NULL;
}

static void do_thread(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 32768);
	pthread_create(&t, &attr, short_thread, (void *)(uintptr_t)rnd());
	pthread_attr_destroy(&attr);
}

/* ---- files ---- */

static PROBED void do_files(void)
{
	static char buf[4096];
	sigset_t set;
	int p[2];

	switch (below(12)) {
	case 0:
		if (!pipe2(p, O_NONBLOCK | (one_in(2) ? O_CLOEXEC : 0))) {
			put_fd(p[0]);
			put_fd(p[1]);
		}
		break;
	case 1:
		put_fd(eventfd(below(4), EFD_NONBLOCK));
		break;
	case 2:
		memset(&set, (int)rnd(), sizeof(set));
		put_fd(signalfd(one_in(4) ? some_fd() : -1, &set, SFD_NONBLOCK));
		break;
	case 3:
		put_fd(timerfd_create(one_in(2) ? CLOCK_MONOTONIC : CLOCK_REALTIME, TFD_NONBLOCK));
		break;
	case 4:
		put_fd(epoll_create1(0));
		break;
	case 5: {
		struct epoll_event ev = { .events = (uint32_t)rnd() };

		epoll_ctl(some_fd(), (int)below(4), some_fd(), &ev);
		break;
	}
	case 6: {
		struct epoll_event ev[8];

		epoll_wait(some_fd(), ev, 8, (int)below(2));
		break;
	}
	case 7:
		put_fd((int)syscall(434, some_pid(), one_in(3) ? O_EXCL : O_NONBLOCK));
		break;
	case 8:
		put_fd((int)syscall(438, some_fd(), below(60), 0));
		break;
	case 9:
		(void)!read(some_fd(), one_in(4) ? some_memory() : buf, below(sizeof(buf)));
		break;
	case 10:
		(void)!write(some_fd(), one_in(4) ? some_memory() : buf, below(sizeof(buf)));
		break;
	case 11: {
		struct pollfd pf[3] = { { some_fd(), (short)rnd(), 0 },
					{ some_fd(), POLLIN, 0 },
					{ some_fd(), POLLOUT, 0 } };

		poll(pf, 3, (int)below(2));
		break;
	}
	}
}

static PROBED void do_proc(void)
{
	static const char *const names[] = {
		"mem",		"maps",	      "smaps",
		"smaps_rollup", "pagemap",    "status",
		"stat",		"syscall",    "auxv",
		"environ",	"cmdline",    "io",
		"wchan",	"limits",     "fd",
		"fdinfo",	"task",	      "comm",
		"exe",		"timers",     "coredump_filter",
		"sched",	"clear_refs", "personality",
		"root",		"cwd",	      "statm",
		"mountinfo",
	};
	char path[96], buf[2048];
	int fd;
	ssize_t n;

	if (one_in(4))
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", getpid(), tids[below(THREADS)],
			 names[below(ARRAY_SIZE(names))]);
	else if (one_in(8))
		snprintf(path, sizeof(path), "/proc/%s",
			 one_in(2)   ? "stat"
			 : one_in(2) ? "slabinfo"
				     : "meminfo");
	else
		snprintf(path, sizeof(path), "/proc/%d/%s", some_pid(),
			 names[below(ARRAY_SIZE(names))]);
	fd = open(path, (int)below(3) | O_NONBLOCK);
	if (fd < 0) {
		n = readlink(path, buf, sizeof(buf));
		return;
	}
	for (unsigned i = below(4); i-- > 0;) {
		off_t at = one_in(2) ? (off_t)(uintptr_t)some_memory() : (off_t)below(100000);

		n = one_in(2) ? read(fd, buf, below(sizeof(buf)))
			      : pread(fd, buf, below(sizeof(buf)), at);
		if (one_in(3))
			n = pwrite(fd, buf, below(200), at);
	}
	syscall(SYS_getdents64, fd, buf, sizeof(buf));
	(void)n;
	if (one_in(3))
		put_fd(fd);
	else
		close(fd);
}

/* ---- sockets: pairs, names that collide, descriptors sent into circles ---- */

static void send_rights(int s, unsigned flags)
{
	char control[256] __attribute__((aligned(8)));
	struct iovec iov = { one_in(8) ? some_memory() : scratch, below(5000) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c = (struct cmsghdr *)control;
	int n = (int)below(8);

	m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
	c->cmsg_level = one_in(20) ? (int)below(3) : SOL_SOCKET;
	c->cmsg_type = one_in(10) ? (int)below(6) : 1;
	c->cmsg_len = one_in(20) ? odd_number() : CMSG_LEN((size_t)n * sizeof(int));
	for (int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &fds[below(NFDS)], sizeof(int));
	syscall(SYS_sendmsg, s, one_in(20) ? (void *)some_memory() : &m, flags);
}

static void receive_rights(int s, unsigned flags)
{
	char control[128];
	struct iovec iov = { one_in(8) ? some_memory() : scratch, below(9000) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c = (struct cmsghdr *)control;

	m.msg_controllen = below(sizeof(control));
	if (syscall(SYS_recvmsg, s, &m, flags) < 0 || m.msg_controllen < CMSG_LEN(sizeof(int)))
		return;
	for (size_t at = CMSG_LEN(0); c->cmsg_type == 1 && at + 4 <= c->cmsg_len; at += 4)
		put_fd(*(int *)(control + at));
}

/* One of a few names of each kind, or nonsense. Its length. */
static socklen_t some_address(struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = one_in(20) ? (sa_family_t)rnd() : AF_UNIX;
	snprintf(a->sun_path + 1, 20, "fuzz%u", below(4));
	if (one_in(3)) {
		a->sun_path[0] = '/';
		memcpy(a->sun_path + 1, "tmp/f", 5);
		a->sun_path[6] = (char)('a' + below(3));
		if (one_in(10))
			unlink(a->sun_path);
	}
	return one_in(10) ? below(130) : 8;
}

static void do_socket(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int type = types[below(3)] | (one_in(8) ? 0 : SOCK_NONBLOCK), pair[2], s = some_fd();
	unsigned flags = (one_in(10) ? 0 : MSG_DONTWAIT) | (one_in(3) ? 1u << below(32) : 0);
	socklen_t len = below(200);
	struct sockaddr_un a;

	switch (below(12)) {
	case 0:
		if (!socketpair(AF_UNIX, type, 0, pair)) {
			put_fd(pair[0]);
			put_fd(pair[1]);
		}
		break;
	case 1:
		put_fd(socket(AF_UNIX, type, 0));
		break;
	case 2:
		bind(s, (struct sockaddr *)&a, some_address(&a));
		listen(s, (int)below(3));
		break;
	case 3:
		connect(s, (struct sockaddr *)&a, some_address(&a));
		break;
	case 4:
		put_fd(accept4(s, NULL, NULL, SOCK_NONBLOCK));
		break;
	case 5:
	case 6:
		send_rights(s, flags);
		break;
	case 7:
	case 8:
		receive_rights(s, flags);
		break;
	case 9:
		shutdown(s, (int)below(4));
		break;
	case 10:
		setsockopt(s, SOL_SOCKET, (int)below(80), one_in(2) ? &type : (void *)some_memory(),
			   one_in(2) ? 4 : below(20));
		getsockopt(s, SOL_SOCKET, (int)below(80), some_memory(), &len);
		break;
	case 11:
		sendto(s, scratch, below(300), (int)flags, (struct sockaddr *)&a, some_address(&a));
		recvfrom(s, scratch, below(300), (int)flags, (struct sockaddr *)&a, &len);
		break;
	}
}

/* Any call but those that would end the run or only sleep, with any arguments. */
static void do_any(void)
{
	static const int not[] = {
		SYS_exit,	   SYS_exit_group,
		SYS_kill,	   SYS_rt_sigreturn,
		SYS_ppoll,	   SYS_pselect6,
		SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
		SYS_nanosleep,	   SYS_clock_nanosleep,
		SYS_futex,	   SYS_epoll_pwait,
		SYS_prlimit64,	   SYS_ptrace,
		SYS_clone,	   435,
#ifdef SYS_setrlimit
		SYS_setrlimit,
#endif
#ifdef SYS_pause
		SYS_pause,	   SYS_poll,
		SYS_select,	   SYS_fork,
		SYS_vfork,	   SYS_epoll_wait,
#endif
	};
	long nr = below(470);
	unsigned long a[6];

	for (size_t i = 0; i < ARRAY_SIZE(not); i++)
		if (nr == not[i])
			return;
	for (int i = 0; i < 6; i++)
		a[i] = one_in(3)   ? odd_number()
		       : one_in(2) ? (unsigned long)some_fd()
				   : (unsigned long)some_memory();
	syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- lives ---- */

static uint64_t
	*steps; /* of all processes, in shared memory: a hint, since they may write anywhere */

static void step(int depth)
{
	__atomic_fetch_add(steps, 1, __ATOMIC_RELAXED);
	switch (below(35)) {
	case 0:
	case 1:
		do_sigaction();
		break;
	case 2:
		do_sigmask();
		break;
	case 3:
	case 4:
	case 5:
		do_send();
		break;
	case 6:
		do_sigwait();
		break;
	case 7:
		do_altstack();
		break;
	case 8:
		do_fault();
		break;
	case 9:
		do_forge();
		break;
	case 10:
	case 11:
		do_timers();
		break;
	case 12:
	case 13:
	case 14:
		do_memfd();
		break;
	case 15:
	case 16:
	case 17:
		do_map();
		break;
	case 18:
		do_remote();
		break;
	case 19:
	case 20:
	case 21:
		do_ptrace();
		break;
	case 22:
		do_debug();
		break;
	case 23:
		do_fork(depth);
		break;
	case 24:
		do_groups();
		break;
	case 25:
		do_thread();
		break;
	case 26:
	case 27:
		do_files();
		break;
	case 28:
	case 29:
		do_proc();
		break;
	case 30:
	case 31:
	case 32:
		do_socket();
		break;
	default:
		do_any();
		break;
	}
}

static void loop(int depth)
{
	if (sigsetjmp(escape, 1)) {
		sigset_t none;

		sigemptyset(&none);
		pthread_sigmask(SIG_SETMASK, &none, NULL);
	}
	may_escape = 1;
	for (;;)
		step(depth);
}

struct start {
	uint64_t seed;
	int index, depth;
};

static void *thread_main(void *arg)
{
	struct start *s = arg;

	state = s->seed | 1;
	tids[s->index] = (pid_t)syscall(SYS_gettid);
	loop(s->depth);
	return NULL;
}

/* A process of a round: threads that call until they are killed. */
static void live(uint64_t seed, int depth)
{
	static struct start start[THREADS];
	pthread_t t;

	state = seed | 1;
	memset(pids, 0, sizeof(pids));
	tids[0] = getpid();
	for (int i = 1; i < THREADS; i++) {
		start[i] = (struct start){ rnd(), i, depth };
		pthread_create(&t, NULL, thread_main, &start[i]);
	}
	do_sigaction();
	loop(depth);
	_exit(0);
}

static void limit(int what, rlim_t n)
{
	struct rlimit r = { n, n };

	setrlimit(what, &r);
}

static void drop_rights(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	limit(RLIMIT_NPROC, 120);
	limit(RLIMIT_NOFILE, 64);
	limit(RLIMIT_AS, 256 << 20);
	limit(RLIMIT_FSIZE, 128 << 10);
	limit(RLIMIT_CORE, 64 << 10);
	limit(RLIMIT_SIGPENDING, 300);
	if (setgid(FUZZ_UID) || setuid(FUZZ_UID))
		_exit(1);
	prctl(PR_SET_DUMPABLE, 1);
}

static void worker(uint64_t seed)
{
	setsid();
	drop_rights();
	for (int i = 0; i < NREGIONS; i++)
		regions[i] = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);
	for (int i = 0; i < NFDS; i++)
		fds[i] = -1;
	live(seed, 0);
}

/* ---- tracefs, which wants root ---- */

static void write_to(const char *name, const char *text, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_WRONLY | O_NONBLOCK | flags);
	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void read_from(const char *name)
{
	char path[160], buf[4096];
	int fd;

	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return;
	for (int i = 0; i < 4 && read(fd, buf, 1 + below(sizeof(buf) - 1)) > 0; i++)
		;
	close(fd);
}

static void trace_step(void)
{
	static const char *const files[] = {
		"trace",	 "trace_pipe",	   "uprobe_events",	"kprobe_events",
		"set_event",	 "tracing_on",	   "available_events",	"uprobe_profile",
		"trace_options", "buffer_size_kb", "per_cpu/cpu0/trace"
	};
	static const char *const events[] = { "events/enable",
					      "events/syscalls/enable",
					      "events/sched/enable",
					      "events/signal/enable",
					      "events/uprobes/enable",
					      "events/uprobes/fuzz/enable",
					      "events/sched/sched_switch/filter" };
	static void (*const probed[])(void) = { do_sigaction, do_send,	do_timers,
						do_memfd,     do_files, do_proc };
	char exe[256] = "", text[512];
	unsigned long at;

	switch (below(8)) {
	case 0:
	case 1:
		/* Also in the middle of instructions; but only in what those run who may die of it. */
		at = probe_file_offset((const void *)probed[below(ARRAY_SIZE(probed))], exe);
		snprintf(text, sizeof(text), "%c:%s %s:0x%lx%s", one_in(3) ? 'r' : 'p',
			 one_in(2) ? "fuzz" : "uprobes/fuzz2", exe,
			 at + (one_in(2) ? below(64) : 0),
			 one_in(2) ? " %sp" : " $stack0 +8(%sp):u64");
		write_to("uprobe_events", text, O_APPEND);
		break;
	case 2:
		write_to("uprobe_events", one_in(2) ? "-:fuzz" : "",
			 one_in(2) ? O_TRUNC : O_APPEND);
		break;
	case 3:
	case 4:
		write_to(events[below(ARRAY_SIZE(events))], one_in(2) ? "1" : "0", 0);
		break;
	case 5:
		for (unsigned i = 0; i < sizeof(text) - 1; i++)
			text[i] = (char)(32 + below(95));
		text[below(sizeof(text) - 1)] = '\0';
		write_to(one_in(2) ? files[below(ARRAY_SIZE(files))]
				   : events[below(ARRAY_SIZE(events))],
			 text, 0);
		break;
	default:
		read_from(files[below(ARRAY_SIZE(files))]);
		break;
	}
	usleep(below(2000));
}

static void tracer(uint64_t seed)
{
	state = seed | 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		trace_step();
}

static void stop_tracing(void)
{
	write_to("events/enable", "0", 0);
	write_to("uprobe_events", "", O_TRUNC);
	write_to("kprobe_events", "", O_TRUNC);
	write_to("trace", "", O_TRUNC);
}

/* ---- rounds ---- */

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fflush(stdout);
}

/* What a process that will not die is doing. */
static void show_stuck(pid_t pid)
{
	static const char *const files[] = { "status", "syscall", "wchan", "stack" };
	char path[64], text[2048];

	DIR *d;
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.12s/stack", pid, e->d_name);
		if (e->d_name[0] != '.' && tap_read_file(path, text, sizeof(text)) > 0)
			say("# stuck: %s: %.1000s\n", path, text);
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		if (tap_read_file(path, text, sizeof(text)) > 0)
			say("# stuck: %s: %.400s\n", path, text);
	}
}

static void show_all_stuck(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct stat st;
	char path[300];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s", e->d_name);
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && !stat(path, &st) &&
		    st.st_uid == FUZZ_UID)
			show_stuck(atoi(e->d_name));
	}
	if (d)
		closedir(d);
}

/* Kill everything of the user and wait until it is gone. 0, or -1: something would not die. */
static int end_round(pid_t trace_pid)
{
	long long give_up = tap_now_ns() + TAP_LIMIT_MS * 1000000;

	if (trace_pid > 0)
		kill(trace_pid, SIGKILL);
	for (;;) {
		pid_t killer = fork(), pid;
		int status;

		if (!killer) {
			if (setgid(FUZZ_UID) || setuid(FUZZ_UID))
				_exit(1);
			kill(-1, SIGKILL);
			_exit(0);
		}
		for (int i = 0; i < 100; i++) {
			while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
				;
			if (pid < 0 && errno == ECHILD)
				return 0;
			tap_sleep_ms(1);
		}
		if (tap_now_ns() > give_up) {
			show_all_stuck();
			return -1;
		}
	}
}

/* Keep so many processes at work until the round is over. */
static void run_workers(uint64_t seed, int nprocs, int ms)
{
	long long end = tap_now_ns() + ms * 1000000LL;
	int running = 0;

	while (tap_now_ns() < end) {
		if (running < nprocs) {
			pid_t pid = fork();

			seed += 0x9e3779b97f4a7c15ULL;
			if (!pid)
				worker(seed);
			running += pid > 0;
			continue;
		}
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			running--; /* or an orphan: then there will be one more */
		usleep(500);
	}
}

static int round_once(uint64_t seed, int nprocs, int ms)
{
	pid_t trace_pid = -1;

	if (access(TRACING "/trace", F_OK) == 0 && tap_on_caelum()) {
		trace_pid = fork();
		if (!trace_pid)
			tracer(seed ^ 0x7ace);
	}
	run_workers(seed, nprocs, ms);
	if (end_round(trace_pid))
		return -1;
	if (trace_pid > 0)
		stop_tracing();
	return 0;
}

/* ---- counters ---- */

#define NSLABS	     96
#define SETTLE_TRIES 100 /* of 300 ms */
struct counts {
	long free_kb; /* with what files hold: those of the round stay in its directory */
	int n;
	struct {
		char name[32];
		long active;
	} slab[NSLABS];
};

/* System V objects outlive who made them. */
static void remove_ipc(void)
{
	static const struct {
		const char *file;
		long call;
	} kind[] = { { "/proc/sysvipc/shm", SYS_shmctl },
		     { "/proc/sysvipc/msg", SYS_msgctl },
		     { "/proc/sysvipc/sem", SYS_semctl } };
	static char text[1 << 16];

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		char *line, *next = text;
		int id;

		if (tap_read_file(kind[i].file, text, sizeof(text)) <= 0)
			continue;
		while ((line = strsep(&next, "\n"))) {
			if (sscanf(line, "%*d %d", &id) != 1)
				continue;
			if (kind[i].call == SYS_semctl)
				syscall(SYS_semctl, id, 0, IPC_RMID, 0);
			else
				syscall(kind[i].call, id, IPC_RMID, NULL);
		}
	}
}

static void take_counts(struct counts *c)
{
	static char text[1 << 16];
	char *line, *p;
	long cached_kb;

	memset(c, 0, sizeof(*c));
	remove_ipc();
	tap_sleep_ms(300); /* what is freed late */
	REQUIRE(tap_read_file("/proc/meminfo", text, sizeof(text)) > 0);
	p = strstr(text, "MemFree:");
	REQUIRE(p && sscanf(p, "MemFree: %ld", &c->free_kb) == 1);
	p = strstr(text, "Cached:");
	REQUIRE(p && sscanf(p, "Cached: %ld", &cached_kb) == 1);
	c->free_kb += cached_kb;
	REQUIRE(tap_read_file("/proc/slabinfo", text, sizeof(text)) > 0);
	for (line = strtok(text, "\n"); line && c->n < NSLABS; line = strtok(NULL, "\n"))
		if (sscanf(line, "%31s %ld", c->slab[c->n].name, &c->slab[c->n].active) == 2)
			c->n++;
}

/* Objects that only processes have: their number has to be exact. Others may stay for a while as somebody's cache. */
static int is_exact(const char *name)
{
	static const char *const exact[] = { "task", "process",	   "sighand",	  "vm",
					     "file", "epoll_item", "epoll_queue", "unix_sock" };

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (!strcmp(name, exact[i]))
			return 1;
	return 0;
}

static long too_many(const struct counts *a, const struct counts *b, int i)
{
	long grown = b->slab[i].active - a->slab[i].active;

	return grown > (is_exact(a->slab[i].name) ? 0 : 250) ? grown : 0;
}

/* Counts that have come back to those of @a: what is freed late may be so by a CPU that the host has taken away. */
static void take_settled_counts(const struct counts *a, struct counts *c)
{
	for (int tries = 0; tries < SETTLE_TRIES; tries++) {
		bool settled = true;

		take_counts(c);
		for (int i = 0; i < a->n && i < c->n; i++)
			settled &= !too_many(a, c, i);
		if (settled)
			return;
	}
}

static void compare_counts(const struct counts *a, const struct counts *b)
{
	for (int i = 0; i < a->n && i < b->n; i++) {
		long grown = too_many(a, b, i);

		if (grown)
			tap_fail(__FILE__, __LINE__, "%s: %ld objects more than at the start (%ld)",
				 a->slab[i].name, grown, a->slab[i].active);
	}
	say("# free memory: %ld kB before, %ld kB after\n", a->free_kb, b->free_kb);
	if (b->free_kb < a->free_kb - 4096)
		tap_fail(__FILE__, __LINE__, "free memory shrank from %ld to %ld kB", a->free_kb,
			 b->free_kb);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int seconds = argc > 2 ? atoi(argv[2]) : 6, nprocs = argc > 3 ? atoi(argv[3]) : 4;
	static struct counts before, after;
	const char *dir;

	if (argc > 1 && !strcmp(argv[1], "exec"))
		return 0;
	if (getuid())
		SKIP("needs root, to be another user");
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	steps = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(steps != MAP_FAILED);
	dir = tap_tmpdir();
	REQUIRE(chmod(dir, 0777) == 0);
	for (int i = 0; i < seconds * 1000 / ROUND_MS; i++) {
		if (tap_on_caelum() && i == 2)
			take_counts(&before);
		if (round_once(seed + (uint64_t)i * 1000003, nprocs, ROUND_MS)) {
			tap_fail(__FILE__, __LINE__, "round %d (seed %llu): a process does not die",
				 i, (unsigned long long)seed);
			return tap_done();
		}
		if (i % 10 == 9)
			say("# %d rounds, %llu steps\n", i + 1, (unsigned long long)*steps);
	}
	if (tap_on_caelum() && seconds > 2) {
		take_settled_counts(&before, &after);
		compare_counts(&before, &after);
	}
	say("# seed %llu: %llu steps\n", (unsigned long long)seed, (unsigned long long)*steps);
	tap_rmdir(dir);
	return tap_done();
}

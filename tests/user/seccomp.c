/* SPDX-License-Identifier: MIT */
/*
 * seccomp: strict mode; filters that allow, refuse, trap and kill, look at arguments, add up, are inherited and shared between threads;
 * what is not a filter. seccomp(2).
 */
#include "tap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>

#define NR	   offsetof(struct seccomp_data, nr)
#define ARG_LOW(n) ((unsigned)offsetof(struct seccomp_data, args[n]))
#define LOAD(off)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off))
#define RETURN(v)  BPF_STMT(BPF_RET | BPF_K, (v))
/* If the call is @nr answer @v, else go on. */
#define ON(nr, v)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), RETURN(v)
#define PROG(insns)                                                                                \
	(&(struct sock_fprog){ .len = sizeof(insns) / sizeof((insns)[0]), .filter = (insns) })

static long seccomp(unsigned op, unsigned flags, void *args)
{
	return syscall(SYS_seccomp, op, flags, args);
}

static long add(struct sock_fprog *p, unsigned flags)
{
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, p);
}

static void no_new_privs(void)
{
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void refuses_one(void)
{
	struct sock_filter f[] = { LOAD(NR), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77),
				   RETURN(SECCOMP_RET_ALLOW) };
	pid_t pid;

	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	no_new_privs();
	CHECK_OK(add(PROG(f), 0));
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_ERRNO(syscall(SYS_getppid), 77);
	CHECK_EQ(syscall(SYS_getpid), getpid());
	pid = fork(); /* children have it, too */
	if (!pid)
		_exit(syscall(SYS_getppid) != -1 || errno != 77);
	CHECK_EXIT(pid, 0);
}

/* The answer that allows least wins, whichever filter gives it. */
static void add_up(void)
{
	struct sock_filter a[] = { LOAD(NR), ON(SYS_getppid, SECCOMP_RET_ERRNO | 5),
				   ON(SYS_getuid, SECCOMP_RET_ERRNO | 6),
				   RETURN(SECCOMP_RET_ALLOW) };
	struct sock_filter b[] = { LOAD(NR), ON(SYS_getuid, SECCOMP_RET_ERRNO | 7),
				   RETURN(SECCOMP_RET_ALLOW) };

	no_new_privs();
	CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PROG(a)));
	CHECK_OK(add(PROG(b), 0));
	CHECK_ERRNO(syscall(SYS_getppid), 5);
	CHECK_ERRNO(syscall(SYS_getuid), 7);
}

static void arguments(void)
{
	struct sock_filter f[] = {
		LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(ARG_LOW(0)),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_ST, 3),
		BPF_STMT(BPF_LDX | BPF_MEM, 3),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 100, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | 42),
		RETURN(SECCOMP_RET_ALLOW),
	};

	no_new_privs();
	CHECK_OK(add(PROG(f), 0));
	CHECK_ERRNO(syscall(SYS_dup, 100), 42);
	CHECK_ERRNO(syscall(SYS_dup, 99), EBADF);
}

static siginfo_t seen;

static void on_sigsys(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	seen = *info;
}

static void traps(void)
{
	struct sock_filter f[] = { LOAD(NR), ON(SYS_getppid, SECCOMP_RET_TRAP | 9),
				   RETURN(SECCOMP_RET_ALLOW) };
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	no_new_privs();
	CHECK_OK(sigaction(SIGSYS, &sa, NULL));
	CHECK_OK(add(PROG(f), 0));
	syscall(SYS_getppid);
	CHECK_EQ(seen.si_signo, SIGSYS);
	CHECK_EQ(seen.si_code, 1);
	CHECK_EQ(seen.si_errno, 9);
	CHECK_EQ(seen.si_syscall, SYS_getppid);
}

static volatile pid_t thread_id;

static void *call_getppid(void *arg)
{
	thread_id = (pid_t)syscall(SYS_gettid);
	syscall(SYS_getppid);
	return arg;
}

/* The status of a child that installs a filter with this answer for getppid and calls it in a thread. */
static int status_of(unsigned answer, int in_thread)
{
	struct sock_filter f[] = { LOAD(NR), ON(SYS_getppid, answer), RETURN(SECCOMP_RET_ALLOW) };
	pthread_t t;
	pid_t pid = fork();

	if (pid)
		return tap_wait(pid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || add(PROG(f), 0))
		_exit(9);
	if (in_thread && !pthread_create(&t, NULL, call_getppid, NULL))
		CHECK(TAP_AWAIT(thread_id && !tap_proc_state(thread_id)));
	else
		syscall(SYS_getppid);
	_exit(3);
}

static void kills(void)
{
	CHECK_EQ(WTERMSIG(status_of(SECCOMP_RET_KILL_PROCESS, 0)), SIGSYS);
	CHECK_EQ(WTERMSIG(status_of(SECCOMP_RET_KILL_PROCESS, 1)), SIGSYS);
	CHECK_EQ(WTERMSIG(status_of(SECCOMP_RET_KILL_THREAD, 0)), SIGSYS);
	CHECK_EQ(status_of(SECCOMP_RET_KILL_THREAD, 1), 3 << 8); /* only the thread */
	CHECK_EQ(WTERMSIG(status_of(SECCOMP_RET_TRAP, 0)), SIGSYS);
	CHECK_EQ(status_of(SECCOMP_RET_LOG, 0), 3 << 8);
	CHECK_EQ(status_of(SECCOMP_RET_TRACE, 0), 3 << 8);
}

static void strict(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		syscall(SYS_write, -1, "", 0);
		syscall(SYS_exit, 5); /* exit_group would not be allowed */
	}
	CHECK_EXIT(pid, 5);
	pid = fork();
	if (!pid) {
		seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL);
		syscall(SYS_getpid);
		syscall(SYS_exit, 5);
	}
	status = tap_wait(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static volatile int go;

static void *late(void *arg)
{
	while (!go)
		usleep(1000);
	return syscall(SYS_getppid) == -1 && errno == 33 &&
			       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? arg
		       : NULL;
}

static void threads(void)
{
	struct sock_filter f[] = { LOAD(NR), ON(SYS_getppid, SECCOMP_RET_ERRNO | 33),
				   RETURN(SECCOMP_RET_ALLOW) };
	pthread_t t[3];
	void *ok;

	for (int i = 0; i < 3; i++)
		REQUIRE(!pthread_create(&t[i], NULL, late, &go));
	no_new_privs();
	CHECK_EQ(add(PROG(f), SECCOMP_FILTER_FLAG_TSYNC), 0);
	go = 1;
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &ok);
		CHECK(ok == &go);
	}
}

static void not_filters(void)
{
	struct sock_filter good[] = { RETURN(SECCOMP_RET_ALLOW) };
	struct sock_filter no_return[] = { LOAD(NR) };
	struct sock_filter odd[] = { LOAD(2), RETURN(SECCOMP_RET_ALLOW) };
	struct sock_filter beyond[] = { LOAD(sizeof(struct seccomp_data)), RETURN(0) };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0), RETURN(0) };
	struct sock_filter divide[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0) };
	struct sock_filter modulo[] = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN(0) };
	struct sock_filter memory[] = { BPF_STMT(BPF_ST, 16), RETURN(0) };
	struct sock_fprog empty = { .len = 0, .filter = good },
			  huge = { .len = 4097, .filter = good };
	unsigned action = SECCOMP_RET_ERRNO;

	no_new_privs();
	CHECK_ERRNO(add(PROG(no_return), 0), EINVAL);
	CHECK_ERRNO(add(PROG(odd), 0), EINVAL);
	CHECK_ERRNO(add(PROG(beyond), 0), EINVAL);
	CHECK_ERRNO(add(PROG(far), 0), EINVAL);
	CHECK_ERRNO(add(PROG(divide), 0), EINVAL);
	CHECK_ERRNO(add(PROG(modulo), 0), EINVAL);
	CHECK_ERRNO(add(PROG(memory), 0), EINVAL);
	CHECK_ERRNO(add(&empty, 0), EINVAL);
	CHECK_ERRNO(add(&huge, 0), EINVAL);
	CHECK_ERRNO(add(NULL, 0), EFAULT);
	CHECK_ERRNO(add(PROG(good), 1u << 20), EINVAL);
	CHECK_ERRNO(seccomp(99, 0, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK_OK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
	action = 0x12340000;
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

static void needs_rights(void)
{
	struct sock_filter good[] = { RETURN(SECCOMP_RET_ALLOW) };

	if (setresuid(65534, 65534, 65534))
		return;
	CHECK_ERRNO(add(PROG(good), 0), EACCES);
	no_new_privs();
	CHECK_OK(add(PROG(good), 0));
}

int main(void)
{
	TAP_FORK(refuses_one);
	TAP_FORK(add_up);
	TAP_FORK(arguments);
	TAP_FORK(traps);
	TAP_FORK(kills);
	TAP_FORK(strict);
	TAP_FORK(threads);
	TAP_FORK(not_filters);
	TAP_FORK(needs_rights);
	return tap_done();
}

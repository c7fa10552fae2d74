/* SPDX-License-Identifier: MIT */
/* prctl(2): PR_SET_MDWE (no memory that is written and executed), PR_SET_THP_DISABLE's inheritance, PR_SET_SYSCALL_USER_DISPATCH. */
#include "tap.h"
#include <sys/mman.h>
#include <sys/prctl.h>

#define SET_MDWE 65
#define GET_MDWE 66
#define REFUSE 1
#define NO_INHERIT 2
#define SET_DISPATCH 59
#define SIZE 8192
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

static void *map(int prot)
{
	return mmap(NULL, SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void mdwe_arguments(void)
{
	CHECK_EQ(prctl(GET_MDWE, 0, 0, 0, 0), 0);
	CHECK_ERRNO(prctl(SET_MDWE, NO_INHERIT, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(SET_MDWE, 4, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(SET_MDWE, REFUSE, 0, 1, 0), EINVAL);
	CHECK_ERRNO(prctl(GET_MDWE, 0, 1, 0, 0), EINVAL);
	CHECK_OK(prctl(SET_MDWE, REFUSE, 0, 0, 0));
	CHECK_OK(prctl(SET_MDWE, REFUSE, 0, 0, 0));
	CHECK_ERRNO(prctl(SET_MDWE, 0, 0, 0, 0), EPERM);
	CHECK_ERRNO(prctl(SET_MDWE, REFUSE | NO_INHERIT, 0, 0, 0), EPERM);
	CHECK_EQ(prctl(GET_MDWE, 0, 0, 0, 0), REFUSE);
}

static void mdwe_mappings(void)
{
	char *before = map(PROT_READ | PROT_WRITE | PROT_EXEC), *p;

	CHECK(before != MAP_FAILED);
	CHECK_OK(prctl(SET_MDWE, REFUSE, 0, 0, 0));
	CHECK(map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EACCES);
	p = map(PROT_READ | PROT_WRITE);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, SIZE, PROT_READ | PROT_EXEC), EACCES);
	CHECK_OK(mprotect(p, SIZE, PROT_READ));
	CHECK_ERRNO(mprotect(p, SIZE, PROT_EXEC), EACCES);
	p = map(PROT_READ | PROT_EXEC);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
	CHECK_OK(mprotect(p, SIZE, PROT_READ | PROT_EXEC));
	CHECK_OK(mprotect(p, SIZE, PROT_READ));
	/* What was there may keep what it has, not gain it anew. */
	CHECK_OK(mprotect(before, SIZE, PROT_READ | PROT_EXEC));
}

static void mdwe_children(void)
{
	pid_t pid;

	CHECK_OK(prctl(SET_MDWE, REFUSE, 0, 0, 0));
	pid = fork();
	if (pid == 0)
		_exit(map(PROT_WRITE | PROT_EXEC) != MAP_FAILED);
	CHECK_EXIT(pid, 0);
}

static void mdwe_not_inherited(void)
{
	pid_t pid;

	CHECK_OK(prctl(SET_MDWE, REFUSE | NO_INHERIT, 0, 0, 0));
	CHECK(map(PROT_WRITE | PROT_EXEC) == MAP_FAILED);
	pid = fork();
	if (pid == 0)
		_exit(map(PROT_WRITE | PROT_EXEC) == MAP_FAILED ||
		      prctl(GET_MDWE, 0, 0, 0, 0) != 0);
	CHECK_EXIT(pid, 0);
}

static void thp_inherited(void)
{
	pid_t pid;

	CHECK_OK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 1);
	CHECK_EXIT(pid, 0);
}

/* ---- calls that are the program's own ---- */

static volatile char selector;
static volatile int caught, caught_nr, caught_code;
static void *volatile caught_at;

static void on_sigsys(int sig, siginfo_t *info, void *uc)
{
	selector = 0;
	caught++;
	caught_nr = info->si_syscall;
	caught_code = info->si_code;
	caught_at = info->si_call_addr;
}

static void catch_sigsys(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(SIGSYS, &sa, NULL));
}

static void dispatch_arguments(void)
{
	CHECK_ERRNO(prctl(SET_DISPATCH, 2, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 0, 1, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 0, 0, 1, 0), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 0, 0, 0, &selector), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 1, 1, 0, &selector), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 1, 1, -1L, &selector), EINVAL);
	CHECK_ERRNO(prctl(SET_DISPATCH, 1, 0, 0, -1L), EFAULT);
	CHECK_OK(prctl(SET_DISPATCH, 0, 0, 0, 0));
}

static void dispatches(void)
{
	pid_t pid;

	catch_sigsys();
	CHECK_OK(prctl(SET_DISPATCH, 1, 0, 0, &selector));
	CHECK_EQ(syscall(SYS_getpid), getpid());
	CHECK_EQ(caught, 0);
	selector = 1;
	syscall(0xffff);
	CHECK_EQ(caught, 1);
	CHECK_EQ(caught_nr, 0xffff);
	CHECK_EQ(caught_code, SYS_USER_DISPATCH);
	CHECK(caught_at != NULL);
	pid = fork();
	if (pid == 0) { /* has it no more */
		selector = 1;
		_exit(syscall(SYS_getppid) <= 0 || caught != 1);
	}
	CHECK_EXIT(pid, 0);
	/* From the whole range: nothing is caught. */
	CHECK_OK(prctl(SET_DISPATCH, 1, 0, -1L, &selector));
	selector = 1;
	CHECK_EQ(syscall(SYS_getpid), getpid());
	CHECK_EQ(caught, 1);
	CHECK_OK(prctl(SET_DISPATCH, 0, 0, 0, 0));
	CHECK_EQ(syscall(SYS_getpid), getpid());
}

static void bad_selector(void)
{
	catch_sigsys();
	CHECK_OK(prctl(SET_DISPATCH, 1, 0, 0, &selector));
	selector = 7;
	syscall(SYS_getpid);
	_exit(0);
}

static void no_selector(void)
{
	CHECK_OK(prctl(SET_DISPATCH, 1, 0, 0, 8));
	syscall(SYS_getpid);
	_exit(0);
}

static void dies(void)
{
	CHECK_KILLED(tap_spawn(bad_selector), SIGSYS);
	CHECK_KILLED(tap_spawn(no_selector), SIGSEGV);
}

int main(void)
{
	if (prctl(GET_MDWE, 0, 0, 0, 0) == 0) {
		TAP_FORK(mdwe_arguments);
		TAP_FORK(mdwe_mappings);
		TAP_FORK(mdwe_children);
		TAP_FORK(mdwe_not_inherited);
	} else {
		NOTE("no PR_SET_MDWE");
	}
	TAP_FORK(thp_inherited);
	if (prctl(SET_DISPATCH, 0, 0, 0, 0) == 0) {
		TAP_FORK(dispatch_arguments);
		TAP_FORK(dispatches);
		TAP_RUN(dies);
	} else {
		NOTE("no PR_SET_SYSCALL_USER_DISPATCH");
	}
	return tap_done();
}

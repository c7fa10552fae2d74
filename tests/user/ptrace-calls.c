/* SPDX-License-Identifier: MIT */
/*
 * Tracers that change system calls by what describes them: PTRACE_SET_SYSCALL_INFO (Linux 6.16) at each kind of stop, and
 * PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG with its counterpart (Linux 6.4). On a Linux without one its tests are skipped.
 */
#include "pt.h"
#include <stdbool.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

#define SECCOMP_STOP (PT_EVENT_SECCOMP << 16 | SIGTRAP << 8 | 0x7f)

/* May @request, which this kernel does not know when @r is EIO, be left out? */
static bool is_missing(long r, const char *what)
{
	if (r != -1 || errno != EIO || tap_on_caelum())
		return false;
	NOTE("no %s", what);
	return true;
}

/* ---- PTRACE_SET_SYSCALL_INFO ---- */

static long set_info(pid_t pid, struct pt_syscall_info *info)
{
	return pt(PT_SET_SYSCALL_INFO, pid, sizeof(*info), info);
}

static struct pt_syscall_info get_info(pid_t pid)
{
	struct pt_syscall_info info;

	memset(&info, 0, sizeof(info));
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	return info;
}

static bool has_set_info(void)
{
	pid_t pid = pt_child(pt_pause, PT_O_TRACESYSGOOD);
	long r = pt(PT_SET_SYSCALL_INFO, pid, 0, NULL);
	bool missing = is_missing(r, "PTRACE_SET_SYSCALL_INFO");

	CHECK(missing || (r == -1 && errno == EINVAL));
	pt_kill(pid);
	return !missing;
}

static char place[65536] __attribute__((aligned(65536)));

/* A call that is to become another, one whose result is to be changed, one that is to be left out. */
static void three_calls(void)
{
	long r = syscall(SYS_getpriority, 1, 2, 3, 4, 5, 6);

	if (r == -1 || (char *)r != place)
		_exit(1);
	if (syscall(SYS_getppid) != 815)
		_exit(2);
	if (syscall(SYS_getppid) != -1 || errno != EXDEV)
		_exit(3);
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		_exit(4);
	_exit(0);
}

/* Another number and six other arguments: the page that place lies in is mapped anew, where it was. */
static void becomes_mmap(pid_t pid)
{
	struct pt_syscall_info info = pt_until_call(pid, SYS_getpriority), now;
	unsigned long page = (unsigned long)place;

	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(info.entry.args[i], i + 1);
	info.entry.nr = SYS_mmap;
	info.entry.args[0] = page;
	info.entry.args[1] = 4096;
	info.entry.args[2] = PROT_READ;
	info.entry.args[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	info.entry.args[4] = (unsigned long)-1;
	info.entry.args[5] = 0;
	CHECK_EQ(set_info(pid, &info), 0);
	now = get_info(pid);
	CHECK(!memcmp(&now.entry, &info.entry, sizeof(now.entry)));
	info = pt_next_call(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, page);
	CHECK_EQ(info.exit.is_error, 0);
}

static void change_entry_and_exit(void)
{
	pid_t pid = pt_child(three_calls, PT_O_TRACESYSGOOD);
	struct pt_syscall_info info;

	becomes_mmap(pid);
	pt_until_call(pid, SYS_getppid);
	info = pt_next_call(pid);
	info.exit.rval = 815;
	CHECK_EQ(set_info(pid, &info), 0);
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), 815);
	pt_until_call(pid, SYS_getppid);
	info = pt_next_call(pid);
	info.exit.rval = -EXDEV;
	info.exit.is_error = 1;
	CHECK_EQ(set_info(pid, &info), 0);
	CHECK_EQ(get_info(pid).exit.is_error, 1);
	info = pt_until_call(pid, SYS_getppid);
	info.entry.nr = (uint64_t)-1;
	info.entry.args[0] = 4711; /* not looked at */
	CHECK_EQ(set_info(pid, &info), 0);
	info = pt_next_call(pid);
	CHECK_EQ(info.exit.rval, -ENOSYS);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* What is wrong is refused, and changes nothing. */
static void refused(void)
{
	pid_t pid = pt_child(three_calls, PT_O_TRACESYSGOOD);
	struct pt_syscall_info info = { 0 }, good;

	/* A stop that is none of a system call's. */
	CHECK_ERRNO(set_info(pid, &info), EINVAL);
	good = pt_until_call(pid, SYS_getpriority);
	CHECK_ERRNO(pt(PT_SET_SYSCALL_INFO, pid, sizeof(good) - 1, &good), EINVAL);
	CHECK_ERRNO(pt(PT_SET_SYSCALL_INFO, pid, sizeof(good), 8), EFAULT);
	CHECK_ERRNO(pt(PT_SET_SYSCALL_INFO, pid, sizeof(good) - 1, 8), EINVAL);
	info = good;
	info.reserved = 1;
	CHECK_ERRNO(set_info(pid, &info), EINVAL);
	info = good;
	info.flags = 1;
	CHECK_ERRNO(set_info(pid, &info), EINVAL);
	for (int op = 0; op < 5; op++) {
		info = good;
		info.op = (uint8_t)op;
		if (op != good.op)
			CHECK_ERRNO(set_info(pid, &info), EINVAL);
	}
	info = good;
	info.entry.nr = 1UL << 32;
	CHECK_ERRNO(set_info(pid, &info), ERANGE);
	info.entry.nr = 0xffffffff; /* -1 is to have all its bits */
	CHECK_ERRNO(set_info(pid, &info), ERANGE);
	info = get_info(pid);
	CHECK(!memcmp(&info.entry, &good.entry, sizeof(info.entry)));
	/* architecture and addresses are not looked at; what is longer is not read */
	info.arch = 0;
	info.ip = info.sp = 1;
	CHECK_EQ(pt(PT_SET_SYSCALL_INFO, pid, 4096, &info), 0);
	CHECK_EQ(get_info(pid).ip, good.ip);
	pt_kill(pid);
}

static void filter_then_call(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &prog, 0, 0))
		_exit(1);
	_exit(syscall(SYS_getpgid, 0x7ffffff) == getsid(0) ? 0 : 2);
}

static void change_at_seccomp(void)
{
	pid_t pid = pt_child(filter_then_call, PT_O_TRACESECCOMP);
	struct pt_syscall_info info;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, SECCOMP_STOP);
	info = get_info(pid);
	CHECK_EQ(info.op, 3);
	CHECK_EQ(info.seccomp.ret_data, 77);
	info.seccomp.ret_data = 1; /* cannot be changed */
	info.seccomp.nr = SYS_getsid;
	info.seccomp.args[0] = 0;
	CHECK_EQ(set_info(pid, &info), 0);
	CHECK_EQ(get_info(pid).seccomp.ret_data, 77);
	CHECK_EQ(get_info(pid).seccomp.nr, SYS_getsid);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* ---- syscall user dispatch ---- */

struct sud_config {
	uint64_t mode, selector, offset, len;
};

static char selector;

static void dispatched_call(void)
{
	pt_raise(SIGUSR1);
	selector = 1; /* block */
	syscall(SYS_getppid);
	_exit(1);
}

static bool has_dispatch(void)
{
	pid_t pid = pt_child(pt_pause, 0);
	long r = pt(PT_GET_SUD_CONFIG, pid, 0, NULL);
	bool missing = is_missing(r, "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG");

	CHECK(missing || (r == -1 && errno == EINVAL));
	pt_kill(pid);
	return !missing;
}

static void dispatch_refused(pid_t pid)
{
	struct sud_config c = { 0, 1, 0, 0 };

	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c) - 8, &c), EINVAL);
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c) + 8, &c), EINVAL);
	CHECK_ERRNO(pt(PT_GET_SUD_CONFIG, pid, sizeof(c) + 8, &c), EINVAL);
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c), 8), EFAULT);
	CHECK_ERRNO(pt(PT_GET_SUD_CONFIG, pid, sizeof(c), 8), EFAULT);
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c), &c), EINVAL);
	c = (struct sud_config){ 77, 0, 0, 0 };
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c), &c), EINVAL);
	c = (struct sud_config){ 1, 0, 8, (uint64_t)-8 };
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c), &c), EINVAL);
	c = (struct sud_config){ 1, (uint64_t)-1, 0, 0 };
	CHECK_ERRNO(pt(PT_SET_SUD_CONFIG, pid, sizeof(c), &c), EFAULT);
}

/* The tracer switches it on: from then on the tracee's calls give it SIGSYS. */
static void dispatch_config(void)
{
	pid_t pid = pt_child(dispatched_call, 0);
	struct sud_config c = { 9, 9, 9, 9 }, want = { 1, (uintptr_t)&selector, 0, 0 };

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	CHECK_EQ(pt(PT_GET_SUD_CONFIG, pid, sizeof(c), &c), 0);
	CHECK(c.mode == 0 && c.selector == 0 && c.offset == 0 && c.len == 0);
	dispatch_refused(pid);
	CHECK_EQ(pt(PT_SET_SUD_CONFIG, pid, sizeof(want), &want), 0);
	CHECK_EQ(pt(PT_GET_SUD_CONFIG, pid, sizeof(c), &c), 0);
	CHECK(!memcmp(&c, &want, sizeof(c)));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSYS));
	CHECK_EQ(pt_siginfo(pid).si_code, 2 /* SYS_USER_DISPATCH */);
	CHECK_EQ(pt_siginfo(pid).si_syscall, SYS_getppid);
	memset(&want, 0, sizeof(want));
	CHECK_EQ(pt(PT_SET_SUD_CONFIG, pid, sizeof(want), &want), 0);
	CHECK_EQ(pt(PT_GET_SUD_CONFIG, pid, sizeof(c), &c), 0);
	CHECK(!memcmp(&c, &want, sizeof(c)));
	CHECK_OK(pt(PT_CONT, pid, 0, 0)); /* without the signal: it ends itself */
	EXPECT(pid, 1 << 8);
}

int main(void)
{
	alarm(100);
	if (has_set_info()) {
		TAP_FORK(change_entry_and_exit);
		TAP_FORK(refused);
		TAP_FORK(change_at_seccomp);
	}
	if (has_dispatch())
		TAP_FORK(dispatch_config);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Tracers and seccomp filters: PTRACE_EVENT_SECCOMP and its order among syscall stops, what a tracer may change there and what the
 * filters say to that, filters suspended and read by a tracer.
 */
#include "pt.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#define LOAD_NR	  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, (v))
/* If the call is @nr answer @v, else go on. */
#define ON(nr, v) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), RETURN(v)
#define PROG(insns) (&(struct sock_fprog){ .len = ARRAY_SIZE(insns), .filter = (insns) })

#define ST_SECCOMP ST_EVENT(PT_EVENT_SECCOMP)

/* getppid and getuid are shown to a tracer, getgid fails with 55, gettid is a trap; every other call is allowed. */
static struct sock_filter filter[] = {
	LOAD_NR,
	ON(SYS_getppid, SECCOMP_RET_TRACE | 0x1234),
	ON(SYS_getuid, SECCOMP_RET_TRACE | 0xffff),
	ON(SYS_getgid, SECCOMP_RET_ERRNO | 55),
	ON(SYS_gettid, SECCOMP_RET_TRAP | 3),
	RETURN(SECCOMP_RET_ALLOW),
};

static void add_filter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, PROG(filter)))
		_exit(90);
}

static void calls(void)
{
	add_filter();
	if (syscall(SYS_getppid) <= 0)
		_exit(1);
	_exit(syscall(SYS_getppid) == -1 && errno == ENOSYS ? 2 : 3);
}

static pid_t go_on(pid_t pid, long request, int status)
{
	CHECK_OK(pt(request, pid, 0, 0));
	return EXPECT(pid, status);
}

static struct pt_syscall_info call_info(pid_t pid, long size)
{
	struct pt_syscall_info info;

	memset(&info, 0, sizeof(info));
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info), size);
	return info;
}

/* The result, as seen at a stop before the call. */
static void set_result(pid_t pid, long v)
{
	pt_regs regs = pt_getregs(pid);

	PT_RESULT(regs) = (unsigned long)v;
	pt_setregs(pid, &regs);
}

/* ---- the event ---- */

static void one_call(void)
{
	add_filter();
	_exit(syscall(SYS_getppid) == getppid() ? 0 : 1);
}

static void event(void)
{
	pid_t pid = pt_child(one_call, PT_O_TRACESECCOMP);
	struct pt_syscall_info info;
	unsigned char buf[128];
	siginfo_t si;

	go_on(pid, PT_CONT, ST_SECCOMP);
	CHECK_EQ(pt_eventmsg(pid), 0x1234);
	si = pt_siginfo(pid);
	CHECK_EQ(si.si_signo, SIGTRAP);
	CHECK_EQ(si.si_code, SIGTRAP | PT_EVENT_SECCOMP << 8);
	info = call_info(pid, 84);
	CHECK_EQ(info.op, 3);
	CHECK_EQ(info.seccomp.nr, SYS_getppid);
	CHECK_EQ(info.seccomp.ret_data, 0x1234);
	CHECK_EQ(info.ip, PT_PC(pt_getregs(pid)));
	memset(buf, 0xaa, sizeof(buf));
	CHECK_EQ(pt(PT_GET_SYSCALL_INFO, pid, 82, buf), 84);
	CHECK_EQ(buf[80], 0x34);
	CHECK_EQ(buf[82], 0xaa);
#ifndef __aarch64__ /* x0 is still the first argument there */
	CHECK_EQ((long)PT_RESULT(pt_getregs(pid)), -ENOSYS);
#endif
	go_on(pid, PT_CONT, ST_SECCOMP); /* getppid() of the comparison */
	go_on(pid, PT_CONT, 0);
}

/* Without the option it is as without a tracer. */
static void nosys_calls(void)
{
	add_filter();
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		_exit(1);
	if (syscall(SYS_getgid) != -1 || errno != 55)
		_exit(2);
	_exit(0);
}

static void without_option(void)
{
	pid_t pid = pt_child(nosys_calls, PT_O_TRACESYSGOOD);

	go_on(pid, PT_CONT, 0);
	CHECK_EXIT(tap_spawn(nosys_calls), 0);
}

static void spin_calls(void)
{
	add_filter();
	while (syscall(SYS_getuid) == -1 && errno == ENOSYS)
		;
	_exit(4);
}

/* A tracer that comes later gets the event, and one that dies is missed. */
static void seized(void)
{
	pid_t pid = tap_spawn(spin_calls);

	CHECK_OK(pt(PT_SEIZE, pid, 0, PT_O_TRACESECCOMP));
	EXPECT(pid, ST_SECCOMP);
	CHECK_EQ(pt_eventmsg(pid), 0xffff);
	pt_set_nr(pid, -1);
	set_result(pid, -ENOSYS);
	go_on(pid, PT_CONT, ST_SECCOMP);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 4 << 8);
}

/* ---- order of stops ---- */

static void until_entry(pid_t pid, long nr)
{
	struct pt_syscall_info info;

	do {
		go_on(pid, PT_SYSCALL, ST_SYSCALL);
		memset(&info, 0, sizeof(info));
		CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	} while (!tap_nfailed && (info.op != 1 || info.entry.nr != (uint64_t)nr));
}

static void order(void)
{
	pid_t pid = pt_child(one_call, PT_O_TRACESECCOMP | PT_O_TRACESYSGOOD);
	struct pt_syscall_info info;

	until_entry(pid, SYS_getppid);
	go_on(pid, PT_SYSCALL, ST_SECCOMP);
	CHECK_EQ(call_info(pid, 84).op, 3);
	go_on(pid, PT_SYSCALL, ST_SYSCALL);
	info = call_info(pid, 33);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, getpid());
	/* Only the exit, after an event that came alone. */
	go_on(pid, PT_CONT, ST_SECCOMP);
	go_on(pid, PT_SYSCALL, ST_SYSCALL);
	CHECK_EQ(call_info(pid, 33).op, 2);
	go_on(pid, PT_CONT, 0);
}

/* ---- what a tracer changes ---- */

static int changed[2];

static void changed_calls(void)
{
	add_filter();
	if (syscall(SYS_getppid, changed[1], "ab", 2) != 2)
		_exit(1); /* became write */
	if (syscall(SYS_getppid) != -1 || errno != 55)
		_exit(2); /* became getgid: the filters look again */
	if (syscall(SYS_getppid) != (long)getuid() + 0)
		_exit(3); /* became getuid: a second TRACE is no second event */
	if (syscall(SYS_getppid) != 4711)
		_exit(4); /* skipped, with a result of the tracer's */
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		_exit(5); /* no such call */
	_exit(0);
}

static void changes(void)
{
	char got[3] = "";
	pid_t pid;

	CHECK_OK(pipe(changed));
	pid = pt_child(changed_calls, PT_O_TRACESECCOMP);
	go_on(pid, PT_CONT, ST_SECCOMP);
	pt_set_nr(pid, SYS_write);
	go_on(pid, PT_CONT, ST_SECCOMP);
	CHECK_EQ(read(changed[0], got, 2), 2);
	CHECK_STR(got, "ab");
	pt_set_nr(pid, SYS_getgid);
	go_on(pid, PT_CONT, ST_SECCOMP);
	pt_set_nr(pid, SYS_getuid);
	go_on(pid, PT_CONT, ST_SECCOMP); /* getuid() of the comparison */
	go_on(pid, PT_CONT, ST_SECCOMP);
	pt_set_nr(pid, -1);
	set_result(pid, 4711);
	go_on(pid, PT_CONT, ST_SECCOMP);
	pt_set_nr(pid, 4000);
	go_on(pid, PT_CONT, 0);
}

/* What the tracer makes of a call at its entry is what the filters judge. */
static void entry_calls(void)
{
	add_filter();
	if (syscall(SYS_getpgid, 0) != -1 || errno != 55)
		_exit(1);
	if (syscall(SYS_getpgid, 0) != 815)
		_exit(2);
	_exit(0);
}

static void change_at_entry(void)
{
	pid_t pid = pt_child(entry_calls, PT_O_TRACESECCOMP | PT_O_TRACESYSGOOD);

	until_entry(pid, SYS_getpgid);
	pt_set_nr(pid, SYS_getgid);
	until_entry(pid, SYS_getpgid);
	pt_set_nr(pid, SYS_getppid);
	go_on(pid, PT_CONT, ST_SECCOMP);
	CHECK_EQ(call_info(pid, 84).seccomp.nr, SYS_getppid);
	pt_set_nr(pid, -1);
	set_result(pid, 815);
	go_on(pid, PT_CONT, 0);
}

/* A trap's handler finds the registers of the call, whether or not a tracer saw it. */
static volatile long trapped;

static void on_sigsys(int sig, siginfo_t *info, void *ctx)
{
	const ucontext_t *uc = ctx;

	(void)sig;
#if defined(__x86_64__)
	trapped = uc->uc_mcontext.gregs[REG_RAX] == SYS_gettid && info->si_syscall == SYS_gettid;
#elif defined(__aarch64__)
	trapped = uc->uc_mcontext.regs[0] == 77 && info->si_syscall == SYS_gettid;
#elif defined(__riscv)
	trapped = uc->uc_mcontext.__gregs[10] == 77 && info->si_syscall == SYS_gettid;
#else
	trapped = uc->uc_mcontext.__gregs[4] == 77 && info->si_syscall == SYS_gettid;
#endif
}

static void trap_calls(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	add_filter();
	syscall(SYS_gettid, 77);
	_exit(trapped ? 0 : 1);
}

static void trap(void)
{
	pid_t pid;

	CHECK_EXIT(tap_spawn(trap_calls), 0);
	pid = pt_child(trap_calls, PT_O_TRACESYSGOOD);
	until_entry(pid, SYS_gettid);
	go_on(pid, PT_CONT, ST_STOP(SIGSYS));
	CHECK_OK(pt(PT_CONT, pid, 0, SIGSYS));
	EXPECT(pid, 0);
}

static void kill_in_event(void)
{
	pid_t pid = pt_child(calls, PT_O_TRACESECCOMP);

	go_on(pid, PT_CONT, ST_SECCOMP);
	kill(pid, SIGKILL);
	EXPECT(pid, SIGKILL);
}

static void tracer_leaves(void)
{
	pid_t pid = pt_child(calls, PT_O_TRACESECCOMP);

	/* The call it stops at is made; the next one finds no tracer. */
	go_on(pid, PT_CONT, ST_SECCOMP);
	CHECK_OK(pt(PT_DETACH, pid, 0, 0));
	EXPECT(pid, 2 << 8);
}

/* ---- suspended, read ---- */

static void suspended_calls(void)
{
	add_filter();
	if (syscall(SYS_getgid) != (long)getegid())
		_exit(1);
	pt_raise(SIGSTOP);
	if (syscall(SYS_getgid) != -1 || errno != 55)
		_exit(2);
	_exit(0);
}

static int may_suspend(pid_t pid)
{
	if (pt(PT_SETOPTIONS, pid, 0, PT_O_SUSPEND_SECCOMP) == 0)
		return 1;
	NOTE("PTRACE_O_SUSPEND_SECCOMP: %s", tap_errname(errno));
	CHECK(errno == EPERM || errno == EINVAL);
	return 0;
}

static void suspend(void)
{
	pid_t pid = pt_child(suspended_calls, 0);

	if (may_suspend(pid)) {
		go_on(pid, PT_CONT, ST_STOP(SIGSTOP));
		CHECK_OK(pt(PT_SETOPTIONS, pid, 0, 0));
		go_on(pid, PT_CONT, 0);
	} else {
		pt_kill(pid);
	}
}

static void suspend_without_rights(void)
{
	pid_t pid;

	if (setresuid(65534, 65534, 65534))
		return;
	pid = pt_child(pt_pause, 0);
	CHECK_ERRNO(pt(PT_SETOPTIONS, pid, 0, PT_O_SUSPEND_SECCOMP), EPERM);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, 0, 0), EACCES);
	pt_kill(pid);
}

/* One whose own calls are judged may not free others from that. */
static void suspend_with_filter(void)
{
	pid_t pid = pt_child(pt_pause, 0);

	add_filter();
	CHECK_ERRNO(pt(PT_SETOPTIONS, pid, 0, PT_O_SUSPEND_SECCOMP), EPERM);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, 0, 0), EACCES);
	pt_kill(pid);
}

static void two_filters(void)
{
	struct sock_filter second[] = { RETURN(SECCOMP_RET_ALLOW) };

	add_filter();
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, PROG(second)))
		_exit(91);
	kill(getpid(), SIGSTOP);
	_exit(0);
}

static void read_filters(void)
{
	struct {
		uint64_t filter_off, flags;
	} meta = { 1, 99 };
	struct sock_filter got[16];
	pid_t pid = pt_child(two_filters, 0);

	if (pt(PT_SECCOMP_GET_FILTER, pid, 0, 0) == -1 && errno == EACCES) {
		NOTE("no right to read filters");
		pt_kill(pid);
		return;
	}
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, 0, 0), EINVAL);
	go_on(pid, PT_CONT, ST_STOP(SIGSTOP));
	memset(got, 0xaa, sizeof(got));
	CHECK_EQ(pt(PT_SECCOMP_GET_FILTER, pid, 0, 0), ARRAY_SIZE(filter));
	CHECK_EQ(pt(PT_SECCOMP_GET_FILTER, pid, 0, got), ARRAY_SIZE(filter));
	CHECK(!memcmp(got, filter, sizeof(filter)));
	CHECK_EQ(pt(PT_SECCOMP_GET_FILTER, pid, 1, got), 1);
	CHECK_EQ(got[0].k, SECCOMP_RET_ALLOW);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, 2, got), ENOENT);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, -1L, got), ENOENT);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_FILTER, pid, 0, 8), EFAULT);
	CHECK_EQ(pt(PT_SECCOMP_GET_METADATA, pid, sizeof(meta), &meta), sizeof(meta));
	CHECK_EQ(meta.flags, SECCOMP_FILTER_FLAG_LOG);
	meta.filter_off = 0;
	CHECK_EQ(pt(PT_SECCOMP_GET_METADATA, pid, 4096, &meta), sizeof(meta));
	CHECK_EQ(meta.flags, 0);
	meta.flags = 99;
	CHECK_EQ(pt(PT_SECCOMP_GET_METADATA, pid, 8, &meta), 8);
	CHECK_EQ(meta.flags, 99);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_METADATA, pid, 7, &meta), EINVAL);
	CHECK_ERRNO(pt(PT_SECCOMP_GET_METADATA, pid, 16, 8), EFAULT);
	meta.filter_off = 2;
	CHECK_ERRNO(pt(PT_SECCOMP_GET_METADATA, pid, 16, &meta), ENOENT);
	pt_kill(pid);
}

int main(void)
{
	TAP_FORK(event);
	TAP_FORK(without_option);
	TAP_FORK(seized);
	TAP_FORK(order);
	TAP_FORK(changes);
	TAP_FORK(change_at_entry);
	TAP_FORK(trap);
	TAP_FORK(kill_in_event);
	TAP_FORK(tracer_leaves);
	TAP_FORK(suspend);
	TAP_FORK(suspend_without_rights);
	TAP_FORK(suspend_with_filter);
	TAP_FORK(read_filters);
	return tap_done();
}

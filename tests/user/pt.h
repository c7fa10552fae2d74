/* SPDX-License-Identifier: MIT */
/*
 * Shared by the ptrace tests: tracees, their stops, their registers in a form all architectures have.
 * Calls go through syscall(2), because libc's ptrace() hides what PEEK returns and which requests there are.
 */
#ifndef TESTS_USER_PT_H
#define TESTS_USER_PT_H

#include "tap.h"
#include <elf.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/user.h>

#define PT_TRACEME	0
#define PT_PEEKTEXT	1
#define PT_PEEKDATA	2
#define PT_PEEKUSR	3
#define PT_POKETEXT	4
#define PT_POKEDATA	5
#define PT_POKEUSR	6
#define PT_CONT		7
#define PT_KILL		8
#define PT_SINGLESTEP	9
#define PT_ATTACH	16
#define PT_DETACH	17
#define PT_SYSCALL	24
#define PT_SYSEMU	31
#define PT_SETOPTIONS	0x4200
#define PT_GETEVENTMSG	0x4201
#define PT_GETSIGINFO	0x4202
#define PT_SETSIGINFO	0x4203
#define PT_GETREGSET	0x4204
#define PT_SETREGSET	0x4205
#define PT_SEIZE	0x4206
#define PT_INTERRUPT	0x4207
#define PT_LISTEN	0x4208
#define PT_PEEKSIGINFO	0x4209
#define PT_GETSIGMASK	0x420a
#define PT_SETSIGMASK	0x420b
#define PT_SECCOMP_GET_FILTER 0x420c
#define PT_SECCOMP_GET_METADATA 0x420d
#define PT_GET_SYSCALL_INFO   0x420e
#define PT_SET_SUD_CONFIG     0x4210
#define PT_GET_SUD_CONFIG     0x4211
#define PT_SET_SYSCALL_INFO   0x4212

#define PT_O_TRACESYSGOOD   0x01
#define PT_O_TRACEFORK	    0x02
#define PT_O_TRACEVFORK	    0x04
#define PT_O_TRACECLONE	    0x08
#define PT_O_TRACEEXEC	    0x10
#define PT_O_TRACEVFORKDONE 0x20
#define PT_O_TRACEEXIT	    0x40
#define PT_O_TRACESECCOMP   0x80
#define PT_O_EXITKILL	    0x100000
#define PT_O_SUSPEND_SECCOMP 0x200000

#define PT_EVENT_FORK	    1
#define PT_EVENT_VFORK	    2
#define PT_EVENT_CLONE	    3
#define PT_EVENT_EXEC	    4
#define PT_EVENT_VFORK_DONE 5
#define PT_EVENT_EXIT	    6
#define PT_EVENT_SECCOMP    7
#define PT_EVENT_STOP	    128

#ifndef __WALL
#define __WALL 0x40000000
#endif
#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000
#endif

/* A wait status: stopped by @sig, or for event @ev. */
#define ST_STOP(sig)	 ((sig) << 8 | 0x7f)
#define ST_EVENT(ev)	 ((ev) << 16 | SIGTRAP << 8 | 0x7f)
#define ST_EVSTOP(sig)	 (PT_EVENT_STOP << 16 | (sig) << 8 | 0x7f)
#define ST_SYSCALL	 ((SIGTRAP | 0x80) << 8 | 0x7f)

#define pt(req, pid, addr, data) syscall(SYS_ptrace, (long)(req), (long)(pid), (long)(addr), (long)(data))

struct pt_syscall_info {
	uint8_t op, reserved;
	uint16_t flags;
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data;
		} seccomp;
	};
};

/* The general registers, and where the interesting ones are. */
#if defined(__x86_64__)
typedef struct user_regs_struct pt_regs;
#define PT_PC(r)     ((r).rip)
#define PT_RESULT(r) ((r).rax)
#define PT_NR(r)     ((r).orig_rax)
#define PT_ARG1(r)   ((r).rsi)
#elif defined(__aarch64__)
typedef struct {
	unsigned long regs[31], sp, pc, pstate;
} pt_regs;
#define PT_PC(r)     ((r).pc)
#define PT_RESULT(r) ((r).regs[0])
#define PT_ARG1(r)   ((r).regs[1])
#elif defined(__riscv)
typedef struct {
	unsigned long regs[32];
} pt_regs;
#define PT_PC(r)     ((r).regs[0])
#define PT_RESULT(r) ((r).regs[10])
#define PT_NR(r)     ((r).regs[17])
#define PT_ARG1(r)   ((r).regs[11])
#elif defined(__loongarch__)
typedef struct {
	unsigned long regs[32], orig_a0, era, badv, reserved[10];
} pt_regs;
#define PT_PC(r)     ((r).era)
#define PT_RESULT(r) ((r).regs[4])
#define PT_NR(r)     ((r).regs[11])
#define PT_ARG1(r)   ((r).regs[5])
#endif

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

__attribute__((unused)) static pt_regs pt_getregs(pid_t pid)
{
	pt_regs regs;
	struct iovec iov = { &regs, sizeof(regs) };

	memset(&regs, 0, sizeof(regs));
	CHECK_OK(pt(PT_GETREGSET, pid, NT_PRSTATUS, &iov));
	CHECK_EQ(iov.iov_len, sizeof(regs));
	return regs;
}

__attribute__((unused)) static void pt_setregs(pid_t pid, pt_regs *regs)
{
	struct iovec iov = { regs, sizeof(*regs) };

	CHECK_OK(pt(PT_SETREGSET, pid, NT_PRSTATUS, &iov));
}

/* Change the number of the system call that @pid is about to make. */
__attribute__((unused)) static void pt_set_nr(pid_t pid, long nr)
{
#ifdef PT_NR
	pt_regs regs = pt_getregs(pid);

	PT_NR(regs) = (unsigned long)nr;
	pt_setregs(pid, &regs);
#else
	int n = (int)nr;
	struct iovec iov = { &n, sizeof(n) };

	CHECK_OK(pt(PT_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov));
#endif
}

/* Wait for @pid (-1: any) and expect status @want. Return who it was. */
#define EXPECT(pid, want)                                                                          \
	({                                                                                         \
		int st_ = -1;                                                                      \
		pid_t p_ = (pid);                                                                  \
		pid_t who_ = waitpid(p_, &st_, __WALL);                                            \
		if (who_ == -1 || (p_ > 0 && who_ != p_) || st_ != (want))                         \
			tap_fail(__FILE__, __LINE__,                                               \
				 "waitpid(%s) is %d (%s), status %#x, wanted %#x", #pid, who_,     \
				 who_ == -1 ? tap_errname(errno) : "", (unsigned)st_,              \
				 (unsigned)(want));                                                \
		who_;                                                                              \
	})

/* Nothing to report about @pid now. */
#define EXPECT_NOTHING(pid) CHECK_EQ(waitpid((pid), NULL, WNOHANG | __WALL), 0)

__attribute__((unused)) static unsigned long pt_eventmsg(pid_t pid)
{
	unsigned long msg = ~0UL;

	CHECK_OK(pt(PT_GETEVENTMSG, pid, 0, &msg));
	return msg;
}

__attribute__((unused)) static siginfo_t pt_siginfo(pid_t pid)
{
	siginfo_t info;

	memset(&info, 0xff, sizeof(info));
	CHECK_OK(pt(PT_GETSIGINFO, pid, 0, &info));
	return info;
}

/* raise(3) of some libraries blocks signals meanwhile, which would show. */
__attribute__((unused)) static void pt_raise(int sig)
{
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
}

/* A child that asks to be traced, stops, then runs @fn. It has been waited for; @options are set. */
__attribute__((unused)) static pid_t pt_child(void (*fn)(void), long options)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		tap_nfailed = 0;
		if (pt(PT_TRACEME, 0, 0, 0) != 0)
			_exit(99);
		pt_raise(SIGSTOP);
		fn();
		_exit(tap_nfailed ? 1 : 0);
	}
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK_OK(pt(PT_SETOPTIONS, pid, 0, options));
	return pid;
}

/* A child that is not traced and runs @fn. */
__attribute__((unused)) static pid_t pt_free_child(void (*fn)(void))
{
	return tap_spawn(fn);
}

__attribute__((unused)) static void pt_pause(void)
{
	for (;;)
		pause();
}

__attribute__((unused)) static void pt_spin(void)
{
	for (;;)
		__asm__ __volatile__("" ::: "memory");
}

__attribute__((unused)) static void pt_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

/* The text after @key in /proc/PID/status as a number. */
__attribute__((unused)) static long pt_status_number(pid_t pid, const char *key)
{
	char path[64], text[4096], *p;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (tap_read_file(path, text, sizeof(text)) < 0)
		return -1;
	p = strstr(text, key);
	return p ? atol(p + strlen(key)) : -1;
}

/* Go on to the next syscall stop. */
__attribute__((unused)) static struct pt_syscall_info pt_next_call(pid_t pid)
{
	struct pt_syscall_info info;

	memset(&info, 0xff, sizeof(info));
	CHECK_OK(pt(PT_SYSCALL, pid, 0, 0));
	EXPECT(pid, ST_SYSCALL);
	CHECK(pt(PT_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	return info;
}

/* Up to the entry of call @nr, through as many others as there are. */
__attribute__((unused)) static struct pt_syscall_info pt_until_call(pid_t pid, long nr)
{
	struct pt_syscall_info info;

	for (int i = 0; i < 200; i++) {
		info = pt_next_call(pid);
		if (info.op == 1 && info.entry.nr == (uint64_t)nr)
			return info;
	}
	CHECK(!"the call comes");
	return info;
}

#endif

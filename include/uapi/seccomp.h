/* SPDX-License-Identifier: MIT */
/* seccomp(2), and the classic BPF that its filters are written in. */
#ifndef UAPI_SECCOMP_H
#define UAPI_SECCOMP_H

#include <types.h>

#define SECCOMP_MODE_DISABLED 0
#define SECCOMP_MODE_STRICT   1
#define SECCOMP_MODE_FILTER   2

#define SECCOMP_SET_MODE_STRICT	 0
#define SECCOMP_SET_MODE_FILTER	 1
#define SECCOMP_GET_ACTION_AVAIL 2
#define SECCOMP_GET_NOTIF_SIZES	 3

#define SECCOMP_FILTER_FLAG_TSYNC	1u
#define SECCOMP_FILTER_FLAG_LOG		2u
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW	4u
#define SECCOMP_FILTER_FLAG_NEW_LISTENER 8u
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH 16u
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32u

#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD	 0x00000000u
#define SECCOMP_RET_TRAP	 0x00030000u
#define SECCOMP_RET_ERRNO	 0x00050000u
#define SECCOMP_RET_TRACE	 0x7ff00000u
#define SECCOMP_RET_USER_NOTIF	 0x7fc00000u
#define SECCOMP_RET_LOG		 0x7ffc0000u
#define SECCOMP_RET_ALLOW	 0x7fff0000u
#define SECCOMP_RET_ACTION_FULL	 0xffff0000u
#define SECCOMP_RET_DATA	 0x0000ffffu
#define SYS_SECCOMP		 1 /* si_code of SIGSYS */

struct seccomp_data {
	s32 nr;
	u32 arch;
	u64 ip;
	u64 args[6];
};

/* What a listener receives, answers and gives: seccomp_unotify(2). */
struct seccomp_notif {
	u64 id;
	u32 pid, flags;
	struct seccomp_data data;
};
struct seccomp_notif_resp {
	u64 id;
	s64 val;
	s32 error;
	u32 flags;
};
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1u
struct seccomp_notif_addfd {
	u64 id;
	u32 flags, srcfd, newfd, newfd_flags;
};
#define SECCOMP_ADDFD_FLAG_SETFD 1u
#define SECCOMP_ADDFD_FLAG_SEND	 2u
struct seccomp_notif_sizes {
	u16 notif, resp, data;
};

/* PTRACE_SECCOMP_GET_METADATA */
struct seccomp_metadata {
	u64 filter_off;
	u64 flags;
};

struct sock_filter {
	u16 code;
	u8 jt, jf;
	u32 k;
};
struct sock_fprog {
	u16 len;
	u64 filter; /* user address */
};
#define BPF_MAXINSNS 4096
#define BPF_MEMWORDS 16

#define BPF_CLASS(code) ((code) & 0x07)
#define BPF_LD	 0x00
#define BPF_LDX	 0x01
#define BPF_ST	 0x02
#define BPF_STX	 0x03
#define BPF_ALU	 0x04
#define BPF_JMP	 0x05
#define BPF_RET	 0x06
#define BPF_MISC 0x07
#define BPF_IMM	 0x00
#define BPF_ABS	 0x20
#define BPF_MEM	 0x60
#define BPF_LEN	 0x80
#define BPF_K	 0x00
#define BPF_X	 0x08
#define BPF_A	 0x10
#define BPF_TAX	 0x00
#define BPF_TXA	 0x80
#define BPF_OP(code) ((code) & 0xf0)
#define BPF_ADD	 0x00
#define BPF_SUB	 0x10
#define BPF_MUL	 0x20
#define BPF_DIV	 0x30
#define BPF_OR	 0x40
#define BPF_AND	 0x50
#define BPF_LSH	 0x60
#define BPF_RSH	 0x70
#define BPF_NEG	 0x80
#define BPF_XOR	 0xa0
#define BPF_JA	 0x00
#define BPF_JEQ	 0x10
#define BPF_JGT	 0x20
#define BPF_JGE	 0x30
#define BPF_JSET 0x40

#endif

/* SPDX-License-Identifier: MIT */
/* Sockets. Source: socket(2), socket(7), unix(7), send(2), recv(2), cmsg(3); the generic numbers, which all four architectures use. */
#ifndef UAPI_SOCKET_H
#define UAPI_SOCKET_H

#include <types.h>

#define AF_UNSPEC 0
#define AF_UNIX	  1
#define AF_MAX	  46 /* one above the largest family there is */

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MAX  11 /* one above the largest type */
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC   02000000
#define SOCK_NONBLOCK  00004000

#define SHUT_RD	  0
#define SHUT_WR	  1
#define SHUT_RDWR 2

#define MSG_OOB		 0x00000001u
#define MSG_PEEK	 0x00000002u
#define MSG_CTRUNC	 0x00000008u
#define MSG_TRUNC	 0x00000020u
#define MSG_DONTWAIT	 0x00000040u
#define MSG_EOR		 0x00000080u
#define MSG_WAITALL	 0x00000100u
#define MSG_ERRQUEUE	 0x00002000u
#define MSG_NOSIGNAL	 0x00004000u
#define MSG_WAITFORONE	 0x00010000u
#define MSG_CMSG_CLOEXEC 0x40000000u
#define MSG_CMSG_COMPAT	 0x80000000u
/* What the kernel tells itself in Linux; from a program they mean nothing. */
#define MSG_INTERNAL (0x00020000u | 0x00040000u | 0x00080000u | 0x00800000u | 0x08000000u)

#define SOL_SOCKET 1
#define SO_DEBUG	1
#define SO_REUSEADDR	2
#define SO_TYPE		3
#define SO_ERROR	4
#define SO_DONTROUTE	5
#define SO_BROADCAST	6
#define SO_SNDBUF	7
#define SO_RCVBUF	8
#define SO_KEEPALIVE	9
#define SO_OOBINLINE	10
#define SO_NO_CHECK	11
#define SO_PRIORITY	12
#define SO_LINGER	13
#define SO_BSDCOMPAT	14
#define SO_REUSEPORT	15
#define SO_PASSCRED	16
#define SO_PEERCRED	17
#define SO_RCVLOWAT	18
#define SO_SNDLOWAT	19
#define SO_RCVTIMEO	20
#define SO_SNDTIMEO	21
#define SO_BINDTODEVICE 25
#define SO_PEERNAME	28
#define SO_TIMESTAMP	29
#define SO_ACCEPTCONN	30
#define SO_SNDBUFFORCE	32
#define SO_RCVBUFFORCE	33
#define SO_TIMESTAMPNS	35
#define SO_MARK		36
#define SO_PROTOCOL	38
#define SO_DOMAIN	39
#define SO_RXQ_OVFL	40
#define SO_PEEK_OFF	42
#define SO_NOFCS	43
#define SO_LOCK_FILTER	44
#define SO_SELECT_ERR_QUEUE 45
#define SO_COOKIE	57
#define SO_PEERGROUPS	59
#define SO_TIMESTAMP_NEW   63
#define SO_TIMESTAMPNS_NEW 64
#define SO_RCVTIMEO_NEW	66
#define SO_SNDTIMEO_NEW 67
#define SO_BUF_LOCK	72
#define SO_PASSPIDFD	76
#define SO_PEERPIDFD	77

#define SCM_RIGHTS	1
#define SCM_CREDENTIALS 2
#define SCM_PIDFD	4
#define SCM_TIMESTAMP	SO_TIMESTAMP
#define SCM_TIMESTAMPNS SO_TIMESTAMPNS
#define SCM_MAX_FD	253 /* descriptors in one message */

#define SOCK_SNDBUF_LOCK 1
#define SOCK_RCVBUF_LOCK 2

#define FIOSETOWN  0x8901
#define SIOCSPGRP  0x8902
#define FIOGETOWN  0x8903
#define SIOCGPGRP  0x8904
#define SIOCATMARK 0x8905
#define SIOCINQ	   0x541B
#define SIOCOUTQ   0x5411

struct sockaddr_storage {
	u16 family;
	char data[126];
};
_Static_assert(sizeof(struct sockaddr_storage) == 128, "struct sockaddr_storage is ABI");

#define UNIX_PATH_MAX 108
struct sockaddr_un {
	u16 family;
	char path[UNIX_PATH_MAX];
};
_Static_assert(sizeof(struct sockaddr_un) == 110, "struct sockaddr_un is ABI");

struct user_msghdr {
	u64 name;
	s32 namelen;
	u32 pad1;
	u64 iov, iovlen;
	u64 control, controllen;
	u32 flags;
	u32 pad2;
};
_Static_assert(sizeof(struct user_msghdr) == 56, "struct msghdr is ABI");
struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len;
	u32 pad;
};
_Static_assert(sizeof(struct user_mmsghdr) == 64, "struct mmsghdr is ABI");

struct cmsghdr {
	u64 len; /* with this head */
	s32 level, type;
};
#define CMSG_ALIGN(n) (((n) + 7) & ~(size_t)7)
#define CMSG_LEN(n)   (sizeof(struct cmsghdr) + (n))
#define CMSG_SPACE(n) (sizeof(struct cmsghdr) + CMSG_ALIGN(n))

struct ucred {
	s32 pid;
	u32 uid, gid;
};
struct linger {
	s32 onoff, linger;
};

#endif

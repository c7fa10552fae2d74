/* SPDX-License-Identifier: MIT */
/* epoll(7). The EPOLL* event bits have poll(2)'s values. */
#ifndef UAPI_EPOLL_H
#define UAPI_EPOLL_H

#include <types.h>
#include <uapi/epoll_abi.h>

struct epoll_event {
	u32 events;
	u64 data;
} EPOLL_PACKED;

#define EPOLLIN	       0x001u
#define EPOLLPRI       0x002u
#define EPOLLOUT       0x004u
#define EPOLLERR       0x008u
#define EPOLLHUP       0x010u
#define EPOLLNVAL      0x020u
#define EPOLLRDNORM    0x040u
#define EPOLLRDBAND    0x080u
#define EPOLLWRNORM    0x100u
#define EPOLLWRBAND    0x200u
#define EPOLLMSG       0x400u
#define EPOLLRDHUP     0x2000u
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET	       (1u << 31)

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLL_CLOEXEC 02000000

#endif

/* SPDX-License-Identifier: MIT */
/* struct epoll_event is packed on x86_64 only, which overrides this file. */
#ifndef UAPI_EPOLL_ABI_H
#define UAPI_EPOLL_ABI_H
#define EPOLL_PACKED
#endif

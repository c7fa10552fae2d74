/* SPDX-License-Identifier: MIT */
/* x86_64 packs struct epoll_event (12 bytes), so that 32-bit programs share it. */
#ifndef UAPI_EPOLL_ABI_H
#define UAPI_EPOLL_ABI_H
#define EPOLL_PACKED __attribute__((__packed__))
#endif

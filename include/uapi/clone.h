/* SPDX-License-Identifier: MIT */
/* clone(2): flags, parent_tid, then tls, then child_tid: riscv64, aarch64. */
#ifndef UAPI_CLONE_H
#define UAPI_CLONE_H

#define CLONE_TLS_LAST 0

#endif

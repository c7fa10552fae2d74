/* SPDX-License-Identifier: MIT */
/* clone(2): flags, parent_tid, child_tid, then tls: this ABI. */
#ifndef UAPI_CLONE_H
#define UAPI_CLONE_H

#define CLONE_TLS_LAST 1

#endif

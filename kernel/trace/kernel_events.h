/* SPDX-License-Identifier: MIT */
/* What is registered when tracing is first looked at: so that a machine that never traces pays neither time nor memory. */
#ifndef KERNEL_TRACE_KERNEL_EVENTS_H
#define KERNEL_TRACE_KERNEL_EVENTS_H

#include <kernel/trace.h>

extern struct trace_event *const trace_kernel_events[]; /* points.c; ends with NULL */
/** trace_register_syscalls() - raw_syscalls:* and an enter and an exit event for every system call. trace_mutex held. 0, -ENOMEM. */
int trace_register_syscalls(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who may look into whom, and tracing: ptrace(2).
 */
#ifndef KERNEL_PTRACE_H
#define KERNEL_PTRACE_H

#include <kernel/task.h>

/* What is wanted, and with which of current's ids it is judged. Source: ptrace(2), "Ptrace access mode checking". */
#define PTRACE_MODE_READ      0x01u
#define PTRACE_MODE_ATTACH    0x02u
#define PTRACE_MODE_FSCREDS   0x08u /* file system ids, effective capabilities: /proc */
#define PTRACE_MODE_REALCREDS 0x10u /* real ids, permitted capabilities: system calls */
#define PTRACE_MODE_READ_FSCREDS     (PTRACE_MODE_READ | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_READ_REALCREDS   (PTRACE_MODE_READ | PTRACE_MODE_REALCREDS)
#define PTRACE_MODE_ATTACH_FSCREDS   (PTRACE_MODE_ATTACH | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_ATTACH_REALCREDS (PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS)

/**
 * ptrace_may_access() - may current look into @t, or attach to it?
 * @t: a task of a process, referenced by the caller. @mode: one of the four above.
 * Its own process may always; else all ids of @t must be current's, its memory dumpable, its capabilities no more than current's; or
 * current has CAP_SYS_PTRACE. Context: any task context, tasklist_lock not held. Return: 0, -EPERM (/proc makes it -EACCES).
 */
int ptrace_may_access(struct task *t, unsigned int mode);

#endif

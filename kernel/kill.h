/* SPDX-License-Identifier: MIT */
/*
 * Signals with permission checks, as system calls send them. All in task context. Signal 0: only the checks.
 * Return: 0; -EINVAL: no such signal; -ESRCH; -EPERM; -EAGAIN: queue full. Source: kill(2).
 */
#ifndef KERNEL_KILL_H
#define KERNEL_KILL_H

#include <kernel/task.h>

/** sig_info_user() - siginfo of a signal that current sends. @code: SI_USER, SI_TKILL. */
void sig_info_user(struct siginfo *info, int sig, int code);
int kill_process(struct process *p, int sig, const struct siginfo *info);
int kill_pid(pid_t nr, int sig, const struct siginfo *info);
/** kill_thread() - @tgid 0: whatever process it is in. */
int kill_thread(pid_t tgid, pid_t tid, int sig, const struct siginfo *info);
/** kill_any() - @pid as in kill(2): a process, 0: own group, -1: everybody, else the group -@pid. */
int kill_any(pid_t pid, int sig, const struct siginfo *info);

#endif

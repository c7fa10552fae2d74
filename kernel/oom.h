/* SPDX-License-Identifier: MIT */
/* Out of memory: who has to die. Source: proc_pid_oom_score_adj(5). */
#ifndef KERNEL_OOM_H
#define KERNEL_OOM_H

#include <types.h>

struct process;

#define OOM_ADJ_MIN (-1000) /* never chosen */
#define OOM_ADJ_MAX 1000

/** oom_score() - what /proc/PID/oom_score says: 0 to 2000, more dies first. Task context. */
unsigned int oom_score(struct process *p);
/**
 * oom_relief() - a page could not be had: kill the process that uses most memory, or wait a little for the one that was killed last. Task
 * context, may sleep (10 ms). Return: false: nothing to hope for, current itself is to die.
 */
bool oom_relief(void);

#endif

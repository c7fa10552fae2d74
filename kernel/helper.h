/* SPDX-License-Identifier: MIT */
/* Programs that the kernel itself starts. */
#ifndef KERNEL_HELPER_H
#define KERNEL_HELPER_H

#include <types.h>

struct file;

/**
 * helper_start() - run the program argv[0] as root: a process without parent, group, session or environment, in the root and directory of process
 * 1, all signals at their defaults. Its only descriptor is 0, @input, whose reference is taken over, also on failure. Limits are those that process 1
 * began with, but RLIMIT_CORE is 1. Nobody waits for its end. @argv and what it points at may go when this returns.
 * Context: task, no locks. Sleeps until the program has been loaded. Return: 0, or why there is none: -ENOMEM, -EAGAIN, -ENOENT, -EACCES, -ENOEXEC ...
 */
int helper_start(char *const *argv, struct file *input);

#endif

/* SPDX-License-Identifier: MIT */
/* The kernel's own log of system calls (`caelum run --strace`, caelum.strace=1), one line a call as strace prints it. */
#ifndef SYSCALL_STRACE_H
#define SYSCALL_STRACE_H

#include <kernel/syscall.h>
#include <types.h>

struct strace_line {
	char text[400];
	size_t len;
	unsigned long
		arg[6]; /* as they were at entry: the first may be overwritten by the result */
};

/** strace_enter() - format what must be read before the call. @desc NULL: unknown number. May sleep. */
void strace_enter(struct strace_line *line, const struct syscall_desc *desc, long nr,
		  const struct uctx *u);
/** strace_exit() - add what the call filled in and its result, and print the line. */
void strace_exit(struct strace_line *line, const struct syscall_desc *desc, const struct uctx *u,
		 long result);

#endif

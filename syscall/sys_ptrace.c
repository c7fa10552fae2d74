/* SPDX-License-Identifier: MIT */
/* ptrace(2). */
#include <kernel/ptrace.h>
#include <syscall/proto.h>

long sys_ptrace(long request, pid_t pid, ulong addr, ulong data)
{
	return do_ptrace(request, pid, addr, data);
}

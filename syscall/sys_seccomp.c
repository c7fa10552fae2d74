/* SPDX-License-Identifier: MIT */
/* seccomp(2), and its form as operations of prctl(2). */
#include <kernel/seccomp.h>
#include <mm/uaccess.h>
#include <syscall/internal.h>
#include <syscall/proto.h>

#define FILTER_FLAGS                                                    \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |          \
	 SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

static long action_available(uaddr_t uaction)
{
	u32 action;

	if (get_user_obj(&action, uaction))
		return -EFAULT;
	return seccomp_action_known(action) ? 0 : -EOPNOTSUPP;
}

long sys_seccomp(uint op, uint flags, uaddr_t args)
{
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || args ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return flags & ~FILTER_FLAGS ? -EINVAL : seccomp_add_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(args);
	default:
		return -EINVAL;
	}
}

long prctl_set_seccomp(ulong mode, uaddr_t prog)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return seccomp_set_strict();
	case SECCOMP_MODE_FILTER:
		return seccomp_add_filter(0, prog);
	default:
		return -EINVAL;
	}
}

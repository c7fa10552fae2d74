/* SPDX-License-Identifier: MIT */
/* seccomp(2), and its form as operations of prctl(2). */
#include <kernel/seccomp.h>
#include <mm/uaccess.h>
#include <syscall/internal.h>
#include <syscall/proto.h>

#define FILTER_FLAGS                                                    \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |          \
	 SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

static long action_available(uaddr_t uaction)
{
	u32 action;

	if (get_user_obj(&action, uaction))
		return -EFAULT;
	return seccomp_action_known(action) ? 0 : -EOPNOTSUPP;
}

/* A thread that could not follow and a listener's number could not be told apart. */
static bool filter_flags_valid(uint flags)
{
	const uint both = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER;

	if (flags & ~FILTER_FLAGS)
		return false;
	if ((flags & both) == both && !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return false;
	return !(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) ||
	       (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static long get_notif_sizes(uaddr_t out)
{
	const struct seccomp_notif_sizes sizes = { sizeof(struct seccomp_notif),
						   sizeof(struct seccomp_notif_resp),
						   sizeof(struct seccomp_data) };

	return put_user_obj(out, &sizes) ? -EFAULT : 0;
}

long sys_seccomp(uint op, uint flags, uaddr_t args)
{
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || args ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return filter_flags_valid(flags) ? seccomp_add_filter(flags, args) : -EINVAL;
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(args);
	case SECCOMP_GET_NOTIF_SIZES:
		return flags ? -EINVAL : get_notif_sizes(args);
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

/* SPDX-License-Identifier: MIT */
/* siginfo_t between the kernel and programs (kernel/siginfo.h). */
#include <err.h>
#include <kernel/siginfo.h>
#include <mm/uaccess.h>

#define TAIL	   (SIGINFO_SIZE - sizeof(struct siginfo))
#define NCODES_ANY 6 /* codes of SIGPOLL: what signals without codes of their own may carry */
#define SI_LEAST   (-7)
#define SI_ASYNCNL (-60)

/* How many codes of its own a signal has. */
static const u8 ncodes[] = {
	[SIGILL] = 11, [SIGFPE] = 15, [SIGSEGV] = 10, [SIGBUS] = 5,
	[SIGTRAP] = 6, [SIGCHLD] = 6, [SIGIO] = 6,    [SIGSYS] = 2,
};

static bool is_known(int sig, int code)
{
	int limit =
		sig > 0 && sig < (int)ARRAY_SIZE(ncodes) && ncodes[sig] ? ncodes[sig] : NCODES_ANY;

	if (code > SI_USER)
		return code <= limit || code == SI_KERNEL;
	return code >= SI_LEAST || code == SI_ASYNCNL;
}

int siginfo_to_user(uaddr_t to, const struct siginfo *info)
{
	int r = put_user_obj(to, info);

	return r ? r : clear_user(to + sizeof(*info), TAIL);
}

int siginfo_from_user(struct siginfo *info, int sig, uaddr_t from)
{
	u64 tail[TAIL / sizeof(u64)], any = 0;

	if (get_user_obj(info, from))
		return -EFAULT;
	if (sig >= 0)
		info->si_signo = sig;
	if (!is_known(info->si_signo, info->si_code)) {
		if (get_user_obj(&tail, from + sizeof(*info)))
			return -EFAULT;
		for (size_t i = 0; i < ARRAY_SIZE(tail); i++)
			any |= tail[i];
		if (any)
			return -E2BIG;
	}
	return 0;
}

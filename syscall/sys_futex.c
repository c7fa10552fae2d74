/* SPDX-License-Identifier: MIT */
/* futex(2), set_robust_list(2), get_robust_list(2). */
#include <kernel/futex.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>
#include <uapi/futex.h>

/* WAIT counts from now; the others name a time of CLOCK_MONOTONIC or (@realtime) CLOCK_REALTIME. */
static int get_until(uaddr_t utime, bool relative, bool realtime, struct futex_until *until)
{
	if (!relative)
		return futex_until_from_user(utime, realtime, until);
	*until = FUTEX_FOR_EVER;
	return deadline_from_user(utime, &until->ns);
}

static bool allows_realtime(int cmd)
{
	return cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

static long do_wait_op(int cmd, bool realtime, bool shared, uaddr_t addr, u32 val, uaddr_t utime,
		       u32 bits)
{
	struct futex_until until;
	int r = get_until(utime, cmd == FUTEX_WAIT, realtime || cmd == FUTEX_LOCK_PI, &until);

	if (r)
		return r;
	switch (cmd) {
	case FUTEX_WAIT:
		return futex_wait(addr, shared, val, FUTEX_BITSET_MATCH_ANY, until);
	case FUTEX_WAIT_BITSET:
		return futex_wait(addr, shared, val, bits, until);
	default:
		return futex_lock_pi(addr, shared, false, until);
	}
}

/* @val2 takes the place of the timeout. Negative numbers of threads are refused as Linux does. */
static long do_requeue_op(int cmd, bool shared, uaddr_t addr, u32 val, u32 val2, uaddr_t addr2,
			  u32 val3)
{
	if ((s32)val < 0 || (s32)val2 < 0)
		return -EINVAL;
	return futex_requeue(addr, addr2, shared, shared, val, val2, cmd == FUTEX_CMP_REQUEUE,
			     val3);
}

/* @lock: of the priority-inheriting mutex that goes with the condition variable at @addr. */
static long do_requeue_pi_op(int cmd, bool realtime, bool shared, uaddr_t addr, u32 val,
			     uaddr_t utime, uaddr_t lock, u32 val3)
{
	struct futex_until until;
	int r;

	if (cmd == FUTEX_CMP_REQUEUE_PI) {
		if (val != 1 || (s32)(u32)utime < 0)
			return -EINVAL;
		return futex_cmp_requeue_pi(addr, lock, shared, (u32)utime, val3);
	}
	r = get_until(utime, false, realtime, &until);
	return r ? r : futex_wait_requeue_pi(addr, shared, val, until, lock);
}

/* Linux wakes one even when asked for none. */
static unsigned int wake_count(u32 val)
{
	return (s32)val < 1 ? 1 : val;
}

long sys_futex(uaddr_t addr, int op, uint val, uaddr_t utime, uaddr_t addr2, uint val3)
{
	int cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	bool shared = !(op & FUTEX_PRIVATE_FLAG), realtime = op & FUTEX_CLOCK_REALTIME;

	if (realtime && !allows_realtime(cmd))
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return do_wait_op(cmd, realtime, shared, addr, val, utime, val3);
	case FUTEX_WAKE:
		return futex_wake(addr, shared, wake_count(val), FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(addr, shared, wake_count(val), val3);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return do_requeue_op(cmd, shared, addr, val, (u32)utime, addr2, val3);
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		return do_requeue_pi_op(cmd, realtime, shared, addr, val, utime, addr2, val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, shared, wake_count(val), wake_count((u32)utime),
				     val3);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, shared, true, FUTEX_FOR_EVER);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr, shared);
	default:
		return -ENOSYS;
	}
}

long sys_set_robust_list(uaddr_t head, size_t len)
{
	if (len != sizeof(struct robust_list_head_abi))
		return -EINVAL;
	current->robust_list = head;
	current->robust_list_len = len;
	return 0;
}

long sys_get_robust_list(pid_t tid, uaddr_t uhead, uaddr_t ulen)
{
	struct task *t = task_find_get(tid ? tid : task_tid(current));
	u64 head, len = sizeof(struct robust_list_head_abi);
	bool allowed;

	if (!t)
		return -ESRCH;
	head = t->robust_list;
	allowed = t->process == current->process || capable(CAP_SYS_PTRACE);
	task_put(t);
	if (!allowed)
		return -EPERM;
	if (put_user_obj(ulen, &len) || put_user_obj(uhead, &head))
		return -EFAULT;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The newer futex calls, one for each operation: futex_wait, futex_wake, futex_requeue, and futex_waitv(2) for several words. */
#include <kernel/futex.h>
#include <kernel/time.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>
#include <uapi/futex.h>

#define FUTEX2_SIZE_MASK 3u
#define FUTEX2_SIZE_U32	 2u
#define FUTEX2_PRIVATE	 128u
#define WAITV_MAX	 128

struct waitv_abi {
	u64 val, addr;
	u32 flags, reserved;
};

/* Words of 32 bits, on a machine of one node. */
static bool flags_valid(uint flags)
{
	return !(flags & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)) &&
	       (flags & FUTEX2_SIZE_MASK) == FUTEX2_SIZE_U32;
}

static bool fits_u32(u64 v)
{
	return v <= 0xffffffffu;
}

/* All timeouts are absolute. 0, -EINVAL, -EFAULT. */
static int get_until(uaddr_t utime, clockid_t clock, struct futex_until *until)
{
	if (utime && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return -EINVAL;
	return futex_until_from_user(utime, clock == CLOCK_REALTIME, until);
}

static int read_wanted(uaddr_t uwaiters, uint n, struct futex_wanted *out)
{
	struct waitv_abi v;

	for (uint i = 0; i < n; i++) {
		if (get_user_obj(&v, uwaiters + i * sizeof(v)))
			return -EFAULT;
		if (!flags_valid(v.flags) || v.reserved || !fits_u32(v.val))
			return -EINVAL;
		out[i] = (struct futex_wanted){ .addr = v.addr,
						.val = (u32)v.val,
						.shared = !(v.flags & FUTEX2_PRIVATE) };
	}
	return 0;
}

long sys_futex_waitv(uaddr_t uwaiters, uint n, uint flags, uaddr_t utime, clockid_t clock)
{
	struct futex_wanted *wanted;
	struct futex_until until;
	long r;

	if (flags || !n || n > WAITV_MAX || !uwaiters)
		return -EINVAL;
	r = get_until(utime, clock, &until);
	if (r)
		return r;
	wanted = kcalloc(n, sizeof(*wanted), 0);
	if (!wanted)
		return -ENOMEM;
	r = read_wanted(uwaiters, n, wanted);
	if (!r)
		r = futex_wait_any(wanted, n, until);
	kfree(wanted);
	return r;
}

long sys_futex_wake(uaddr_t addr, ulong mask, int n, uint flags)
{
	if (!flags_valid(flags) || !fits_u32(mask))
		return -EINVAL;
	if (!n)
		return 0;
	return futex_wake(addr, !(flags & FUTEX2_PRIVATE), n < 0 ? 1 : (uint)n, (u32)mask);
}

long sys_futex_wait(uaddr_t addr, ulong val, ulong mask, uint flags, uaddr_t utime, clockid_t clock)
{
	struct futex_until until;
	int r;

	if (!flags_valid(flags) || !fits_u32(val) || !fits_u32(mask))
		return -EINVAL;
	r = get_until(utime, clock, &until);
	return r ? r : futex_wait(addr, !(flags & FUTEX2_PRIVATE), (u32)val, (u32)mask, until);
}

long sys_futex_requeue(uaddr_t uwaiters, uint flags, int nwake, int nmove)
{
	struct futex_wanted w[2];
	int r;

	if (flags || !uwaiters)
		return -EINVAL;
	r = read_wanted(uwaiters, 2, w);
	if (r)
		return r;
	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	return futex_requeue(w[0].addr, w[1].addr, w[0].shared, w[1].shared, (uint)nwake,
			     (uint)nmove, true, w[0].val);
}

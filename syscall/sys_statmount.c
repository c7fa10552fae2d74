/* SPDX-License-Identifier: MIT */
/* statmount(2), listmount(2). The work is done by fs/statmount.c. */
#include <fs/internal.h>
#include <fs/statmount.h>
#include <syscall/proto.h>

#define REQUEST_SIZE_VER0 24
#define LISTMOUNT_REVERSE 1u
#define LISTMOUNT_MAX	  1000000
#define STRINGS_MAX	  (3 * PATH_MAX)

struct mnt_id_req {
	u32 size, spare;
	u64 number, param, ns_id;
};

/* 0, -EFAULT, -E2BIG, -EINVAL. Numbers that mounts have are large, so that older ones are not mistaken for them. */
static int read_request(struct mnt_id_req *rq, uaddr_t urq)
{
	u32 size;
	int r;

	if (hal_get_user32(&size, urq))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < REQUEST_SIZE_VER0)
		return -EINVAL;
	r = copy_struct_from_user(rq, sizeof(*rq), urq, size);
	if (r)
		return r;
	return rq->spare || rq->number <= mount_unique_id(1) - 1 ? -EINVAL : 0;
}

/* The structure as far as there is room for it; strings only as a whole. */
static long put_answer(uaddr_t buf, size_t size, struct statmount_abi *st,
		       const struct printbuf *pb)
{
	size_t head = min(size, sizeof(*st)), len = printbuf_used(pb);

	if (len && sizeof(*st) + len > size)
		return -EOVERFLOW;
	st->size = (u32)(head + len);
	if (copy_to_user(buf, st, head) || (len && copy_to_user(buf + sizeof(*st), pb->buf, len)))
		return -EFAULT;
	return 0;
}

long sys_statmount(uaddr_t urq, uaddr_t buf, size_t size, uint flags)
{
	struct statmount_abi *st;
	struct mnt_id_req rq;
	struct printbuf pb;
	char *strings;
	long r;

	if (flags)
		return -EINVAL;
	r = read_request(&rq, urq);
	if (r)
		return r;
	st = kzalloc(sizeof(*st), GFP_KERNEL);
	strings = kmalloc(STRINGS_MAX, GFP_KERNEL);
	r = -ENOMEM;
	if (st && strings) {
		printbuf_init(&pb, strings, STRINGS_MAX);
		r = mount_stat(rq.number, rq.ns_id, rq.param, st, &pb);
		if (!r)
			r = put_answer(buf, size, st, &pb);
	}
	kfree(strings);
	kfree(st);
	return r;
}

/* Which of @n numbers come after @last (0: all), and how many of them are wanted: the first of them, and in *@count how many. */
static const u64 *select(const u64 *numbers, size_t n, u64 last, bool reverse, size_t *count)
{
	size_t from = 0, to = n;

	if (last && reverse)
		while (to && numbers[to - 1] >= last)
			to--;
	else if (last)
		while (from < n && numbers[from] <= last)
			from++;
	*count = min(*count, to - from);
	return reverse ? numbers + to - *count : numbers + from;
}

static long put_numbers(uaddr_t unumbers, const u64 *first, size_t n, bool reverse)
{
	for (size_t i = 0; i < n; i++)
		if (put_user_obj(unumbers + i * sizeof(u64), &first[reverse ? n - 1 - i : i]))
			return -EFAULT;
	return (long)n;
}

long sys_listmount(uaddr_t urq, uaddr_t unumbers, size_t n, uint flags)
{
	bool reverse = flags & LISTMOUNT_REVERSE;
	u64 *numbers;
	const u64 *first;
	struct mnt_id_req rq;
	long r;

	if (flags & ~LISTMOUNT_REVERSE)
		return -EINVAL;
	if (n > LISTMOUNT_MAX)
		return -EOVERFLOW;
	r = read_request(&rq, urq);
	if (r)
		return r;
	if (rq.param && rq.param < mount_unique_id(1))
		return -EINVAL;
	r = mount_list(rq.number, rq.ns_id, &numbers);
	if (r < 0)
		return r;
	first = select(numbers, (size_t)r, rq.param, reverse, &n);
	r = put_numbers(unumbers, first, n, reverse);
	kfree(numbers);
	return r;
}

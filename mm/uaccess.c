/* SPDX-License-Identifier: MIT */
/* User memory: strings, and iterators over I/O vectors (mm/uaccess.h). */
#include <lib/string.h>
#include <mm/uaccess.h>

long strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	long r = hal_strncpy_from_user(dst, src, n);

	return r == (long)n ? -ENAMETOOLONG : r;
}

void iov_iter_init(struct iov_iter *it, const struct iovec_u *iov, unsigned int niov, size_t count)
{
	*it = (struct iov_iter){ .iov = iov, .niov = niov, .count = count };
}

void iov_iter_revert_to(struct iov_iter *it, const struct iov_iter *saved)
{
	*it = *saved;
}

/* The rest of the current element; empty elements are passed over. 0 at the end. */
static size_t segment(struct iov_iter *it, uaddr_t *base)
{
	while (it->niov && it->off == it->iov->len) {
		it->iov++;
		it->niov--;
		it->off = 0;
	}
	if (!it->niov || !it->count)
		return 0;
	*base = it->iov->base + it->off;
	return min_t(size_t, it->iov->len - it->off, it->count);
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	uaddr_t base;
	size_t part;

	while (n && (part = segment(it, &base))) {
		part = min(part, n);
		it->off += part;
		it->count -= part;
		n -= part;
	}
}

enum iov_op { IOV_TO, IOV_FROM, IOV_ZERO };

/* One piece; returns bytes not moved. */
static __always_inline size_t move_piece(const struct iov_iter *it, enum iov_op op, uaddr_t base,
					 void *buf, size_t n)
{
	if (unlikely(it->kernel)) {
		if (op == IOV_ZERO)
			memset((void *)base, 0, n);
		else
			memcpy(op == IOV_TO ? (void *)base : buf, op == IOV_TO ? buf : (void *)base,
			       n);
		return 0;
	}
	switch (op) {
	case IOV_TO:
		return hal_copy_to_user(base, buf, n);
	case IOV_FROM:
		return hal_copy_from_user(buf, base, n);
	default:
		return hal_clear_user(base, n);
	}
}

static __noinline size_t iov_move_pieces(struct iov_iter *it, enum iov_op op, char *buf, size_t n)
{
	size_t done = 0, part, left;
	uaddr_t base;

	while (done < n && (part = segment(it, &base))) {
		part = min(part, n - done);
		left = move_piece(it, op, base, buf ? buf + done : NULL, part);
		it->off += part - left;
		it->count -= part - left;
		done += part - left;
		if (left)
			break;
	}
	return done;
}

/* The common case, all of it in the only element left, without the loop. */
static __always_inline size_t iov_move(struct iov_iter *it, enum iov_op op, char *buf, size_t n)
{
	if (unlikely(it->kernel || it->niov != 1 || n > it->count))
		return iov_move_pieces(it, op, buf, n);
	n -= move_piece(it, op, it->iov->base + it->off, buf, n);
	it->off += n;
	it->count -= n;
	return n;
}

size_t iov_iter_to(struct iov_iter *it, const void *src, size_t n)
{
	return iov_move(it, IOV_TO, (char *)src, n);
}

size_t iov_iter_from(struct iov_iter *it, void *dst, size_t n)
{
	return iov_move(it, IOV_FROM, dst, n);
}

size_t iov_iter_zero(struct iov_iter *it, size_t n)
{
	return iov_move(it, IOV_ZERO, NULL, n);
}

int copy_struct_from_user(void *dst, size_t size, uaddr_t src, size_t usize)
{
	u8 rest;

	memset(dst, 0, size);
	if (copy_from_user(dst, src, min(size, usize)))
		return -EFAULT;
	for (size_t i = size; i < usize; i++) {
		if (copy_from_user(&rest, src + i, 1))
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	return 0;
}

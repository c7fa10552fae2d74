/* SPDX-License-Identifier: MIT */
/*
 * Copies into and out of a ring. The interface and the locking are in lib/ringbuf.h.
 */
#include <lib/ringbuf.h>
#include <lib/string.h>

/* How much of @n bytes at position @pos comes before the end of the buffer. */
static size_t before_end(const struct ringbuf *rb, size_t pos, size_t n)
{
	return min(n, rb->size - (pos & (rb->size - 1)));
}

void *ringbuf_write_span(const struct ringbuf *rb, size_t *n)
{
	*n = before_end(rb, rb->head, ringbuf_room(rb));
	return rb->buf + (rb->head & (rb->size - 1));
}

void *ringbuf_read_span(const struct ringbuf *rb, size_t *n)
{
	*n = before_end(rb, rb->tail, ringbuf_used(rb));
	return rb->buf + (rb->tail & (rb->size - 1));
}

size_t ringbuf_write(struct ringbuf *rb, const void *data, size_t n)
{
	size_t first;

	n = min(n, ringbuf_room(rb));
	first = before_end(rb, rb->head, n);
	memcpy(rb->buf + (rb->head & (rb->size - 1)), data, first);
	memcpy(rb->buf, (const u8 *)data + first, n - first);
	ringbuf_produce(rb, n);
	return n;
}

size_t ringbuf_peek(const struct ringbuf *rb, size_t skip, void *data, size_t n)
{
	size_t used = ringbuf_used(rb), pos = rb->tail + skip, first;

	if (skip >= used)
		return 0;
	n = min(n, used - skip);
	first = before_end(rb, pos, n);
	memcpy(data, rb->buf + (pos & (rb->size - 1)), first);
	memcpy((u8 *)data + first, rb->buf, n - first);
	return n;
}

size_t ringbuf_read(struct ringbuf *rb, void *data, size_t n)
{
	n = ringbuf_peek(rb, 0, data, n);
	ringbuf_consume(rb, n);
	return n;
}

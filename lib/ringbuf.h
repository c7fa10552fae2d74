/* SPDX-License-Identifier: MIT */
/*
 * A ring of bytes in a buffer whose size is a power of two.
 *
 * head counts the bytes ever written and tail those ever read; both wrap, their difference is what
 * is in the ring.
 *
 * Locking: one writer and one reader may run at the same time without a lock (an interrupt handler
 * and a thread): the writer alone stores head, after the bytes, and the reader alone stores tail,
 * after it took them. Several writers or several readers serialise among themselves.
 * ringbuf_init and ringbuf_reset exclude both.
 */
#ifndef LIB_RINGBUF_H
#define LIB_RINGBUF_H

#include <compiler.h>
#include <types.h>

struct ringbuf {
	u8 *buf;
	size_t size; /* a power of two */
	size_t head; /* writer */
	size_t tail; /* reader */
};

/* @size is a power of two; @buf stays the caller's. */
static inline void ringbuf_init(struct ringbuf *rb, void *buf, size_t size)
{
	rb->buf = buf;
	rb->size = size;
	rb->head = 0;
	rb->tail = 0;
}

static inline void ringbuf_reset(struct ringbuf *rb)
{
	rb->head = 0;
	rb->tail = 0;
}

/* Bytes to read, and room to write: each side sees at least what it may use. */
static inline size_t ringbuf_used(const struct ringbuf *rb)
{
	return __atomic_load_n(&rb->head, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&rb->tail, __ATOMIC_ACQUIRE);
}

static inline size_t ringbuf_room(const struct ringbuf *rb)
{
	return rb->size - ringbuf_used(rb);
}

static inline bool ringbuf_empty(const struct ringbuf *rb)
{
	return ringbuf_used(rb) == 0;
}

static inline bool ringbuf_full(const struct ringbuf *rb)
{
	return ringbuf_used(rb) == rb->size;
}

/* Write one byte; false when the ring is full. */
static inline bool ringbuf_putc(struct ringbuf *rb, u8 c)
{
	if (ringbuf_full(rb))
		return false;
	rb->buf[rb->head & (rb->size - 1)] = c;
	__atomic_store_n(&rb->head, rb->head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Read one byte, 0 to 255; -1 when the ring is empty. */
static inline int ringbuf_getc(struct ringbuf *rb)
{
	u8 c;

	if (ringbuf_empty(rb))
		return -1;
	c = rb->buf[rb->tail & (rb->size - 1)];
	__atomic_store_n(&rb->tail, rb->tail + 1, __ATOMIC_RELEASE);
	return c;
}

/* Write as much as there is room for, read as much as there is; return the number of bytes. */
size_t ringbuf_write(struct ringbuf *rb, const void *data, size_t n);
size_t ringbuf_read(struct ringbuf *rb, void *data, size_t n);

/* As ringbuf_read, but leave the bytes in, and start @skip bytes further on. */
size_t ringbuf_peek(const struct ringbuf *rb, size_t skip, void *data, size_t n);

/*
 * The bytes that can be read (the room that can be written) in one piece: its address, its length
 * in *@n. ringbuf_consume (ringbuf_produce) then moves on by that or less. For copies that can
 * fault or hardware that wants an address.
 */
void *ringbuf_read_span(const struct ringbuf *rb, size_t *n);
void *ringbuf_write_span(const struct ringbuf *rb, size_t *n);

static inline void ringbuf_consume(struct ringbuf *rb, size_t n)
{
	__atomic_store_n(&rb->tail, rb->tail + n, __ATOMIC_RELEASE);
}

static inline void ringbuf_produce(struct ringbuf *rb, size_t n)
{
	__atomic_store_n(&rb->head, rb->head + n, __ATOMIC_RELEASE);
}

#endif /* LIB_RINGBUF_H */

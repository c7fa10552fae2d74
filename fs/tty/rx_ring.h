/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way from the console's receive interrupt to who reads them. When the ring is nearly full the line is told to stop; when
 * half of it has been read, to go on.
 */
#ifndef FS_TTY_RX_RING_H
#define FS_TTY_RX_RING_H

#include <kernel/console.h>
#include <lock.h>

struct rx_ring {
	struct spinlock lock; /* taken with interrupts off */
	u8 *buf;	      /* NULL: what comes is lost */
	u32 size;	      /* a power of two */
	u32 head, tail;	      /* lock: bytes in, bytes out; free running */
	bool held;	      /* lock: the line was told to stop */
};

#define RX_RING_MARGIN 64u /* what the device has in flight still fits */

/** rx_ring_put() - one byte came. Context: any. Return: false when the line is to stop. */
static inline bool rx_ring_put(struct rx_ring *r, u8 byte)
{
	unsigned long flags = spin_lock_irqsave(&r->lock);
	bool room;

	if (r->buf && r->head - r->tail < r->size)
		r->buf[r->head++ & (r->size - 1)] = byte;
	room = r->head - r->tail < r->size - RX_RING_MARGIN;
	if (!room)
		r->held = true;
	spin_unlock_irqrestore(&r->lock, flags);
	return room;
}

/** rx_ring_take() - up to @n bytes, the oldest first. Context: task. Return: how many. */
static inline size_t rx_ring_take(struct rx_ring *r, u8 *to, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&r->lock);
	bool resume;
	size_t i;

	for (i = 0; i < n && r->head != r->tail; i++)
		to[i] = r->buf[r->tail++ & (r->size - 1)];
	resume = r->held && r->head - r->tail < r->size / 2;
	if (resume)
		r->held = false;
	spin_unlock_irqrestore(&r->lock, flags);
	if (resume)
		console_rx_resume();
	return i;
}

/** rx_ring_used() - how many bytes wait, as of now. */
static inline u32 rx_ring_used(const struct rx_ring *r)
{
	return READ_ONCE(r->head) - READ_ONCE(r->tail);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The trace buffer of one CPU: a ring of bytes in whole pages, records one after another.
 *
 * Positions (head, tail, read) count bytes since the ring was made and never go back; a position modulo the capacity is a place.
 *	tail <= what a reader may look at < head
 * One writer, the CPU that owns the ring with interrupts off. Readers, any CPU, one at a time (trace_mutex). No locks:
 *
 *	writer						reader
 *	tail := behind what will be overwritten		copy a record at pos
 *	full barrier					read barrier
 *	store the record				is tail <= pos still? then the copy is good,
 *	head := behind it (release)			else it may be torn: go on at tail
 *
 * If the reader copied any byte the writer was about to change, the reader's second look at tail sees it beyond pos.
 *
 * Every page begins with a header by which it can be recognised in an image of the machine's memory: that is how
 * `caelum run --trace` reads the buffers when the machine has ended (docs/tracing.md). The layout is known to scripts/tracefile.py.
 */
#ifndef KERNEL_TRACE_RING_H
#define KERNEL_TRACE_RING_H

#include <compiler.h>
#include <hal/paging.h>
#include <types.h>

#define TRACE_MAGIC "CAELUM-TRACE-PG1" /* 16 bytes */
enum trace_page_kind { TRACE_PAGE_CONTROL = 1, TRACE_PAGE_DATA = 2 };

struct trace_page_head {
	u8 magic[16];
	u64 run; /* what the command line's caelum.trace= says: tells this run's pages from an older one's */
	u32 kind;  /* enum trace_page_kind */
	u32 ring;  /* number of the ring: the CPU's, or TRACE_RING_META */
	u32 index; /* of a data page in its ring */
	u32 header_size, record_size;
	u32 pad;
};

#define TRACE_PAGE_BYTES (PAGE_SIZE - sizeof(struct trace_page_head))
struct trace_page {
	struct trace_page_head head;
	u8 data[PAGE_SIZE - sizeof(struct trace_page_head)];
};

struct trace_record {
	u32 size; /* of all of it, a multiple of 8 */
	u32 len;  /* of the entry that follows */
	u64 time;
	u64 seq; /* of this ring, from 0: a gap says how many were lost */
	s32 tgid;
	u32 cpu;
	char comm[16];
};

/*
 * One page of its own: with the head it is what a memory image needs. scripts/tracefile.py reads what is above `written`: it changes with that.
 */
struct trace_ring {
	struct trace_page_head id;
	u64 head;     /* writer; release */
	u64 tail;     /* writer; release */
	u64 capacity; /* bytes of data in all pages */
	u64 overrun;  /* writer: records overwritten before they were consumed */
	u64 dropped; /* writer: records not taken because the ring was full, or they were too long */
	u32 npages;
	bool overwrite;	  /* full: forget the oldest; else drop the new */
	u64 written;	  /* writer: records, also the next seq */
	u64 read;	  /* readers: consumed up to here */
	u64 read_records; /* readers: consumed */
	u64 cleared;	  /* readers: overrun when the ring was cleared last: counts begin there */
	u64 found_lost;	  /* readers: of overrun, those whose numbers are below next_seq */
	u64 next_seq;	  /* readers: of the first record that was not consumed */
	u64 serial;	  /* no other ring has it: its memory may come again as another's */
	struct trace_page **pages;
};

/**
 * trace_ring_create() - a ring of @npages pages for ring number @number. NULL: no memory. May sleep.
 * trace_ring_free(): nobody may write or read it any more.
 */
struct trace_ring *trace_ring_create(u32 number, u32 npages, u64 run);
void trace_ring_free(struct trace_ring *r);

/** trace_ring_write() - add a record. Owner's CPU, interrupts off. @rec's size and seq are filled in; @entry of rec->len bytes. */
void trace_ring_write(struct trace_ring *r, struct trace_record *rec, const void *entry);

/**
 * trace_ring_next() - copy the record at or after @pos, wherever the oldest whole one is.
 * @pos: moved behind it
 * @rec, @entry: the record; @entry has room for TRACE_ENTRY_MAX bytes
 * Return: whether there was one. Context: trace_mutex.
 */
bool trace_ring_next(const struct trace_ring *r, u64 *pos, struct trace_record *rec, void *entry);
/** trace_ring_clear() - forget what is in it. trace_mutex. */
void trace_ring_clear(struct trace_ring *r);
static inline u64 trace_ring_head(const struct trace_ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
}
/** trace_ring_start() - where a reader begins: the oldest record that was not consumed. */
static inline u64 trace_ring_start(const struct trace_ring *r)
{
	u64 tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);

	return r->read > tail ? r->read : tail;
}
/** trace_ring_entries() - records that can still be read. */
u64 trace_ring_entries(const struct trace_ring *r);
/** trace_ring_oldest() - the time of the oldest record that can be read, or 0. trace_mutex. */
u64 trace_ring_oldest(const struct trace_ring *r);

#endif

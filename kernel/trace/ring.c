/* SPDX-License-Identifier: MIT */
/* See ring.h. */
#include <kernel/trace.h>
#include <kernel/trace/ring.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <mm/slab.h>

static_assert(sizeof(struct trace_ring) <= PAGE_SIZE);
static_assert(sizeof(struct trace_page_head) % 8 == 0 && sizeof(struct trace_record) % 8 == 0);
static_assert(sizeof(struct trace_page) == PAGE_SIZE);

static struct trace_page_head page_head(u64 run, u32 kind, u32 ring, u32 index)
{
	struct trace_page_head h = {
		.run = run,
		.kind = kind,
		.ring = ring,
		.index = index,
		.header_size = sizeof(h),
		.record_size = sizeof(struct trace_record),
	};

	memcpy(h.magic, TRACE_MAGIC, sizeof(h.magic));
	return h;
}

struct trace_ring *trace_ring_create(u32 number, u32 npages, u64 run)
{
	static u64 last_serial;
	struct trace_ring *r = kpages_alloc(GFP_KERNEL | GFP_ZERO, 0);

	if (!r)
		return NULL;
	r->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	r->overwrite = true;
	r->pages = kcalloc(npages, sizeof(r->pages[0]), GFP_KERNEL);
	if (!r->pages)
		goto undo;
	for (; r->npages < npages; r->npages++) {
		struct trace_page *p = kpages_alloc(GFP_KERNEL, 0);

		if (!p)
			goto undo;
		p->head = page_head(run, TRACE_PAGE_DATA, number, r->npages);
		r->pages[r->npages] = p;
	}
	r->capacity = (u64)npages * TRACE_PAGE_BYTES;
	r->id = page_head(run, TRACE_PAGE_CONTROL, number, 0);
	return r;
undo:
	trace_ring_free(r);
	return NULL;
}

void trace_ring_free(struct trace_ring *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->npages; i++) {
		/* Nobody is to find it in an image of memory. */
		memset(r->pages[i]->head.magic, 0, sizeof(r->pages[i]->head.magic));
		kpages_free(r->pages[i], 0);
	}
	kfree(r->pages);
	memset(r->id.magic, 0, sizeof(r->id.magic));
	kpages_free(r, 0);
}

/* The place of @pos and how many bytes there are to the end of its page. */
static u8 *place(const struct trace_ring *r, u64 pos, size_t *room)
{
	u64 at = pos % r->capacity;
	size_t in_page = (size_t)(at % TRACE_PAGE_BYTES);

	*room = TRACE_PAGE_BYTES - in_page;
	return r->pages[at / TRACE_PAGE_BYTES]->data + in_page;
}

static void copy_in(const struct trace_ring *r, u64 pos, const void *data, size_t n)
{
	const u8 *from = data;

	while (n) {
		size_t room;
		u8 *to = place(r, pos, &room);
		size_t part = min(n, room);

		memcpy(to, from, part);
		pos += part;
		from += part;
		n -= part;
	}
}

static void copy_out(const struct trace_ring *r, u64 pos, void *data, size_t n)
{
	u8 *to = data;

	while (n) {
		size_t room;
		const u8 *from = place(r, pos, &room);
		size_t part = min(n, room);

		memcpy(to, from, part);
		pos += part;
		to += part;
		n -= part;
	}
}

static u32 size_at(const struct trace_ring *r, u64 pos)
{
	size_t room;

	return *(u32 *)place(r, pos, &room);
}

/* Room for @size bytes at head. False: it is full of what was not read, and that is to be kept. */
static bool make_room(struct trace_ring *r, u32 size)
{
	u64 tail = r->tail, read = READ_ONCE(r->read);

	while (r->head + size - tail > r->capacity) {
		if (tail >= read) {
			if (!r->overwrite)
				return false;
			r->overrun++;
		}
		tail += size_at(r, tail);
	}
	if (tail != r->tail) {
		__atomic_store_n(&r->tail, tail, __ATOMIC_RELEASE);
		smp_mb();
	}
	return true;
}

void trace_ring_write(struct trace_ring *r, struct trace_record *rec, const void *entry)
{
	rec->size = (u32)ALIGN_UP(sizeof(*rec) + rec->len, 8);
	if (rec->len > TRACE_ENTRY_MAX || rec->size > r->capacity || !make_room(r, rec->size)) {
		r->dropped++;
		return;
	}
	rec->seq = r->written++;
	copy_in(r, r->head, rec, sizeof(*rec));
	copy_in(r, r->head + sizeof(*rec), entry, rec->len);
	__atomic_store_n(&r->head, r->head + rec->size, __ATOMIC_RELEASE);
}

/* What was copied from @pos on was not being overwritten meanwhile. */
static bool still_there(const struct trace_ring *r, u64 pos)
{
	smp_rmb();
	return __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) <= pos;
}

bool trace_ring_next(const struct trace_ring *r, u64 *pos, struct trace_record *rec, void *entry)
{
	for (;;) {
		u64 tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);

		if (*pos < tail)
			*pos = tail;
		if (*pos >= trace_ring_head(r))
			return false;
		copy_out(r, *pos, rec, sizeof(*rec));
		if (!still_there(r, *pos))
			continue;
		copy_out(r, *pos + sizeof(*rec), entry, rec->len);
		if (!still_there(r, *pos))
			continue;
		*pos += rec->size;
		return true;
	}
}

u64 trace_ring_entries(const struct trace_ring *r)
{
	u64 lost, first = r->next_seq, written = READ_ONCE(r->written);

	/* Those that were overwritten lie, as far as they were not found lost already, before the first one left. */
	lost = READ_ONCE(r->overrun) - r->found_lost;
	return written - first > lost ? written - first - lost : 0;
}

void trace_ring_clear(struct trace_ring *r)
{
	r->found_lost = r->cleared = READ_ONCE(r->overrun);
	r->next_seq = READ_ONCE(r->written);
	WRITE_ONCE(r->read, trace_ring_head(r));
}

u64 trace_ring_oldest(const struct trace_ring *r)
{
	struct trace_record rec;
	u64 pos;

	do {
		pos = trace_ring_start(r);
		if (pos >= trace_ring_head(r))
			return 0;
		copy_out(r, pos, &rec, sizeof(rec));
	} while (!still_there(r, pos));
	return rec.time;
}

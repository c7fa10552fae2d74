/* SPDX-License-Identifier: MIT */
/*
 * The trace ring: records come out as they went in, in order, across page ends; the oldest are lost and counted, or with
 * overwriting off the newest; clearing; and a reader that copies while another thread writes never sees a torn record.
 */
#include "test_lib.h"

#include <pthread.h>

#include <hal/host/host.h>
#include <kernel/trace.h>
#include <kernel/trace/ring.h>
#include <lib/string.h>

#include "kernel_stubs.h"

static u8 entry_in[TRACE_ENTRY_MAX + 8], entry_out[TRACE_ENTRY_MAX];

static int setup(void **state)
{
	(void)state;
	host_ram_init(64UL << 20, 0x80000000);
	stubs_start_mm();
	return 0;
}

/* The content of record @seq: its length and bytes follow from the number. */
static u32 length_of(u64 seq)
{
	u64 x = seq * 0x9e3779b97f4a7c15ULL + 1;

	return 8 + (u32)(test_random(&x) % 700);
}

static void make_entry(u64 seq, u8 *out)
{
	for (u32 i = 0; i < length_of(seq); i++)
		out[i] = (u8)(seq * 31 + i);
}

static bool entry_is(u64 seq, u32 len, const u8 *e)
{
	if (len != length_of(seq))
		return false;
	for (u32 i = 0; i < len; i++)
		if (e[i] != (u8)(seq * 31 + i))
			return false;
	return true;
}

static void put(struct trace_ring *r, u64 seq)
{
	struct trace_record rec = { .time = seq * 10, .len = length_of(seq) };

	make_entry(seq, entry_in);
	trace_ring_write(r, &rec, entry_in);
}

static bool get(struct trace_ring *r, u64 *pos, u64 *seq)
{
	struct trace_record rec;

	if (!trace_ring_next(r, pos, &rec, entry_out))
		return false;
	assert_true(entry_is(rec.seq, rec.len, entry_out));
	assert_int_equal(rec.time, rec.seq * 10);
	*seq = rec.seq;
	return true;
}

static void test_overwrite(void **state)
{
	struct trace_ring *r = trace_ring_create(0, 3, 5);
	u64 seq = 0, last = 0, pos = 0, n = 0;

	(void)state;
	assert_non_null(r);
	for (u64 i = 0; i < 5000; i++) {
		put(r, i);
		if (i % 97)
			continue;
		/* Everything that is left, up to the newest, without a gap. */
		pos = trace_ring_start(r);
		n = 0;
		while (get(r, &pos, &seq)) {
			assert_true(!n || seq == last + 1);
			last = seq;
			n++;
		}
		assert_int_equal(last, i);
		assert_int_equal(n, trace_ring_entries(r));
		assert_int_equal(r->written - r->overrun, n);
	}
	assert_true(n > 10 && n < 100);
	assert_int_equal(r->dropped, 0);
	trace_ring_free(r);
}

static void test_full(void **state)
{
	struct trace_ring *r = trace_ring_create(0, 3, 5);
	u64 seq = 0, pos = 0, kept;

	(void)state;
	r->overwrite = false;
	for (u64 i = 0; i < 200; i++)
		put(r, r->written);
	kept = r->written;
	assert_int_equal(kept + r->dropped, 200);
	assert_int_equal(r->overrun, 0);
	/* The oldest is still there; once it is consumed there is room again. */
	assert_true(get(r, &pos, &seq));
	assert_int_equal(seq, 0);
	for (int i = 0; i < 10; i++)
		assert_true(get(r, &pos, &seq));
	r->read = pos;
	put(r, r->written);
	assert_int_equal(r->written, kept + 1);
	trace_ring_free(r);
}

static void test_sizes(void **state)
{
	struct trace_ring *r = trace_ring_create(0, 2, 5);
	struct trace_record rec = { .len = TRACE_ENTRY_MAX };
	u64 pos = 0;

	(void)state;
	trace_ring_write(r, &rec, entry_in);
	assert_int_equal(r->written, 1);
	rec.len = TRACE_ENTRY_MAX + 1;
	trace_ring_write(r, &rec, entry_in);
	assert_int_equal(r->dropped, 1);
	assert_true(trace_ring_next(r, &pos, &rec, entry_out));
	assert_int_equal(rec.len, TRACE_ENTRY_MAX);
	assert_false(trace_ring_next(r, &pos, &rec, entry_out));
	trace_ring_clear(r);
	assert_int_equal(trace_ring_entries(r), 0);
	assert_true(trace_ring_start(r) == trace_ring_head(r));
	trace_ring_free(r);
}

static void test_no_memory(void **state)
{
	struct stubs_usage before, after;
	bool done = false;

	(void)state;
	trace_ring_free(trace_ring_create(0, 5, 1));
	stubs_in_use(&before);
	for (u64 n = 0; !done; n++) {
		struct trace_ring *r;

		stubs_fail_one(n);
		r = trace_ring_create(0, 5, 1);
		done = !stubs_fail_never();
		assert_true(done == (r != NULL));
		trace_ring_free(r);
		stubs_in_use(&after);
		assert_int_equal(after.objects, before.objects);
	}
}

/* ---- a writer and a reader at once ---- */

#define MANY 300000
static struct trace_ring *shared;

static void *writer(void *arg)
{
	(void)arg;
	for (u64 i = 0; i < MANY; i++)
		put(shared, i);
	return NULL;
}

/* AddressSanitizer sees no race; what would show is a record whose bytes are not its number's. */
static void test_concurrent(void **state)
{
	u64 pos = 0, seq = 0, last = 0, n = 0;
	pthread_t thread;

	(void)state;
	shared = trace_ring_create(0, 4, 5);
	assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
	do {
		if (!get(shared, &pos, &seq))
			continue;
		assert_true(!n || seq > last);
		last = seq;
		n++;
	} while (seq != MANY - 1);
	pthread_join(thread, NULL);
	assert_true(n > 100);
	trace_ring_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overwrite),  cmocka_unit_test(test_full),
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_concurrent),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

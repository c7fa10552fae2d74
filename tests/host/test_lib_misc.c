/* SPDX-License-Identifier: MIT */
/*
 * The small headers: compiler.h, err.h, errno names, atomics, hashes, sorting, rings, byte order,
 * 64-bit arithmetic, and the functions that the compiler may call.
 */
#include "test_lib.h"

#include <pthread.h>
#include <lib/atomic.h>
#include <lib/byteorder.h>
#include <lib/errno_name.h>
#include <lib/hash.h>
#include <lib/math64.h>
#include <lib/ringbuf.h>
#include <lib/sort.h>
#include <lib/string.h>

static void test_macros(void **state)
{
	size_t big = 5000000000UL;
	struct {
		int a;
		u8 b[6];
	} s, *p = &s;
	int i = 3, j = 4, calls = 0;

	assert_int_equal(min(big, 4096), 4096);
	assert_int_equal(max(big, 4096), big);
	assert_int_equal(min(-1, 1), -1);
	assert_int_equal(clamp(i, 5, 9), 5);
	assert_int_equal(clamp(12, 5, 9), 9);
	assert_int_equal(max(min(i, j), ({
				     calls++;
				     2;
			     })),
			 3);
	assert_int_equal(calls, 1);
	swap(i, j);
	assert_int_equal(i * 10 + j, 43);
	assert_int_equal(ARRAY_SIZE(s.b), 6);
	assert_ptr_equal(container_of(&s.b, __typeof__(s), b), p);
	assert_int_equal(ALIGN_UP(4097UL, 4096), 8192);
	assert_int_equal(ALIGN_DOWN(4097UL, 4096), 4096);
	assert_int_equal(ALIGN_UP(0x100000001ULL, 4096u), 0x100001000ULL);
	assert_true(IS_ALIGNED(8192, 4096));
	assert_false(IS_ALIGNED(8193, 4096));
	assert_int_equal(GENMASK(7, 4), 0xf0);
	assert_int_equal(GENMASK(63, 0), ~0UL);
	assert_int_equal(BIT(63), 1UL << 63);
	assert_true(is_power_of_2(64));
	assert_false(is_power_of_2(0));
	assert_int_equal(DIV_ROUND_UP(9, 4), 3);
}

static void test_error_pointers(void **state)
{
	int x;

	assert_true(IS_ERR(ERR_PTR(-ENOENT)));
	assert_int_equal(PTR_ERR(ERR_PTR(-ENOENT)), -ENOENT);
	assert_true(IS_ERR(ERR_PTR(-MAX_ERRNO)));
	assert_false(IS_ERR((void *)-4096L));
	assert_false(IS_ERR(NULL));
	assert_true(IS_ERR_OR_NULL(NULL));
	assert_int_equal(PTR_ERR_OR_ZERO(&x), 0);
	assert_int_equal(PTR_ERR_OR_ZERO(ERR_PTR(-EIO)), -EIO);
	assert_true(IS_ERR_VALUE(-1L));
	assert_false(IS_ERR_VALUE(0x7fffffffffffUL));
}

static void test_errno_names(void **state)
{
	assert_string_equal(errno_name(ENOENT), "ENOENT");
	assert_string_equal(errno_name(-EAGAIN), "EAGAIN");
	assert_string_equal(errno_name(-ERESTARTSYS), "ERESTARTSYS");
	assert_string_equal(errno_name(-ERESTART_RESTARTBLOCK), "ERESTART_RESTARTBLOCK");
	assert_string_equal(errno_name(INT_MIN), "E?");
	assert_string_equal(errno_name(41), "E?");
	assert_string_equal(errno_text(0), "Success");
	assert_string_equal(errno_text(134), "Unknown error");
	/* Every number that Linux has is here, with the text that people know. */
	for (int e = 1; e <= 133; e++)
		if (e != 41 && e != 58)
			assert_string_equal(errno_text(-e), strerror(e));
}

static void test_atomics(void **state)
{
	atomic_t a = ATOMIC_INIT(5);
	atomic64_t b = ATOMIC_INIT(1LL << 40);
	int old = 7, *p = NULL;

	assert_int_equal(atomic_add_return(3, &a), 8);
	assert_int_equal(atomic_fetch_sub(1, &a), 8);
	assert_int_equal(atomic_cmpxchg(&a, 7, 9), 7);
	assert_int_equal(atomic_cmpxchg(&a, 7, 10), 9);
	assert_false(atomic_try_cmpxchg(&a, &old, 11));
	assert_int_equal(old, 9);
	assert_true(atomic_try_cmpxchg(&a, &old, 1));
	assert_true(atomic_dec_and_test(&a));
	assert_false(atomic_inc_not_zero(&a));
	assert_false(atomic_add_unless(&a, 5, 0));
	assert_true(atomic_add_unless(&a, 5, 1));
	assert_int_equal(atomic_xchg(&a, 0x0f), 5);
	assert_int_equal(atomic_fetch_or(0xf0, &a), 0x0f);
	assert_int_equal(atomic_fetch_and(0x3c, &a), 0xff);
	assert_int_equal(atomic_read(&a), 0x3c);
	atomic64_add(1LL << 41, &b);
	assert_int_equal(atomic64_read(&b), 3LL << 40);
	atomic_set(&a, INT_MAX);
	assert_int_equal(atomic_inc_return(&a), INT_MIN);
	assert_ptr_equal(cmpxchg(&p, NULL, &old), NULL);
	assert_ptr_equal(xchg(&p, NULL), &old);
}

static int reports;

void refcount_report(refcount_t *r, const char *what)
{
	assert_int_equal(refcount_read(r), REFCOUNT_SATURATED);
	assert_true(strlen(what) > 0);
	reports++;
}

static void test_refcount(void **state)
{
	refcount_t r = REFCOUNT_INIT(1);

	reports = 0;
	refcount_inc(&r);
	assert_false(refcount_dec_and_test(&r));
	assert_true(refcount_dec_and_test(&r));
	assert_false(refcount_inc_not_zero(&r));
	assert_int_equal(reports, 0);
	assert_false(refcount_dec_and_test(&r)); /* one too many */
	assert_int_equal(reports, 1);
	for (int i = 0; i < 100; i++)
		assert_false(refcount_dec_and_test(&r));
	assert_true(refcount_inc_not_zero(&r)); /* leaked, never freed */
	refcount_set(&r, 0);
	refcount_inc(&r);
	assert_int_equal(refcount_read(&r), REFCOUNT_SATURATED);
	refcount_set(&r, INT_MAX - 1);
	reports = 0;
	refcount_inc(&r);
	assert_int_equal(reports, 0);
	refcount_inc(&r);
	assert_int_equal(reports, 1);
	assert_int_equal(refcount_read(&r), REFCOUNT_SATURATED);
}

static atomic_t shared = ATOMIC_INIT(0);

static void *count(void *arg)
{
	for (int i = 0; i < 100000; i++)
		atomic_inc(&shared);
	return arg;
}

static void test_atomic_threads(void **state)
{
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_read(&shared), 400000);
}

/* The vectors of the SipHash paper: key 00..0f, data 00, 00 01, 00 01 02 ... */
static void test_siphash(void **state)
{
	static const u64 expect[] = {
		0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL,
		0x85676696d7fb7e2dULL, 0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL,
		0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL, 0x93f5f5799a932462ULL,
	};
	struct siphash_key key = { { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL } };
	u8 data[15];

	for (u8 i = 0; i < sizeof(data); i++)
		data[i] = i;
	for (size_t i = 0; i < ARRAY_SIZE(expect); i++)
		assert_true(siphash(data, i, &key) == expect[i]);
	assert_true(siphash(data, 15, &key) == 0xa129ca6149be45e5ULL);
	assert_true(siphash_pair(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL, &key) ==
		    0xcc4fdd1a7d908b66ULL);
}

/* Names that differ in one byte, as directories have, fill a table evenly from either end. */
static void test_name_hash(void **state)
{
	u32 low[256] = { 0 }, high[256] = { 0 };
	char name[32];
	int n;

	for (int i = 0; i < 25600; i++) {
		u64 h;

		n = snprintf(name, sizeof(name), "file%05d.txt", i);
		h = full_name_hash(state, name, (size_t)n);
		low[h & 255]++;
		high[h >> 56]++;
	}
	for (int i = 0; i < 256; i++) {
		assert_in_range(low[i], 50, 160); /* 100 expected */
		assert_in_range(high[i], 50, 160);
	}
	assert_true(full_name_hash(NULL, "a", 1) != full_name_hash(state, "a", 1));
	assert_true(full_name_hash(NULL, "", 0) != full_name_hash(NULL, "\0", 1));
	memset(low, 0, sizeof(low));
	for (u64 i = 0; i < 25600; i++)
		low[hash_64(i * 4096, 8)]++;
	for (int i = 0; i < 256; i++)
		assert_in_range(low[i], 50, 160);
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

static void test_sort(void **state)
{
	int array[300], ref[300];
	u64 seed = 11;

	for (size_t n = 0; n <= 300; n = n < 20 ? n + 1 : n + 35) {
		for (size_t i = 0; i < n; i++)
			array[i] = ref[i] = (int)(test_random(&seed) % 100) - 50;
		sort(array, n, sizeof(int), compare_ints);
		qsort(ref, n, sizeof(int), compare_ints);
		assert_memory_equal(array, ref, n * sizeof(int));
		for (int key = -52; key < 52; key++) {
			int *found = sorted_find(&key, array, n, sizeof(int), compare_ints);

			assert_int_equal(found != NULL,
					 bsearch(&key, ref, n, sizeof(int), compare_ints) != NULL);
			if (found)
				assert_int_equal(*found, key);
		}
	}
}

static void test_ringbuf(void **state)
{
	u8 buf[16], in = 0, out = 0, data[20];
	struct ringbuf rb;
	u64 seed = 5;

	ringbuf_init(&rb, buf, sizeof(buf));
	rb.head = rb.tail = (size_t)-5; /* the counters wrap soon */
	assert_int_equal(ringbuf_getc(&rb), -1);
	for (int step = 0; step < 5000; step++) {
		size_t n = test_random(&seed) % 20, done, used = ringbuf_used(&rb);

		for (size_t i = 0; i < n; i++)
			data[i] = (u8)(in + i);
		done = ringbuf_write(&rb, data, n);
		assert_int_equal(done, min(n, 16 - used));
		in = (u8)(in + done);
		assert_int_equal(ringbuf_room(&rb), 16 - used - done);
		n = test_random(&seed) % 20;
		if (ringbuf_used(&rb) > 2) {
			assert_int_equal(ringbuf_peek(&rb, 2, data, 1), 1);
			assert_int_equal(data[0], (u8)(out + 2));
		}
		done = ringbuf_read(&rb, data, n);
		for (size_t i = 0; i < done; i++)
			assert_int_equal(data[i], out++);
	}
}

static void test_ringbuf_spans(void **state)
{
	u8 buf[8], *p;
	struct ringbuf rb;
	size_t n;

	ringbuf_init(&rb, buf, sizeof(buf));
	assert_int_equal(ringbuf_write(&rb, "abcdef", 6), 6);
	assert_int_equal(ringbuf_getc(&rb), 'a');
	ringbuf_consume(&rb, 3);
	p = ringbuf_write_span(&rb, &n);
	assert_ptr_equal(p, buf + 6);
	assert_int_equal(n, 2);
	p[0] = 'g';
	p[1] = 'h';
	ringbuf_produce(&rb, 2);
	assert_true(ringbuf_putc(&rb, 'i'));
	p = ringbuf_read_span(&rb, &n);
	assert_memory_equal(p, "efgh", 4);
	assert_int_equal(n, 4);
	assert_int_equal(ringbuf_read(&rb, buf, 0), 0);
	assert_int_equal(ringbuf_peek(&rb, 5, buf, 1), 0);
	for (n = ringbuf_room(&rb); n; n--)
		assert_true(ringbuf_putc(&rb, 'x'));
	assert_true(ringbuf_full(&rb));
	assert_false(ringbuf_putc(&rb, 'x'));
	ringbuf_reset(&rb);
	assert_true(ringbuf_empty(&rb));
}

/* One writer, one reader, no lock. */
static struct ringbuf pipe_ring;

static void *write_bytes(void *arg)
{
	for (u32 i = 0; i < 200000;)
		i += ringbuf_putc(&pipe_ring, (u8)i);
	return arg;
}

static void test_ringbuf_threads(void **state)
{
	u8 buf[64];
	pthread_t writer;

	ringbuf_init(&pipe_ring, buf, sizeof(buf));
	assert_int_equal(pthread_create(&writer, NULL, write_bytes, NULL), 0);
	for (u32 i = 0; i < 200000;) {
		int c = ringbuf_getc(&pipe_ring);

		if (c >= 0)
			assert_int_equal(c, (u8)i++);
	}
	pthread_join(writer, NULL);
	assert_true(ringbuf_empty(&pipe_ring));
}

static void test_byteorder(void **state)
{
	u8 b[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_int_equal(get_le16(b + 1), 0x0201);
	assert_int_equal(get_be16(b + 1), 0x0102);
	assert_int_equal(get_le32(b + 1), 0x04030201);
	assert_int_equal(get_be64(b + 1), 0x0102030405060708ULL);
	put_be32(b + 1, 0xa0b0c0d0);
	assert_int_equal(b[1], 0xa0);
	put_le64(b + 1, 0x1122334455667788ULL);
	assert_int_equal(b[1], 0x88);
	assert_int_equal(be32_to_cpu(0x01020304), 0x04030201);
	assert_int_equal(cpu_to_be16(0x0102), 0x0201);
}

int __popcountdi2(u64 x);
int __ctzdi2(u64 x);
int __clzdi2(u64 x);
u64 __bswapdi2(u64 x);

static void test_compiler_functions(void **state)
{
	for (int i = 0; i < 64; i++) {
		assert_int_equal(__ctzdi2(~0ULL << i), i);
		assert_int_equal(__clzdi2(~0ULL >> i), i);
		assert_int_equal(__clzdi2(1ULL << i), 63 - i);
		assert_int_equal(__popcountdi2(~0ULL >> i), 64 - i);
	}
	assert_int_equal(__bswapdi2(0x0102030405060708ULL), 0x0807060504030201ULL);
	assert_int_equal(mul_div_u64(U64_MAX / 1000, 1000, 1000), U64_MAX / 1000);
	assert_int_equal(mul_div_u64(24000000ULL * 3600 * 24 * 365 + 1, 1000000000, 24000000),
			 1000000000ULL * 3600 * 24 * 365 + 41);
	assert_int_equal(mul_u64_shr(U64_MAX, U64_MAX, 64), U64_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_macros),	      cmocka_unit_test(test_error_pointers),
		cmocka_unit_test(test_errno_names),   cmocka_unit_test(test_atomics),
		cmocka_unit_test(test_refcount),      cmocka_unit_test(test_atomic_threads),
		cmocka_unit_test(test_siphash),	      cmocka_unit_test(test_name_hash),
		cmocka_unit_test(test_sort),	      cmocka_unit_test(test_ringbuf),
		cmocka_unit_test(test_ringbuf_spans), cmocka_unit_test(test_ringbuf_threads),
		cmocka_unit_test(test_byteorder),     cmocka_unit_test(test_compiler_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

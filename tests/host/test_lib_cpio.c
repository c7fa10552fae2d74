/* SPDX-License-Identifier: MIT */
/* The cpio reader: archives built here, then cut and damaged at every place. */
#include "test_lib.h"

#include <lib/cpio.h>
#include <lib/string.h>

struct archive {
	u8 data[4096];
	size_t size;
};

static void put(struct archive *a, const void *p, size_t n)
{
	memcpy(a->data + a->size, p, n);
	a->size += n;
}

static void put_zeros(struct archive *a, size_t multiple)
{
	while (a->size % multiple)
		a->data[a->size++] = 0;
}

static void add(struct archive *a, const char *magic, const char *name, u32 namesize, u32 mode,
		const char *data, u32 checksum)
{
	char header[128];
	int n = snprintf(header, sizeof(header),
			 "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 0x11,
			 mode, 0x22, 0x33, 2, 0x5f000000, (u32)strlen(data), 8, 1, 4, 64, namesize,
			 checksum);

	put(a, header, (size_t)n);
	put(a, name, namesize);
	put_zeros(a, 4);
	put(a, data, strlen(data));
	put_zeros(a, 4);
}

static void add_file(struct archive *a, const char *name, const char *data)
{
	add(a, "070701", name, (u32)strlen(name) + 1, 0100644, data, 0);
}

static void add_trailer(struct archive *a)
{
	add_file(a, "TRAILER!!!", "");
}

static void test_entries(void **state)
{
	struct archive a = { .size = 0 };
	struct cpio_reader r;
	struct cpio_entry e;

	add_file(&a, "a", "hello");
	add_file(&a, "dir/bc", "");
	add(&a, "070701", "link", 5, 0120777, "target", 0);
	add(&a, "070702", "sum", 4, 0100644, "abc", 'a' + 'b' + 'c');
	add_trailer(&a);
	put_zeros(&a, 512);
	cpio_init(&r, a.data, a.size);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_string_equal(e.name, "a");
	assert_int_equal(e.name_len, 1);
	assert_int_equal(e.size, 5);
	assert_memory_equal(e.data, "hello", 5);
	assert_int_equal(e.ino, 0x11);
	assert_int_equal(e.mode, 0100644);
	assert_int_equal(e.uid, 0x22);
	assert_int_equal(e.gid, 0x33);
	assert_int_equal(e.nlink, 2);
	assert_int_equal(e.mtime, 0x5f000000);
	assert_int_equal(e.dev_major * 100 + e.dev_minor, 801);
	assert_int_equal(e.rdev_major * 100 + e.rdev_minor, 464);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_string_equal(e.name, "dir/bc");
	assert_int_equal(e.size, 0);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_int_equal(e.mode, 0120777);
	assert_memory_equal(e.data, "target", 6);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_string_equal(e.name, "sum");
	assert_int_equal(cpio_next(&r, &e), CPIO_END);
	assert_int_equal(cpio_next(&r, &e), CPIO_END);
}

static void test_nothing(void **state)
{
	struct cpio_reader r;
	struct cpio_entry e;
	u8 zeros[7] = { 0 };

	cpio_init(&r, NULL, 0);
	assert_int_equal(cpio_next(&r, &e), CPIO_END);
	cpio_init(&r, zeros, sizeof(zeros));
	assert_int_equal(cpio_next(&r, &e), CPIO_END);
}

static void test_concatenated(void **state)
{
	static const u8 gzip[] = { 0x1f, 0x8b, 8, 0 };
	struct archive a = { .size = 0 };
	struct cpio_reader r;
	struct cpio_entry e;
	size_t where;

	add_file(&a, "one", "1");
	add_trailer(&a);
	put_zeros(&a, 512);
	add_file(&a, "two", "22");
	add_trailer(&a);
	a.data[a.size++] = 0;
	where = a.size;
	put(&a, gzip, sizeof(gzip));
	cpio_init(&r, a.data, a.size);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_int_equal(e.archive, 0);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_string_equal(e.name, "two");
	assert_int_equal(e.archive, 1);
	assert_int_equal(cpio_next(&r, &e), CPIO_GZIP);
	assert_int_equal(r.pos, where);
	assert_true(cpio_is_gzip(gzip, 3));
	assert_false(cpio_is_gzip(gzip, 2));
	assert_true(cpio_is_newc(a.data, a.size));
	assert_false(cpio_is_newc(a.data, 5));
	cpio_init(&r, gzip, sizeof(gzip));
	assert_int_equal(cpio_next(&r, &e), CPIO_GZIP);
}

static void assert_refused(const struct archive *a, const char *why)
{
	struct cpio_reader r;
	struct cpio_entry e;
	int ret;

	cpio_init(&r, a->data, a->size);
	while ((ret = cpio_next(&r, &e)) == CPIO_ENTRY)
		;
	assert_int_equal(ret, -EINVAL);
	assert_string_equal(r.why, why);
	assert_int_equal(cpio_next(&r, &e), -EINVAL);
}

static void test_malformed(void **state)
{
	struct archive good = { .size = 0 }, a;

	add_file(&good, "name", "data");
	add_trailer(&good);
	a = good;
	a.data[5] = '7';
	assert_refused(&a, "not a cpio header in newc format");
	a = good;
	a.data[20] = 'g';
	assert_refused(&a, "header with a malformed number");
	a = good;
	a.data[6] = ' ';
	assert_refused(&a, "header with a malformed number");
	a = good;
	memcpy(a.data + 94, "00000000", 8);
	assert_refused(&a, "member without a name");
	a = good;
	memcpy(a.data + 94, "00001001", 8);
	assert_refused(&a, "name too long");
	a = good;
	memcpy(a.data + 94, "00001000", 8);
	assert_refused(&a, "name cut short");
	a = good;
	memcpy(a.data + 94, "00000004", 8);
	assert_refused(&a, "name without an end");
	a = good;
	memcpy(a.data + 54, "ffffffff", 8);
	assert_refused(&a, "data cut short");
	a = good;
	a.data[110] = '\0';
	assert_refused(&a, "member without a name");
	a = good;
	put(&a, "\0x", 2);
	assert_refused(&a, "archive at an odd place");
	a = good;
	put(&a, "junk", 4);
	assert_refused(&a, "header cut short");
	a = (struct archive){ .size = 0 };
	add_file(&a, "name", "data");
	assert_refused(&a, "no trailer: archive cut short");
	a = (struct archive){ .size = 0 };
	add(&a, "070702", "sum", 4, 0100644, "abc", 1);
	assert_refused(&a, "wrong checksum");
}

static void test_padded_name(void **state)
{
	struct archive a = { .size = 0 };
	struct cpio_reader r;
	struct cpio_entry e;

	add(&a, "070701", "name\0\0\0\0\0\0", 10, 0100644, "data", 0);
	add_trailer(&a);
	cpio_init(&r, a.data, a.size);
	assert_int_equal(cpio_next(&r, &e), CPIO_ENTRY);
	assert_int_equal(e.name_len, 4);
	assert_memory_equal(e.data, "data", 4);
	assert_int_equal(cpio_next(&r, &e), CPIO_END);
}

/* Cut at every length, in a block of just that size: an error, and never a read outside. */
static void test_cut_short(void **state)
{
	struct archive a = { .size = 0 };

	add_file(&a, "name", "some data");
	add(&a, "070702", "sum", 4, 0100644, "abc", 'a' + 'b' + 'c');
	add_trailer(&a);
	for (size_t size = 1; size < a.size; size++) {
		u8 *part = malloc(size);
		struct cpio_reader r;
		struct cpio_entry e;
		int ret;

		memcpy(part, a.data, size);
		cpio_init(&r, part, size);
		while ((ret = cpio_next(&r, &e)) == CPIO_ENTRY)
			;
		/* All that may be missing at the end is the trailer's padding. */
		assert_int_equal(ret, size >= a.size - 3 ? CPIO_END : -EINVAL);
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),	     cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_concatenated), cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_padded_name),  cmocka_unit_test(test_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The mem functions for every alignment and size around the word and round boundaries, inside
 * blocks of exactly the right size, so that ASan sees a byte too much; strings; numbers.
 */
#include "test_lib.h"

#include <lib/string.h>

#define MAX_SIZE 150

static void fill(u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (u8)(i * 7 + 1);
}

static void test_memcpy(void **state)
{
	for (size_t size = 0; size < MAX_SIZE; size++) {
		for (size_t at = 0; at < 64; at++) {
			size_t to = at / 8, from = at % 8;
			u8 *dst = malloc(to + size + 1), *src = malloc(from + size + 1);

			fill(src + from, size);
			dst[to + size] = 0xee;
			assert_ptr_equal(memcpy(dst + to, src + from, size), dst + to);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(dst[to + i], (u8)(i * 7 + 1));
			assert_int_equal(dst[to + size], 0xee);
			free(dst);
			free(src);
		}
	}
}

static void test_memcpy_stays_inside(void **state)
{
	for (size_t size = 0; size < MAX_SIZE; size++) {
		for (size_t from = 0; from < 8; from++) {
			u8 *block = malloc(from + size), *src = block + from, *dst = malloc(size);

			fill(src, size);
			memmove(dst, src, size);
			assert_int_equal(memcmp(dst, src, size), 0);
			memset(dst, 1, size);
			free(block);
			free(dst);
		}
	}
}

static void test_memmove(void **state)
{
	u8 buf[MAX_SIZE + 64], expect[sizeof(buf)];

	for (size_t size = 0; size < MAX_SIZE; size += size < 40 ? 1 : 13) {
		for (size_t to = 0; to < 40; to++) {
			for (size_t from = 0; from < 40; from++) {
				fill(buf, sizeof(buf));
				fill(expect, sizeof(buf));
				for (size_t i = 0; i < size; i++)
					expect[to + i] = (u8)((from + i) * 7 + 1);
				assert_ptr_equal(memmove(buf + to, buf + from, size), buf + to);
				assert_memory_equal(buf, expect, sizeof(buf));
			}
		}
	}
}

static void test_memset(void **state)
{
	u8 buf[MAX_SIZE + 16];

	for (size_t size = 0; size < MAX_SIZE; size++) {
		for (size_t to = 0; to < 8; to++) {
			for (size_t i = 0; i < sizeof(buf); i++)
				buf[i] = 1;
			assert_ptr_equal(memset(buf + to, 0x1a5, size), buf + to);
			for (size_t i = 0; i < sizeof(buf); i++)
				assert_int_equal(buf[i], i >= to && i < to + size ? 0xa5 : 1);
		}
	}
	memzero_explicit(buf, 3);
	assert_int_equal(buf[0] | buf[1] | buf[2], 0);
}

static void test_memcmp(void **state)
{
	u8 a[64], b[64];

	for (size_t at = 0; at < 16; at++) {
		size_t off = at % 8, other = at < 8 ? off : (off + 3) % 8;

		for (size_t size = 0; size < 40; size++) {
			fill(a + off, size);
			fill(b + other, size);
			assert_int_equal(memcmp(a + off, b + other, size), 0);
			for (size_t i = 0; i < size; i++) {
				b[other + i] ^= 0x80;
				assert_int_equal(memcmp(a + off, b + other, size) < 0,
						 a[off + i] < b[other + i]);
				assert_int_equal(memcmp(a + off, b + other, i), 0);
				b[other + i] ^= 0x80;
			}
		}
	}
}

static void test_compare_strings(void **state)
{
	assert_int_equal(strcmp("", ""), 0);
	assert_true(strcmp("a", "") > 0);
	assert_true(strcmp("abc", "abd") < 0);
	assert_true(strcmp("\xff", "a") > 0);
	assert_int_equal(strncmp("abc", "abd", 2), 0);
	assert_true(strncmp("abc", "abd", 3) < 0);
	assert_int_equal(strncmp("ab", "ab", 100), 0);
	assert_int_equal(strncmp("a", "b", 0), 0);
	assert_true(str_has_prefix("console=ttyS0", "console="));
	assert_false(str_has_prefix("cons", "console="));
	assert_true(str_has_prefix("x", ""));
}

static void test_search(void **state)
{
	const char *s = "hello, world";

	assert_int_equal(strlen(s), 12);
	assert_int_equal(strnlen(s, 5), 5);
	assert_int_equal(strnlen(s, 50), 12);
	assert_ptr_equal(strchr(s, 'o'), s + 4);
	assert_ptr_equal(strrchr(s, 'o'), s + 8);
	assert_ptr_equal(strchr(s, '\0'), s + 12);
	assert_ptr_equal(strrchr(s, '\0'), s + 12);
	assert_null(strchr(s, 'z'));
	assert_null(strrchr(s, 'z'));
	assert_ptr_equal(strstr(s, "world"), s + 7);
	assert_ptr_equal(strstr(s, ""), s);
	assert_null(strstr(s, "worlds"));
	assert_ptr_equal(memchr(s, 'w', 8), s + 7);
	assert_null(memchr(s, 'w', 7));
	assert_int_equal(strspn(s, "leh"), 4);
	assert_int_equal(strcspn(s, " ,"), 5);
}

static void test_bounded_copies(void **state)
{
	char buf[6] = "xxxxx";

	assert_int_equal(strscpy(buf, "hello", sizeof(buf)), 5);
	assert_string_equal(buf, "hello");
	assert_int_equal(strscpy(buf, "worlds", sizeof(buf)), -E2BIG);
	assert_string_equal(buf, "world");
	assert_int_equal(strscpy(buf, "a", 0), -E2BIG);
	assert_int_equal(strscpy(buf, "", 1), 0);
	assert_int_equal(strlcpy(buf, "hello, world", sizeof(buf)), 12);
	assert_string_equal(buf, "hello");
	assert_int_equal(strlcpy(buf, "ab", sizeof(buf)), 2);
	assert_int_equal(strlcat(buf, "cdef", sizeof(buf)), 6);
	assert_string_equal(buf, "abcde");
	assert_int_equal(strlcat(buf, "x", 3), 4);
	assert_string_equal(buf, "abcde");
	assert_int_equal(strlcpy(NULL, "abc", 0), 3);
}

static void test_unsigned_numbers(void **state)
{
	static const struct {
		const char *s;
		unsigned int base;
		int err;
		u64 v;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "00", 0, 0, 0 },
		{ "17", 0, 0, 17 },
		{ "017", 0, 0, 15 },
		{ "0x1F", 0, 0, 31 },
		{ "0x1f", 16, 0, 31 },
		{ "1f", 16, 0, 31 },
		{ "+5\n", 10, 0, 5 },
		{ "zZ", 36, 0, 35 * 36 + 35 },
		{ "18446744073709551615", 10, 0, U64_MAX },
		{ "18446744073709551616", 10, -ERANGE, 0 },
		{ "0xffffffffffffffff", 0, 0, U64_MAX },
		{ "0x10000000000000000", 0, -ERANGE, 0 },
		{ "99999999999999999999999", 0, -ERANGE, 0 },
		{ "", 0, -EINVAL, 0 },
		{ "+", 0, -EINVAL, 0 },
		{ "-1", 0, -EINVAL, 0 },
		{ " 1", 0, -EINVAL, 0 },
		{ "1 ", 0, -EINVAL, 0 },
		{ "1\n\n", 0, -EINVAL, 0 },
		{ "0x", 0, -EINVAL, 0 },
		{ "0x", 16, -EINVAL, 0 },
		{ "08", 0, -EINVAL, 0 },
		{ "12", 2, -EINVAL, 0 },
		{ "++1", 0, -EINVAL, 0 },
		{ "1.5", 10, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 v = 123;

		assert_int_equal(kstrtou64(cases[i].s, cases[i].base, &v), cases[i].err);
		assert_int_equal(v, cases[i].err ? 123 : cases[i].v);
	}
}

static void test_signed_and_narrow_numbers(void **state)
{
	s64 v = 0;
	s32 w = 0;
	u32 u = 0;
	bool b;

	assert_int_equal(kstrtos64("-9223372036854775808", 10, &v), 0);
	assert_int_equal(v, S64_MIN);
	assert_int_equal(kstrtos64("9223372036854775807", 10, &v), 0);
	assert_int_equal(v, S64_MAX);
	assert_int_equal(kstrtos64("9223372036854775808", 10, &v), -ERANGE);
	assert_int_equal(kstrtos64("-9223372036854775809", 10, &v), -ERANGE);
	assert_int_equal(kstrtos64("--1", 10, &v), -EINVAL);
	assert_int_equal(kstrtos64("-+1", 10, &v), -EINVAL);
	assert_int_equal(kstrtos32("-2147483648", 10, &w), 0);
	assert_int_equal(w, S32_MIN);
	assert_int_equal(kstrtos32("2147483648", 10, &w), -ERANGE);
	assert_int_equal(kstrtou32("4294967295", 10, &u), 0);
	assert_int_equal(u, U32_MAX);
	assert_int_equal(kstrtou32("4294967296", 10, &u), -ERANGE);
	assert_int_equal(kstrtobool("on", &b), 0);
	assert_true(b);
	assert_int_equal(kstrtobool("off", &b), 0);
	assert_false(b);
	assert_int_equal(kstrtobool("maybe", &b), -EINVAL);
	assert_int_equal(kstrtobool("", &b), -EINVAL);
}

static void test_parse_prefixes(void **state)
{
	const char *s, *end;

	s = "64M@0x1000";
	assert_int_equal(memparse(s, &end), 64 << 20);
	assert_ptr_equal(end, s + 3);
	assert_int_equal(strtou64(end + 1, &end, 0), 0x1000);
	assert_int_equal(*end, '\0');
	assert_int_equal(memparse("1e", NULL), 1ULL << 60);
	assert_int_equal(memparse("16E", NULL), U64_MAX);
	assert_int_equal(memparse("7", &end), 7);
	assert_int_equal(*end, '\0');
	s = "M";
	assert_int_equal(memparse(s, &end), 0);
	assert_ptr_equal(end, s);
	s = "0xg";
	assert_int_equal(strtou64(s, &end, 0), 0);
	assert_ptr_equal(end, s + 1);
	assert_int_equal(strtou64("99999999999999999999", &end, 10), U64_MAX);
	assert_int_equal(*end, '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memcpy_stays_inside),
		cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_compare_strings),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_bounded_copies),
		cmocka_unit_test(test_unsigned_numbers),
		cmocka_unit_test(test_signed_and_narrow_numbers),
		cmocka_unit_test(test_parse_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Formatted text: everything that the C library prints too is compared with what it prints. */
#include "test_lib.h"

#include <lib/printf.h>
#include <lib/string.h>
#undef snprintf /* from here on the libc's; ours is lib_snprintf */

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-truncation"

#define SAME(...) do {								\
	char ours[200], theirs[200];						\
	int n = lib_snprintf(ours, sizeof(ours), __VA_ARGS__);			\
	assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));	\
	assert_string_equal(ours, theirs);					\
} while (0)

#define IS(expect, ...) do {							\
	char ours[200];								\
	int n = lib_snprintf(ours, sizeof(ours), __VA_ARGS__);			\
	assert_string_equal(ours, expect);					\
	assert_int_equal(n, strlen(expect));					\
} while (0)

/* Every combination of flags, width and precision with every conversion and edge value. */
static void test_integers_as_libc(void **state)
{
	static const char *const flags[] = {
		"", "-", "+", " ", "0", "#", "-0", "+0", "+ ", "#0", "-#", "0 ", "-+ ",
	};
	static const char *const sizes[] = {
		"", "1", "5", "30", ".", ".0", ".1", ".5", ".30", "8.5", "5.8", "30.25",
	};
	static const char *const conversions[] = {
		"d",   "i",  "u",  "x",	 "X",  "o",  "ld", "lu", "lx",	"lld", "llx",
		"llo", "zu", "zd", "jd", "tx", "hd", "hu", "hx", "hhd", "hhu", "hhx",
	};
	static const long values[] = {
		0,	 1,	  -1,	    7,	      8,
		255,	 256,	  -129,	    65535,    65536,
		INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, 0x1234567890abcdef,
	};
	char fmt[32];

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
			for (size_t c = 0; c < ARRAY_SIZE(conversions); c++) {
				snprintf(fmt, sizeof(fmt), "<%%%s%s%s>", flags[f], sizes[s],
					 conversions[c]);
				for (size_t v = 0; v < ARRAY_SIZE(values); v++)
					SAME(fmt, values[v]);
			}
}

static void test_text_as_libc(void **state)
{
	SAME("plain");
	SAME("");
	SAME("100%%");
	SAME("%c%c%c", 'a', '\xff', 'b');
	SAME("[%3c|%-3c]", 'x', 'y');
	SAME("%s and %s", "one", "two");
	SAME("[%10s|%-10s|%.2s|%10.3s|%-10.3s|%.0s]", "abc", "abc", "abc", "abcdef", "abcdef", "x");
	SAME("[%*s|%-*s|%*s]", 6, "ab", 6, "ab", -6, "ab");
	SAME("[%.*s|%.*s]", 2, "abcdef", -1, "abcdef");
	SAME("[%*.*d]", 8, 4, 42);
	SAME("%p", (void *)0x1234);
	SAME("%20p|%-20p", (void *)0xffffffff80000000UL, (void *)1);
	SAME("%s", (char *)NULL);
}

static void test_precision_bounds_the_read(void **state)
{
	char *unterminated = malloc(3);

	memcpy(unterminated, "abc", 3);
	IS("abc", "%.3s", unterminated);
	IS("ab", "%.*s", 2, unterminated);
	free(unterminated);
}

static void test_own_conversions(void **state)
{
	IS("-ENOENT", "%pe", ERR_PTR(-ENOENT));
	IS("[   -EIO]", "[%7pe]", ERR_PTR(-EIO));
	IS("-E?", "%pe", ERR_PTR(-4000));
	IS("0x1000", "%pe", (void *)0x1000);
	IS("0x0", "%p", NULL);
	IS("(efault)", "%s", (char *)16);
	IS("(efault)", "%s", (char *)ERR_PTR(-EINVAL));
	IS("a %y b %d", "a %y b %d", 1);
	IS("a 1 %n", "a %d %n", 1, NULL);
	IS("50%", "50%");
	IS("50%-", "50%-");
	IS("%l", "%l");
}

static void test_cut(void **state)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	assert_int_equal(lib_snprintf(buf, 4, "%d", 123456), 6);
	assert_string_equal(buf, "123");
	assert_int_equal(buf[4], 'x');
	assert_int_equal(lib_snprintf(buf, 0, "%d", 123456), 6);
	assert_int_equal(lib_snprintf(NULL, 0, "%s", "hello"), 5);
	assert_int_equal(lib_snprintf(buf, 1, "hello"), 5);
	assert_string_equal(buf, "");
	assert_int_equal(lib_snprintf(buf, 6, "hello"), 5);
	assert_string_equal(buf, "hello");
	assert_int_equal(scnprintf(buf, sizeof(buf), "hello, world"), 7);
	assert_string_equal(buf, "hello, ");
	assert_int_equal(scnprintf(buf, sizeof(buf), "hi"), 2);
	assert_int_equal(scnprintf(NULL, 0, "hi"), 0);
	/* Widths of any size cost no time and no memory beyond the buffer. */
	assert_int_equal(lib_snprintf(buf, sizeof(buf), "%999999999d", 1), 999999999);
	assert_string_equal(buf, "       ");
	assert_int_equal(lib_snprintf(buf, sizeof(buf), "%99999999999999999999d%9d", 1, 1),
			 INT_MAX);
	assert_int_equal(lib_snprintf(buf, sizeof(buf), "%*d", INT_MIN, 1), INT_MAX);
	assert_string_equal(buf, "1      ");
}

static void test_printbuf(void **state)
{
	char buf[16];
	struct printbuf pb;

	printbuf_init(&pb, buf, sizeof(buf));
	assert_string_equal(buf, "");
	printbuf_puts(&pb, "ab");
	printbuf_putc(&pb, 'c');
	printbuf_printf(&pb, "%d", 123);
	printbuf_write(&pb, "xyz", 2);
	assert_string_equal(buf, "abc123xy");
	assert_int_equal(printbuf_used(&pb), 8);
	assert_false(printbuf_overflowed(&pb));
	printbuf_puts(&pb, "1234567");
	assert_false(printbuf_overflowed(&pb));
	printbuf_putc(&pb, '!');
	assert_true(printbuf_overflowed(&pb));
	assert_string_equal(buf, "abc123xy1234567");
	printbuf_printf(&pb, "%s", "more");
	assert_int_equal(pb.len, 20);
	assert_int_equal(printbuf_used(&pb), 15);
	printbuf_init(&pb, NULL, 0);
	printbuf_puts(&pb, "nothing");
	assert_int_equal(printbuf_used(&pb), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_as_libc),
		cmocka_unit_test(test_text_as_libc),
		cmocka_unit_test(test_precision_bounds_the_read),
		cmocka_unit_test(test_own_conversions),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_printbuf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

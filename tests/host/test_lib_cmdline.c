/* SPDX-License-Identifier: MIT */
/* The kernel command line, split with Linux's rules. */
#include "test_lib.h"

#include <lib/cmdline.h>
#include <lib/printf.h>
#include <lib/string.h>

/* Split @text; options come out as <key> or <key|value>, words for init after a !. */
static void assert_split(const char *text, const char *expect)
{
	char *copy = malloc(strlen(text) + 1), *pos = copy, *word, out[300];
	struct cmdline_arg arg;
	struct printbuf pb;
	int ret;

	memcpy(copy, text, strlen(text) + 1);
	printbuf_init(&pb, out, sizeof(out));
	while ((ret = cmdline_next(&pos, &arg)) == CMDLINE_OPTION) {
		if (arg.value)
			printbuf_printf(&pb, "<%s|%s>", arg.key, arg.value);
		else
			printbuf_printf(&pb, "<%s>", arg.key);
	}
	if (ret == CMDLINE_INIT_ARGS) {
		printbuf_putc(&pb, '!');
		while ((word = cmdline_next_word(&pos)))
			printbuf_printf(&pb, "<%s>", word);
	}
	assert_int_equal(*pos, '\0');
	assert_string_equal(out, expect);
	free(copy);
}

static void test_split(void **state)
{
	assert_split("", "");
	assert_split("  \t\n ", "");
	assert_split("quiet", "<quiet>");
	assert_split(" a  b=1\tc= ", "<a><b|1><c|>");
	assert_split("a=b=c", "<a|b=c>");
	assert_split("=x y", "<=x><y>");
	assert_split("==x", "<=|x>");
}

static void test_quotes(void **state)
{
	assert_split("\"a b\" c", "<a b><c>");
	assert_split("key=\"a b\" c", "<key|a b><c>");
	assert_split("\"key=a b\" c", "<key|a b><c>");
	assert_split("key=a\" b\"c d", "<key|a\" b\"c><d>");
	assert_split("k\"e y\"=v", "<k\"e y\"|v>");
	assert_split("a=\"\" b", "<a|><b>");
	assert_split("\"\" b", "<><b>");
	assert_split("key=\"a b", "<key|a b>");
	assert_split("\"a b", "<a b>");
	assert_split("a=\"", "<a|>");
	assert_split("\"", "<>");
	assert_split("a=\"b\"c", "<a|b\"c>");
}

static void test_init_arguments(void **state)
{
	assert_split("a --", "<a>!");
	assert_split("a -- b c=d", "<a>!<b><c=d>");
	assert_split("-- \"x y\" k=\"v w\" -- =", "!<x y><k=v w><--><=>");
	assert_split("--a b", "<--a><b>");
	assert_split("--=a", "<--|a>");
	assert_split("x --  \"p=q r\"  ", "<x>!<p=q r>");
}

static void test_keys(void **state)
{
	assert_true(cmdline_key_eq("log-level", "log_level"));
	assert_true(cmdline_key_eq("", ""));
	assert_false(cmdline_key_eq("log", "log_level"));
	assert_false(cmdline_key_eq("log_level", "log"));
	assert_false(cmdline_key_eq("Log", "log"));
}

static void test_get(void **state)
{
	const char *line =
		"quiet console=ttyS0 name=\"a b\" console=hvc0 early-con=x -- console=no";
	char buf[6];

	assert_int_equal(cmdline_get(line, "console", buf, sizeof(buf)), 4);
	assert_string_equal(buf, "hvc0");
	assert_int_equal(cmdline_get(line, "quiet", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(cmdline_get(line, "name", buf, sizeof(buf)), 3);
	assert_string_equal(buf, "a b");
	assert_int_equal(cmdline_get(line, "name", buf, 3), -E2BIG);
	assert_string_equal(buf, "a ");
	assert_int_equal(cmdline_get(line, "early_con", buf, sizeof(buf)), 1);
	assert_int_equal(cmdline_get(line, "cons", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(cmdline_get(line, "console0", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(cmdline_get("", "a", buf, sizeof(buf)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_init_arguments),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

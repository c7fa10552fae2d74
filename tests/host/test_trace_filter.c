/* SPDX-License-Identifier: MIT */
/*
 * Filters on trace events: what each operator means on each kind of field, precedence, negation and parentheses against a
 * plain evaluation, patterns, and the place that an error names.
 */
#include "test_lib.h"

#include <hal/host/host.h>
#include <kernel/trace/filter.h>
#include <lib/string.h>

#include "kernel_stubs.h"

struct sample {
	struct trace_entry entry;
	char name[8];
	u32 loc;
	u8 u8v;
	s8 s8v;
	u16 u16v;
	s32 s32v;
	u32 u32v;
	u64 u64v;
	char text[16];
};

static const struct trace_field fields[] = {
	TRACE_FIELD_CHARS(struct sample, name),
	{ "__data_loc char[]", "loc", offsetof(struct sample, loc), 4, 0, false, TRACE_DATA_LOC },
	TRACE_FIELD(struct sample, u8, u8v),
	TRACE_FIELD(struct sample, s8, s8v),
	TRACE_FIELD(struct sample, u16, u16v),
	TRACE_FIELD(struct sample, s32, s32v),
	TRACE_FIELD(struct sample, u32, u32v),
	TRACE_FIELD(struct sample, u64, u64v),
	{ "u8", "array", offsetof(struct sample, text), 16, 16, false, TRACE_NUMBER },
};

static struct sample sample = {
	.entry = { .type = 7, .pid = 42 },
	.name = "abcdefgh", /* no terminator: all of it is text */
	.loc = 5u << 16 | offsetof(struct sample, text),
	.u8v = 200,
	.s8v = -3,
	.u16v = 1000,
	.s32v = -5,
	.u32v = 0xfffffffb,
	.u64v = 1ULL << 40,
	.text = "wörl",
};

static int setup(void **state)
{
	(void)state;
	host_ram_init(16UL << 20, 0x80000000);
	stubs_start_mm();
	return 0;
}

static struct trace_filter *parse(const char *text, const char **error, size_t *at)
{
	return trace_filter_parse(fields, ARRAY_SIZE(fields), text, error, at);
}

static bool match(const char *text)
{
	const struct trace_filter_env env = { .comm = "cat", .cpu = 3 };
	const char *error = "";
	size_t at = 0;
	struct trace_filter *f = parse(text, &error, &at);
	bool r;

	if (IS_ERR(f))
		fail_msg("%s: %s at %zu", text, error, at);
	r = trace_filter_match(f, &sample.entry, sizeof(sample), &env);
	trace_filter_free(f);
	return r;
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(match("u8v == 200"));
	assert_true(match("u8v==0xc8"));
	assert_false(match("u8v != 200"));
	assert_true(match("s8v < 0"));
	assert_true(match("s8v == -3"));
	assert_true(match("s32v <= -5"));
	assert_false(match("s32v > -5"));
	assert_true(match("u32v == -5"));
	assert_true(match("u32v > 5"));
	assert_true(match("u16v >= 1000 && u16v < 1001"));
	assert_true(match("u64v & 0x10000000000"));
	assert_false(match("u64v & 0xffff"));
	assert_true(match("common_pid == 42"));
	assert_true(match("common_type == 7"));
	assert_true(match("CPU == 3"));
	assert_true(match("cpu < 4"));
}

static void test_strings(void **state)
{
	(void)state;
	assert_true(match("name == abcdefgh"));
	assert_true(match("name == \"abcdefgh\""));
	assert_false(match("name == abcdefg"));
	assert_true(match("name != 'x'"));
	assert_true(match("name ~ \"abc*\""));
	assert_true(match("name ~ \"*fgh\""));
	assert_true(match("name ~ \"*c?e*\""));
	assert_true(match("name ~ '[a-c]b[!x]d*'"));
	assert_false(match("name ~ \"bc*\""));
	assert_false(match("name ~ \"abcdefg?h\""));
	assert_true(match("loc == \"wörl\""));
	assert_true(match("loc ~ \"w*l\""));
	assert_true(match("comm == cat"));
	assert_true(match("COMM ~ \"c*\""));
}

static void test_logic(void **state)
{
	(void)state;
	assert_true(match("u8v == 1 || u8v == 200"));
	assert_true(match("u8v == 200 || u8v == 1 && s8v == 9"));
	assert_false(match("(u8v == 200 || u8v == 1) && s8v == 9"));
	assert_true(match("!(u8v == 1)"));
	assert_true(match("!(u8v == 200 && s8v == 9)"));
	assert_false(match("!(u8v == 1 || s8v == -3)"));
	assert_true(match("!!(u8v == 200)"));
	assert_true(match("((((u8v == 200))))"));
}

/* A random expression over two truths, as text and as value. */
static bool random_expr(u64 *seed, char *out, unsigned int depth)
{
	u64 r = test_random(seed) >> 20;
	char a[2048], b[2048];
	bool va, vb;

	if (!depth || r % 4 == 0) {
		strcpy(out, r & 16 ? "u8v == 200" : "u8v == 1");
		return r & 16;
	}
	va = random_expr(seed, a, depth - 1);
	if (r % 4 == 1) {
		sprintf(out, "!(%s)", a);
		return !va;
	}
	vb = random_expr(seed, b, depth - 1);
	sprintf(out, "(%s) %s (%s)", a, r % 4 == 2 ? "&&" : "||", b);
	return r % 4 == 2 ? va && vb : va || vb;
}

static void test_random_logic(void **state)
{
	u64 seed = 99;
	char text[5000];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		bool want = random_expr(&seed, text, 5);

		assert_int_equal(match(text), want);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *error;
		size_t at;
	} bad[] = {
		{ "nothing == 1", "Field not found", 0 },
		{ "u8v = 1", "Invalid operator", 4 },
		{ "u8v == cat", "Invalid value (did you forget quotes)?", 7 },
		{ "u8v == \"1\"", "Expecting numeric field", 7 },
		{ "u8v ~ 1", "Illegal operation for field type", 4 },
		{ "name < 1", "Illegal operation for field type", 5 },
		{ "array == 1", "Illegal operation for field type", 0 },
		{ "(u8v == 1", "Too many open '('", 9 },
		{ "u8v == 1)", "Too many close ')'", 8 },
		{ "u8v == 1 u8v == 2", "Missing operator (&& or ||)", 9 },
		{ "u8v == 1 && ", "Field not found", 12 },
		{ "u8v ==", "Missing value", 6 },
		{ "name == \"abc", "Missing quote", 8 },
		{ "", "Field not found", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *error = NULL;
		size_t at = 99;
		struct trace_filter *f = parse(bad[i].text, &error, &at);

		assert_int_equal(PTR_ERR(f), -EINVAL);
		assert_string_equal(error, bad[i].error);
		assert_int_equal(at, bad[i].at);
	}
}

/* Whatever allocation fails, nothing stays behind. */
static void test_no_memory(void **state)
{
	struct stubs_usage before, after;
	const char *error;
	size_t at;
	bool done = false;

	(void)state;
	stubs_in_use(&before);
	for (u64 n = 0; !done; n++) {
		struct trace_filter *f;

		stubs_fail_one(n);
		f = parse("name == a && loc == b || !(comm == c)", &error, &at);
		done = !stubs_fail_never();
		if (!done)
			assert_int_equal(PTR_ERR(f), -ENOMEM);
		else
			trace_filter_free(f);
		stubs_in_use(&after);
		assert_int_equal(after.objects, before.objects);
	}
}

/* A record that is shorter than its fields say, and a string that points out of it. */
static void test_short_record(void **state)
{
	const struct trace_filter_env env = { .comm = "", .cpu = 0 };
	struct sample s = sample;
	const char *error;
	size_t at;
	struct trace_filter *f = parse("u64v == 0 || loc == \"x\"", &error, &at);

	(void)state;
	s.loc = 100u << 16 | (sizeof(s) - 4);
	assert_false(trace_filter_match(f, &s.entry, offsetof(struct sample, u64v) + 4, &env));
	trace_filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	     cmocka_unit_test(test_strings),
		cmocka_unit_test(test_logic),	     cmocka_unit_test(test_random_logic),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_short_record),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

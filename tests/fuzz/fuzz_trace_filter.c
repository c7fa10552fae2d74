/* SPDX-License-Identifier: MIT */
/*
 * Any text as a trace filter, and any bytes as the record it is asked about: the parser stays inside, names a place in the
 * text when it refuses, and a filter that it accepts gives the same answer twice.
 */
#include <stdlib.h>

#include <err.h>
#include <kernel/trace/filter.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const struct trace_field fields[] = {
	{ "char", "name", 8, 16, 16, false, TRACE_CHARS },
	{ "__data_loc char[]", "text", 24, 4, 0, false, TRACE_DATA_LOC },
	{ "int", "a", 28, 4, 0, true, TRACE_NUMBER },
	{ "unsigned long", "b", 32, 8, 0, false, TRACE_NUMBER },
	{ "u8", "c", 40, 1, 0, false, TRACE_NUMBER },
};

/* The allocator is the machine's own: it notices what is freed twice or lost. */
void *kmalloc(size_t n, unsigned int gfp)
{
	(void)gfp;
	return malloc(n);
}

void *kzalloc(size_t n, unsigned int gfp)
{
	(void)gfp;
	return calloc(1, n);
}

char *kstrdup(const char *s, unsigned int gfp)
{
	size_t n = strlen(s) + 1;

	(void)gfp;
	return memcpy(malloc(n), s, n);
}

void kfree(const void *p)
{
	free((void *)p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct trace_filter_env env = { .comm = "comm", .cpu = 1 };
	size_t record = size ? data[0] % 64 : 0, at = 0;
	struct trace_filter *f;
	const char *error = NULL;
	char *text;
	u8 *e;

	if (size < record + 1)
		return 0;
	text = malloc(size - record);
	memcpy(text, data + 1 + record, size - record - 1);
	text[size - record - 1] = '\0';
	e = malloc(record);
	memcpy(e, data + 1, record);
	f = trace_filter_parse(fields, ARRAY_SIZE(fields), text, &error, &at);
	if (IS_ERR(f)) {
		CHECK(PTR_ERR(f) == -EINVAL && error && at <= strlen(text));
	} else {
		CHECK(trace_filter_match(f, (void *)e, record, &env) ==
		      trace_filter_match(f, (void *)e, record, &env));
		trace_filter_free(f);
	}
	free(e);
	free(text);
	return 0;
}

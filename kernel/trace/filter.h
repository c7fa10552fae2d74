/* SPDX-License-Identifier: MIT */
/*
 * Filters on events: the text of a `filter` file, compiled, and asked about one record.
 *
 *	filter := or;  or := and { "||" and };  and := unary { "&&" unary };  unary := "!" unary | "(" or ")" | test
 *	test := FIELD OPERATOR VALUE
 *
 * Numbers are compared with == != < <= > >= and & (any bit in common); strings with ==, != and ~ (a pattern with * ? [...]).
 * VALUE is a number in C's notation, a "quoted" or 'quoted' string, or a word. Fields are the event's own, the
 * common_ ones, COMM or comm (the name of the task that caused the record) and CPU or cpu.
 */
#ifndef KERNEL_TRACE_FILTER_H
#define KERNEL_TRACE_FILTER_H

#include <kernel/trace.h>

/* What a record does not contain itself. */
struct trace_filter_env {
	const char *comm; /* terminated */
	unsigned int cpu;
};

extern const struct trace_field trace_common_fields[];
#define TRACE_NCOMMON 4

/**
 * trace_filter_parse() - compile a filter.
 * @fields: the event's own fields, @nfields; must outlive the filter
 * @text: the filter
 * @error, @at: on -EINVAL, what is wrong and at which byte of @text
 * Return: a filter to free with trace_filter_free(); ERR_PTR(-EINVAL, -ENOMEM). May sleep.
 */
struct trace_filter *trace_filter_parse(const struct trace_field *fields, unsigned int nfields,
					const char *text, const char **error, size_t *at);
void trace_filter_free(struct trace_filter *filter);
/** trace_filter_match() - does the record @e of @len bytes pass? Any context. */
bool trace_filter_match(const struct trace_filter *filter, const struct trace_entry *e, size_t len,
			const struct trace_filter_env *env);

#endif

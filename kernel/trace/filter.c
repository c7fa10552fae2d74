/* SPDX-License-Identifier: MIT */
/*
 * See filter.h. The text becomes a list of tests in postfix-free form: each test says where to go on when it holds and
 * when it does not, so that matching is a walk without recursion or stack. The parser is a recursive descent with a
 * bounded depth; what && and || leave open is patched when the end of the operand is known.
 */
#include <err.h>
#include <kernel/trace/filter.h>
#include <lib/ctype.h>
#include <lib/string.h>
#include <mm/slab.h>

#define MAX_TESTS 128
#define MAX_DEPTH 32
#define MAX_TOKEN 256

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_AND, OP_GLOB };

/* Targets of a jump: a test's index, or the end. */
#define PASS 0xfffeu
#define FAIL 0xffffu

enum subject { ON_NUMBER, ON_STRING, ON_COMM, ON_CPU };

struct test {
	u8 subject, op;
	u8 width; /* ON_NUMBER: bytes of the field */
	bool is_signed;
	u16 offset, limit; /* ON_NUMBER: where the field begins and ends */
	u16 if_true, if_false;
	u64 number;
	const struct trace_field *field; /* ON_NUMBER, ON_STRING */
	char *string;			 /* own */
};

struct trace_filter {
	unsigned int n;
	struct test test[];
};

const struct trace_field trace_common_fields[TRACE_NCOMMON] = {
	{ "unsigned short", "common_type", 0, 2, 0, false, TRACE_NUMBER },
	{ "unsigned char", "common_flags", 2, 1, 0, false, TRACE_NUMBER },
	{ "unsigned char", "common_preempt_count", 3, 1, 0, false, TRACE_NUMBER },
	{ "int", "common_pid", 4, 4, 0, true, TRACE_NUMBER },
};

/* ---- matching ---- */

/* One [...] of a pattern against @c. *p is behind the bracket on return; false: there is no end, so it stands for itself. */
static bool match_class(const char **p, char c, bool *hit)
{
	const char *s = *p + 1;
	bool invert = *s == '!' || *s == '^', found = false;

	s += invert;
	for (bool first = true; *s && (first || *s != ']'); first = false) {
		if (s[1] == '-' && s[2] && s[2] != ']') {
			found |= (u8)c >= (u8)s[0] && (u8)c <= (u8)s[2];
			s += 3;
		} else {
			found |= *s++ == c;
		}
	}
	if (*s != ']')
		return false;
	*p = s + 1;
	*hit = found != invert;
	return true;
}

/* Does one element of the pattern match @c? *p moves behind it. */
static bool match_one(const char **p, char c)
{
	bool hit;

	if (**p == '?') {
		(*p)++;
		return true;
	}
	if (**p == '[' && match_class(p, c, &hit))
		return hit;
	if (**p == '\\' && (*p)[1])
		(*p)++;
	return *(*p)++ == c;
}

/* @s of @n bytes against a pattern. After a mismatch the last * takes one byte more: no recursion. */
static bool glob_match(const char *p, const char *s, size_t n)
{
	const char *star = NULL;
	size_t i = 0, star_i = 0;

	while (i < n) {
		const char *next = p;

		if (*p == '*') {
			star = ++p;
			star_i = i;
		} else if (*p && match_one(&next, s[i])) {
			p = next;
			i++;
		} else if (star) {
			p = star;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

static bool match_string(const struct test *t, const char *s, size_t n)
{
	size_t len = strlen(t->string);

	if (!s)
		return t->op == OP_NE;
	if (t->op == OP_GLOB)
		return glob_match(t->string, s, n);
	return (n == len && !memcmp(s, t->string, n)) == (t->op == OP_EQ);
}

static __always_inline bool match_number(const struct test *t, u64 v, bool is_signed)
{
	s64 sv = (s64)v, sn = (s64)t->number;

	if (likely(t->op == OP_EQ))
		return v == t->number;
	switch (t->op) {
	case OP_NE:
		return v != t->number;
	case OP_AND:
		return (v & t->number) != 0;
	case OP_LT:
		return is_signed ? sv < sn : v < t->number;
	case OP_LE:
		return is_signed ? sv <= sn : v <= t->number;
	case OP_GT:
		return is_signed ? sv > sn : v > t->number;
	default:
		return is_signed ? sv >= sn : v >= t->number;
	}
}

/* trace_field_number(), by what the test knows of the field. */
static __always_inline u64 number_at(const struct test *t, const void *p)
{
	struct trace_field f = { .size = t->width, .is_signed = t->is_signed };

	return trace_field_number(&f, p);
}

static __always_inline bool match_field(const struct test *t, const struct trace_entry *e,
					size_t len)
{
	return t->limit <= len &&
	       match_number(t, number_at(t, (const u8 *)e + t->offset), t->is_signed);
}

static bool match_test(const struct test *t, const struct trace_entry *e, size_t len,
		       const struct trace_filter_env *env)
{
	const char *s;
	size_t n = 0;

	switch (t->subject) {
	case ON_NUMBER:
		return match_field(t, e, len);
	case ON_CPU:
		return match_number(t, env->cpu, false);
	case ON_COMM:
		return match_string(t, env->comm, strlen(env->comm));
	default:
		s = trace_field_string(t->field, e, len, &n);
		return match_string(t, s, n);
	}
}

/* From test @at on, whatever the tests are about. */
static __noinline bool match_from(const struct trace_filter *filter, unsigned int at,
				  const struct trace_entry *e, size_t len,
				  const struct trace_filter_env *env)
{
	while (at < filter->n) {
		const struct test *t = &filter->test[at];

		at = match_test(t, e, len, env) ? t->if_true : t->if_false;
	}
	return at == PASS;
}

/* Numbers are compared without a call, hence without a register saved. */
bool trace_filter_match(const struct trace_filter *filter, const struct trace_entry *e, size_t len,
			const struct trace_filter_env *env)
{
	unsigned int at = 0;

	do {
		const struct test *t = &filter->test[at];

		if (t->subject != ON_NUMBER)
			return match_from(filter, at, e, len, env);
		at = match_field(t, e, len) ? t->if_true : t->if_false;
	} while (at < PASS);
	return at == PASS;
}

/* ---- parsing ---- */

struct parser {
	const char *text, *p;
	const struct trace_field *fields;
	unsigned int nfields, depth;
	struct trace_filter *out;
	const char *error;
	size_t at;
	bool no_memory;
	char value[MAX_TOKEN]; /* here, so that what recurses has small frames */
};

static bool fail(struct parser *ps, const char *at, const char *error)
{
	if (!ps->error) {
		ps->error = error;
		ps->at = (size_t)(at - ps->text);
	}
	return false;
}

static void skip_space(struct parser *ps)
{
	while (isspace((u8)*ps->p))
		ps->p++;
}

static bool accept(struct parser *ps, const char *word)
{
	skip_space(ps);
	if (!str_has_prefix(ps->p, word))
		return false;
	ps->p += strlen(word);
	return true;
}

static bool is_word(char c)
{
	return isalnum((u8)c) || c == '_' || c == '.' || c == '-' || c == '/' || c == '*' ||
	       c == '?' || c == ':' || c == '+' || c == ',' || c == '@' || c == '%' || c == '[' ||
	       c == ']';
}

/* A word or a quoted string into ps->value. */
static bool take_value(struct parser *ps, bool *quoted)
{
	const char *start;
	size_t n = 0;
	char quote;

	skip_space(ps);
	start = ps->p;
	quote = *start == '"' || *start == '\'' ? *start : 0;
	*quoted = quote != 0;
	for (ps->p += *quoted; *ps->p && (quote ? *ps->p != quote : is_word(*ps->p)); ps->p++) {
		if (n + 1 >= MAX_TOKEN)
			return fail(ps, start, "Too long operand");
		ps->value[n++] = *ps->p;
	}
	ps->value[n] = '\0';
	if (quote && *ps->p++ != quote)
		return fail(ps, start, "Missing quote");
	return n || quote ? true : fail(ps, start, "Missing value");
}

static const struct {
	const char *text;
	u8 op;
} operators[] = {
	{ "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
	{ "<", OP_LT },	 { ">", OP_GT },  { "&", OP_AND }, { "~", OP_GLOB },
};

static bool take_operator(struct parser *ps, u8 *op)
{
	skip_space(ps);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (operators[i].op == OP_AND && ps->p[0] == '&' && ps->p[1] == '&')
			continue;
		if (accept(ps, operators[i].text)) {
			*op = operators[i].op;
			return true;
		}
	}
	return fail(ps, ps->p, "Invalid operator");
}

static const struct trace_field *find_field(const struct trace_field *table, unsigned int n,
					    const char *name, size_t len)
{
	for (unsigned int i = 0; i < n; i++)
		if (strlen(table[i].name) == len && !memcmp(table[i].name, name, len))
			return &table[i];
	return NULL;
}

static bool name_is(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && !memcmp(name, want, len);
}

static bool take_field(struct parser *ps, struct test *t)
{
	const char *name;
	size_t len;

	skip_space(ps);
	name = ps->p;
	while (isalnum((u8)*ps->p) || *ps->p == '_')
		ps->p++;
	len = (size_t)(ps->p - name);
	t->field = find_field(ps->fields, ps->nfields, name, len);
	if (!t->field)
		t->field = find_field(trace_common_fields, TRACE_NCOMMON, name, len);
	if (t->field && t->field->kind != TRACE_NUMBER) {
		t->subject = ON_STRING;
		return true;
	}
	if (t->field && t->field->count)
		return fail(ps, name, "Illegal operation for field type");
	if (t->field) {
		t->subject = ON_NUMBER;
		t->width = (u8)t->field->size;
		t->is_signed = t->field->is_signed;
		t->offset = t->field->offset;
		t->limit = (u16)(t->offset + t->width);
		return true;
	}
	if (name_is(name, len, "COMM") || name_is(name, len, "comm"))
		t->subject = ON_COMM;
	else if (name_is(name, len, "CPU") || name_is(name, len, "cpu"))
		t->subject = ON_CPU;
	else
		return fail(ps, name, "Field not found");
	return true;
}

/* A number of the field's width: -1 compared with an unsigned field is its largest value. */
static bool set_number(struct parser *ps, struct test *t, const char *at, const char *text)
{
	bool negative = text[0] == '-', narrow = t->field && !t->field->is_signed;

	if (kstrtou64(text + negative, 0, &t->number))
		return fail(ps, at, "Invalid value (did you forget quotes)?");
	if (negative)
		t->number = -t->number;
	if (negative && narrow && t->field->size < 8)
		t->number &= (1ULL << (t->field->size * 8)) - 1;
	return true;
}

static __noinline bool parse_test(struct parser *ps)
{
	struct test *t = &ps->out->test[ps->out->n];
	bool quoted, is_string;
	const char *at;

	if (ps->out->n >= MAX_TESTS)
		return fail(ps, ps->p, "Too many predicates");
	*t = (struct test){ .if_true = PASS, .if_false = FAIL };
	if (!take_field(ps, t))
		return false;
	skip_space(ps);
	at = ps->p;
	if (!take_operator(ps, &t->op))
		return false;
	is_string = t->subject == ON_STRING || t->subject == ON_COMM;
	if (is_string ? t->op != OP_EQ && t->op != OP_NE && t->op != OP_GLOB : t->op == OP_GLOB)
		return fail(ps, at, "Illegal operation for field type");
	skip_space(ps);
	at = ps->p;
	if (!take_value(ps, &quoted))
		return false;
	if (!is_string) {
		if (quoted || !set_number(ps, t, at, ps->value))
			return fail(ps, at, "Expecting numeric field");
	} else {
		t->string = kstrdup(ps->value, GFP_KERNEL);
		ps->no_memory |= !t->string;
	}
	ps->out->n++;
	return !ps->no_memory;
}

/* In the tests from @first on, send what went to @from to @to. */
static void patch(struct parser *ps, unsigned int first, u16 from, u16 to)
{
	for (unsigned int i = first; i < ps->out->n; i++) {
		if (ps->out->test[i].if_true == from)
			ps->out->test[i].if_true = to;
		if (ps->out->test[i].if_false == from)
			ps->out->test[i].if_false = to;
	}
}

#define OTHER 0xfffdu /* neither: while two are exchanged */

static bool parse_or(struct parser *ps);

static bool parse_unary(struct parser *ps)
{
	unsigned int first = ps->out->n;
	bool ok;

	if (++ps->depth > MAX_DEPTH)
		return fail(ps, ps->p, "Too many parens");
	if (accept(ps, "!")) {
		ok = parse_unary(ps);
		patch(ps, first, PASS, OTHER);
		patch(ps, first, FAIL, PASS);
		patch(ps, first, OTHER, FAIL);
	} else if (accept(ps, "(")) {
		ok = parse_or(ps);
		if (ok && !accept(ps, ")"))
			ok = fail(ps, ps->p, "Too many open '('");
	} else {
		ok = parse_test(ps);
	}
	ps->depth--;
	return ok;
}

/* a && b: where a passes, b begins. */
static bool parse_and(struct parser *ps)
{
	unsigned int first = ps->out->n;

	if (!parse_unary(ps))
		return false;
	while (accept(ps, "&&")) {
		patch(ps, first, PASS, (u16)ps->out->n);
		if (!parse_unary(ps))
			return false;
	}
	return true;
}

/* a || b: where a fails, b begins. */
static bool parse_or(struct parser *ps)
{
	unsigned int first = ps->out->n;

	if (!parse_and(ps))
		return false;
	while (accept(ps, "||")) {
		patch(ps, first, FAIL, (u16)ps->out->n);
		if (!parse_and(ps))
			return false;
	}
	return true;
}

static bool parse_all(struct parser *ps)
{
	if (!parse_or(ps))
		return false;
	skip_space(ps);
	if (*ps->p == ')')
		return fail(ps, ps->p, "Too many close ')'");
	return *ps->p ? fail(ps, ps->p, "Missing operator (&& or ||)") : true;
}

/* The parser's copy has room for all tests; keep what is used. */
static struct trace_filter *shrink(struct trace_filter *big)
{
	size_t size = sizeof(*big) + big->n * sizeof(big->test[0]);
	struct trace_filter *f = kmalloc(size, GFP_KERNEL);

	if (f)
		memcpy(f, big, size);
	return f;
}

struct trace_filter *trace_filter_parse(const struct trace_field *fields, unsigned int nfields,
					const char *text, const char **error, size_t *at)
{
	struct parser ps = { .text = text, .p = text, .fields = fields, .nfields = nfields };
	struct trace_filter *f = NULL;
	bool ok;

	ps.out = kzalloc(sizeof(*ps.out) + (MAX_TESTS + 1) * sizeof(struct test), GFP_KERNEL);
	if (!ps.out)
		return ERR_PTR(-ENOMEM);
	ok = parse_all(&ps);
	if (ok)
		f = shrink(ps.out);
	if (f) {
		kfree(ps.out);
		return f;
	}
	trace_filter_free(ps.out);
	if (ok || ps.no_memory)
		return ERR_PTR(-ENOMEM);
	*error = ps.error;
	*at = ps.at;
	return ERR_PTR(-EINVAL);
}

void trace_filter_free(struct trace_filter *filter)
{
	if (!filter)
		return;
	/* A test that could not be completed has its string behind the last one. */
	for (unsigned int i = 0; i < filter->n; i++)
		kfree(filter->test[i].string);
	kfree(filter);
}

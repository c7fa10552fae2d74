/* SPDX-License-Identifier: MIT */
/*
 * Arguments of probe events. See fetch.h.
 *
 * Parsing works from the outside in: `+8(+0(%di)):u32` is first the type, then the offsets from left to right, then the innermost
 * expression; the operations are stored innermost first. No locks: a parsed argument is constant.
 */
#include <err.h>
#include <hal/probe.h>
#include <kernel/ksym.h>
#include <kernel/trace/fetch.h>
#include <lib/ctype.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

/* ---- types ---- */

static const struct {
	char name[8];
	u8 cls, size;
} types[] = {
	{ "u8", CLASS_UNSIGNED, 1 },   { "u16", CLASS_UNSIGNED, 2 },
	{ "u32", CLASS_UNSIGNED, 4 },  { "u64", CLASS_UNSIGNED, 8 },
	{ "s8", CLASS_SIGNED, 1 },     { "s16", CLASS_SIGNED, 2 },
	{ "s32", CLASS_SIGNED, 4 },    { "s64", CLASS_SIGNED, 8 },
	{ "x8", CLASS_HEX, 1 },	       { "x16", CLASS_HEX, 2 },
	{ "x32", CLASS_HEX, 4 },       { "x64", CLASS_HEX, 8 },
	{ "char", CLASS_CHAR, 1 },     { "symbol", CLASS_SYMBOL, 8 },
	{ "string", CLASS_STRING, 4 }, { "ustring", CLASS_USTRING, 4 },
	{ "symstr", CLASS_SYMSTR, 4 },
};

static bool is_string(const struct fetch_arg *a)
{
	return a->cls == CLASS_STRING || a->cls == CLASS_USTRING || a->cls == CLASS_SYMSTR;
}

static int fail(struct fetch_error *err, const char *at, const char *message)
{
	err->at = at;
	err->message = message;
	return -EINVAL;
}

bool fetch_is_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return !*s;
}

/* The number at @s, decimal or 0x, up to @end; sets *@rest behind it. */
static bool number(const char *s, unsigned int base, u64 *out, const char **rest)
{
	char buf[24];
	size_t n = 0;

	while (n < sizeof(buf) - 1 && isalnum((unsigned char)s[n])) {
		buf[n] = s[n];
		n++;
	}
	buf[n] = '\0';
	*rest = s + n;
	return n && !kstrtou64(buf, base, out);
}

/* b<width>@<shift>/<container> */
static int parse_bitfield(struct fetch_arg *a, const char *t, struct fetch_error *err)
{
	u64 width, shift, size;
	const char *p;

	if (!number(t + 1, 10, &width, &p) || *p != '@' || !number(p + 1, 10, &shift, &p) ||
	    *p != '/' || !number(p + 1, 10, &size, &p) || *p)
		return fail(err, t, "Invalid bitfield");
	if (!width || !is_power_of_2(size) || size < 8 || size > 64 || width > size ||
	    shift > size - width)
		return fail(err, t, "Invalid bitfield");
	a->cls = CLASS_UNSIGNED;
	a->size = (u8)(size / 8);
	a->width = (u8)width;
	a->shift = (u8)shift;
	return 0;
}

/* "[N]" at the end of a type. */
static int parse_array(struct fetch_arg *a, char *bracket, struct fetch_error *err)
{
	const char *rest;
	u64 n;

	if (!strchr(bracket, ']'))
		return fail(err, bracket, "Array brace is not closed");
	if (!number(bracket + 1, 0, &n, &rest) || *rest != ']' || !n)
		return fail(err, bracket + 1, "Invalid array size");
	if (rest[1])
		return fail(err, rest + 1, "Array has wrong suffix");
	if (n > 64)
		return fail(err, bracket + 1, "Array number is too big");
	a->count = (u8)n;
	return 0;
}

static int parse_type(struct fetch_arg *a, char *t, struct fetch_error *err)
{
	char *bracket = strchr(t, '[');
	int r = 0;

	if (bracket) {
		r = parse_array(a, bracket, err);
		*bracket = '\0';
	}
	if (!r && t[0] == 'b' && isdigit((unsigned char)t[1])) {
		r = parse_bitfield(a, t, err);
	} else if (!r) {
		r = -EINVAL;
		for (unsigned int i = 0; i < ARRAY_SIZE(types) && r; i++)
			if (!strcmp(t, types[i].name)) {
				a->cls = types[i].cls;
				a->size = types[i].size;
				r = 0;
			}
		if (r)
			fail(err, t, "Unknown type is specified");
	}
	if (bracket)
		*bracket = '[';
	a->has_type = true;
	return r;
}

/* ---- expressions ---- */

static int add_op(struct fetch_arg *a, enum fetch_code code, s64 value, const char *at,
		  struct fetch_error *err)
{
	if (a->nops == FETCH_MAX_OPS)
		return fail(err, at, "Dereference is too much nested");
	a->op[a->nops].code = (u8)code;
	a->op[a->nops++].value = value;
	return 0;
}

static int parse_stack(struct fetch_arg *a, const char *s, const char *at, struct fetch_error *err)
{
	const char *rest;
	u64 n;

	if (!*s)
		return add_op(a, FETCH_STACK, 0, at, err);
	if (!isdigit((unsigned char)*s))
		return fail(err, at, "Invalid $-valiable specified");
	if (!number(s, 10, &n, &rest) || *rest || n > 2047)
		return fail(err, s, "Invalid stack number");
	return add_op(a, FETCH_STACK_N, (s64)n, at, err);
}

static int parse_argn(struct fetch_arg *a, const char *s, const char *at, struct fetch_error *err)
{
	const char *rest;
	int offset;
	u64 n;

	if (!number(s, 10, &n, &rest) || *rest || n < 1 || n > 64)
		return fail(err, s, "Invalid argument number");
	offset = probe_argument((unsigned int)n - 1);
	if (offset < 0)
		return fail(err, s, "Invalid argument number");
	return add_op(a, FETCH_REG, offset, at, err);
}

static int parse_variable(struct fetch_arg *a, const char *s, unsigned int place,
			  struct fetch_error *err)
{
	if (!strcmp(s, "$retval")) {
		if (!(place & FETCH_RETURN))
			return fail(err, s, "$retval is not available on probe");
		return add_op(a, FETCH_REG, probe_result(), s, err);
	}
	if (!strcmp(s, "$comm") || !strcmp(s, "$COMM")) {
		if (!a->has_type) {
			a->cls = CLASS_STRING;
			a->size = 4;
		} else if (!is_string(a)) {
			return fail(err, s, "$comm can not be dereferenced");
		}
		return add_op(a, FETCH_COMM, 0, s, err);
	}
	if (str_has_prefix(s, "$stack"))
		return parse_stack(a, s + 6, s, err);
	if (str_has_prefix(s, "$arg") && (place & FETCH_ENTRY))
		return parse_argn(a, s + 4, s, err);
	return fail(err, s, "Invalid $-valiable specified");
}

/* @ADDR, @SYMBOL+-OFFSET (kernel), @+FILEOFFSET (programs): the word there. */
static int parse_at(struct fetch_arg *a, char *s, unsigned int place, struct fetch_error *err)
{
	const char *rest;
	char *sign;
	u64 v, off = 0;
	int r;

	if (isdigit((unsigned char)s[1])) {
		if (!number(s + 1, 0, &v, &rest) || *rest)
			return fail(err, s, "Invalid memory address");
		r = add_op(a, FETCH_IMM, (s64)v, s, err);
	} else if (s[1] == '+') {
		if (place & FETCH_KERNEL)
			return fail(err, s, "File offset is not available with kprobe");
		if (!number(s + 2, 0, &v, &rest) || *rest)
			return fail(err, s, "Invalid file offset value");
		r = add_op(a, FETCH_FILE, (s64)v, s, err);
	} else {
		char op = '\0';

		if (!(place & FETCH_KERNEL))
			return fail(err, s, "Symbol is not available with uprobe");
		sign = strchr(s, '+') ? strchr(s, '+') : strchr(s, '-');
		if (sign && (!number(sign + 1, 0, &off, &rest) || *rest))
			return fail(err, s, "Invalid memory address");
		if (sign) {
			op = *sign;
			*sign = '\0';
		}
		v = ksym_address(s + 1);
		if (sign)
			*sign = op;
		if (!v)
			return fail(err, s, "Invalid memory address");
		r = add_op(a, FETCH_IMM, (s64)(op == '-' ? v - off : v + off), s, err);
	}
	return r ? r : add_op(a, FETCH_DEREF, 0, s, err);
}

static int parse_immediate(struct fetch_arg *a, char *s, struct fetch_error *err)
{
	bool minus = s[1] == '-';
	const char *rest;
	size_t n;
	u64 v;

	if (s[1] == '"') {
		n = strlen(s);
		if (n < 3 || s[n - 1] != '"')
			return fail(err, s, "String is not closed with '\"'");
		a->literal = kstrdup(s + 2, 0);
		if (!a->literal)
			return -ENOMEM;
		a->literal[n - 3] = '\0';
		a->cls = CLASS_STRING;
		a->size = 4;
		return add_op(a, FETCH_TEXT, 0, s, err);
	}
	if (!number(s + 1 + minus, 0, &v, &rest) || *rest)
		return fail(err, s + 1, "Invalid immediate value");
	return add_op(a, FETCH_IMM, minus ? -(s64)v : (s64)v, s, err);
}

/* What is not a dereference. */
static int parse_innermost(struct fetch_arg *a, char *s, unsigned int place,
			   struct fetch_error *err)
{
	int reg;

	switch (*s) {
	case '%':
		reg = probe_register(s + 1);
		if (reg < 0)
			return fail(err, s, "Invalid register name");
		return add_op(a, FETCH_REG, reg, s, err);
	case '$':
		return parse_variable(a, s, place, err);
	case '@':
		return parse_at(a, s, place, err);
	case '\\':
		return parse_immediate(a, s, err);
	default:
		return fail(err, s, "Invalid fetch argument");
	}
}

/* One level of +|-[u]OFFSET( ... ): *@s moves inside, the closing brace is cut off. */
static int parse_deref(char **s, struct fetch_op *op, struct fetch_error *err)
{
	char *p = *s, *close;
	bool minus = *p == '-';
	const char *rest;
	u64 v;

	p++;
	op->code = *p == 'u' ? FETCH_DEREF_USER : FETCH_DEREF;
	p += *p == 'u';
	if (!strchr(p, '('))
		return fail(err, p, "Dereference needs a brace");
	if (!number(p, 0, &v, &rest) || *rest != '(')
		return fail(err, p, "Invalid dereference offset");
	op->value = minus ? -(s64)v : (s64)v;
	p += rest - p + 1;
	close = strrchr(p, ')');
	if (!close || close[1])
		return fail(err, p + strlen(p), "Dereference brace is not closed");
	*close = '\0';
	*s = p;
	return 0;
}

static int parse_expression(struct fetch_arg *a, char *s, unsigned int place,
			    struct fetch_error *err)
{
	struct fetch_op deref[FETCH_MAX_OPS];
	unsigned int n = 0;
	int r = 0;

	while (!r && (*s == '+' || *s == '-')) {
		if (n == FETCH_MAX_OPS - 2)
			return fail(err, s, "Dereference is too much nested");
		r = parse_deref(&s, &deref[n++], err);
	}
	if (!r)
		r = parse_innermost(a, s, place, err);
	if (!r && n && (a->op[0].code == FETCH_COMM || a->op[0].code == FETCH_TEXT))
		return fail(err, s, "$comm can not be dereferenced");
	while (!r && n--)
		r = add_op(a, (enum fetch_code)deref[n].code, deref[n].value, s, err);
	return r;
}

/* Does the program end in memory, which strings and arrays need? */
static bool ends_in_memory(const struct fetch_arg *a)
{
	u8 code = a->nops ? a->op[a->nops - 1].code : FETCH_REG;

	return code == FETCH_DEREF || code == FETCH_DEREF_USER;
}

static int check(const struct fetch_arg *a, const char *at, struct fetch_error *err)
{
	u8 code = a->op[a->nops - 1].code;

	if (is_string(a) && a->cls != CLASS_SYMSTR && !ends_in_memory(a) && code != FETCH_COMM &&
	    code != FETCH_TEXT && code != FETCH_IMM)
		return fail(err, at, "String accepts only memory argument");
	if (a->count && !ends_in_memory(a))
		return fail(err, at, "Array requires a memory argument");
	return 0;
}

/* The name before '=', or arg<N>. *@body: what follows. */
static int parse_name(struct fetch_arg *a, char *text, unsigned int index, char **body,
		      struct fetch_error *err)
{
	char *eq = strchr(text, '=');
	char name[FETCH_MAX_NAME + 1];

	*body = text;
	if (!eq) {
		snprintf(name, sizeof(name), "arg%u", index + 1);
		a->name = kstrdup(name, 0);
		return a->name ? 0 : -ENOMEM;
	}
	if (eq == text)
		return fail(err, text, "Argument name is not specified");
	if (eq - text >= FETCH_MAX_NAME)
		return fail(err, text, "Argument name is too long");
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = '\0';
	if (!fetch_is_name(name))
		return fail(err, text, "Argument name must follow the same rules as C identifiers");
	*body = eq + 1;
	a->name = kstrdup(name, 0);
	return a->name ? 0 : -ENOMEM;
}

int fetch_parse(struct fetch_arg *a, char *text, unsigned int index, unsigned int place,
		struct fetch_error *err)
{
	char *body, *colon, copy[FETCH_MAX_TEXT];
	struct fetch_error inner = { 0 };
	int r;

	memset(a, 0, sizeof(*a));
	a->cls = CLASS_HEX;
	a->size = 8;
	r = parse_name(a, text, index, &body, err);
	if (r)
		return r;
	if (!*body)
		return fail(err, body, "No argument expression");
	if (strlen(body) >= sizeof(copy))
		return fail(err, body, "Argument expression is too long");
	a->text = kstrdup(body, 0);
	if (!a->text)
		return -ENOMEM;
	strscpy(copy, body, sizeof(copy));
	colon = copy[0] == '\\' && copy[1] == '"' ? NULL : strchr(copy, ':');
	if (colon)
		*colon = '\0';
	if (colon)
		r = parse_type(a, colon + 1, &inner);
	if (!r)
		r = parse_expression(a, copy, place, &inner);
	if (!r)
		r = check(a, copy, &inner);
	/* Names are the kernel's. */
	if (!r && !(place & FETCH_KERNEL) && (a->cls == CLASS_SYMBOL || a->cls == CLASS_SYMSTR))
		r = fail(&inner, colon ? colon + 1 : copy, "Unknown type is specified");
	if (inner.message)
		fail(err, body + (inner.at - copy), inner.message);
	return r;
}

void fetch_free(struct fetch_arg *a)
{
	kfree(a->name);
	kfree(a->text);
	kfree(a->literal);
	memset(a, 0, sizeof(*a));
}

/* ---- the record ---- */

static unsigned int elements(const struct fetch_arg *a)
{
	return a->count ? a->count : 1;
}

static size_t arg_bytes(const struct fetch_arg *a)
{
	return (size_t)a->size * elements(a);
}

size_t fetch_layout(struct fetch_arg *args, unsigned int n, size_t offset)
{
	for (unsigned int i = 0; i < n; i++) {
		args[i].offset = (u16)offset;
		offset += arg_bytes(&args[i]);
	}
	return offset;
}

void fetch_field(const struct fetch_arg *a, struct trace_field *f)
{
	static const char *const unsigned_types[] = { "u8", "u16", "u32", "u64" };
	static const char *const signed_types[] = { "s8", "s16", "s32", "s64" };
	unsigned int i = (unsigned int)__builtin_ctz(a->size);

	*f = (struct trace_field){ .name = a->name,
				   .offset = a->offset,
				   .size = (u16)arg_bytes(a),
				   .count = a->count,
				   .is_signed = a->cls == CLASS_SIGNED,
				   .kind = TRACE_NUMBER };
	f->type = a->cls == CLASS_SIGNED ? signed_types[i] : unsigned_types[i];
	if (is_string(a)) {
		f->type = "__data_loc char[]";
		f->kind = TRACE_DATA_LOC;
		f->is_signed = true;
	}
}

/* ---- running ---- */

static int fetch_word(const struct fetch_op *op, const struct fetch_source *src, u64 *v)
{
	switch (op->code) {
	case FETCH_REG:
		memcpy(v, (const u8 *)src->u + op->value, 8);
		return 0;
	case FETCH_STACK:
		*v = src->sp;
		return 0;
	case FETCH_STACK_N:
		return src->read(v, src->sp + (unsigned long)op->value * 8, 8, false);
	case FETCH_IMM:
		*v = (u64)op->value;
		return 0;
	case FETCH_FILE:
		*v = src->file_base + (u64)op->value;
		return 0;
	case FETCH_DEREF:
	case FETCH_DEREF_USER:
		return src->read(v, *v + (u64)op->value, 8, op->code == FETCH_DEREF_USER);
	default:
		return -EFAULT;
	}
}

/* Run all but a last dereference, whose address it gives instead. *@user: that is the program's. */
static int fetch_address(const struct fetch_arg *a, const struct fetch_source *src, u64 *v,
			 bool *user)
{
	unsigned int n = a->nops - ends_in_memory(a);
	int r = 0;

	for (unsigned int i = 0; i < n && !r; i++)
		r = fetch_word(&a->op[i], src, v);
	*user = a->cls == CLASS_USTRING;
	if (n < a->nops) {
		*v += (u64)a->op[n].value;
		*user |= a->op[n].code == FETCH_DEREF_USER;
	}
	return r;
}

/* The value, or the @i-th of an array of them, as a name. */
static int fetch_symbol(const struct fetch_arg *a, const struct fetch_source *src, unsigned int i,
			char *dst, size_t room)
{
	struct printbuf pb;
	u64 v = 0;
	bool user;

	if (fetch_address(a, src, &v, &user) ||
	    (ends_in_memory(a) && src->read(&v, v + i * sizeof(v), sizeof(v), user)))
		return -EFAULT;
	printbuf_init(&pb, dst, room);
	ksym_print(&pb, v);
	return (int)strlen(dst) + 1;
}

/* An array of strings is one of pointers to them: the one at @i. */
static int fetch_string(const struct fetch_arg *a, const struct fetch_source *src, unsigned int i,
			char *dst, size_t room)
{
	u64 addr = 0;
	bool user;

	if (a->op[0].code == FETCH_COMM || a->op[0].code == FETCH_TEXT) {
		strscpy(dst, a->literal ? a->literal : src->comm, room);
		return (int)strlen(dst) + 1;
	}
	if (a->cls == CLASS_SYMSTR)
		return fetch_symbol(a, src, i, dst, room);
	if (fetch_address(a, src, &addr, &user) ||
	    (a->count && src->read(&addr, addr + i * sizeof(addr), sizeof(addr), user)))
		return -EFAULT;
	return src->read_string(dst, addr, room, user);
}

static void fetch_value(const struct fetch_arg *a, const struct fetch_source *src, u8 *dst)
{
	u64 v = 0;
	bool user;

	memset(dst, 0, arg_bytes(a));
	if (fetch_address(a, src, &v, &user))
		return;
	if (ends_in_memory(a))
		(void)src->read(dst, v, arg_bytes(a), user);
	else
		memcpy(dst, &v, a->size);
	for (unsigned int i = 0; a->width && i < elements(a); i++) {
		v = 0;
		memcpy(&v, dst + i * a->size, a->size);
		v = v >> a->shift & (~0ULL >> (64 - a->width));
		memcpy(dst + i * a->size, &v, a->size);
	}
}

/* Strings go to @end of the record, up to @room; where each is and how long, to its place among the arguments. Return: the new end. */
static size_t fetch_strings(const struct fetch_arg *a, const struct fetch_source *src, u8 *base,
			    size_t end, size_t room)
{
	for (unsigned int i = 0; i < elements(a); i++) {
		int len = room > end ? fetch_string(a, src, i, (char *)base + end,
						    min(room - end, (size_t)FETCH_MAX_STRING))
				     : -EFAULT;
		u32 loc;

		len = max(len, 0);
		loc = (u32)len << 16 | (u32)end;
		memcpy(base + a->offset + i * sizeof(loc), &loc, sizeof(loc));
		end += (size_t)len;
	}
	return end;
}

size_t fetch_run(const struct fetch_arg *args, unsigned int n, const struct fetch_source *src,
		 void *record, size_t fixed, size_t room)
{
	size_t end = fixed;
	u8 *base = record;

	for (const struct fetch_arg *a = args; a < args + n; a++) {
		if (is_string(a))
			end = fetch_strings(a, src, base, end, room);
		else
			fetch_value(a, src, base + a->offset);
	}
	return end;
}

/* ---- text ---- */

static void print_element(struct printbuf *pb, const struct fetch_arg *a, u64 v)
{
	unsigned int unused = 64 - 8 * a->size;

	switch (a->cls) {
	case CLASS_SIGNED:
		printbuf_printf(pb, "%lld", (s64)(v << unused) >> unused);
		break;
	case CLASS_UNSIGNED:
		printbuf_printf(pb, "%llu", v);
		break;
	case CLASS_CHAR:
		printbuf_printf(pb, "'%c'", (int)(u8)v);
		break;
	case CLASS_SYMBOL:
		ksym_print(pb, v);
		break;
	default:
		printbuf_printf(pb, "0x%llx", v);
		break;
	}
}

static void print_string(struct printbuf *pb, const struct trace_entry *e, size_t len, u32 loc)
{
	if (!(loc >> 16) || (loc & 0xffff) + (loc >> 16) > len)
		printbuf_puts(pb, "(fault)");
	else
		printbuf_printf(pb, "\"%.*s\"", (int)(loc >> 16), (const char *)e + (loc & 0xffff));
}

static void print_arg(struct printbuf *pb, const struct fetch_arg *a, const struct trace_entry *e,
		      size_t len)
{
	printbuf_printf(pb, " %s=", a->name);
	if (a->offset + arg_bytes(a) > len)
		return;
	printbuf_puts(pb, a->count ? "{" : "");
	for (unsigned int i = 0; i < elements(a); i++) {
		u64 v = 0;

		memcpy(&v, (const u8 *)e + a->offset + i * a->size, a->size);
		printbuf_puts(pb, i ? "," : "");
		if (is_string(a))
			print_string(pb, e, len, (u32)v);
		else
			print_element(pb, a, v);
	}
	printbuf_puts(pb, a->count ? "}" : "");
}

void fetch_print(struct printbuf *pb, const struct fetch_arg *args, unsigned int n,
		 const struct trace_entry *e, size_t len)
{
	for (unsigned int i = 0; i < n; i++)
		print_arg(pb, &args[i], e, len);
}

static const char *conversion(const struct fetch_arg *a)
{
	switch (a->cls) {
	case CLASS_SIGNED:
		return a->size == 8 ? "%Ld" : "%d";
	case CLASS_UNSIGNED:
		return a->size == 8 ? "%Lu" : "%u";
	case CLASS_CHAR:
		return "'%c'";
	case CLASS_SYMBOL:
		return "%pS";
	case CLASS_HEX:
		return a->size == 8 ? "0x%Lx" : "0x%x";
	default:
		return "\\\"%s\\\"";
	}
}

void fetch_print_fmt(struct printbuf *pb, const struct fetch_arg *args, unsigned int n, bool values)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct fetch_arg *a = &args[i];
		if (!values)
			printbuf_printf(pb, " %s=%s", a->name, a->count ? "{" : "");
		for (unsigned int k = 0; k < elements(a); k++) {
			if (!values)
				printbuf_printf(pb, "%s%s", k ? "," : "", conversion(a));
			else if (is_string(a) && a->count)
				printbuf_printf(pb, ", __get_str(%s[%u])", a->name, k);
			else if (is_string(a))
				printbuf_printf(pb, ", __get_str(%s)", a->name);
			else if (a->count)
				printbuf_printf(pb, ", REC->%s[%u]", a->name, k);
			else
				printbuf_printf(pb, ", REC->%s", a->name);
		}
		printbuf_puts(pb, !values && a->count ? "}" : "");
	}
}

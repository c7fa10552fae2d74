/* SPDX-License-Identifier: MIT */
/*
 * Splitting the kernel command line. The interface and the rules are in lib/cmdline.h.
 *
 * scan_word() finds a word without changing the text; the functions that split write the NULs.
 */
#include <err.h>
#include <lib/cmdline.h>
#include <lib/ctype.h>
#include <lib/string.h>

/* A word as pieces of the text, quotes around them already left out. */
struct word {
	const char *key, *key_end;
	const char *value, *value_end; /* NULL without "=" */
	const char *next;	       /* what follows the word */
};

static const char *skip_spaces(const char *s)
{
	while (isspace((u8)*s))
		s++;
	return s;
}

/* Find the end of the word at @s, quoted spaces included, and its first "=" after a key. */
static const char *find_end(const char *s, bool in_quote, const char **equals)
{
	const char *p;

	*equals = NULL;
	for (p = s; *p && (in_quote || !isspace((u8)*p)); p++) {
		if (*p == '=' && p > s && !*equals)
			*equals = p;
		if (*p == '"')
			in_quote = !in_quote;
	}
	return p;
}

/* The word at @s, which is no space; false at the end of the text. */
static bool scan_word(const char *s, struct word *w)
{
	bool quoted = *s == '"';
	const char *end, *equals;

	if (!*s)
		return false;
	if (quoted)
		s++;
	end = find_end(s, quoted, &equals);
	w->next = end;
	if (quoted && end > s && end[-1] == '"')
		end--;
	w->key = s;
	w->key_end = equals ? equals : end;
	w->value = NULL;
	w->value_end = NULL;
	if (equals) {
		w->value = equals + 1;
		if (w->value < end && *w->value == '"') {
			w->value++;
			if (end > w->value && end[-1] == '"' && !quoted)
				end--;
		}
		w->value_end = end;
	}
	return true;
}

/* Split the word at *@pos off, terminating its pieces; false at the end of the text. */
static bool split_word(char **pos, struct word *w)
{
	char *text = (char *)skip_spaces(*pos);
	bool last;

	*pos = text;
	if (!scan_word(text, w))
		return false;
	last = !*w->next;
	*(char *)w->key_end = '\0';
	if (w->value)
		*(char *)w->value_end = '\0';
	*pos = (char *)skip_spaces(w->next + !last);
	return true;
}

int cmdline_next(char **pos, struct cmdline_arg *arg)
{
	struct word w;

	if (!split_word(pos, &w))
		return CMDLINE_END;
	if (!w.value && strcmp(w.key, "--") == 0)
		return CMDLINE_INIT_ARGS;
	arg->key = (char *)w.key;
	arg->value = (char *)w.value;
	return CMDLINE_OPTION;
}

char *cmdline_next_word(char **pos)
{
	struct word w;
	char *equals;

	if (!split_word(pos, &w))
		return NULL;
	if (w.value) {
		equals = (char *)w.key_end;
		*equals = '=';
		/* Close the gap that the value's opening quote left. */
		memmove(equals + 1, w.value, strlen(w.value) + 1);
	}
	return (char *)w.key;
}

static char dash_as_underscore(char c)
{
	return c == '-' ? '_' : c;
}

bool cmdline_key_eq(const char *a, const char *b)
{
	while (*a && dash_as_underscore(*a) == dash_as_underscore(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Whether the @n bytes at @piece are the key @key. */
static bool piece_is_key(const char *piece, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!key[i] || dash_as_underscore(piece[i]) != dash_as_underscore(key[i]))
			return false;
	return !key[n];
}

/* The value of @w into @buf; its length, or -E2BIG when it was cut. */
static int copy_value(const struct word *w, char *buf, size_t size)
{
	size_t len = w->value ? (size_t)(w->value_end - w->value) : 0;
	size_t n = min(len, size - 1);

	memcpy(buf, w->value ? w->value : "", n);
	buf[n] = '\0';
	return n < len || len > INT_MAX ? -E2BIG : (int)len;
}

int cmdline_get(const char *cmdline, const char *key, char *buf, size_t size)
{
	const char *s = skip_spaces(cmdline);
	int ret = -ENOENT;
	struct word w;

	while (scan_word(s, &w)) {
		size_t n = (size_t)(w.key_end - w.key);

		if (!w.value && n == 2 && memcmp(w.key, "--", 2) == 0)
			break;
		if (piece_is_key(w.key, n, key))
			ret = copy_value(&w, buf, size);
		s = skip_spaces(w.next);
	}
	return ret;
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line, with Linux's rules.
 *
 * Words are separated by white space, except inside double quotes, which may begin anywhere in a
 * word. A word is `key` or `key=value`. Quotes around a whole word or a whole value are removed:
 * "a b" and key="a b" and "key=a b"; others stay. A missing closing quote ends with the text.
 * In keys - and _ are the same. The word `--` ends the options: what follows is for init.
 *
 *	while ((ret = cmdline_next(&pos, &arg)) == CMDLINE_OPTION)
 *		set_option(arg.key, arg.value);
 *	if (ret == CMDLINE_INIT_ARGS)
 *		while ((word = cmdline_next_word(&pos)))
 *			add_init_arg(word);
 *
 * Both change the text in place, as it must be writable and NUL-terminated; cmdline_get does not.
 * Source: Linux Documentation/admin-guide/kernel-parameters.rst.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <compiler.h>
#include <types.h>

struct cmdline_arg {
	char *key;   /* "" for an empty pair of quotes; = at the start belongs to it */
	char *value; /* NULL without "=" */
};

/* What cmdline_next returns. */
#define CMDLINE_END		0
#define CMDLINE_OPTION		1
#define CMDLINE_INIT_ARGS	2

/**
 * cmdline_next - split off the next option
 * @pos: in: the rest of the command line; out: what follows the word
 * @arg: the option; points into the text
 *
 * Return: CMDLINE_OPTION; CMDLINE_END; CMDLINE_INIT_ARGS after "--", @pos then being at the words for
 * init, of which there may be none.
 */
int cmdline_next(char **pos, struct cmdline_arg *arg);

/* The next word whole (quotes removed as above), NULL at the end: arguments for init. */
char *cmdline_next_word(char **pos);

/* Whether two keys are the same, - and _ being equal. */
bool cmdline_key_eq(const char *a, const char *b);

/**
 * cmdline_get - look one option up without changing the text
 * @cmdline: the command line
 * @key: the option
 * @buf: where its value goes; "" for an option without one
 * @size: of @buf, at least 1
 *
 * For what is needed before memory can be allocated. The last of several is taken, as with Linux.
 * Return: the length of the value; -ENOENT: not there; -E2BIG: longer than @buf, which holds what
 * fits.
 */
int __must_check cmdline_get(const char *cmdline, const char *key, char *buf, size_t size);

#endif /* LIB_CMDLINE_H */

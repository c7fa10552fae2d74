/* SPDX-License-Identifier: MIT */
/*
 * Feed any text to the command-line parser: it stays inside, makes progress, and cmdline_get, which
 * does not change the text, finds the same values as splitting does.
 */
#include <stdlib.h>

#include <err.h>
#include <lib/cmdline.h>
#include <lib/string.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static char *copy_text(const u8 *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The last option of the same key as @key in @line, by splitting. */
static void check_get(const char *line, size_t size, const char *key)
{
	char *text = copy_text((const u8 *)line, size), *pos = text;
	char *value = malloc(size + 1);
	const char *last = NULL;
	struct cmdline_arg arg;
	int ret = cmdline_get(line, key, value, size + 1);

	while (cmdline_next(&pos, &arg) == CMDLINE_OPTION)
		if (cmdline_key_eq(arg.key, key))
			last = arg.value ? arg.value : "";
	if (last)
		CHECK(ret == (int)strlen(last) && strcmp(value, last) == 0);
	else
		CHECK(ret == -ENOENT);
	free(text);
	free(value);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *line = copy_text(data, size), *text = copy_text(data, size), *pos = text, *word;
	size_t length = strlen(line);
	struct cmdline_arg arg;
	int ret, checks = 0;

	while ((ret = cmdline_next(&pos, &arg)) == CMDLINE_OPTION) {
		CHECK(pos <= text + length);
		CHECK(arg.key >= text && arg.key + strlen(arg.key) <= text + length);
		if (arg.value)
			CHECK(arg.value > arg.key &&
			      arg.value + strlen(arg.value) <= text + length);
		if (checks++ < 4)
			check_get(line, length, arg.key);
	}
	if (ret == CMDLINE_INIT_ARGS)
		while ((word = cmdline_next_word(&pos)))
			CHECK(word >= text && word + strlen(word) <= text + length);
	CHECK(*pos == '\0');
	check_get(line, length, "console");
	free(line);
	free(text);
	return 0;
}

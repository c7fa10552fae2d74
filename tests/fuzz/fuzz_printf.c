/* SPDX-License-Identifier: MIT */
/*
 * Use any text as a format, with arguments that are right for whatever it asks: the buffer is never
 * overrun, always terminated, and the result does not depend on its size. Where the format has
 * conversions of the C library only, the C library agrees.
 *
 * All arguments are words that are good as integers and as strings: addresses of "text".
 */
#include <stdio.h>
#include <stdlib.h>

#include <lib/printf.h>
#include <lib/string.h>
#undef snprintf /* the libc's; ours is lib_snprintf */

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)
#define MAX_FORMAT	60
#define BIG		4096

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const char text[] = "text";

#define ARGS	text, text, text, text, text, text, text, text, text, text, text, text, text, text, \
		text, text, text, text, text, text, text, text, text, text, text, text, text, text, \
		text, text, text, text

/*
 * Whether the C library can be asked: nothing that it defines otherwise or not at all, and no
 * argument from the stack for a width, which would be an address.
 */
static bool comparable(const char *fmt)
{
	for (; *fmt; fmt++) {
		if (*fmt != '%')
			continue;
		fmt++;
		fmt += strspn(fmt, "-+ 0#");
		fmt += strspn(fmt, "123456789");
		if (strspn(fmt, "0123456789"))
			return false;
		if (*fmt == '.') {
			fmt++;
			fmt += strspn(fmt, "0123456789");
		}
		if (*fmt == 'l')
			fmt++;
		if (!*fmt || !strchr("diuxXo", *fmt))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char fmt[MAX_FORMAT + 1], *small;
	static char big[BIG], theirs[BIG];
	size_t room;
	int n;

	if (size < 1 || size > MAX_FORMAT + 1)
		return 0;
	room = data[0];
	memcpy(fmt, data + 1, size - 1);
	fmt[size - 1] = '\0';
	if (strchr(fmt, '*'))
		return 0;
	n = lib_snprintf(big, BIG, fmt, ARGS);
	CHECK(n >= 0);
	if (n < BIG)
		CHECK(big[n] == '\0');
	small = malloc(room);
	CHECK(lib_snprintf(small, room, fmt, ARGS) == n);
	if (room) {
		size_t kept = min((size_t)n, room - 1);

		CHECK(small[kept] == '\0');
		CHECK(memcmp(small, big, min(kept, (size_t)BIG - 1)) == 0);
	}
	free(small);
	if (n < BIG && comparable(fmt)) {
		CHECK(snprintf(theirs, BIG, fmt, ARGS) == n);
		CHECK(memcmp(big, theirs, (size_t)n) == 0);
	}
	return 0;
}

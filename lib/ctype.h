/* SPDX-License-Identifier: MIT */
/*
 * Character classes of ASCII, as <ctype.h> has them in the C locale; any int is allowed.
 */
#ifndef LIB_CTYPE_H
#define LIB_CTYPE_H

#ifdef CAELUM_HOST
#include <ctype.h>
#else
#include <types.h>

static inline int isdigit(int c)
{
	return c >= '0' && c <= '9';
}
static inline int isupper(int c)
{
	return c >= 'A' && c <= 'Z';
}
static inline int islower(int c)
{
	return c >= 'a' && c <= 'z';
}
static inline int isalpha(int c)
{
	return isupper(c) || islower(c);
}
static inline int isalnum(int c)
{
	return isalpha(c) || isdigit(c);
}
static inline int isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline int isprint(int c)
{
	return c >= ' ' && c <= '~';
}
static inline int isgraph(int c)
{
	return c > ' ' && c <= '~';
}
static inline int iscntrl(int c)
{
	return (c >= 0 && c < ' ') || c == 0x7f;
}
static inline int tolower(int c)
{
	return isupper(c) ? c + ('a' - 'A') : c;
}
static inline int toupper(int c)
{
	return islower(c) ? c - ('a' - 'A') : c;
}

static inline int isxdigit(int c)
{
	return isdigit(c) || (tolower(c) >= 'a' && tolower(c) <= 'f');
}
#endif /* !CAELUM_HOST */
#endif /* LIB_CTYPE_H */

/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings: the functions of C's <string.h> that the kernel uses, bounded copies, and
 * numbers from text.
 *
 * The mem functions and strlen are macros over the compiler's builtins, so that small constant
 * sizes become plain instructions though the kernel is compiled -ffreestanding. An architecture
 * with faster ones defines the symbols itself and selects ARCH_HAS_MEMCPY (memcpy and memmove) or
 * ARCH_HAS_MEMSET, which leaves out those here.
 *
 * On the host the standard names are renamed to lib_*, so that tests run these functions and not
 * the libc's.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <compiler.h>
#include <types.h>

#ifdef CAELUM_HOST
#include <string.h>
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#define memcpy		lib_memcpy
#define memmove		lib_memmove
#define memset		lib_memset
#define memcmp		lib_memcmp
#define memchr		lib_memchr
#define strlen		lib_strlen
#define strnlen		lib_strnlen
#define strcmp		lib_strcmp
#define strncmp		lib_strncmp
#define strchr		lib_strchr
#define strrchr		lib_strrchr
#define strstr		lib_strstr
#define strspn		lib_strspn
#define strcspn		lib_strcspn
#define strlcpy		lib_strlcpy
#define strlcat		lib_strlcat
#endif

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *haystack, const char *needle);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);

/* As BSD: @size is the whole buffer, always terminated if not 0; returns the length it tried for. */
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);

/**
 * strscpy - copy a string into a buffer
 * @dst: the buffer
 * @src: the string; not read beyond @size bytes
 * @size: the size of @dst
 *
 * Return: the length copied, or -E2BIG when it was cut (then @dst holds what fits, terminated).
 */
ssize_t strscpy(char *dst, const char *src, size_t size);

/* Whether @s begins with @prefix. */
bool str_has_prefix(const char *s, const char *prefix);

/* memset that the compiler never drops, for secrets. */
void memzero_explicit(void *p, size_t n);

/* ---- Numbers ---- */

/**
 * kstrtou64 - a whole string as an unsigned number
 * @s: the digits, an optional "+" before and one newline after them
 * @base: 2 to 36, or 0 for C's prefixes: 0x is 16, 0 is 8, else 10 (base 16 also accepts 0x)
 * @out: where the number goes
 *
 * Return: 0; -EINVAL when the string is anything else; -ERANGE when the number does not fit.
 */
int __must_check kstrtou64(const char *s, unsigned int base, u64 *out);
/* The same with an optional "-", and for narrower types. */
int __must_check kstrtos64(const char *s, unsigned int base, s64 *out);
int __must_check kstrtou32(const char *s, unsigned int base, u32 *out);
int __must_check kstrtos32(const char *s, unsigned int base, s32 *out);
/* y, yes, 1, on, true; n, no, 0, off, false; else -EINVAL. */
int __must_check kstrtobool(const char *s, bool *out);

/**
 * strtou64 - the number at the start of a string
 * @s: the digits
 * @end: where to store the address of the first character not used; may be NULL
 * @base: as for kstrtou64
 *
 * Return: the number; U64_MAX when it does not fit; 0 with *@end == @s when there is none.
 */
u64 strtou64(const char *s, const char **end, unsigned int base);

/* The same with a suffix K, M, G, T, P or E (powers of 1024, either case). */
u64 memparse(const char *s, const char **end);

#ifndef CAELUM_HOST
#define memcpy(d, s, n)		__builtin_memcpy(d, s, n)
#define memmove(d, s, n)	__builtin_memmove(d, s, n)
#define memset(d, c, n)		__builtin_memset(d, c, n)
#define memcmp(a, b, n)		__builtin_memcmp(a, b, n)
#define strlen(s)		__builtin_strlen(s)
#define strcmp(a, b)		__builtin_strcmp(a, b)
#endif

#endif /* LIB_STRING_H */

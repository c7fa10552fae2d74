/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings in plain C. The interface is in lib/string.h.
 *
 * The mem functions move words, eight in a round, once the destination is aligned. When the source
 * is then not aligned too, each word is put together from two aligned loads: loads that are not
 * aligned are slow or a trap on some machines. No byte outside the operands is read.
 * In the kernel all of it lies where no probes may be: their handlers copy, too.
 */
#include <err.h>
#include <lib/ctype.h>
#include <lib/string.h>

#ifndef CAELUM_HOST
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#endif

/* A machine word that may lie over objects of any type. */
typedef unsigned long __attribute__((__may_alias__)) word_t;

#define WORD		sizeof(word_t)
#define ROUND		(8 * WORD)
#define SMALL		(2 * WORD)	/* up to here bytes are not slower */

static __always_inline size_t misalignment(const void *p)
{
	return (unsigned long)p % WORD;
}

#ifndef CONFIG_ARCH_HAS_MEMCPY

/*
 * Copy the whole words of @n bytes upwards; both sides are aligned. Return how many bytes it was.
 * Each load comes before the stores at lower addresses than itself only: good for memmove down.
 */
static __no_idiom size_t copy_words(u8 *dst, const u8 *src, size_t n)
{
	word_t *d = (word_t *)dst;
	const word_t *s = (const word_t *)src;
	size_t left = n;

	for (; left >= ROUND; left -= ROUND, d += 8, s += 8) {
		word_t w0 = s[0], w1 = s[1], w2 = s[2], w3 = s[3];
		word_t w4 = s[4], w5 = s[5], w6 = s[6], w7 = s[7];

		d[0] = w0;
		d[1] = w1;
		d[2] = w2;
		d[3] = w3;
		d[4] = w4;
		d[5] = w5;
		d[6] = w6;
		d[7] = w7;
	}
	for (; left >= WORD; left -= WORD)
		*d++ = *s++;
	return n - left;
}

/*
 * The same when only @dst is aligned: `have` holds the source bytes up to the next aligned word,
 * in its low bits. @n is at least two words.
 */
static __no_idiom size_t copy_words_shifted(u8 *dst, const u8 *src, size_t n)
{
	size_t off = misalignment(src), nhave = WORD - off;
	unsigned int low = 8 * (unsigned int)nhave, high = 8 * (unsigned int)off;
	word_t *d = (word_t *)dst, have = 0, next;
	const word_t *s = (const word_t *)(src + nhave);
	size_t left = n;

	for (size_t i = 0; i < nhave; i++)
		have |= (word_t)src[i] << (8 * i);
	for (; left >= nhave + WORD; left -= WORD) {
		next = *s++;
		*d++ = have | (next << low);
		have = next >> high;
	}
	return n - left;
}

static __always_inline void copy_up(u8 *d, const u8 *s, size_t n)
{
	size_t done;

	if (n >= SMALL) {
		for (; misalignment(d); n--)
			*d++ = *s++;
		if (!misalignment(s))
			done = copy_words(d, s, n);
		else
			done = copy_words_shifted(d, s, n);
		d += done;
		s += done;
		n -= done;
	}
	while (n--)
		*d++ = *s++;
}

__no_idiom void *memcpy(void *dst, const void *src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

/* Copy downwards from the end, by words when both ends are equally aligned. */
static __no_idiom void copy_down(u8 *dst, const u8 *src, size_t n)
{
	if (n >= SMALL && misalignment(dst) == misalignment(src)) {
		for (; misalignment(dst + n); n--)
			dst[n - 1] = src[n - 1];
		for (; n >= WORD; n -= WORD)
			*(word_t *)(dst + n - WORD) = *(const word_t *)(src + n - WORD);
	}
	for (; n; n--)
		dst[n - 1] = src[n - 1];
}

__no_idiom void *memmove(void *dst, const void *src, size_t n)
{
	/* Upwards is right when dst is below src, or not inside [src, src + n). */
	if ((unsigned long)dst - (unsigned long)src >= n)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

#endif /* !CONFIG_ARCH_HAS_MEMCPY */

#ifndef CONFIG_ARCH_HAS_MEMSET

__no_idiom void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	word_t w = (u8)c * (~0UL / 0xff), *p;

	if (n >= SMALL) {
		for (; misalignment(d); n--)
			*d++ = (u8)c;
		p = (word_t *)d;
		for (; n >= ROUND; n -= ROUND, p += 8) {
			p[0] = w;
			p[1] = w;
			p[2] = w;
			p[3] = w;
			p[4] = w;
			p[5] = w;
			p[6] = w;
			p[7] = w;
		}
		for (; n >= WORD; n -= WORD)
			*p++ = w;
		d = (u8 *)p;
	}
	while (n--)
		*d++ = (u8)c;
	return dst;
}

#endif /* !CONFIG_ARCH_HAS_MEMSET */

void memzero_explicit(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

__no_idiom int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	if (misalignment(x) == misalignment(y)) {
		for (; n && misalignment(x); n--, x++, y++)
			if (*x != *y)
				return *x - *y;
		while (n >= WORD && *(const word_t *)x == *(const word_t *)y) {
			x += WORD;
			y += WORD;
			n -= WORD;
		}
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n--; p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

/* ---- Strings ---- */

__no_idiom size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

char *strstr(const char *haystack, const char *needle)
{
	size_t n = strlen(needle);

	for (; strncmp(haystack, needle, n); haystack++)
		if (!*haystack)
			return NULL;
	return (char *)haystack;
}

size_t strspn(const char *s, const char *accept)
{
	size_t n = 0;

	while (s[n] && strchr(accept, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] && !strchr(reject, s[n]))
		n++;
	return n;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (size) {
		n = min(len, size - 1);
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	return used + strlcpy(dst + used, src, size - used);
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len;

	if (!size)
		return -E2BIG;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return (ssize_t)len;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return -E2BIG;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ---- Numbers ---- */

/* The value of a digit in bases up to 36; 36 for anything else. */
static unsigned int digit_value(char c)
{
	if (isdigit((u8)c))
		return (unsigned int)(c - '0');
	if (isalpha((u8)c))
		return (unsigned int)(tolower((u8)c) - 'a' + 10);
	return 36;
}

/* Step over a prefix that a digit follows, and find the base. */
static const char *parse_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

/* The digits at @s. Return the first character after them, @s when there are none. */
static const char *parse_digits(const char *s, unsigned int base, u64 *out, bool *overflow)
{
	const char *p = parse_prefix(s, &base);
	const char *first = p;
	unsigned int digit;
	u64 v = 0;

	*overflow = false;
	for (; (digit = digit_value(*p)) < base; p++)
		if (mul_overflow(v, (u64)base, &v) || add_overflow(v, (u64)digit, &v))
			*overflow = true;
	*out = v;
	return p == first ? s : p;
}

/* A whole string without its sign. */
static int parse_whole(const char *s, unsigned int base, u64 *out)
{
	bool overflow;
	const char *end = parse_digits(s, base, out, &overflow);

	if (end == s)
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	return overflow ? -ERANGE : 0;
}

int kstrtou64(const char *s, unsigned int base, u64 *out)
{
	u64 v;
	int err = parse_whole(*s == '+' ? s + 1 : s, base, &v);

	if (!err)
		*out = v;
	return err;
}

int kstrtos64(const char *s, unsigned int base, s64 *out)
{
	bool negative = *s == '-';
	u64 v, limit = (u64)S64_MAX + negative;
	int err;

	err = negative ? parse_whole(s + 1, base, &v) : kstrtou64(s, base, &v);
	if (err)
		return err;
	if (v > limit)
		return -ERANGE;
	*out = (s64)(negative ? -v : v);
	return 0;
}

int kstrtou32(const char *s, unsigned int base, u32 *out)
{
	u64 v;
	int err = kstrtou64(s, base, &v);

	if (err)
		return err;
	if (v > U32_MAX)
		return -ERANGE;
	*out = (u32)v;
	return 0;
}

int kstrtos32(const char *s, unsigned int base, s32 *out)
{
	s64 v;
	int err = kstrtos64(s, base, &v);

	if (err)
		return err;
	if (v < S32_MIN || v > S32_MAX)
		return -ERANGE;
	*out = (s32)v;
	return 0;
}

int kstrtobool(const char *s, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },	  { "y", true },      { "yes", true }, { "on", true },
		{ "true", true }, { "0", false },     { "n", false },  { "no", false },
		{ "off", false }, { "false", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(s, words[i].word) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

u64 strtou64(const char *s, const char **end, unsigned int base)
{
	bool overflow;
	u64 v;
	const char *p = parse_digits(s, base, &v, &overflow);

	if (end)
		*end = p;
	return overflow ? U64_MAX : v;
}

u64 memparse(const char *s, const char **end)
{
	static const char suffixes[] = "KMGTPE";
	const char *p, *suffix;
	u64 v = strtou64(s, &p, 0);

	suffix = p != s && *p ? strchr(suffixes, toupper((u8)*p)) : NULL;
	if (suffix) {
		if (mul_overflow(v, 1ULL << (10 * (suffix - suffixes + 1)), &v))
			v = U64_MAX;
		p++;
	}
	if (end)
		*end = p;
	return v;
}

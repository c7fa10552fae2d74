/* SPDX-License-Identifier: MIT */
/*
 * Names and times of FAT's entries. See fat.h.
 *
 * A name is kept twice: as 8 + 3 upper-case letters, and, if that is not all of it, as UTF-16 in entries before. Short names beyond ASCII
 * depend on a code page that the volume does not name: such letters are shown as _.
 */
#include <fs/fat/fat.h>
#include <kernel/time.h>
#include <lib/ctype.h>
#include <lib/hash.h>

u8 short_checksum(const u8 *name)
{
	u8 sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (u8)((sum & 1 ? 0x80 : 0) + (sum >> 1) + name[i]);
	return sum;
}

static size_t part_to_text(const u8 *s, size_t n, bool lower, char *out)
{
	size_t len = n;

	while (len && s[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = s[i] < 0x20 || s[i] >= 0x7f || s[i] == '/' ? '_' : (char)s[i];

		out[i] = lower ? (char)tolower(c) : c;
	}
	return len;
}

void short_to_text(const struct fat_entry *e, char *out)
{
	size_t n = part_to_text(e->name, 8, e->lcase & 8, out), ext;

	if (e->name[0] == 5) /* stands for 0xe5, which means removed */
		out[0] = '_';
	ext = part_to_text(e->name + 8, 3, e->lcase & 16, out + n + 1);
	out[n] = ext ? '.' : '\0';
	out[ext ? n + 1 + ext : n] = '\0';
}

/* One character of UTF-8. Bytes taken, 0: there is none. */
static size_t utf8_decode(const u8 *s, size_t len, u32 *out)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80			 ? 1
		   : s[0] >= 0xf0 && s[0] < 0xf8 ? 4
		   : s[0] >= 0xe0		 ? 3
		   : s[0] >= 0xc0		 ? 2
						 : 0;
	u32 c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	if (!n || n > len || s[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return n;
}

int utf8_to_utf16(const char *s, size_t len, u16 *out, size_t max)
{
	size_t at = 0, n = 0;

	while (at < len) {
		u32 c;
		size_t used = utf8_decode((const u8 *)s + at, len - at, &c);

		if (!used)
			return -EINVAL;
		if (n + 2 > max)
			return -ENAMETOOLONG;
		if (c >= 0x10000) {
			out[n++] = (u16)(0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		out[n++] = (u16)c;
		at += used;
	}
	return (int)n;
}

static size_t utf8_encode(u32 c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

int utf16_to_utf8(const u16 *s, size_t n, char *out, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		u32 c = s[i];

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < n && s[i + 1] >= 0xdc00 &&
		    s[i + 1] < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (s[++i] - 0xdc00u);
		else if ((c >= 0xd800 && c < 0xe000) || c < 0x20 || c == '/')
			return -EINVAL;
		if (len + 4 > max)
			return -ENAMETOOLONG;
		len += utf8_encode(c, out + len);
	}
	return (int)len;
}

int name_check(const char *name, size_t *len)
{
	while (*len && name[*len - 1] == '.')
		--*len;
	if (!*len)
		return -ENOENT;
	for (size_t i = 0; i < *len; i++)
		if ((u8)name[i] < 0x20 || strchr("\"*/:<>?\\|", name[i]))
			return -EINVAL;
	return name[*len - 1] == ' ' ? -EINVAL : 0;
}

bool name_equal(const char *a, size_t alen, const char *b)
{
	for (size_t i = 0; i < alen; i++)
		if (!b[i] || tolower((u8)a[i]) != tolower((u8)b[i]))
			return false;
	return !b[alen];
}

/* What a short name may hold; upper case only. */
static bool short_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'()-@^_`{}~", c));
}

bool name_is_short(const char *name, size_t len, u8 out[11])
{
	size_t at = 0, i;

	memset(out, ' ', 11);
	for (i = 0; i < len && name[i] != '.'; i++) {
		if (at == 8 || !short_char(name[i]))
			return false;
		out[at++] = (u8)name[i];
	}
	if (!at)
		return false;
	for (at = 8, i++; i < len; i++) {
		if (at == 11 || !short_char(name[i]))
			return false;
		out[at++] = (u8)name[i];
	}
	return name[len - 1] != '.';
}

static size_t basis_part(const char *s, size_t len, u8 *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < max; i++) {
		char c = (char)((u8)s[i] < 0x80 ? toupper(s[i]) : '_');

		if (c != ' ' && c != '.')
			out[n++] = (u8)(short_char(c) ? c : '_');
	}
	return n;
}

void name_basis(const char *name, size_t len, u8 out[11])
{
	size_t dot = len;

	while (dot && name[dot - 1] != '.')
		dot--;
	memset(out, ' ', 11);
	if (!basis_part(name, dot > 1 ? dot - 1 : len, out, 8))
		out[0] = '_';
	if (dot > 1)
		basis_part(name + dot, len - dot, out + 8, 3);
}

/* Put ~n at the end of the first eight. */
void name_number(u8 name[11], u32 n)
{
	char text[12];
	size_t len = (size_t)scnprintf(text, sizeof(text), "~%u", n), at = 0;

	while (at < 8 - len && name[at] != ' ')
		at++;
	memset(name + at, ' ', 8 - at);
	memcpy(name + at, text, len);
}

/* ---- times: two seconds are the finest; taken as UTC ---- */

static s64 days_from_civil(s64 y, u32 m, u32 d)
{
	y -= m <= 2;
	m = (m + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d - 1 - 719468;
}

u64 time_from_fat(u32 date, u32 time)
{
	u32 month = date >> 5 & 15, day = date & 31;
	s64 days = days_from_civil(1980 + (date >> 9), month ? month : 1, day ? day : 1);

	return ((u64)days * 86400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2) *
	       NSEC_PER_SEC;
}

void time_to_fat(u64 ns, u8 *date, u8 *time)
{
	u64 s = clamp(ns / NSEC_PER_SEC, 315532800ull, 4354819198ull), days = s / 86400;
	u32 year = 1980 + (u32)((days - 3652) / 366), month = 1;

	s %= 86400;
	while (year < 2107 && days_from_civil(year + 1, 1, 1) <= (s64)days)
		year++;
	while (month < 12 && days_from_civil(year, month + 1, 1) <= (s64)days)
		month++;
	put16(date, (year - 1980) << 9 | month << 5 |
			    (u32)((s64)days - days_from_civil(year, month, 1) + 1));
	if (time)
		put16(time, (u32)(s / 3600 << 11 | s / 60 % 60 << 5 | s % 60 / 2));
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own functions by name and address. See ksym.h.
 *
 * ksym_offsets is sorted, from the start of the text, one more at the end. Names follow each other in the same order, each a length and that many
 * bytes; a byte from 128 on stands for a string of ksym_tokens. ksym_markers says where every 32nd name begins.
 */
#include <compiler.h>
#include <kernel/ksym.h>
#include <lib/printf.h>
#include <lib/string.h>

#define GROUP 32

extern const u32 ksym_count, ksym_offsets[], ksym_markers[];
extern const u16 ksym_token_offsets[];
extern const char ksym_tokens[];
extern const u8 ksym_names[];
extern char __text_start[], __text_end[];

/* Spell the name at @p out. Return: the next one. */
static const u8 *decode(const u8 *p, char *name)
{
	size_t len = *p++, n = 0;

	for (; len; len--, p++) {
		const char *s = (const char *)p;
		size_t part = 1;

		if (*p >= 128) {
			unsigned int t = *p - 128u;

			s = ksym_tokens + ksym_token_offsets[t];
			part = ksym_token_offsets[t + 1] - ksym_token_offsets[t];
		}
		if (n + part >= KSYM_NAME)
			part = KSYM_NAME - 1 - n;
		memcpy(name + n, s, part);
		n += part;
	}
	name[n] = '\0';
	return p;
}

static void name_of(unsigned int i, char *name)
{
	const u8 *p = ksym_names + ksym_markers[i / GROUP];

	for (unsigned int k = i % GROUP; k; k--)
		p += 1 + *p;
	decode(p, name);
}

/* The function that contains @addr, or -1. */
static int find(unsigned long addr)
{
	u32 off = (u32)(addr - (unsigned long)__text_start);
	u32 low = 0, high = READ_ONCE(ksym_count);

	if (addr < (unsigned long)__text_start || addr >= (unsigned long)__text_end)
		return -1;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ksym_offsets[mid] <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return (int)low - 1;
}

static unsigned long address(unsigned int i)
{
	return (unsigned long)__text_start + ksym_offsets[i];
}

unsigned long ksym_address(const char *name)
{
	const u8 *p = ksym_names;
	char text[KSYM_NAME];

	for (u32 i = 0; i < READ_ONCE(ksym_count); i++) {
		p = decode(p, text);
		if (!strcmp(text, name))
			return address(i);
	}
	return 0;
}

unsigned long ksym_start(unsigned long addr)
{
	int i = find(addr);

	return i < 0 ? 0 : address((unsigned int)i);
}

bool ksym_lookup(unsigned long addr, char *name, unsigned long *offset, unsigned long *size)
{
	int i = find(addr);

	if (i < 0)
		return false;
	name_of((unsigned int)i, name);
	*offset = addr - address((unsigned int)i);
	*size = address((unsigned int)i + 1) - address((unsigned int)i);
	return true;
}

void ksym_print(struct printbuf *pb, unsigned long addr)
{
	unsigned long offset, size;
	char name[KSYM_NAME];

	if (ksym_lookup(addr, name, &offset, &size))
		printbuf_printf(pb, "%s+0x%lx/0x%lx", name, offset, size);
	else
		printbuf_printf(pb, "0x%lx", addr);
}

bool ksym_at(unsigned int i, unsigned long *addr, char *name)
{
	if (i >= READ_ONCE(ksym_count))
		return false;
	name_of(i, name);
	*addr = address(i);
	return true;
}

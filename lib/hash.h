/* SPDX-License-Identifier: MIT */
/*
 * Hash functions. All of them for tables in memory: the values may change with the version.
 *
 * hash_name is fast and takes a salt; siphash is for tables whose keys an attacker chooses and
 * whose chains he must not be able to make long (a secret random key; SipHash-2-4).
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <compiler.h>
#include <types.h>

#define HASH_GOLDEN_64	0x9e3779b97f4a7c15ULL	/* 2^64 divided by the golden ratio */

/* @bits (1 to 64) well mixed bits of a number. */
static __always_inline u64 hash_64(u64 v, unsigned int bits)
{
	v ^= v >> 32;
	return (v * HASH_GOLDEN_64) >> (64 - bits);
}

static __always_inline unsigned long hash_long(unsigned long v, unsigned int bits)
{
	return (unsigned long)hash_64(v, bits);
}

static __always_inline unsigned long hash_ptr(const void *p, unsigned int bits)
{
	return hash_long((unsigned long)p, bits);
}

/**
 * full_name_hash - hash a name of known length
 * @salt: mixed in; for dentries the parent directory
 * @name: the bytes, any alignment, not read beyond @len
 * @len: their number
 *
 * Return: 64 bits, each of them well mixed: take as many as the table needs from either end.
 */
u64 full_name_hash(const void *salt, const char *name, size_t len);

struct siphash_key {
	u64 k[2];
};

/* SipHash-2-4 of @len bytes. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
u64 siphash(const void *data, size_t len, const struct siphash_key *key);

/* SipHash-1-3 of two numbers, @a first: less than half as long. The same as of their 16 bytes, little endian. */
u64 siphash_pair(u64 a, u64 b, const struct siphash_key *key);

#endif /* LIB_HASH_H */

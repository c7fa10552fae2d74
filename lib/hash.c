/* SPDX-License-Identifier: MIT */
/*
 * Hash functions of byte strings. The interface is in lib/hash.h.
 */
#include <lib/bitops.h>
#include <lib/byteorder.h>
#include <lib/hash.h>

/* The last 0 to 7 bytes as a number. */
static u64 load_tail(const u8 *p, size_t len)
{
	u64 v = 0;

	for (size_t i = 0; i < len; i++)
		v |= (u64)p[i] << (8 * i);
	return v;
}

u64 full_name_hash(const void *salt, const char *name, size_t len)
{
	const u8 *p = (const u8 *)name;
	u64 h = (u64)(unsigned long)salt ^ ((u64)len * HASH_GOLDEN_64);
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		h = (rol64(h, 23) ^ get_le64(p)) * HASH_GOLDEN_64;
	h = (rol64(h, 23) ^ load_tail(p, left)) * HASH_GOLDEN_64;
	/* A product is good in its high bits only: fold them down, twice. */
	h = (h ^ (h >> 32)) * HASH_GOLDEN_64;
	return h ^ (h >> 29);
}

struct sip_state {
	u64 v0, v1, v2, v3;
};

static __always_inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rol64(s->v1, 13) ^ s->v0;
	s->v0 = rol64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rol64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rol64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rol64(s->v1, 17) ^ s->v2;
	s->v2 = rol64(s->v2, 32);
}

static __always_inline void sip_absorb(struct sip_state *s, u64 word, int rounds)
{
	s->v3 ^= word;
	for (int i = 0; i < rounds; i++)
		sip_round(s);
	s->v0 ^= word;
}

static __always_inline struct sip_state sip_start(const struct siphash_key *key)
{
	return (struct sip_state){
		.v0 = key->k[0] ^ 0x736f6d6570736575ULL,
		.v1 = key->k[1] ^ 0x646f72616e646f6dULL,
		.v2 = key->k[0] ^ 0x6c7967656e657261ULL,
		.v3 = key->k[1] ^ 0x7465646279746573ULL,
	};
}

static __always_inline u64 sip_end(struct sip_state *s, int rounds)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < rounds; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

u64 siphash(const void *data, size_t len, const struct siphash_key *key)
{
	struct sip_state s = sip_start(key);
	const u8 *p = data;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		sip_absorb(&s, get_le64(p), 2);
	sip_absorb(&s, load_tail(p, left) | (u64)len << 56, 2);
	return sip_end(&s, 4);
}

u64 siphash_pair(u64 a, u64 b, const struct siphash_key *key)
{
	struct sip_state s = sip_start(key);

	sip_absorb(&s, a, 1);
	sip_absorb(&s, b, 1);
	sip_absorb(&s, 16ULL << 56, 1);
	return sip_end(&s, 3);
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel's random generator (kernel/random.h).
 *
 * The state is one ChaCha20 key. Each request takes one block of key stream: half of it becomes the next key, the other half
 * the key of this request's own stream, so that neither earlier nor concurrent output can be found from what is left.
 * Single words come from a pool made in one go, because a signal or an exec needs one each time; a word is erased as it is
 * handed out.
 * Locking: `lock` for the key and the pool, interrupts off.
 */
#include <bearssl_block.h>
#include <bearssl_hash.h>
#include <hal/rand.h>
#include <hal/timer.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <lib/string.h>
#include <lock.h>

static struct spinlock lock = SPINLOCK_INIT(RANK_CONSOLE);
static u8 key[32];
static const u8 zero_nonce[12];

/* One request of four blocks: the next key and the words. */
static struct {
	u8 key[32];
	u64 word[28];
} pool;
static unsigned int pool_left;

/* key := SHA-256(key, data). */
void random_mix(const void *data, size_t n)
{
	br_sha256_context ctx;
	unsigned long flags = spin_lock_irqsave(&lock);

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, key, sizeof(key));
	br_sha256_update(&ctx, data, n);
	br_sha256_out(&ctx, key);
	pool_left = 0;
	spin_unlock_irqrestore(&lock, flags);
	memzero_explicit(&ctx, sizeof(ctx));
}

void random_seed(void)
{
	u8 seed[64];
	u64 now = hal_clock_ns();
	unsigned int bits = hal_rand_seed(seed, sizeof(seed));

	random_mix(seed, sizeof(seed));
	random_mix(&now, sizeof(now));
	memzero_explicit(seed, sizeof(seed));
	if (bits < 128)
		pr_warn("random: the machine gave only %u bits of entropy\n", bits);
}

void random_bytes(void *buf, size_t n)
{
	u8 block[64] = { 0 };
	unsigned long flags = spin_lock_irqsave(&lock);

	br_chacha20_ct_run(key, zero_nonce, 0, block, sizeof(block));
	memcpy(key, block, sizeof(key));
	spin_unlock_irqrestore(&lock, flags);
	if (n <= 32) {
		memcpy(buf, block + 32, n);
	} else {
		memset(buf, 0, n);
		br_chacha20_ct_run(block + 32, zero_nonce, 0, buf, n);
	}
	memzero_explicit(block, sizeof(block));
}

static void pool_fill(void)
{
	memset(&pool, 0, sizeof(pool));
	br_chacha20_ct_run(key, zero_nonce, 0, &pool, sizeof(pool));
	memcpy(key, pool.key, sizeof(key));
	memzero_explicit(pool.key, sizeof(pool.key));
	pool_left = ARRAY_SIZE(pool.word);
}

u64 random_u64(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	u64 word;

	if (pool_left == 0)
		pool_fill();
	word = pool.word[--pool_left];
	pool.word[pool_left] = 0;
	spin_unlock_irqrestore(&lock, flags);
	return word;
}

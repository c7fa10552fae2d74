/* SPDX-License-Identifier: MIT */
/*
 * The kernel's random generator (kernel/random.h).
 *
 * The state is one ChaCha20 key. Each request takes one block of key stream: half of it becomes the next key, the other half
 * the key of this request's own stream, so that neither earlier nor concurrent output can be found from what is left.
 * Locking: `lock` for the key, interrupts off.
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

/* key := SHA-256(key, data). */
void random_mix(const void *data, size_t n)
{
	br_sha256_context ctx;
	unsigned long flags = spin_lock_irqsave(&lock);

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, key, sizeof(key));
	br_sha256_update(&ctx, data, n);
	br_sha256_out(&ctx, key);
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

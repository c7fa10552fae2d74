/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache: names that were looked up, present or absent.
 *
 * d_lookup() finds (parent, name) in a hash table; d_alloc() + d_instantiate() + d_hash() enter one; dput() gives a
 * reference back and leaves the dentry cached; dcache_shrink() frees the ones without users, oldest first.
 *
 * Locking: a bucket's lock guards its chain and the end of its dentries. lru_lock is inside it (the shrinker, which goes the
 * other way, only tries the bucket's). dcache_rename_lock guards names and parents against d_move() and is outside the
 * buckets' locks; who compares names holds the bucket's lock, which d_move() holds too, or looks at tree_changes.
 *
 * References are taken and given back without a lock. A hashed dentry on the LRU list has nothing to do at its last dput();
 * of any other that is not so DREF_LAST tells, and the bucket's lock is taken. DREF_DEAD, set under it when refs is 0, or the
 * last user's own, decides between the end and a reader that has just found the dentry (dget_alive()).
 *
 * Readers without locks (d_lookup_quick(), kernel/retire.h) find only what is hashed; a chain may change under them, so they may
 * miss what is there, and then ask again with the lock. The memory of a dentry and of its name is retired.
 */
#include <fs/internal.h>
#include <lib/hash.h>

#define BUCKET_BITS 11
#define LRU_MAX	    20000u /* unused dentries kept */

static struct bucket {
	struct spinlock lock;
	struct hlist_head chain;
} buckets[1u << BUCKET_BITS];

struct spinlock dcache_rename_lock = SPINLOCK_INIT(RANK_DENTRY);
struct tree_changes tree_changes;
static struct spinlock lru_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct list lru = LIST_HEAD_INIT(lru);
static unsigned long lru_count;
static struct kmem_cache *dentry_cache;

void dcache_init(void)
{
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 64);
	for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
		spin_init(&buckets[i].lock, RANK_DENTRY);
}

static struct bucket *bucket_of(u64 hash)
{
	return &buckets[hash >> (64 - BUCKET_BITS)];
}

struct dentry *d_alloc(struct super *sb, struct dentry *parent, const char *name, size_t len)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache, GFP_KERNEL);
	char *text;

	if (!d)
		return NULL;
	text = d->inline_name;
	if (len >= sizeof(d->inline_name) && !(text = kmalloc(len + 1, GFP_KERNEL))) {
		kmem_cache_free(dentry_cache, d);
		return NULL;
	}
	memcpy(text, name, len);
	text[len] = '\0';
	d->inline_name[sizeof(d->inline_name) - 1] = '\0';
	d->refs = DREF_LAST | 1;
	d->flags = 0;
	d->mounts = 0;
	d->name = text;
	d->len = (u32)len;
	d->sb = sb;
	d->inode = NULL;
	d->cookie = 0;
	hlist_node_init(&d->hash_link);
	list_init(&d->lru);
	d->parent = parent ? dget(parent) : d;
	d->hash = full_name_hash(d->parent, text, len);
	return d;
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	__atomic_store_n(&d->inode, inode, __ATOMIC_RELEASE);
}

void d_hash(struct dentry *d)
{
	struct bucket *b = bucket_of(d->hash);

	spin_lock(&b->lock);
	hlist_publish_head(&d->hash_link, &b->chain);
	spin_unlock(&b->lock);
}

void d_drop(struct dentry *d)
{
	struct bucket *b;

	spin_lock(&dcache_rename_lock);
	b = bucket_of(d->hash);
	spin_lock(&b->lock);
	hlist_del(&d->hash_link);
	__atomic_fetch_or(&d->refs, DREF_LAST, __ATOMIC_RELAXED);
	spin_unlock(&b->lock);
	spin_unlock(&dcache_rename_lock);
}

struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len)
{
	u64 hash = full_name_hash(parent, name, len);
	struct bucket *b = bucket_of(hash);
	struct dentry *d;

	spin_lock(&b->lock);
	hlist_for_each_entry(d, &b->chain, hash_link)
		if (d->hash == hash && d->parent == parent && d->len == len &&
		    !memcmp(d->name, name, len)) {
			__atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
			break;
		}
	spin_unlock(&b->lock);
	return d;
}

/*
 * What d_move() changes meanwhile shows in tree_changes. The text is compared only after a look there: then its length belongs to it, and stays in
 * its memory even if it is being exchanged.
 */
struct dentry *d_lookup_quick(struct dentry *parent, const char *name, size_t len, u64 seen)
{
	u64 hash = full_name_hash(parent, name, len);
	struct dentry *d;

	hlist_for_each_entry_quick(d, &bucket_of(hash)->chain, hash_link) {
		const char *text = READ_ONCE(d->name);

		if (READ_ONCE(d->hash) != hash || READ_ONCE(d->parent) != parent ||
		    READ_ONCE(d->len) != len)
			continue;
		if (tree_changed(seen))
			return NULL;
		if (!memcmp(text, name, len))
			return d;
	}
	return NULL;
}

static void lru_remove(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (d->flags & DENTRY_LRU) {
		list_del(&d->lru);
		d->flags &= ~DENTRY_LRU;
		lru_count--;
	}
	spin_unlock(&lru_lock);
}

static void dentry_free(struct retired *r)
{
	struct dentry *d = container_of(r, struct dentry, retired);

	if (d->name != d->inline_name)
		kfree(d->name);
	kmem_cache_free(dentry_cache, d);
}

/* Free a dentry that nobody can find any more. Returns its parent, whose reference the caller now owns; NULL: a root. */
static struct dentry *d_free(struct dentry *d)
{
	struct dentry *parent = d->parent != d ? d->parent : NULL;

	if (d->flags & DENTRY_LRU)
		lru_remove(d);
	if (d->inode)
		inode_put(d->inode);
	retire(&d->retired, dentry_free);
	return parent;
}

/* The lock of the chain that @d is in, or would be. */
static struct bucket *lock_bucket(struct dentry *d)
{
	for (;;) {
		struct bucket *b = bucket_of(READ_ONCE(d->hash));

		spin_lock(&b->lock);
		if (likely(bucket_of(READ_ONCE(d->hash)) == b))
			return b;
		spin_unlock(&b->lock);
	}
}

/* Onto the LRU list, if it is not there. Return: the list is too long. */
static bool lru_add(struct dentry *d)
{
	bool full = false;

	spin_lock(&lru_lock);
	if (!(d->flags & DENTRY_LRU)) {
		list_add_tail(&d->lru, &lru);
		d->flags |= DENTRY_LRU;
		full = ++lru_count > LRU_MAX;
	}
	/* Under the lock: the shrinker finds it unused, or used. */
	__atomic_fetch_sub(&d->refs, DREF_LAST | 1, __ATOMIC_RELEASE);
	spin_unlock(&lru_lock);
	return full;
}

/* The caller's is the only reference, or was, and there is something to do. Returns true if the dentry must be freed. */
static bool dput_last(struct dentry *d)
{
	struct bucket *b = lock_bucket(d);
	bool dead = false, shrink = false;

	if (!d_unhashed(d) && !(d->flags & DENTRY_NOCACHE)) {
		shrink = lru_add(d);
	} else {
		u32 old = READ_ONCE(d->refs);

		/* A reader may have got one meanwhile: then that is the last. */
		do
			dead = old == (DREF_LAST | 1);
		while (!try_cmpxchg(&d->refs, &old, dead ? DREF_DEAD : old - 1));
		if (dead)
			hlist_del(&d->hash_link);
	}
	spin_unlock(&b->lock);
	if (shrink)
		dcache_shrink(LRU_MAX / 16);
	return dead;
}

void dput(struct dentry *d)
{
	while (d) {
		u32 old = READ_ONCE(d->refs);

		while (old != (DREF_LAST | 1))
			if (__atomic_compare_exchange_n(&d->refs, &old, old - 1, false,
							__ATOMIC_RELEASE, __ATOMIC_RELAXED))
				return;
		if (!dput_last(d))
			return;
		d = d_free(d);
	}
}

/* End @d if nobody uses it. If somebody does, and @unlist, it comes back to the LRU list with its last dput(). Bucket's lock held. */
static bool kill_unused(struct dentry *d, bool unlist)
{
	u32 old = READ_ONCE(d->refs);

	do {
		if (old && !unlist)
			return false;
	} while (!try_cmpxchg(&d->refs, &old, old ? old | DREF_LAST : DREF_DEAD));
	return !old;
}

/* Take one unused dentry (of @sb, of @inode and what is in it, or any) off the list and out of the hash; NULL if there is none. */
static struct dentry *lru_pop(struct super *sb, struct inode *inode)
{
	struct dentry *d, *next, *victim = NULL;

	spin_lock(&lru_lock);
	list_for_each_entry_safe(d, next, &lru, lru) {
		struct bucket *b = bucket_of(d->hash);

		if ((sb && d->sb != sb) || !spin_trylock(&b->lock))
			continue;
		if (bucket_of(d->hash) != b || (READ_ONCE(d->refs) & DREF_DEAD)) {
			spin_unlock(&b->lock);
			continue;
		}
		if ((!inode || d_inode(d) == inode || d_inode(d->parent) == inode) &&
		    kill_unused(d, !sb && !inode)) {
			hlist_del(&d->hash_link);
			victim = d;
		}
		if ((!sb && !inode) || victim) {
			list_del(&d->lru);
			d->flags &= ~DENTRY_LRU;
			lru_count--;
		}
		spin_unlock(&b->lock);
		if (victim)
			break;
	}
	spin_unlock(&lru_lock);
	return victim;
}

unsigned long dcache_shrink(unsigned long n)
{
	unsigned long done = 0;
	struct dentry *d;

	while (done < n && (d = lru_pop(NULL, NULL)) != NULL) {
		dput(d_free(d));
		done++;
	}
	return done;
}

void dcache_shrink_super(struct super *sb)
{
	struct dentry *d;

	while ((d = lru_pop(sb, NULL)) != NULL)
		dput(d_free(d));
}

void d_forget_inode(struct inode *inode)
{
	struct dentry *d;

	/* The caller's is the only name: removing files does not look through the whole cache. */
	if (!S_ISDIR(inode->mode) && refcount_read(&inode->refs) == 1)
		return;
	while ((d = lru_pop(inode->sb, inode)) != NULL)
		dput(d_free(d));
}

/* By inodes: a directory may have several spellings of its name. */
bool d_is_ancestor(struct dentry *a, struct dentry *d)
{
	struct inode *inode = d_inode(a);
	bool yes;

	spin_lock(&dcache_rename_lock);
	while (d != a && d->parent != d && (!inode || d_inode(d) != inode))
		d = d->parent;
	yes = d == a || (inode && d_inode(d) == inode);
	spin_unlock(&dcache_rename_lock);
	return yes;
}

static void lock_two(struct bucket *a, struct bucket *b)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock(&b->lock);
}

static void unlock_two(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

/* Exchange the names of two dentries, wherever their text is kept. */
static void swap_names(struct dentry *a, struct dentry *b)
{
	bool a_inline = a->name == a->inline_name, b_inline = b->name == b->inline_name;

	for (size_t i = 0; i < sizeof(a->inline_name); i++)
		swap(a->inline_name[i], b->inline_name[i]);
	swap(a->name, b->name);
	swap(a->len, b->len);
	if (b_inline)
		a->name = a->inline_name;
	if (a_inline)
		b->name = b->inline_name;
}

/*
 * Names, parents and hashes of the two are exchanged; without @exchange the target, which then bears the old name, leaves
 * the hash. The parents' references go along. Who compares under the bucket's lock sees all or nothing; to others it shows in tree_changes.
 */
int d_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct bucket *from, *to;

	spin_lock(&dcache_rename_lock);
	from = bucket_of(d->hash);
	to = bucket_of(target->hash);
	lock_two(from, to);
	tree_change_begin(&tree_changes.names);
	hlist_del(&d->hash_link);
	hlist_del(&target->hash_link);
	swap_names(d, target);
	swap(d->parent, target->parent);
	swap(d->hash, target->hash);
	hlist_publish_head(&d->hash_link, &to->chain);
	if (exchange)
		hlist_publish_head(&target->hash_link, &from->chain);
	else
		__atomic_fetch_or(&target->refs, DREF_LAST, __ATOMIC_RELAXED);
	tree_change_end(&tree_changes.names);
	unlock_two(from, to);
	spin_unlock(&dcache_rename_lock);
	return 0;
}

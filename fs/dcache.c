/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache: names that were looked up, present or absent.
 *
 * d_lookup() finds (parent, name) in a hash table; d_alloc() + d_instantiate() + d_hash() enter one; dput() gives a
 * reference back and leaves the dentry cached; dcache_shrink() frees the ones without users, oldest first.
 *
 * Locking: a bucket's lock guards its chain, and refs going from 0 to 1, and from 1 to 0. lru_lock is inside it (the
 * shrinker, which goes the other way, only tries the bucket's). dcache_rename_lock guards names and parents against
 * d_move() and is outside the buckets' locks; who compares names holds the bucket's lock, which d_move() holds too.
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
unsigned int tree_moves;
static struct spinlock lru_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct list lru = LIST_HEAD_INIT(lru);
static unsigned long lru_count;
static struct kmem_cache *dentry_cache;

void dcache_init(void)
{
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 0);
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
	d->refs = 1;
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
	hlist_add_head(&d->hash_link, &b->chain);
	spin_unlock(&b->lock);
}

void d_drop(struct dentry *d)
{
	struct bucket *b;

	spin_lock(&dcache_rename_lock);
	b = bucket_of(d->hash);
	spin_lock(&b->lock);
	hlist_del(&d->hash_link);
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

/* Free a dentry that nobody can find any more. Returns its parent, whose reference the caller now owns; NULL: a root. */
static struct dentry *d_free(struct dentry *d)
{
	struct dentry *parent = d->parent != d ? d->parent : NULL;

	if (d->flags & DENTRY_LRU)
		lru_remove(d);
	if (d->inode)
		inode_put(d->inode);
	if (d->name != d->inline_name)
		kfree(d->name);
	kmem_cache_free(dentry_cache, d);
	return parent;
}

/* The slow end of dput: the count may become 0. Returns true if the dentry must be freed. */
static bool dput_last(struct dentry *d)
{
	struct bucket *b = bucket_of(d->hash);
	bool dead = false, shrink = false;

	spin_lock(&b->lock);
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		if (d_unhashed(d) || (d->flags & DENTRY_NOCACHE)) {
			hlist_del(&d->hash_link);
			dead = true;
		} else if (!(d->flags & DENTRY_LRU)) {
			spin_lock(&lru_lock);
			list_add_tail(&d->lru, &lru);
			d->flags |= DENTRY_LRU;
			shrink = ++lru_count > LRU_MAX;
			spin_unlock(&lru_lock);
		}
	}
	spin_unlock(&b->lock);
	if (shrink)
		dcache_shrink(LRU_MAX / 16);
	return dead;
}

void dput(struct dentry *d)
{
	while (d) {
		u32 old = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

		while (old > 1)
			if (__atomic_compare_exchange_n(&d->refs, &old, old - 1, false,
							__ATOMIC_RELEASE, __ATOMIC_RELAXED))
				return;
		if (!dput_last(d))
			return;
		d = d_free(d);
	}
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
		if (bucket_of(d->hash) == b && d->refs == 0 &&
		    (!inode || d_inode(d) == inode || d_inode(d->parent) == inode)) {
			hlist_del(&d->hash_link);
			victim = d;
		}
		if ((!sb && !inode) || victim) { /* in use: it comes back with its last dput */
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
 * the hash. The parents' references go along. Readers compare under the bucket's lock, so they see all or nothing.
 */
int d_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct bucket *from, *to;

	spin_lock(&dcache_rename_lock);
	from = bucket_of(d->hash);
	to = bucket_of(target->hash);
	lock_two(from, to);
	hlist_del(&d->hash_link);
	hlist_del(&target->hash_link);
	swap_names(d, target);
	swap(d->parent, target->parent);
	swap(d->hash, target->hash);
	tree_moved();
	hlist_add_head(&d->hash_link, &to->chain);
	if (exchange)
		hlist_add_head(&target->hash_link, &from->chain);
	unlock_two(from, to);
	spin_unlock(&dcache_rename_lock);
	return 0;
}

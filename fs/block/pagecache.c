/* SPDX-License-Identifier: MIT */
/*
 * Pages of files on disks. See pagecache.h.
 *
 * A page enters the cache only when it is filled, under cache->io, so who finds one may use it at once. A miss
 * brings the pages behind it along, up to READ_AHEAD.
 *
 * Writing back a page clears its dirty mark first, then takes it away from every shared mapping, then writes it. A store before it is taken
 * away is in the page when it is written; a store after it faults, and mm marks the page dirty again after entering it. So none is lost:
 *
 *	write-back			fault
 *	clear dirty
 *					enter the page writable
 *	unmap (waits for pt_lock)	mark it dirty
 *	write
 *
 * Clean pages that nobody uses go when memory is short (a shrinker). Dirty ones may be an eighth of memory before who writes has to wait.
 */
#include <drivers/block/disk.h>
#include <fs/block/pagecache.h>
#include <fs/internal.h>
#include <kernel/defer.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <mm/vm.h>
#include <uapi/mman.h>
#include <uapi/uio.h>

#define READ_AHEAD	32u
#define BATCH		32u
#define FLUSH_DELAY_NS (5 * NSEC_PER_SEC) /* from the first dirty page on */

static struct spinlock cache_lock = SPINLOCK_INIT(RANK_DENTRY);
static DEFINE_LIST(caches);
static DEFINE_LIST(dirty_caches);
static atomic64_t dirty_pages;
static u64 dirty_limit;

static void flush_all(struct deferred *d);
static struct deferred_timer flush = DEFERRED_TIMER_INIT(flush, flush_all);

static const struct vm_object_ops object_ops;

static u64 file_pages(const struct inode *inode)
{
	return DIV_ROUND_UP(READ_ONCE(inode->size), PAGE_SIZE);
}

/* ---- dirty pages ---- */

void cache_part_dirty(struct inode *inode, struct page *page, size_t at, size_t len)
{
	struct cache *c = inode->cache;
	unsigned int first = (unsigned int)at >> SECTOR_SHIFT,
		     last = (unsigned int)(at + len - 1) >> SECTOR_SHIFT;

	page_written(page);
	__atomic_fetch_or(&page->private_data, (2ULL << last) - (1ULL << first), __ATOMIC_RELEASE);
	if (atomic_set_bits8(&page->flags, PAGE_DIRTY) & PAGE_DIRTY)
		return;
	atomic64_inc(&dirty_pages);
	defer_after(&flush, FLUSH_DELAY_NS);
	if (!list_empty(&c->dirty))
		return;
	spin_lock(&cache_lock);
	if (list_empty(&c->dirty))
		list_add_tail(&c->dirty, &dirty_caches);
	spin_unlock(&cache_lock);
}

void cache_page_dirty(struct inode *inode, struct page *page)
{
	cache_part_dirty(inode, page, 0, PAGE_SIZE);
}

/* Take the mark off. Return: it was there. */
static bool page_clean(struct page *page)
{
	if (!(atomic_clear_bits8(&page->flags, PAGE_DIRTY) & PAGE_DIRTY))
		return false;
	atomic64_dec(&dirty_pages);
	return true;
}

/* The next dirty pages in a row from *index on, made clean, each with a reference. Return: how many; *index is the first. */
static unsigned int take_dirty(struct inode *inode, u64 *index, u64 last, struct page **pages)
{
	struct vm_object *obj = &inode->object;
	unsigned int n = 0;
	u64 at = *index;
	struct page *page;

	spin_lock(&obj->lock);
	while (n < BATCH && at <= last && (page = xa_find(&obj->pages, &at, last))) {
		if (n && at != *index + n)
			break;
		if (page_clean(page)) {
			if (!n)
				*index = at;
			page_get(page);
			pages[n++] = page;
		} else if (n) {
			break;
		}
		at++;
	}
	spin_unlock(&obj->lock);
	return n;
}

static int write_batch(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	struct cache *c = inode->cache;
	int r;

	if (!list_empty(&inode->object.maps))
		vm_object_unmap_shared(&inode->object, index, index + n - 1);
	mutex_lock(&c->io);
	r = c->ops->write(inode, index, pages, n);
	mutex_unlock(&c->io);
	for (unsigned int i = 0; i < n; i++)
		page_put(pages[i]);
	return r;
}

int cache_writeback(struct inode *inode, u64 first, u64 last)
{
	struct page *pages[BATCH];
	unsigned int n;
	u64 index = first;
	int r = 0;

	rwsem_down_read(&inode->lock);
	if (!first && last == U64_MAX) {
		spin_lock(&cache_lock);
		list_del_init(&inode->cache->dirty);
		spin_unlock(&cache_lock);
	}
	while ((n = take_dirty(inode, &index, last, pages)) != 0) {
		int err = write_batch(inode, index, pages, n);

		if (err && !r)
			r = err;
		index += n;
		cond_resched();
	}
	rwsem_up_read(&inode->lock);
	return r;
}

/* One dirty cache (of @sb, of a device or not), with a reference on its inode; it leaves the list. NULL: there is none. */
static struct inode *next_dirty(struct super *sb, bool device)
{
	struct inode *found = NULL;
	struct cache *c, *next;

	spin_lock(&cache_lock);
	list_for_each_entry_safe(c, next, &dirty_caches, dirty) {
		if (c->device != device || (sb && c->inode->sb != sb))
			continue;
		list_del_init(&c->dirty);
		if (refcount_inc_not_zero(&c->inode->refs)) {
			found = c->inode;
			break;
		}
	}
	spin_unlock(&cache_lock);
	return found;
}

static int writeback_list(struct super *sb, bool device)
{
	struct inode *inode;
	int r = 0;

	while ((inode = next_dirty(sb, device)) != NULL) {
		int err = cache_writeback(inode, 0, U64_MAX);

		if (err) {
			WRITE_ONCE(inode->cache->error, err);
			r = r ? r : err;
		}
		inode_put(inode);
	}
	return r;
}

int cache_writeback_all(struct super *sb)
{
	int r = writeback_list(sb, false), err = sb ? 0 : writeback_list(NULL, true);

	return r ? r : err;
}

int cache_fsync_pages(struct inode *inode)
{
	int r = cache_writeback(inode, 0, U64_MAX), old = xchg(&inode->cache->error, 0);

	return r ? r : old;
}

static void flush_all(struct deferred *d)
{
	(void)d;
	cache_writeback_all(NULL);
	if (atomic64_read(&dirty_pages))
		defer_after(&flush, FLUSH_DELAY_NS);
}

/* Who makes more dirty pages than memory should hold writes them. No lock held. */
void cache_balance(struct inode *inode)
{
	int r;

	if ((u64)atomic64_read(&dirty_pages) <= dirty_limit)
		return;
	r = cache_writeback(inode, 0, U64_MAX);
	if (r)
		WRITE_ONCE(inode->cache->error, r);
}

/* ---- caches ---- */

/* Up to 16 pages of @obj that nobody else uses, from *index on. */
static unsigned int take_unused(struct vm_object *obj, u64 *index, struct page **out)
{
	unsigned int n = 0;
	struct page *page;

	spin_lock(&obj->lock);
	for (; n < 16 && (page = xa_find(&obj->pages, index, U64_MAX)); (*index)++) {
		if (page_count(page) != 1 || (page->flags & PAGE_DIRTY))
			continue;
		xa_erase(&obj->pages, *index);
		page->object = NULL;
		obj->npages--;
		out[n++] = page;
	}
	spin_unlock(&obj->lock);
	return n;
}

u64 cache_drop_unused(struct inode *inode)
{
	struct page *pages[16];
	u64 index = 0, freed = 0;
	unsigned int n;

	while ((n = take_unused(&inode->object, &index, pages)) != 0) {
		freed += n;
		while (n)
			page_put(pages[--n]);
	}
	return freed;
}

static u64 shrink_caches(void)
{
	struct cache *c;
	u64 freed = 0;

	if (!spin_trylock(&cache_lock))
		return 0;
	list_for_each_entry(c, &caches, link) {
		freed += cache_drop_unused(c->inode);
		if (freed >= 256)
			break;
	}
	spin_unlock(&cache_lock);
	return freed;
}

/* With the first cache, so that a machine without disks does not pay for it. */
static void first_cache(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	dirty_limit = st.total / 8;
	mm_register_shrinker(shrink_caches);
}

int cache_create(struct inode *inode, const struct cache_ops *ops)
{
	struct cache *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	if (!dirty_limit)
		first_cache();
	c->inode = inode;
	c->ops = ops;
	mutex_init(&c->io);
	list_init(&c->dirty);
	vm_object_init(&inode->object, &object_ops);
	inode->cache = c;
	spin_lock(&cache_lock);
	list_add_tail(&c->link, &caches);
	spin_unlock(&cache_lock);
	return 0;
}

/* Pages that go are no longer dirty. */
static void forget_dirty(struct inode *inode, u64 first)
{
	struct page *pages[BATCH];
	unsigned int n;

	while ((n = take_dirty(inode, &first, U64_MAX, pages)) != 0) {
		first += n;
		while (n)
			page_put(pages[--n]);
	}
}

void cache_destroy(struct inode *inode)
{
	struct cache *c = inode->cache;

	if (!c)
		return;
	spin_lock(&cache_lock);
	list_del(&c->link);
	list_del_init(&c->dirty);
	spin_unlock(&cache_lock);
	forget_dirty(inode, 0);
	vm_object_truncate(&inode->object, 0, U64_MAX);
	inode->cache = NULL;
	kfree(c);
}

int cache_truncate(struct inode *inode, u64 old_size, u64 size)
{
	struct page *page;
	int r;

	if (size >= old_size)
		return 0;
	if (size & (PAGE_SIZE - 1)) {
		r = cache_page(inode, size >> PAGE_SHIFT, &page);
		if (r)
			return r;
		memset((char *)page_to_virt(page) + (size & (PAGE_SIZE - 1)), 0,
		       PAGE_SIZE - (size & (PAGE_SIZE - 1)));
		cache_page_dirty(inode, page);
		page_put(page);
	}
	forget_dirty(inode, DIV_ROUND_UP(size, PAGE_SIZE));
	vm_object_truncate(&inode->object, DIV_ROUND_UP(size, PAGE_SIZE), U64_MAX);
	return 0;
}

/* ---- filling ---- */

/* New pages for [index, index + n), as far as none is there yet and memory lasts. Return: how many. io held. */
static unsigned int alloc_run(struct inode *inode, u64 index, unsigned int n, struct page **pages)
{
	unsigned int got = 0;

	while (got < n) {
		struct page *there = got ? vm_object_find(&inode->object, index + got) : NULL;

		if (there) {
			page_put(there);
			break;
		}
		pages[got] = page_alloc(GFP_KERNEL | GFP_USER | GFP_ZERO, 0);
		if (!pages[got])
			break;
		page_set_type(pages[got++], PAGE_CACHE);
	}
	return got;
}

/* Enter filled pages; the first is what was asked for. */
static int insert_run(struct inode *inode, u64 index, struct page **pages, unsigned int n,
		      struct page **out)
{
	int r = -ENOMEM;

	for (unsigned int i = 0; i < n; i++) {
		struct page *winner;
		int err = vm_object_insert(&inode->object, index + i, pages[i], &winner);

		if (!i)
			r = err;
		if (!err && !i)
			*out = winner;
		else if (!err)
			page_put(winner);
		page_put(pages[i]);
	}
	return r;
}

static int fill(struct inode *inode, u64 index, struct page **out)
{
	struct cache *c = inode->cache;
	struct page *pages[READ_AHEAD];
	u64 end = max(file_pages(inode), index + 1);
	unsigned int n =
		alloc_run(inode, index, (unsigned int)min_t(u64, READ_AHEAD, end - index), pages);
	int r;

	if (!n)
		return -ENOMEM;
	r = c->ops->read(inode, index, pages, n);
	if (r && n > 1) { /* the page that was asked for may be a good one */
		while (n > 1)
			page_put(pages[--n]);
		r = c->ops->read(inode, index, pages, 1);
	}
	if (!r)
		return insert_run(inode, index, pages, n, out);
	while (n)
		page_put(pages[--n]);
	return r;
}

int cache_page(struct inode *inode, u64 index, struct page **out)
{
	struct cache *c = inode->cache;
	int r = 0;

	*out = vm_object_find(&inode->object, index);
	if (likely(*out))
		return 0;
	mutex_lock(&c->io);
	*out = vm_object_find(&inode->object, index);
	if (!*out)
		r = fill(inode, index, out);
	mutex_unlock(&c->io);
	return r;
}

/* ---- read and write ---- */

ssize_t cache_read_inode(struct inode *inode, struct iov_iter *to, loff_t *pos)
{
	ssize_t done = 0;

	while (to->count) {
		u64 size = READ_ONCE(inode->size);
		size_t off = (size_t)*pos & (PAGE_SIZE - 1), n, got;
		struct page *page;
		int r;

		if ((u64)*pos >= size)
			break;
		n = min_t(u64, min_t(u64, PAGE_SIZE - off, to->count), size - (u64)*pos);
		r = cache_page(inode, (u64)*pos >> PAGE_SHIFT, &page);
		if (r)
			return done ? done : r;
		got = iov_iter_to(to, (char *)page_to_virt(page) + off, n);
		page_put(page);
		*pos += (loff_t)got;
		done += (ssize_t)got;
		if (got < n)
			return done ? done : -EFAULT;
		cond_resched();
	}
	return done;
}

ssize_t cache_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	ssize_t r = cache_read_inode(f->inode, to, pos);

	if (r >= 0)
		file_accessed(f);
	return r;
}

/* A whole page, or one behind the end, needs not be read: it is filled before anyone sees it. Bytes, -EAGAIN: in the other way, -Exxx. */
static ssize_t write_new_page(struct inode *inode, struct iov_iter *from, u64 pos, size_t n)
{
	size_t off = (size_t)pos & (PAGE_SIZE - 1);
	struct iov_iter saved = *from;
	struct page *page, *winner;
	int r;

	if (n < PAGE_SIZE && ALIGN_DOWN(pos, (u64)PAGE_SIZE) < inode->size)
		return -EAGAIN;
	page = page_alloc(GFP_KERNEL | GFP_USER | GFP_ZERO, 0);
	if (!page)
		return -ENOMEM;
	page_set_type(page, PAGE_CACHE);
	if (iov_iter_from(from, (char *)page_to_virt(page) + off, n) < n)
		goto other_way;
	mutex_lock(&inode->cache->io);
	r = vm_object_insert(&inode->object, pos >> PAGE_SHIFT, page, &winner);
	mutex_unlock(&inode->cache->io);
	if (!r && winner != page) {
		page_put(winner);
		goto other_way;
	}
	if (!r) {
		cache_page_dirty(inode, page);
		page_put(winner);
	}
	page_put(page);
	return r ? r : (ssize_t)n;
other_way:
	iov_iter_revert_to(from, &saved);
	page_put(page);
	return -EAGAIN;
}

static ssize_t write_page(struct inode *inode, struct iov_iter *from, u64 pos, size_t n)
{
	struct page *page = vm_object_find(&inode->object, pos >> PAGE_SHIFT);
	size_t got;
	ssize_t r;

	if (page) {
		page_put(page);
	} else {
		r = write_new_page(inode, from, pos, n);
		if (r != -EAGAIN)
			return r;
	}
	r = cache_page(inode, pos >> PAGE_SHIFT, &page);
	if (r)
		return r;
	got = iov_iter_from(from, (char *)page_to_virt(page) + (pos & (PAGE_SIZE - 1)), n);
	if (got)
		cache_page_dirty(inode, page);
	page_put(page);
	return got ? (ssize_t)got : -EFAULT;
}

ssize_t cache_write_inode(struct inode *inode, struct iov_iter *from, loff_t *pos, size_t n)
{
	ssize_t done = 0;

	while (n) {
		size_t len = min_t(size_t, PAGE_SIZE - ((size_t)*pos & (PAGE_SIZE - 1)), n);
		ssize_t got;

		if (inode->cache->ops->grow && (u64)*pos + len > inode->size) {
			int r = inode->cache->ops->grow(inode, (u64)*pos + len);

			if (r)
				return done ? done : r;
		}
		got = write_page(inode, from, (u64)*pos, len);
		if (got < 0)
			return done ? done : got;
		*pos += got;
		done += got;
		n -= (size_t)got;
		if ((u64)*pos > inode->size)
			WRITE_ONCE(inode->size, (u64)*pos);
		if ((size_t)got < len)
			break;
		cond_resched();
	}
	return done;
}

/* A write behind the end leaves zeros between: they are written, for the file system has no holes. */
static int fill_gap(struct inode *inode, u64 pos)
{
	int r = 0;

	if (pos <= inode->size)
		return 0;
	if (inode->ops && inode->ops->setattr)
		r = inode->ops->setattr(inode, &(struct iattr){ .valid = ATTR_SIZE, .size = pos });
	return r;
}

ssize_t cache_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct inode *inode = f->inode;
	size_t n = from->count;
	loff_t start;
	ssize_t r;

	if (!n)
		return 0;
	rwsem_down_write(&inode->lock);
	if (file_appends(f, flags))
		*pos = (loff_t)inode->size;
	start = *pos;
	r = inode_write_limit(inode, (u64)*pos, &n);
	if (!r)
		r = fill_gap(inode, (u64)*pos);
	if (!r) {
		file_remove_privs(inode);
		r = cache_write_inode(inode, from, pos, n);
	}
	rwsem_up_write(&inode->lock);
	cache_balance(inode);
	if (r > 0 && ((f->flags & (O_DSYNC | __O_SYNC)) || (flags & (RWF_DSYNC | RWF_SYNC)) ||
		      (inode->sb->flags & MS_SYNCHRONOUS))) {
		int err = f->ops->fsync(f, true);

		if (err) {
			*pos = start;
			return err;
		}
	}
	return r;
}

/* ---- mappings ---- */

static int object_get_page(struct vm_object *obj, u64 index, bool write, struct page **out)
{
	struct inode *inode = container_of(obj, struct inode, object);
	int r;

	if (index >= file_pages(inode))
		return -EFAULT;
	r = cache_page(inode, index, out);
	if (!r && write)
		cache_page_dirty(inode, *out);
	return r;
}

static void object_page_dirty(struct vm_object *obj, struct page *page)
{
	if (READ_ONCE(page->object) == obj)
		cache_page_dirty(container_of(obj, struct inode, object), page);
}

static int object_sync(struct vm_object *obj, u64 first, u64 last)
{
	return cache_writeback(container_of(obj, struct inode, object), first, last);
}

static const struct vm_object_ops object_ops = {
	.get_page = object_get_page,
	.page_dirty = object_page_dirty,
	.sync = object_sync,
	.owner_get = file_map_get,
	.owner_put = file_map_put,
	.describe = file_map_describe,
	.may_probe = file_map_may_probe,
};

int cache_mmap(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
	       struct vm_object **obj, unsigned int *maxflags)
{
	*obj = &f->inode->object;
	return 0;
}

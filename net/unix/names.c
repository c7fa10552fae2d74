/* SPDX-License-Identifier: MIT */
/*
 * Addresses: names in the file system, abstract names, and those the kernel chooses (autobind).
 *
 * A name in the file system is found by its inode, an abstract one by its bytes and the socket's type. Both kinds are
 * in one hash table with a lock per bucket; who is in it has a reference.
 * Locking: a bucket's lock is innermost; bind_mutex is outside the directory's inode lock. Source: unix(7), bind(2).
 */
#include <fs/internal.h>
#include <kernel/random.h>
#include <lib/hash.h>
#include <net/unix/unix.h>

#define BUCKET_BITS 8
#define HEAD_LEN    2 /* bytes before sun_path */
#define AUTO_NAMES  0x100000u

static struct bucket {
	struct spinlock lock;
	struct hlist_head names;
} buckets[1u << BUCKET_BITS];

static struct bucket *bucket_of_inode(const struct inode *inode)
{
	return &buckets[hash_ptr(inode, BUCKET_BITS)];
}

static struct bucket *bucket_of_name(const char *name, int len, int type)
{
	return &buckets[full_name_hash((void *)(unsigned long)type, name, (size_t)len) >>
			(64 - BUCKET_BITS)];
}

int unix_addr_check(const struct sockaddr_storage *addr, int len)
{
	if (len <= HEAD_LEN || len > (int)sizeof(struct sockaddr_un) || addr->family != AF_UNIX)
		return -EINVAL;
	return 0;
}

/* ---- addresses ---- */

static struct unix_addr *addr_new(const char *path, int path_len)
{
	struct unix_addr *a = kmalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	refcount_set(&a->refs, 1);
	a->family = AF_UNIX;
	a->len = path_len + HEAD_LEN;
	memcpy(a->path, path, (size_t)path_len);
	return a;
}

void unix_addr_put(struct unix_addr *a)
{
	if (refcount_dec_and_test(&a->refs))
		kfree(a);
}

int unix_addr_copy(const struct unix_sock *u, struct sockaddr_storage *out)
{
	const struct unix_addr *a = smp_load_acquire(&u->addr);

	if (!a) {
		out->family = AF_UNIX;
		return HEAD_LEN;
	}
	memcpy(out, &a->family, (size_t)a->len);
	return a->len;
}

/* ---- the table ---- */

static bool name_is(const struct unix_sock *u, const char *name, int len, int type)
{
	return !u->path.dentry && u->s.type == type && u->addr->len == len + HEAD_LEN &&
	       !memcmp(u->addr->path, name, (size_t)len);
}

static struct unix_sock *find_in(struct bucket *b, const char *name, int len, int type)
{
	struct unix_sock *u;

	hlist_for_each_entry(u, &b->names, name_link)
		if (name_is(u, name, len, type))
			return u;
	return NULL;
}

/* Enter @u under the abstract name @a, which it takes over. 0 or -EADDRINUSE. */
static int enter_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int len = a->len - HEAD_LEN;
	struct bucket *b = bucket_of_name(a->path, len, u->s.type);
	bool taken;

	spin_lock(&b->lock);
	taken = find_in(b, a->path, len, u->s.type) != NULL;
	if (!taken) {
		smp_store_release(&u->addr, a);
		hlist_add_head(&u->name_link, &b->names);
	}
	spin_unlock(&b->lock);
	return taken ? -EADDRINUSE : 0;
}

static void enter_inode(struct unix_sock *u, struct unix_addr *a, const struct path *p)
{
	struct bucket *b = bucket_of_inode(d_inode(p->dentry));

	spin_lock(&u->lock);
	u->path = *p;
	spin_unlock(&u->lock);
	spin_lock(&b->lock);
	smp_store_release(&u->addr, a);
	hlist_add_head(&u->name_link, &b->names);
	spin_unlock(&b->lock);
}

/* What an accepted socket has of its listener's it is not found by: it is in no bucket. */
void unix_name_remove(struct unix_sock *u)
{
	struct bucket *b;

	if (!u->addr || hlist_unhashed(&u->name_link))
		return;
	b = u->path.dentry ? bucket_of_inode(d_inode(u->path.dentry))
			   : bucket_of_name(u->addr->path, u->addr->len - HEAD_LEN, u->s.type);
	spin_lock(&b->lock);
	hlist_del(&u->name_link);
	spin_unlock(&b->lock);
}

/* ---- finding ---- */

static struct unix_sock *find_abstract(const char *name, int len, int type)
{
	struct bucket *b = bucket_of_name(name, len, type);
	struct unix_sock *u;

	spin_lock(&b->lock);
	u = find_in(b, name, len, type);
	if (u)
		unix_get(u);
	spin_unlock(&b->lock);
	return u ? u : ERR_PTR(-ECONNREFUSED);
}

static struct unix_sock *find_by_inode(const struct inode *inode)
{
	struct bucket *b = bucket_of_inode(inode);
	struct unix_sock *u, *found = NULL;

	spin_lock(&b->lock);
	hlist_for_each_entry(u, &b->names, name_link)
		if (u->path.dentry && d_inode(u->path.dentry) == inode)
			found = u;
	if (found)
		unix_get(found);
	spin_unlock(&b->lock);
	return found ? found : ERR_PTR(-ECONNREFUSED);
}

static struct unix_sock *find_path(const char *name, int type)
{
	struct unix_sock *u;
	struct path p;
	int r = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &p);

	if (r)
		return ERR_PTR(r);
	r = inode_permission(d_inode(p.dentry), MAY_WRITE);
	if (r)
		u = ERR_PTR(r);
	else if (!S_ISSOCK(d_inode(p.dentry)->mode))
		u = ERR_PTR(-ECONNREFUSED);
	else
		u = find_by_inode(d_inode(p.dentry));
	path_put(&p);
	if (!IS_ERR(u) && u->s.type != type) {
		unix_put(u);
		return ERR_PTR(-EPROTOTYPE);
	}
	return u;
}

/* sun_path with a 0 behind it. Its length without. */
static int path_text(const struct sockaddr_storage *addr, int len, char text[UNIX_PATH_MAX + 1])
{
	memcpy(text, addr->data, (size_t)(len - HEAD_LEN));
	text[len - HEAD_LEN] = '\0';
	return (int)strlen(text);
}

struct unix_sock *unix_find(const struct sockaddr_storage *addr, int len, int type)
{
	char text[UNIX_PATH_MAX + 1];

	if (!addr->data[0])
		return find_abstract(addr->data, len - HEAD_LEN, type);
	path_text(addr, len, text);
	return find_path(text, type);
}

/* ---- binding; bind_mutex held ---- */

static int bind_abstract(struct unix_sock *u, const char *name, int len)
{
	struct unix_addr *a;
	int r;

	if (u->addr)
		return -EINVAL;
	a = addr_new(name, len);
	if (!a)
		return -ENOMEM;
	r = enter_abstract(u, a);
	if (r)
		unix_addr_put(a);
	return r;
}

static int bind_path(struct unix_sock *u, const struct sockaddr_storage *addr, int len)
{
	char text[UNIX_PATH_MAX + 1];
	int n = path_text(addr, len, text);
	struct unix_addr *a;
	struct path p;
	int r;

	if (u->addr) {
		r = path_lookup(AT_FDCWD, text, 0, &p);
		if (r)
			return -EINVAL;
		path_put(&p);
		return -EADDRINUSE;
	}
	a = addr_new(text, n + 1);
	if (!a)
		return -ENOMEM;
	r = vfs_mknod_path(AT_FDCWD, text, S_IFSOCK | (u->s.inode->mode & S_IALLUGO), &p);
	if (r) {
		unix_addr_put(a);
		return r == -EEXIST ? -EADDRINUSE : r;
	}
	enter_inode(u, a, &p);
	return 0;
}

int unix_bind(struct socket *s, const struct sockaddr_storage *addr, int len)
{
	struct unix_sock *u = unix_of(s);
	int r;

	if (len == HEAD_LEN && addr->family == AF_UNIX)
		return unix_autobind(u);
	r = unix_addr_check(addr, len);
	if (r)
		return r;
	mutex_lock(&u->bind_mutex);
	if (addr->data[0])
		r = bind_path(u, addr, len);
	else
		r = bind_abstract(u, addr->data, len - HEAD_LEN);
	mutex_unlock(&u->bind_mutex);
	return r;
}

/* Five hexadecimal digits behind the 0; the first free name from a random one on. */
static int choose_name(struct unix_sock *u)
{
	struct unix_addr *a = addr_new("", 0);
	int r = -EADDRINUSE;
	u32 at;

	if (!a)
		return -ENOMEM;
	random_bytes(&at, sizeof(at));
	for (u32 i = 0; i < AUTO_NAMES && r; i++, at++) {
		a->path[0] = '\0';
		a->len = HEAD_LEN + 1 + snprintf(a->path + 1, 6, "%05x", at & (AUTO_NAMES - 1));
		r = enter_abstract(u, a);
		if (r && !(i & 0xff))
			cond_resched();
	}
	if (r)
		unix_addr_put(a);
	return r == -EADDRINUSE ? -ENOSPC : r;
}

int unix_autobind(struct unix_sock *u)
{
	int r = 0;

	mutex_lock(&u->bind_mutex);
	if (!u->addr)
		r = choose_name(u);
	mutex_unlock(&u->bind_mutex);
	return r;
}

void unix_names_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
		spin_init(&buckets[i].lock, RANK_SOCKET);
}

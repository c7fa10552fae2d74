/* SPDX-License-Identifier: MIT */
/*
 * Path resolution: from a string to a (mount, dentry), and the operations that make and remove names.
 *
 * path_lookup() resolves; path_parent() stops before the last component; create_begin()/create_end() bracket making a name;
 * vfs_mkdir() ... vfs_rename() are the calls of the same name.
 *
 * A path is walked in two ways. The quick walk (walk_quick()) writes nothing that other CPUs look at: it follows the names as a reader
 * without locks (kernel/retire.h) and takes references where it ends. They are good if no name and no mount anywhere has changed its
 * place since it began (tree_changes); otherwise the whole path is walked again in the other way. It stops before what it cannot do: a name that
 * is not cached, a symlink, a file system that wants to be asked, anything that is an error but a name known to be absent. From there, with
 * references, the counted walk goes on. That one holds references on where it stands, and no lock but for single steps. A
 * symlink's text is walked in place: what was left of the outer string waits on a stack (40 deep at most, which is also the
 * limit of links in all).
 *
 * Locking: a directory's inode->lock (write) for adding and removing names; rename_mutex, outside, for renames between
 * directories. Source: path_resolution(7), openat2(2), rename(2), unlink(2), mkdir(2), link(2).
 */
#include <fs/internal.h>
#include <uapi/capability.h>

#define MAX_LINKS 40
#define FEW_LINKS 4 /* one inside the other: those for which the walk has room itself */
#define NAME_MAX  255

struct comp {
	const char *name;
	u32 len;
	u8 type; /* LAST_* */
};

struct walk {
	struct path path; /* where we are; references */
	struct path root; /* where "/" and ".." end; references; no dentry: not asked for yet */
	bool at_root;	  /* path is root, and both have but one reference on each: it is root's */
	unsigned int flags;
	unsigned int links; /* followed so far */
	u64 changes;	    /* tree_changes at the start: is ".." still what it was? */
	unsigned int depth; /* of the stack */
	struct filename_last last;
	char *last_buf;		    /* link text that `last` points into */
	struct pending_link *stack; /* few, or allocated: MAX_LINKS */
	struct pending_link {
		const char *rest;
		char *buf; /* text being walked above `rest` */
	} few[FEW_LINKS];
};

static struct kmem_cache *names_cache;
static struct mutex rename_mutex;

void namei_init(void)
{
	names_cache = kmem_cache_create("names", PATH_MAX, 0);
	mutex_init(&rename_mutex);
}

char *name_alloc(void)
{
	return kmem_cache_alloc(names_cache, GFP_KERNEL);
}

void name_free(char *name)
{
	kmem_cache_free(names_cache, name);
}

char *getname_flags(uaddr_t uname, bool allow_empty)
{
	char *name = name_alloc();
	long n;

	if (!name)
		return ERR_PTR(-ENOMEM);
	n = strncpy_from_user(name, uname, PATH_MAX);
	if (n == 0 && !allow_empty)
		n = -ENOENT;
	if (n < 0) {
		name_free(name);
		return ERR_PTR(n);
	}
	return name;
}

char *getname(uaddr_t uname)
{
	return getname_flags(uname, false);
}

void putname(char *name)
{
	name_free(name);
}

void path_get(const struct path *p)
{
	if (p->mnt)
		mnt_get(p->mnt);
	dget(p->dentry);
}

void path_put(const struct path *p)
{
	dput(p->dentry);
	if (p->mnt)
		mnt_put(p->mnt);
}

bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* Replace the path we stand on; takes over @next's references. */
static __noinline void walk_set(struct walk *w, struct path next)
{
	if (!w->at_root)
		path_put(&w->path);
	w->at_root = false;
	w->path = next;
}

/*
 * The same for a name in the directory we stand in: @d is on the same mount, which keeps its reference. CPUs that look up names at once all
 * write to the counts of the directories and mounts that they pass; so each is written as seldom as can be.
 */
static void walk_down(struct walk *w, struct dentry *d)
{
	if (w->at_root)
		mnt_get(w->path.mnt);
	else
		dput(w->path.dentry);
	w->at_root = false;
	w->path.dentry = d;
}

static void fs_get_root(struct path *out)
{
	struct fs_ctx *fs = current->fs;

	spin_lock(&fs->lock);
	*out = fs->root;
	path_get(out);
	spin_unlock(&fs->lock);
}

static __noinline const struct path *walk_root(struct walk *w)
{
	if (!w->root.dentry)
		fs_get_root(&w->root);
	return &w->root;
}

/* Step down onto whatever is mounted here. */
static int follow_mounts(struct walk *w, struct path *p)
{
	while (READ_ONCE(p->dentry->mounts)) {
		struct mount *m = mount_lookup(p->mnt, p->dentry);

		if (!m)
			break;
		path_put(p);
		*p = (struct path){ m, dget(m->root) };
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
	}
	return 0;
}

static struct dentry *dget_parent(struct dentry *d)
{
	struct dentry *parent;

	spin_lock(&dcache_rename_lock);
	parent = dget(d->parent);
	spin_unlock(&dcache_rename_lock);
	return parent;
}

/* If @p is the root of a mount, move to the place it is mounted on. False at the top of the tree. */
static bool mount_up(struct path *p)
{
	struct path up = { NULL, NULL };

	spin_lock(&mount_lock);
	if (p->mnt->parent)
		up = (struct path){ mnt_get(p->mnt->parent), dget(p->mnt->mountpoint) };
	spin_unlock(&mount_lock);
	if (!up.mnt)
		return false;
	path_put(p);
	*p = up;
	return true;
}

/*
 * A walk that must stay below its root cannot climb while the tree changes: what was below may have been moved out, and ".." then
 * passes by the root without meeting it.
 */
static bool may_have_escaped(const struct walk *w)
{
	return (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) && tree_changed(w->changes);
}

static int walk_dotdot(struct walk *w)
{
	struct path next = w->path;
	int r = 0;

	path_get(&next);
	for (;;) {
		if (path_equal(&next, walk_root(w))) {
			if (w->flags & LOOKUP_BENEATH)
				r = -EXDEV;
			break;
		}
		if (next.dentry != next.mnt->root) {
			struct dentry *parent = dget_parent(next.dentry);

			dput(next.dentry);
			next.dentry = parent;
			break;
		}
		if (!mount_up(&next))
			break;
		if (w->flags & LOOKUP_NO_XDEV) {
			r = -EXDEV;
			break;
		}
	}
	if (!r)
		r = follow_mounts(w, &next);
	if (!r && may_have_escaped(w))
		r = -EAGAIN;
	walk_set(w, next);
	return r;
}

/* Ask the file system for a name that is not cached. */
static struct dentry *lookup_real(struct dentry *dir, const char *name, size_t len)
{
	struct inode *inode = d_inode(dir);
	struct dentry *d = d_alloc(dir->sb, dir, name, len);
	int r;

	if (!d)
		return ERR_PTR(-ENOMEM);
	r = inode->ops->lookup(inode, d);
	if (r) {
		dput(d);
		return ERR_PTR(r);
	}
	d_hash(d);
	return d;
}

/* A cached dentry that its file system still stands for, or NULL. */
static struct dentry *lookup_cached(struct dentry *dir, const char *name, size_t len)
{
	struct dentry *d = d_lookup(dir, name, len);

	if (d && unlikely(d->flags & DENTRY_REVAL) && !d_inode(dir)->ops->revalidate(d)) {
		d_drop(d);
		dput(d);
		d = NULL;
	}
	return d;
}

struct dentry *lookup_one(struct dentry *dir, const char *name, size_t len)
{
	struct dentry *d;

	if (len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d = lookup_cached(dir, name, len);
	return d ? d : lookup_real(dir, name, len);
}

static struct dentry *lookup_slow(struct dentry *dir, const char *name, size_t len)
{
	struct inode *inode = d_inode(dir);
	struct dentry *d;

	rwsem_down_write(&inode->lock);
	if (inode->nlink == 0)
		d = ERR_PTR(-ENOENT); /* a removed directory has no names */
	else
		d = lookup_one(dir, name, len);
	rwsem_up_write(&inode->lock);
	return d;
}

/*
 * Follow the link at @link (references taken over). Returns the text to go on with, NULL after a jump (or a text of
 * slashes only), ERR_PTR. The text's buffer goes to *buf.
 */
static const char *follow_link(struct walk *w, struct path link, char **buf)
{
	struct inode *inode = d_inode(link.dentry);
	struct path jump = { NULL, NULL };
	ssize_t n = -ELOOP;

	*buf = NULL;
	if (w->links++ >= MAX_LINKS || (w->flags & LOOKUP_NO_SYMLINKS) ||
	    (link.mnt->flags & MS_NOSYMFOLLOW))
		goto out;
	n = -ENOMEM;
	*buf = name_alloc();
	if (!*buf)
		goto out;
	n = inode->ops->readlink(inode, *buf, PATH_MAX, &jump);
	if (n == 0 && jump.dentry) {
		if (w->flags & LOOKUP_NO_MAGICLINKS)
			n = -ELOOP;
		else if ((w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) ||
			 ((w->flags & LOOKUP_NO_XDEV) && jump.mnt != w->path.mnt))
			n = -EXDEV;
		walk_set(w, jump);
	} else if (n == 0) {
		n = -ENOENT; /* an empty link */
	} else if (n > 0 && (*buf)[0] == '/') {
		if ((w->flags & LOOKUP_BENEATH) ||
		    ((w->flags & LOOKUP_NO_XDEV) && walk_root(w)->mnt != w->path.mnt)) {
			n = -EXDEV;
		} else {
			path_get(walk_root(w));
			walk_set(w, w->root);
		}
	}
out:
	path_put(&link);
	if (n <= 0 && *buf) {
		name_free(*buf);
		*buf = NULL;
	}
	return n < 0 ? ERR_PTR(n) : n == 0 ? NULL : *buf;
}

/*
 * One step along a component. @follow: go through a symlink. Returns NULL when w->path has moved, ERR_PTR, or the text of a
 * link to walk (with *buf). A link that jumps counts as moved.
 */
static const char *walk_step(struct walk *w, const struct comp *c, bool follow, char **buf)
{
	struct dentry *dir = w->path.dentry, *d;
	struct path next;
	int r;

	if (c->type == LAST_DOT)
		return NULL;
	if (c->type == LAST_DOTDOT)
		return ERR_PTR(walk_dotdot(w));
	if (c->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d = lookup_cached(dir, c->name, c->len);
	if (!d)
		d = lookup_slow(dir, c->name, c->len);
	if (IS_ERR(d))
		return (const char *)d;
	if (!d_inode(d)) {
		dput(d);
		return ERR_PTR(-ENOENT);
	}
	if (likely(!READ_ONCE(d->mounts) && !(follow && S_ISLNK(d_inode(d)->mode)))) {
		walk_down(w, d);
		return NULL;
	}
	next = (struct path){ mnt_get(w->path.mnt), d };
	r = follow_mounts(w, &next);
	if (r) {
		path_put(&next);
		return ERR_PTR(r);
	}
	/* What is mounted on a link covers it. */
	if (follow && S_ISLNK(d_inode(next.dentry)->mode))
		return follow_link(w, next, buf);
	walk_set(w, next);
	return NULL;
}

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

static const char *parse_component(const char *s, struct comp *c)
{
	const char *p = s;

	while (*p && *p != '/')
		p++;
	c->name = s;
	c->len = (u32)(p - s);
	c->type = LAST_NORM;
	if (s[0] == '.' && c->len == 1)
		c->type = LAST_DOT;
	else if (s[0] == '.' && s[1] == '.' && c->len == 2)
		c->type = LAST_DOTDOT;
	return p;
}

static int may_search(struct walk *w)
{
	struct inode *inode = d_inode(w->path.dentry);

	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	return inode_permission(inode, MAY_EXEC);
}

/* Leave a link's text: back to what was left of the string that it stood in. */
static const char *walk_pop(struct walk *w)
{
	w->depth--;
	name_free(w->stack[w->depth].buf);
	return w->stack[w->depth].rest;
}

/* Into the text @buf of a link; @rest comes after it. 0, or -ENOMEM with @buf freed. */
static int walk_push(struct walk *w, const char *rest, char *buf)
{
	if (unlikely(w->depth == FEW_LINKS && w->stack == w->few)) {
		struct pending_link *all = kmalloc(MAX_LINKS * sizeof(*all), 0);

		if (!all) {
			name_free(buf);
			return -ENOMEM;
		}
		memcpy(all, w->few, sizeof(w->few));
		w->stack = all;
	}
	w->stack[w->depth++] = (struct pending_link){ rest, buf };
	return 0;
}

/* Walk all components of @s but the last, which goes to w->last. */
static int walk_components(struct walk *w, const char *s)
{
	unsigned int base = w->depth;

	w->last = (struct filename_last){ .type = LAST_ROOT };
	for (;;) {
		struct comp c;
		const char *rest, *text;
		char *buf = NULL;
		int r;

		s = skip_slashes(s);
		if (!*s) {
			if (w->depth == base)
				return 0; /* nothing but slashes */
			s = walk_pop(w);
			continue;
		}
		r = may_search(w);
		if (r)
			return r;
		rest = parse_component(s, &c);
		if (!*skip_slashes(rest) && w->depth == base) {
			w->last = (struct filename_last){ c.name, c.len, *rest == '/', c.type };
			return 0;
		}
		text = walk_step(w, &c, true, &buf);
		if (IS_ERR(text))
			return (int)PTR_ERR(text);
		s = rest;
		if (text) {
			r = walk_push(w, rest, buf);
			if (r)
				return r;
			s = text;
		}
	}
}

/* Take the last component, too, following links as asked. */
static int walk_last(struct walk *w)
{
	for (;;) {
		struct comp c = { w->last.name, w->last.len, w->last.type };
		bool follow = (w->flags & LOOKUP_FOLLOW) || w->last.is_dir_syntax;
		bool must_dir = w->last.is_dir_syntax;
		const char *text;
		char *buf = NULL;
		int r;

		if (c.type == LAST_ROOT)
			return 0;
		text = walk_step(w, &c, follow, &buf);
		if (IS_ERR(text))
			return (int)PTR_ERR(text);
		if (must_dir)
			w->flags |= LOOKUP_DIRECTORY;
		if (!text)
			return 0;
		if (w->last_buf)
			name_free(w->last_buf);
		w->last_buf = buf;
		r = walk_components(w, text);
		if (r)
			return r;
	}
}

static void fs_get_cwd(struct path *out)
{
	struct fs_ctx *fs = current->fs;

	spin_lock(&fs->lock);
	*out = fs->cwd;
	path_get(out);
	spin_unlock(&fs->lock);
}

int path_of_fd(int fd, struct path *out)
{
	struct fd f;

	if (fd == AT_FDCWD) {
		fs_get_cwd(out);
		return 0;
	}
	f = fdget_raw(fd);
	if (!f.file)
		return -EBADF;
	*out = f.file->path;
	path_get(out);
	fdput(f);
	return 0;
}

/* A walk that has not begun: without references. */
static void walk_init(struct walk *w, unsigned int flags)
{
	w->flags = flags;
	w->links = w->depth = 0;
	w->stack = w->few;
	w->changes = tree_changes_read();
	w->last_buf = NULL;
	w->root.dentry = NULL;
	w->at_root = false;
}

static int walk_start(struct walk *w, int dfd, const char *name, unsigned int flags)
{
	int r;

	walk_init(w, flags);
	if (*name == '/' && !(flags & LOOKUP_IN_ROOT)) {
		if (flags & LOOKUP_BENEATH)
			return -EXDEV;
		w->path = *walk_root(w);
		w->at_root = true;
	} else {
		r = path_of_fd(dfd, &w->path);
		if (r)
			return r;
	}
	if (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) {
		w->root = w->path;
		w->at_root = true;
	}
	return 0;
}

/* Give back everything but w->path, and that as well after an error. */
static void walk_end(struct walk *w, int error)
{
	while (w->depth)
		walk_pop(w);
	if (unlikely(w->stack != w->few))
		kfree(w->stack);
	if (w->last_buf)
		name_free(w->last_buf);
	if (w->root.dentry && !w->at_root)
		path_put(&w->root);
	if (error)
		path_put(&w->path);
}

/* ---- the quick walk ---- */

#define QUICK_FLAGS (LOOKUP_FOLLOW | LOOKUP_DIRECTORY | LOOKUP_PARENT | LOOKUP_EMPTY)

/* In a reader: no references anywhere. */
struct quick {
	struct path path; /* where we are */
	u64 changes;	  /* tree_changes at the start */
	unsigned int flags;
};

static bool quick_may_search(const struct inode *dir)
{
	return S_ISDIR(dir->mode) && !dir->ops->permission &&
	       generic_permission((struct inode *)dir, MAY_EXEC) == 0;
}

/* Step down onto whatever is mounted here. */
static void quick_mounts(struct path *p)
{
	while (unlikely(READ_ONCE(p->dentry->mounts))) {
		struct mount *m = mount_lookup_quick(p->mnt, p->dentry);

		if (!m) /* mounted on in another tree */
			break;
		*p = (struct path){ m, m->root };
	}
}

static bool quick_dotdot(struct quick *q)
{
	struct path p = q->path, root;

	if (!fs_ctx_quick(current->fs, &current->fs->root, &root))
		return false;
	while (!path_equal(&p, &root)) {
		if (p.dentry != p.mnt->root) {
			p.dentry = READ_ONCE(p.dentry->parent);
			break;
		}
		if (!READ_ONCE(p.mnt->parent))
			break;
		p = (struct path){ READ_ONCE(p.mnt->parent), READ_ONCE(p.mnt->mountpoint) };
		if (!p.mnt || !p.dentry)
			return false;
	}
	q->path = p;
	quick_mounts(&q->path);
	return true;
}

/* Along a name, the @last one or not. 0: done; -EAGAIN: the counted walk has to; -ENOENT: there is no such name. */
static int quick_step(struct quick *q, const struct comp *c, bool last)
{
	struct dentry *d;
	struct inode *inode;
	struct path next;

	if (c->len > NAME_MAX)
		return -EAGAIN;
	d = d_lookup_quick(q->path.dentry, c->name, c->len, q->changes);
	if (!d || (READ_ONCE(d->flags) & DENTRY_REVAL))
		return -EAGAIN;
	inode = d_inode(d);
	if (!inode)
		return -ENOENT;
	next = (struct path){ q->path.mnt, d };
	if (unlikely(READ_ONCE(d->mounts))) {
		quick_mounts(&next);
		inode = d_inode(next.dentry);
	}
	if (S_ISLNK(inode->mode) && (!last || (q->flags & LOOKUP_FOLLOW)))
		return -EAGAIN;
	q->path = next;
	return 0;
}

/* As far as it goes along *@s, which is then what is left. 0, or -ENOENT. */
static int quick_components(struct quick *q, const char **s)
{
	struct comp c;
	int r = 0;

	while (!r) {
		const char *name = skip_slashes(*s), *rest;
		bool last;

		*s = name;
		if (!*name || !quick_may_search(d_inode(q->path.dentry)))
			return 0;
		rest = parse_component(name, &c);
		last = !*skip_slashes(rest);
		if (last && (*rest || c.type != LAST_NORM || (q->flags & LOOKUP_PARENT)))
			return 0;
		if (c.type == LAST_NORM)
			r = quick_step(q, &c, last);
		else if (c.type == LAST_DOTDOT)
			r = quick_dotdot(q) ? 0 : -EAGAIN;
		if (!r)
			*s = rest;
	}
	return r == -ENOENT ? r : 0;
}

/* Where the walk begins. False: it is changing. @f: the file of @dfd, if that matters. */
static bool quick_start(struct quick *q, const struct fd *f, const char *name)
{
	const struct fs_ctx *fs = current->fs;

	if (f->file)
		q->path = f->file->path;
	else if (!fs_ctx_quick(fs, *name == '/' ? &fs->root : &fs->cwd, &q->path))
		return false;
	return q->path.mnt && !(q->changes & TREE_CHANGING);
}

/*
 * Walk @name from @dfd on without references, as far as that goes. 0: references are in *@out, *@name is what is left of it; -EAGAIN: begin
 * anew, with references; -ENOENT, -EBADF.
 */
static int walk_quick(int dfd, const char **name, unsigned int flags, struct path *out)
{
	struct quick q = { .flags = flags };
	struct fd f = { NULL, false };
	int r = -EAGAIN;

	if (unlikely(flags & ~QUICK_FLAGS))
		return -EAGAIN;
	if (**name != '/' && dfd != AT_FDCWD) {
		f = fdget_raw(dfd);
		if (!f.file)
			return -EBADF;
	}
	reader_begin();
	q.changes = tree_changes_read();
	if (!quick_start(&q, &f, *name)) {
		reader_end();
	} else if (quick_components(&q, name)) {
		r = tree_changed(q.changes) ? -EAGAIN : -ENOENT;
		reader_end();
	} else if (path_get_quick(&q.path, q.changes)) { /* which ends the reader */
		*out = q.path;
		r = 0;
	}
	if (f.ref)
		file_put(f.file);
	return r;
}

/* Begin at @name with references. Return: 0 with *@w ready to walk what is left, *@name. */
static int walk_begin(struct walk *w, int dfd, const char **name, unsigned int flags)
{
	const char *rest = *name;
	int r = walk_quick(dfd, &rest, flags, &w->path);

	if (r == -EAGAIN)
		return walk_start(w, dfd, *name, flags & ~LOOKUP_PARENT);
	if (r)
		return r;
	*name = rest;
	walk_init(w, flags & ~LOOKUP_PARENT);
	return 0;
}

int path_lookup(int dfd, const char *name, unsigned int flags, struct path *out)
{
	const char *rest = name;
	struct walk w;
	int r = walk_begin(&w, dfd, &rest, flags);

	if (r)
		return r;
	if (!*name)
		r = flags & LOOKUP_EMPTY ? 0 : -ENOENT;
	if (*rest)
		r = walk_components(&w, rest);
	if (!r && *rest)
		r = walk_last(&w);
	if (!r && (w.flags & LOOKUP_DIRECTORY) && !S_ISDIR(d_inode(w.path.dentry)->mode))
		r = -ENOTDIR;
	walk_end(&w, r);
	if (!r)
		*out = w.path;
	return r;
}

/* Resolve all but the last component; @last points into @name. For callers that never follow the last component. */
int path_parent(int dfd, const char *name, unsigned int flags, struct path *parent,
		struct filename_last *last)
{
	const char *rest = name;
	struct walk w;
	int r = walk_begin(&w, dfd, &rest, flags | LOOKUP_PARENT);

	if (r)
		return r;
	r = *name ? walk_components(&w, rest) : -ENOENT;
	*last = w.last;
	if (!r && last->type == LAST_NORM && last->len > NAME_MAX)
		r = -ENAMETOOLONG;
	walk_end(&w, r);
	if (!r)
		*parent = w.path;
	return r;
}

/* ---- making and removing names ---- */

int may_create(struct inode *dir)
{
	if (dir->nlink == 0)
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

static bool sticky_forbids(struct inode *dir, struct inode *inode)
{
	uid_t me = current_creds()->fsuid;

	return (dir->mode & S_ISVTX) && inode->uid != me && dir->uid != me && !capable(CAP_FOWNER);
}

int may_delete(struct inode *dir, struct dentry *victim, bool isdir)
{
	struct inode *inode = d_inode(victim);
	int r;

	if (!inode)
		return -ENOENT;
	r = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (r)
		return r;
	if (sticky_forbids(dir, inode))
		return -EPERM;
	if (isdir && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (!isdir && S_ISDIR(inode->mode))
		return -EISDIR;
	if (READ_ONCE(victim->mounts))
		return -EBUSY;
	return 0;
}

/*
 * Begin making a name: resolve its directory, lock it, find the name free. Returns the negative dentry, directory locked;
 * create_end() undoes it. ERR_PTR(-EEXIST, ...).
 */
struct dentry *create_begin(int dfd, const char *name, bool isdir, struct path *parent)
{
	struct filename_last last;
	struct inode *dir;
	struct dentry *d;
	int r = path_parent(dfd, name, 0, parent, &last);

	if (r)
		return ERR_PTR(r);
	dir = d_inode(parent->dentry);
	r = -EEXIST;
	if (last.type != LAST_NORM)
		goto put;
	rwsem_down_write(&dir->lock);
	d = lookup_one(parent->dentry, last.name, last.len);
	r = IS_ERR(d) ? (int)PTR_ERR(d) : 0;
	if (r)
		goto unlock;
	r = -EEXIST;
	if (d_inode(d))
		goto drop;
	r = -ENOENT;
	if (last.is_dir_syntax && !isdir)
		goto drop;
	r = mnt_want_write(parent->mnt);
	if (!r)
		r = may_create(dir);
	if (r)
		goto drop;
	return d;
drop:
	dput(d);
unlock:
	rwsem_up_write(&dir->lock);
put:
	path_put(parent);
	return ERR_PTR(r);
}

void create_end(struct path *parent, struct dentry *d)
{
	rwsem_up_write(&d_inode(parent->dentry)->lock);
	dput(d);
	path_put(parent);
}

/* After a name was made: tell watchers; the result passes through. */
static int created(struct path *parent, struct dentry *d, int r)
{
	if (!r)
		fsnotify_name(parent->dentry, d, d->name, IN_CREATE, 0);
	create_end(parent, d);
	return r;
}

static u32 apply_umask(u32 mode)
{
	return mode & ~current->fs->umask;
}

int vfs_mkdir(int dfd, const char *name, u32 mode)
{
	struct path parent;
	struct dentry *d = create_begin(dfd, name, true, &parent);
	struct inode *dir;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	mode = apply_umask(mode & (S_IRWXUGO | S_ISVTX)) | S_IFDIR;
	return created(&parent, d, dir->ops->mkdir ? dir->ops->mkdir(dir, d, mode) : -EPERM);
}

/* @out: the new node, with references; or NULL. */
static int make_node(int dfd, const char *name, u32 mode, u64 rdev, struct path *out)
{
	u32 type = mode & S_IFMT;
	struct path parent;
	struct dentry *d;
	struct inode *dir;
	int r;

	if (type == 0)
		type = S_IFREG;
	if (type == S_IFDIR)
		return -EPERM;
	if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return -EINVAL;
	if ((type == S_IFBLK || (type == S_IFCHR && rdev != WHITEOUT_DEV)) && !capable(CAP_MKNOD))
		return -EPERM;
	d = create_begin(dfd, name, false, &parent);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	mode = apply_umask(mode & S_IALLUGO) | type;
	if (type == S_IFREG)
		r = dir->ops->create ? dir->ops->create(dir, d, mode) : -EACCES;
	else
		r = dir->ops->mknod ? dir->ops->mknod(dir, d, mode, rdev) : -EPERM;
	if (!r && out)
		*out = (struct path){ mnt_get(parent.mnt), dget(d) };
	return created(&parent, d, r);
}

int vfs_mknod(int dfd, const char *name, u32 mode, u64 rdev)
{
	return make_node(dfd, name, mode, rdev, NULL);
}

int vfs_mknod_path(int dfd, const char *name, u32 mode, struct path *out)
{
	return make_node(dfd, name, mode, 0, out);
}

int vfs_symlink(const char *target, int dfd, const char *name)
{
	struct path parent;
	struct dentry *d = create_begin(dfd, name, false, &parent);
	struct inode *dir;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	return created(&parent, d, dir->ops->symlink ? dir->ops->symlink(dir, d, target) : -EPERM);
}

int vfs_link(const struct path *old, int dfd, const char *name)
{
	struct inode *inode = d_inode(old->dentry);
	struct path parent;
	struct dentry *d = create_begin(dfd, name, false, &parent);
	struct inode *dir;
	int r;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	if (old->mnt != parent.mnt)
		r = -EXDEV;
	else if (S_ISDIR(inode->mode) || !dir->ops->link)
		r = -EPERM;
	else if (inode->nlink == 0 && !inode->linkable)
		r = -ENOENT;
	else
		r = dir->ops->link(old->dentry, dir, d);
	if (!r) {
		inode->linkable = false;
		fsnotify_self(d, IN_ATTRIB);
	}
	return created(&parent, d, r);
}

/* Lock the directory of @name and find the name, which must exist. As create_begin(). */
static struct dentry *delete_begin(int dfd, const char *name, struct path *parent,
				   struct filename_last *last)
{
	struct dentry *d;
	int r = path_parent(dfd, name, 0, parent, last);

	if (r)
		return ERR_PTR(r);
	if (last->type != LAST_NORM) {
		path_put(parent);
		return NULL; /* the errno is the caller's */
	}
	r = mnt_want_write(parent->mnt); /* before it is known whether there is such a name */
	if (r) {
		path_put(parent);
		return ERR_PTR(r);
	}
	rwsem_down_write(&d_inode(parent->dentry)->lock);
	d = lookup_one(parent->dentry, last->name, last->len);
	if (!IS_ERR(d) && !d_inode(d)) {
		dput(d);
		d = ERR_PTR(-ENOENT);
	}
	if (IS_ERR(d)) {
		rwsem_up_write(&d_inode(parent->dentry)->lock);
		path_put(parent);
	}
	return d;
}

int vfs_unlink(int dfd, const char *name)
{
	struct filename_last last;
	struct path parent;
	struct dentry *d = delete_begin(dfd, name, &parent, &last);
	struct inode *dir;
	int r;

	if (!d)
		return -EISDIR;
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	if (last.is_dir_syntax)
		r = S_ISDIR(d_inode(d)->mode) ? -EISDIR : -ENOTDIR;
	else
		r = may_delete(dir, d, false);
	if (!r)
		r = dir->ops->unlink ? dir->ops->unlink(dir, d) : -EPERM;
	if (!r) {
		fsnotify_self(d, IN_ATTRIB);
		fsnotify_gone(d);
		fsnotify_name(parent.dentry, d, d->name, IN_DELETE, 0);
		d_drop(d);
	}
	create_end(&parent, d);
	return r;
}

int vfs_rmdir(int dfd, const char *name)
{
	struct filename_last last;
	struct path parent;
	struct dentry *d = delete_begin(dfd, name, &parent, &last);
	struct inode *dir, *victim;
	int r;

	if (!d)
		return last.type == LAST_DOT	  ? -EINVAL
		       : last.type == LAST_DOTDOT ? -ENOTEMPTY
						  : -EBUSY;
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dir = d_inode(parent.dentry);
	victim = d_inode(d);
	r = may_delete(dir, d, true);
	if (!r && !dir->ops->rmdir)
		r = -EPERM;
	if (!r) {
		rwsem_down_write(&victim->lock);
		r = dir->ops->rmdir(dir, d);
		rwsem_up_write(&victim->lock);
	}
	if (!r) {
		fsnotify_gone(d);
		fsnotify_name(parent.dentry, d, d->name, IN_DELETE, 0);
		d_drop(d);
	}
	create_end(&parent, d);
	return r;
}

/* ---- rename ---- */

struct rename {
	struct path op, np; /* the two directories */
	struct filename_last ol, nl;
	struct dentry *od, *nd; /* the two names */
	unsigned int flags;
};

static void lock_dirs(struct dentry *a, struct dentry *b)
{
	struct inode *ia = d_inode(a), *ib = d_inode(b);

	if (ia == ib) {
		rwsem_down_write(&ia->lock);
		return;
	}
	/* An ancestor first; unrelated ones by address: nobody else holds two, because of rename_mutex. */
	if (d_is_ancestor(b, a) || (!d_is_ancestor(a, b) && ia > ib))
		swap(ia, ib);
	rwsem_down_write(&ia->lock);
	rwsem_down_write(&ib->lock);
}

static void unlock_dirs(struct dentry *a, struct dentry *b)
{
	rwsem_up_write(&d_inode(a)->lock);
	if (d_inode(a) != d_inode(b))
		rwsem_up_write(&d_inode(b)->lock);
}

/* What rename(2) says about the two names, before the file system is asked. */
static int rename_check(struct rename *rn)
{
	struct inode *odir = d_inode(rn->op.dentry), *ndir = d_inode(rn->np.dentry);
	struct inode *oi = d_inode(rn->od), *ni = d_inode(rn->nd);
	bool exchange = rn->flags & RENAME_EXCHANGE;
	int r;

	if (!oi || (exchange && !ni))
		return -ENOENT;
	if (ni && (rn->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!S_ISDIR(oi->mode) && (rn->ol.is_dir_syntax || (!exchange && rn->nl.is_dir_syntax)))
		return -ENOTDIR;
	if (exchange && rn->nl.is_dir_syntax && !S_ISDIR(ni->mode))
		return -ENOTDIR;
	if (d_is_ancestor(rn->od, rn->np.dentry))
		return -EINVAL;
	if (d_is_ancestor(rn->nd, rn->op.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	r = may_delete(odir, rn->od, S_ISDIR(oi->mode));
	if (r)
		return r;
	if (!ni)
		r = may_create(ndir);
	else
		r = may_delete(ndir, rn->nd, exchange ? S_ISDIR(ni->mode) : S_ISDIR(oi->mode));
	if (r)
		return r;
	/* Moving a directory changes its "..". */
	if (odir != ndir && S_ISDIR(oi->mode))
		r = inode_permission(oi, MAY_WRITE);
	if (!r && odir != ndir && exchange && S_ISDIR(ni->mode))
		r = inode_permission(ni, MAY_WRITE);
	return r;
}

/* One name went from @from to @to: @d, which was called @oname. */
static void rename_notify(struct dentry *from, struct dentry *to, struct dentry *d,
			  const char *oname, struct dentry *victim)
{
	static u32 cookie;
	u32 c = __atomic_add_fetch(&cookie, 1, __ATOMIC_RELAXED);

	__fsnotify_rename(from, to, d, oname);
	fsnotify_name(from, d, oname, IN_MOVED_FROM, c);
	fsnotify_name(to, d, d->name, IN_MOVED_TO, c);
	if (victim)
		fsnotify_self(victim, IN_ATTRIB);
	fsnotify_self(d, IN_MOVE_SELF);
	if (victim)
		fsnotify_gone(victim);
}

/* The names as they were before, for those who watch; NULL: nobody does. */
static bool rename_names(struct rename *rn, char *names[2])
{
	names[0] = names[1] = NULL;
	if (likely(!fsnotify_active))
		return false;
	names[0] = kstrdup(rn->od->name, GFP_KERNEL);
	names[1] = kstrdup(rn->nd->name, GFP_KERNEL);
	return names[0] && names[1];
}

static void rename_tell(struct rename *rn, char *names[2])
{
	bool exchange = rn->flags & RENAME_EXCHANGE;

	rename_notify(rn->op.dentry, rn->np.dentry, rn->od, names[0],
		      !exchange && d_inode(rn->nd) ? rn->nd : NULL);
	if (exchange)
		rename_notify(rn->np.dentry, rn->op.dentry, rn->nd, names[1], NULL);
}

static int rename_locked(struct rename *rn)
{
	struct inode *odir = d_inode(rn->op.dentry), *ndir = d_inode(rn->np.dentry);
	struct inode *victim;
	char *names[2];
	bool tell;
	int r = rename_check(rn);

	if (r)
		return r;
	if (d_inode(rn->od) == d_inode(rn->nd))
		return 0; /* two links of one file: nothing happens */
	if (!odir->ops->rename)
		return -EPERM;
	tell = rename_names(rn, names);
	victim = !(rn->flags & RENAME_EXCHANGE) ? d_inode(rn->nd) : NULL;
	if (victim && S_ISDIR(victim->mode))
		rwsem_down_write(
			&victim->lock); /* nothing may be made in it while it is found empty */
	r = odir->ops->rename(odir, rn->od, ndir, rn->nd, rn->flags);
	if (victim && S_ISDIR(victim->mode))
		rwsem_up_write(&victim->lock);
	if (!r)
		r = d_move(rn->od, rn->nd, rn->flags & RENAME_EXCHANGE);
	if (!r && tell)
		rename_tell(rn, names);
	kfree(names[0]);
	kfree(names[1]);
	return r;
}

/* Both directories are resolved: lock them, find the names, do it. */
static int rename_resolved(struct rename *rn)
{
	int r;

	if (rn->op.mnt != rn->np.mnt)
		return -EXDEV;
	if (rn->ol.type != LAST_NORM)
		return -EBUSY;
	if (rn->nl.type != LAST_NORM)
		return rn->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	r = mnt_want_write(rn->op.mnt);
	if (r)
		return r;
	mutex_lock(&rename_mutex);
	lock_dirs(rn->op.dentry, rn->np.dentry);
	rn->od = lookup_one(rn->op.dentry, rn->ol.name, rn->ol.len);
	rn->nd = IS_ERR(rn->od) ? rn->od : lookup_one(rn->np.dentry, rn->nl.name, rn->nl.len);
	if (IS_ERR(rn->nd))
		r = (int)PTR_ERR(rn->nd);
	else
		r = rename_locked(rn);
	unlock_dirs(rn->op.dentry, rn->np.dentry);
	mutex_unlock(&rename_mutex);
	if (!IS_ERR(rn->nd))
		dput(rn->nd);
	if (!IS_ERR(rn->od))
		dput(rn->od);
	return r;
}

int vfs_rename(int odfd, const char *oname, int ndfd, const char *nname, unsigned int flags)
{
	struct rename rn = { .flags = flags };
	int r;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	r = path_parent(odfd, oname, 0, &rn.op, &rn.ol);
	if (r)
		return r;
	r = path_parent(ndfd, nname, 0, &rn.np, &rn.nl);
	if (!r) {
		r = rename_resolved(&rn);
		path_put(&rn.np);
	}
	path_put(&rn.op);
	return r;
}

/* ---- names from paths ---- */

/* Prepend @s before *pos; false when it does not fit. */
static bool prepend(char *buf, char **pos, const char *s, size_t len)
{
	if ((size_t)(*pos - buf) < len)
		return false;
	*pos -= len;
	memcpy(*pos, s, len);
	return true;
}

/* Under both locks: prepend components from @p up to @root. 0, -ENAMETOOLONG; 1: @root is not above @p. */
static int prepend_path(struct path p, const struct path *root, char *buf, char **pos)
{
	char *end = *pos;

	while (!path_equal(&p, root)) {
		if (p.mnt && p.dentry == p.mnt->root) {
			if (!p.mnt->parent) {
				if (*pos == end && !prepend(buf, pos, "/", 1))
					return -ENAMETOOLONG;
				return 1;
			}
			p = (struct path){ p.mnt->parent, p.mnt->mountpoint };
			continue;
		}
		if (p.dentry->parent == p.dentry)
			return 1;
		if (!prepend(buf, pos, p.dentry->name, p.dentry->len) || !prepend(buf, pos, "/", 1))
			return -ENAMETOOLONG;
		p.dentry = p.dentry->parent;
	}
	if (*pos == end && !prepend(buf, pos, "/", 1))
		return -ENAMETOOLONG;
	return 0;
}

char *path_name(const struct path *p, char *buf, size_t size)
{
	char *pos = buf + size - 1;
	struct path root;
	int r = 0;

	*pos = '\0';
	if (p->dentry->flags & DENTRY_ANON)
		return prepend(buf, &pos, p->dentry->name, p->dentry->len) ? pos
									   : ERR_PTR(-ENAMETOOLONG);
	if (d_unhashed(p->dentry) && p->dentry->parent != p->dentry &&
	    !prepend(buf, &pos, " (deleted)", 10))
		return ERR_PTR(-ENAMETOOLONG);
	if (current->fs)
		fs_get_root(&root);
	else
		root = (struct path){ init_mnt_ns.root, init_mnt_ns.root->root };
	spin_lock(&dcache_rename_lock);
	spin_lock(&mount_lock);
	{
		char *tail = pos;

		r = prepend_path(*p, &root, buf, &tail);
		pos = tail;
	}
	spin_unlock(&mount_lock);
	spin_unlock(&dcache_rename_lock);
	if (current->fs)
		path_put(&root);
	return r < 0 ? ERR_PTR(r) : pos;
}

char *dentry_name(struct dentry *d, char *buf, size_t size)
{
	const struct path p = { NULL, d }, root = { NULL, d->sb->root };
	char *pos = buf + size - 1;
	int r;

	*pos = '\0';
	spin_lock(&dcache_rename_lock);
	r = prepend_path(p, &root, buf, &pos);
	spin_unlock(&dcache_rename_lock);
	return r < 0 ? ERR_PTR(r) : pos;
}

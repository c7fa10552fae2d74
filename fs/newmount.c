/* SPDX-License-Identifier: MIT */
/*
 * Mounting by descriptors.
 *
 * A context (fsopen, fspick) collects the options of a file system; mount_context_create() makes the instance of them, mount_context_mount() a mount of
 * it. That one is detached: it belongs to no namespace, and to the descriptor alone, which takes it apart when it is closed. mount_open_clone() makes
 * the same of a copy of what is mounted. mount_move_path() hangs a detached or a mounted one somewhere: then it is a mount like any other.
 *
 * Locking: context->lock for a context; mount_mutex, inside, for mounts.
 * Source: fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2).
 */
#include <fs/internal.h>
#include <fs/mount.h>

/* What comes next for a context. */
enum phase {
	PHASE_CREATE,	   /* options, then FSCONFIG_CMD_CREATE */
	PHASE_MOUNT,	   /* fsmount */
	PHASE_MOUNTED,	   /* nothing has been asked for since */
	PHASE_RECONFIGURE, /* options, then FSCONFIG_CMD_RECONFIGURE */
	PHASE_FAILED,
};

#define OPTIONS_MAX 4096

struct context {
	struct mutex lock;
	struct fs_type *type;
	enum phase phase;
	char *source;		   /* NULL: not said */
	char *options;		   /* as mount(2) takes them, OPTIONS_MAX bytes */
	unsigned long flags, mask; /* of SB_FLAGS: wanted, spoken of */
	struct super *sb;	   /* a reference; NULL before it is made */
};

/* ---- contexts ---- */

static void context_free(struct context *c)
{
	if (c->sb)
		super_put(c->sb);
	kfree(c->source);
	kfree(c->options);
	kfree(c);
}

static void context_release(struct file *f)
{
	context_free(f->priv);
}

/* Where Linux explains what went wrong: there is no message, ever. */
static ssize_t context_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	return -ENODATA;
}

static const struct file_ops context_ops = { .read = context_read, .release = context_release };

bool file_is_mount_context(const struct file *f)
{
	return f->ops == &context_ops;
}

static struct file *context_file(struct fs_type *type, enum phase phase, struct super *sb)
{
	struct context *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct file *f;

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->options = kzalloc(OPTIONS_MAX, GFP_KERNEL);
	mutex_init(&c->lock);
	c->type = type;
	c->phase = phase;
	f = c->options ? anon_file_create("anon_inode:[fscontext]", &context_ops, c, O_RDWR)
		       : ERR_PTR(-ENOMEM);
	if (IS_ERR(f)) {
		context_free(c);
		return f;
	}
	if (sb) {
		refcount_inc(&sb->refs);
		c->sb = sb;
	}
	return f;
}

struct file *mount_context_open(const char *type)
{
	struct fs_type *t = fs_type_find(type);

	return t ? context_file(t, PHASE_CREATE, NULL) : ERR_PTR(-ENODEV);
}

struct file *mount_context_pick(const struct path *p)
{
	struct super *sb = p->dentry->sb;

	if (!p->mnt || p->dentry != p->mnt->root)
		return ERR_PTR(-EINVAL);
	return context_file((struct fs_type *)sb->type, PHASE_RECONFIGURE, sb);
}

/* The options that all file systems have. False: @key is none of them. */
static bool set_flag(struct context *c, const char *key)
{
	static const struct {
		const char *name;
		unsigned long set, clear;
	} flags[] = {
		{ "ro", MS_RDONLY, 0 },		  { "rw", 0, MS_RDONLY },
		{ "sync", MS_SYNCHRONOUS, 0 },	  { "async", 0, MS_SYNCHRONOUS },
		{ "dirsync", MS_DIRSYNC, 0 },	  { "lazytime", MS_LAZYTIME, 0 },
		{ "nolazytime", 0, MS_LAZYTIME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(key, flags[i].name) != 0)
			continue;
		c->flags = (c->flags & ~flags[i].clear) | flags[i].set;
		c->mask |= flags[i].set | flags[i].clear;
		return true;
	}
	return false;
}

static int set_source(struct context *c, const char *val)
{
	if (!val || c->source)
		return -EINVAL;
	c->source = kstrdup(val, GFP_KERNEL);
	return c->source ? 0 : -ENOMEM;
}

/* Does the file system know the option, and this value of it? */
static int check_option(const struct fs_type *t, const char *key, const char *val)
{
	void *scratch;
	int r;

	/* What would be another option, or none, once it is one among others. */
	if (!t->option || !*key || strchr(key, ',') || strchr(key, '=') ||
	    (val && strchr(val, ',')))
		return -EINVAL;
	scratch = kzalloc(t->options_size, GFP_KERNEL);
	if (!scratch)
		return -ENOMEM;
	r = t->option(scratch, key, val);
	kfree(scratch);
	return r;
}

static int add_option(struct context *c, const char *key, const char *val)
{
	size_t used = strlen(c->options);
	int r = check_option(c->type, key, val), n;

	if (r)
		return r;
	n = snprintf(c->options + used, OPTIONS_MAX - used, "%s%s%s%s", used ? "," : "", key,
		     val ? "=" : "", val ? val : "");
	if (n >= 0 && (size_t)n < OPTIONS_MAX - used)
		return 0;
	c->options[used] = '\0';
	return -EINVAL;
}

/* The first word after a mount begins a reconfiguration. lock held. */
static void begin_anew(struct context *c)
{
	if (c->phase == PHASE_MOUNTED)
		c->phase = PHASE_RECONFIGURE;
}

int mount_context_set(struct file *f, const char *key, const char *val)
{
	struct context *c = f->priv;
	int r;

	mutex_lock(&c->lock);
	begin_anew(c);
	if (c->phase != PHASE_CREATE && c->phase != PHASE_RECONFIGURE)
		r = -EBUSY;
	else if (set_flag(c, key))
		r = 0;
	else
		r = strcmp(key, "source") ? add_option(c, key, val) : set_source(c, val);
	mutex_unlock(&c->lock);
	return r;
}

int mount_context_create(struct file *f)
{
	struct context *c = f->priv;
	int r = -EBUSY;

	mutex_lock(&c->lock);
	begin_anew(c);
	if (c->phase == PHASE_CREATE) {
		struct super *sb;

		mutex_lock(&mount_mutex);
		sb = super_obtain(c->type, c->source, c->options, c->flags);
		mutex_unlock(&mount_mutex);
		r = IS_ERR(sb) ? (int)PTR_ERR(sb) : 0;
		if (!r)
			c->sb = sb;
		c->phase = r ? PHASE_FAILED : PHASE_MOUNT;
	}
	mutex_unlock(&c->lock);
	return r;
}

/* What was asked for has been done. */
static void forget_options(struct context *c)
{
	kfree(c->source);
	c->source = NULL;
	c->options[0] = '\0';
	c->flags = c->mask = 0;
	c->phase = PHASE_MOUNTED;
}

int mount_context_reconfigure(struct file *f)
{
	struct context *c = f->priv;
	int r = -EBUSY;

	mutex_lock(&c->lock);
	begin_anew(c);
	if (c->phase == PHASE_RECONFIGURE) {
		mutex_lock(&mount_mutex);
		r = super_remount(c->sb, c->flags, c->mask, c->options);
		mutex_unlock(&mount_mutex);
		forget_options(c);
		if (r)
			c->phase = PHASE_FAILED;
	}
	mutex_unlock(&c->lock);
	return r;
}

/* ---- detached mounts ---- */

static void detached_release(struct file *f)
{
	mutex_lock(&mount_mutex);
	if (f->path.mnt->detached) {
		f->path.mnt->detached = false;
		mount_detach_tree(f->path.mnt);
	}
	mutex_unlock(&mount_mutex);
}

static const struct file_ops detached_ops = { .release = detached_release };

/* A descriptor for @m, which nobody else has. Takes over the reference. mount_mutex held. */
static struct file *detached_file(struct mount *m)
{
	const struct path p = { m, m->root };
	struct file *f = file_open_path_only(&p, O_PATH, &detached_ops);

	if (IS_ERR(f)) {
		mount_detach_tree(m);
		return f;
	}
	m->detached = true;
	f->mode |= FMODE_OPENED;
	return f;
}

/* MOUNT_ATTR_* as flags of a mount. */
static u32 attr_flags(u64 attr)
{
	u32 flags = (u32)(attr & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC));

	if (attr & MOUNT_ATTR_NODIRATIME)
		flags |= MS_NODIRATIME;
	if (attr & MOUNT_ATTR_NOSYMFOLLOW)
		flags |= MS_NOSYMFOLLOW;
	return flags;
}

static u32 atime_flags(u64 attr)
{
	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_NOATIME:
		return MS_NOATIME;
	case MOUNT_ATTR_STRICTATIME:
		return MS_STRICTATIME;
	default:
		return MS_RELATIME;
	}
}

struct file *mount_context_mount(struct file *f, u64 attr)
{
	struct context *c = f->priv;
	struct file *out;
	struct mount *m;

	mutex_lock(&c->lock);
	if (!c->sb) {
		out = ERR_PTR(-EINVAL);
	} else if (c->phase != PHASE_MOUNT) {
		out = ERR_PTR(-EBUSY);
	} else {
		mutex_lock(&mount_mutex);
		refcount_inc(&c->sb->refs);
		m = mount_alloc(c->sb, c->sb->root, c->source,
				attr_flags(attr) | atime_flags(attr));
		if (IS_ERR(m))
			super_put(c->sb);
		out = IS_ERR(m) ? ERR_CAST(m) : detached_file(m);
		mutex_unlock(&mount_mutex);
		if (!IS_ERR(out))
			forget_options(c);
	}
	mutex_unlock(&c->lock);
	return out;
}

struct file *mount_open_clone(const struct path *p, bool rec)
{
	struct file *out;
	struct mount *m;

	mutex_lock(&mount_mutex);
	m = mount_is_ours(p->mnt) ? mount_clone_tree(p, rec) : ERR_PTR(-EINVAL);
	out = IS_ERR(m) ? ERR_CAST(m) : detached_file(m);
	mutex_unlock(&mount_mutex);
	return out;
}

/* mount_mutex held. */
static int move_check(const struct path *from, const struct path *to)
{
	struct mount *m = from->mnt;

	if (!m || !(m->detached || (m->parent && mount_is_ours(m))) || !mount_is_ours(to->mnt))
		return -EINVAL;
	if (from->dentry != m->root ||
	    S_ISDIR(d_inode(from->dentry)->mode) != S_ISDIR(d_inode(to->dentry)->mode))
		return -EINVAL;
	for (struct mount *up = to->mnt; up; up = up->parent)
		if (up == m)
			return -ELOOP;
	return 0;
}

int mount_move_path(const struct path *from, const struct path *to)
{
	struct path old = { NULL, NULL };
	int r;

	mutex_lock(&mount_mutex);
	r = move_check(from, to);
	if (!r) {
		if (!from->mnt->detached)
			old = mount_detach(from->mnt);
		mount_attach(from->mnt, to);
	}
	mutex_unlock(&mount_mutex);
	if (old.dentry)
		path_put(&old);
	return r;
}

/* ---- mount_setattr ---- */

int mount_change_attr(const struct path *p, u64 set, u64 clear, bool rec)
{
	u32 on = attr_flags(set), off = attr_flags(clear);
	struct mount *top = p->mnt, *m;
	int r = 0;

	if (clear & MOUNT_ATTR__ATIME) {
		on |= atime_flags(set);
		off |= MS_NOATIME | MS_STRICTATIME | MS_RELATIME;
	}
	mutex_lock(&mount_mutex);
	if (!top || p->dentry != top->root || !(top->detached || mount_is_ours(top)))
		r = -EINVAL;
	for (m = top; m && !r; m = rec ? mount_next(m, top) : NULL)
		if ((on & ~m->flags & MS_RDONLY) && atomic_read(&m->writers))
			r = -EBUSY;
	for (m = top; m && !r; m = rec ? mount_next(m, top) : NULL)
		WRITE_ONCE(m->flags, (m->flags & ~off) | on);
	mutex_unlock(&mount_mutex);
	return r;
}

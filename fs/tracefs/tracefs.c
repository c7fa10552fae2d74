/* SPDX-License-Identifier: MIT */
/*
 * tracefs: the tree and files of text. Directories make their names when they are looked up; a name about an event is
 * checked again before each use, because events come and go. Text is generated under trace_mutex and kept with the open file.
 * See tracefs.h.
 */
#include <fs/tracefs/tracefs.h>
#include <lib/ctype.h>
#include <uapi/statfs.h>

#define TEXT_MAX  (8u << 20)
#define WRITE_MAX 65536u
#define EXTRA_MAX 16

static const struct tracefs_file *extra[EXTRA_MAX]; /* of the top directory; trace_mutex */

static const struct tracefs_dir root_dir, instance_dir, instances_dir;

static const struct inode_ops dir_ops, instances_ops, file_iops;
static const struct file_ops dir_fops, text_ops;

void tracefs_add_file(const struct tracefs_file *file)
{
	for (unsigned int i = 0; i < EXTRA_MAX; i++) {
		if (!extra[i]) {
			extra[i] = file;
			return;
		}
	}
	panic("too many files in tracefs");
}

/* ---- helpers for writers ---- */

char *tracefs_trim(char *text)
{
	size_t n;

	while (isspace(*text))
		text++;
	n = strlen(text);
	while (n && isspace(text[n - 1]))
		text[--n] = '\0';
	return text;
}

int tracefs_each_line(char *text, int (*fn)(char *line))
{
	while (*text) {
		char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : end, *line;
		int r;

		*end = '\0';
		text[strcspn(text, "#")] = '\0';
		line = tracefs_trim(text);
		r = *line ? fn(line) : 0;
		if (r)
			return r;
		text = next;
	}
	return 0;
}

/* ---- inodes ---- */

/* The options of the mount: of the top directory; who owns it owns all. */
static struct mount_owner owner = { .mode = 0700 };

static struct inode *new_inode(struct super *sb, const struct tracefs_node *from)
{
	struct tracefs_node *n = kmalloc(sizeof(*n), GFP_KERNEL);
	u32 mode = from->file ? S_IFREG | from->file->mode : S_IFDIR | from->dir->mode;
	struct inode *i = n ? inode_new(sb, NULL, mode) : NULL;

	if (!i) {
		kfree(n);
		return NULL;
	}
	*n = *from;
	n->system = NULL;
	i->priv = n;
	i->uid = owner.uid;
	i->gid = owner.gid;
	i->nlink = from->file ? 1 : 2;
	i->ops = from->file ? &file_iops : from->dir == &instances_dir ? &instances_ops : &dir_ops;
	i->fops = from->file ? (from->file->fops ? from->file->fops : &text_ops) : &dir_fops;
	if (from->system) {
		n->system = kstrdup(from->system, GFP_KERNEL);
		if (!n->system) {
			inode_put(i);
			return NULL;
		}
	}
	return i;
}

static void evict(struct inode *i)
{
	kfree(tracefs_node(i)->system);
	kfree(tracefs_node(i));
}

/* ---- directories ---- */

static const struct tracefs_file *find_file(const struct tracefs_dir *dir, const char *name)
{
	for (const struct tracefs_file *f = dir->files; f && f->name; f++)
		if (!strcmp(f->name, name) && !(f->top_only && dir == &instance_dir))
			return f;
	if (dir == &root_dir)
		for (unsigned int i = 0; i < EXTRA_MAX && extra[i]; i++)
			if (!strcmp(extra[i]->name, name))
				return extra[i];
	return NULL;
}

/* What @name is in a directory. trace_mutex held. 0, -ENOENT. */
static int find_node(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	trace_events_prepare();
	*out = *dir;
	out->file = find_file(dir->dir, name);
	if (out->file)
		return 0;
	return dir->dir->lookup ? dir->dir->lookup(dir, name, out) : -ENOENT;
}

static int dir_lookup(struct inode *dir, struct dentry *d)
{
	struct tracefs_node n;
	struct inode *i = NULL;
	int r;

	d->flags |= DENTRY_NOCACHE | DENTRY_REVAL;
	mutex_lock(&trace_mutex);
	r = find_node(tracefs_node(dir), d->name, &n);
	if (!r) {
		i = new_inode(dir->sb, &n);
		r = i ? 0 : -ENOMEM;
	}
	mutex_unlock(&trace_mutex);
	if (i)
		d_instantiate(d, i);
	/* What is not there may be made. */
	return r == -ENOENT && tracefs_node(dir)->dir == &instances_dir ? 0 : r;
}

/* Is the event or system still there? Numbers of events are not used again soon. */
static int dir_revalidate(struct dentry *d)
{
	struct inode *i = d_inode(d);
	struct tracefs_node *n = i ? tracefs_node(i) : NULL, found;
	struct inode *parent = d->parent ? d_inode(d->parent) : NULL;
	int valid;

	if (!n || !parent)
		return 0;
	mutex_lock(&trace_mutex);
	valid = trace_instance_alive(n->in) && !find_node(tracefs_node(parent), d->name, &found) &&
		found.event == n->event && found.in == n->in;
	mutex_unlock(&trace_mutex);
	return valid;
}

static const struct inode_ops dir_ops = { .lookup = dir_lookup, .revalidate = dir_revalidate };

struct listing {
	struct dir_ctx *ctx;
	s64 index;
	bool full;
};

static void emit_name(void *arg, const char *name, bool is_dir)
{
	struct listing *l = arg;
	s64 at = l->index++;

	if (l->full || l->ctx->pos > at)
		return;
	if (l->ctx->emit(l->ctx, name, strlen(name), (u64)at + 100, is_dir ? 4 : 8, at + 1))
		l->ctx->pos = at + 1;
	else
		l->full = true;
}

static int dir_iterate(struct file *f, struct dir_ctx *ctx)
{
	const struct tracefs_node *n = tracefs_node(f->inode);
	struct listing l = { .ctx = ctx };

	emit_name(&l, ".", true);
	emit_name(&l, "..", true);
	mutex_lock(&trace_mutex);
	trace_events_prepare();
	for (const struct tracefs_file *file = n->dir->files; file && file->name; file++)
		if (!(file->top_only && n->dir == &instance_dir))
			emit_name(&l, file->name, false);
	if (n->dir == &root_dir)
		for (unsigned int i = 0; i < EXTRA_MAX && extra[i]; i++)
			emit_name(&l, extra[i]->name, false);
	if (n->dir->list)
		n->dir->list(n, emit_name, &l);
	mutex_unlock(&trace_mutex);
	return 0;
}

static const struct file_ops dir_fops = { .iterate = dir_iterate };

/* ---- files of text ---- */

static int file_setattr(struct inode *i, const struct iattr *attr)
{
	const struct tracefs_node *n = tracefs_node(i);
	int r = 0;

	if ((attr->valid & ATTR_SIZE) && n->file->truncate) {
		mutex_lock(&trace_mutex);
		r = trace_instance_alive(n->in) ? n->file->truncate(n) : -ENODEV;
		mutex_unlock(&trace_mutex);
	}
	if (!r && (attr->valid & ~ATTR_SIZE))
		generic_setattr(i, attr);
	return r;
}

static const struct inode_ops file_iops = { .setattr = file_setattr };

struct text {
	struct mutex lock;
	char *buf;
	size_t len;
	bool made;
};

static int make_text(const struct tracefs_node *n, struct text *t)
{
	struct printbuf pb;
	int r = 0;

	for (size_t size = 4096; size <= TEXT_MAX; size *= 4) {
		kfree(t->buf);
		t->buf = kmalloc(size, GFP_KERNEL);
		if (!t->buf)
			return -ENOMEM;
		printbuf_init(&pb, t->buf, size);
		mutex_lock(&trace_mutex);
		r = n->file->show(&pb, n);
		mutex_unlock(&trace_mutex);
		if (r || !printbuf_overflowed(&pb))
			break;
	}
	t->len = printbuf_used(&pb);
	t->made = !r;
	return r;
}

static ssize_t text_file_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	const struct tracefs_node *n = tracefs_node(f->inode);
	struct text *t = f->priv;
	ssize_t r = 0;

	if (!n->file->show)
		return -EINVAL;
	mutex_lock(&t->lock);
	if (*pos == 0 || !t->made)
		r = make_text(n, t);
	if (!r)
		r = text_read(to, pos, t->buf, t->len);
	mutex_unlock(&t->lock);
	return r;
}

/* Of a long text whole lines, the rest at the next write. */
static ssize_t take_text(struct iov_iter *from, char **out)
{
	size_t n = min_t(size_t, from->count, WRITE_MAX);
	bool cut = from->count > n;
	char *text = kmalloc(n + 1, GFP_KERNEL), *last;

	if (!text)
		return -ENOMEM;
	if (iov_iter_from(from, text, n) != n) {
		kfree(text);
		return -EFAULT;
	}
	text[n] = '\0';
	last = cut ? strrchr(text, '\n') : NULL;
	if (cut && !last) {
		kfree(text);
		return -EINVAL;
	}
	if (last) {
		last[1] = '\0';
		n = (size_t)(last - text) + 1;
	}
	*out = text;
	return (ssize_t)n;
}

static ssize_t text_file_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	const struct tracefs_node *n = tracefs_node(f->inode);
	char *text;
	ssize_t len;
	int r;

	if (!n->file->write)
		return -EINVAL;
	if (!from->count)
		return 0;
	len = take_text(from, &text);
	if (len < 0)
		return len;
	mutex_lock(&trace_mutex);
	r = n->file->write(n, text, (size_t)len);
	mutex_unlock(&trace_mutex);
	kfree(text);
	if (r)
		return r;
	*pos += len;
	return len;
}

int tracefs_use(const struct tracefs_node *n)
{
	int r = -ENODEV;

	mutex_lock(&trace_mutex);
	if (trace_instance_alive(n->in)) {
		n->in->users++;
		r = 0;
	}
	mutex_unlock(&trace_mutex);
	return r;
}

void tracefs_unuse(const struct tracefs_node *n)
{
	mutex_lock(&trace_mutex);
	n->in->users--;
	mutex_unlock(&trace_mutex);
}

static int text_file_open(struct inode *i, struct file *f)
{
	struct text *t;
	int r = tracefs_use(tracefs_node(i));

	if (r)
		return r;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		tracefs_unuse(tracefs_node(i));
		return -ENOMEM;
	}
	mutex_init(&t->lock);
	f->priv = t;
	return 0;
}

static void text_file_release(struct file *f)
{
	struct text *t = f->priv;

	tracefs_unuse(tracefs_node(f->inode));
	kfree(t->buf);
	kfree(t);
}

static const struct file_ops text_ops = {
	.open = text_file_open,
	.read = text_file_read,
	.write = text_file_write,
	.release = text_file_release,
};

/* ---- the top ---- */

static const struct {
	const char *name;
	const struct tracefs_dir *dir;
} top[] = {
	{ "events", &tracefs_events_dir },
	{ "options", &tracefs_options_dir },
	{ "per_cpu", &tracefs_percpu_dir },
	{ "instances", &instances_dir }, /* the last: an instance has none */
};

static size_t subdirs(const struct tracefs_node *dir)
{
	return ARRAY_SIZE(top) - (dir->dir == &instance_dir);
}

static int root_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	for (size_t i = 0; i < subdirs(dir); i++) {
		if (!strcmp(top[i].name, name)) {
			out->dir = top[i].dir;
			return 0;
		}
	}
	return -ENOENT;
}

static void root_list(const struct tracefs_node *dir,
		      void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	for (size_t i = 0; i < subdirs(dir); i++)
		emit(ctx, top[i].name, true);
}

static const struct tracefs_dir root_dir = {
	.mode = 0700, .files = tracefs_root_files, .lookup = root_lookup, .list = root_list
};
static const struct tracefs_dir instance_dir = {
	.mode = 0750, .files = tracefs_root_files, .lookup = root_lookup, .list = root_list
};

/* ---- instances ---- */

static int instances_lookup(const struct tracefs_node *dir, const char *name,
			    struct tracefs_node *out)
{
	out->in = *name ? trace_instance_find(name) : NULL;
	out->dir = &instance_dir;
	return out->in ? 0 : -ENOENT;
}

static void instances_list(const struct tracefs_node *dir,
			   void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	struct trace_instance *in;

	list_for_each_entry(in, &trace_instances, link)
		if (*in->name)
			emit(ctx, in->name, true);
}

static const struct tracefs_dir instances_dir = { .mode = 0750,
						  .lookup = instances_lookup,
						  .list = instances_list };

static int instance_mkdir(struct inode *dir, struct dentry *d, u32 mode)
{
	struct tracefs_node n;
	struct inode *i = NULL;
	int r;

	mutex_lock(&trace_mutex);
	trace_events_prepare();
	r = trace_instance_create(d->name);
	if (!r && !find_node(tracefs_node(dir), d->name, &n))
		i = new_inode(dir->sb, &n);
	mutex_unlock(&trace_mutex);
	if (i)
		d_instantiate(d, i);
	return r ? r : i ? 0 : -ENOMEM;
}

static int instance_rmdir(struct inode *dir, struct dentry *d)
{
	struct trace_instance *in;
	int r;

	mutex_lock(&trace_mutex);
	in = trace_instance_find(d->name);
	r = in ? trace_instance_remove(in) : -ENOENT;
	mutex_unlock(&trace_mutex);
	return r;
}

static const struct inode_ops instances_ops = { .lookup = dir_lookup,
						.revalidate = dir_revalidate,
						.mkdir = instance_mkdir,
						.rmdir = instance_rmdir };

/* ---- mounting ---- */

static int parse_option(void *ctx, const char *key, const char *val)
{
	int r = mount_option_owner(key, val, ctx);

	return r == -ENOENT ? -EINVAL : r;
}

/* What has been looked up already gets the new owner, too. */
static int change(struct super *sb, unsigned long flags, const char *data)
{
	struct mount_owner next = owner;
	struct inode *root = d_inode(sb->root);
	int r = mount_options(data, parse_option, &next);

	if (r)
		return r;
	owner = next;
	root->mode = S_IFDIR | owner.mode;
	root->uid = owner.uid;
	root->gid = owner.gid;
	dcache_shrink_super(sb);
	return 0;
}

static void show_options(struct super *sb, char *buf, size_t size)
{
	int n = 0;

	if (owner.uid)
		n = scnprintf(buf, size, ",uid=%u", owner.uid);
	if (owner.gid)
		n += scnprintf(buf + n, size - (size_t)n, ",gid=%u", owner.gid);
	if (owner.mode != 0700)
		scnprintf(buf + n, size - (size_t)n, ",mode=%o", owner.mode);
}

static const struct super_ops super_ops = { .evict = evict,
					    .remount = change,
					    .show_options = show_options };

static int fill(struct super *sb, const char *source, const char *data)
{
	const struct tracefs_node n = { .dir = &root_dir, .in = &trace_top, .cpu = TRACE_ALL_CPUS };
	struct inode *root;

	sb->ops = &super_ops;
	sb->magic = TRACEFS_MAGIC;
	root = new_inode(sb, &n);
	sb->root = root ? d_alloc(sb, NULL, "/", 1) : NULL;
	if (!sb->root) {
		if (root)
			inode_put(root);
		return -ENOMEM;
	}
	d_instantiate(sb->root, root);
	return change(sb, 0, data);
}

static struct fs_type tracefs_type = {
	.name = "tracefs",
	.nodev = true,
	.fill = fill,
	.single = true,
	.option = parse_option,
	.options_size = sizeof(struct mount_owner),
};

void tracefs_init(void)
{
	fs_type_register(&tracefs_type);
	tracefs_probes_init();
}

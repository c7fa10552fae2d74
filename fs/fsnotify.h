/* SPDX-License-Identifier: MIT */
/*
 * What happens to files, told to those who watch: inotify and fanotify.
 *
 * The functions below are called where something happens. As long as nobody watches anything they cost one test of fsnotify_active; then a look
 * whether one of the objects is watched; only then a lock. Task context; may sleep.
 */
#ifndef FS_FSNOTIFY_H
#define FS_FSNOTIFY_H

#include <fs/vfs.h>
#include <uapi/fanotify.h>
#include <uapi/inotify.h>

extern bool fsnotify_active; /* anyone watches anything */

/** fsnotify_watches() - so many watches more or less than before. Any context. */
void fsnotify_watches(int change);

void __fsnotify_event(struct dentry *d, const struct path *path, u32 mask);
void __fsnotify_inode(struct dentry *d, u32 mask);
void __fsnotify_name(struct dentry *dir, struct dentry *d, const char *name, u32 mask, u32 cookie);
/** __fsnotify_rename() - @d moved from @from, where it was called @oname, to @to; for those who want to hear of both places at once. */
void __fsnotify_rename(struct dentry *from, struct dentry *to, struct dentry *d, const char *oname);
void __fsnotify_gone(struct dentry *d);
int __fsnotify_perm(struct file *f, u32 mask);

static inline u32 fsnotify_isdir(const struct inode *inode)
{
	return S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}

/** fsnotify_dentry() - to @d happened @mask (IN_*), which its directory's watchers hear as well. */
static inline void fsnotify_dentry(struct dentry *d, u32 mask)
{
	if (unlikely(READ_ONCE(fsnotify_active)))
		__fsnotify_event(d, NULL, mask);
}

/** fsnotify_file() - the same of an open file, whose mount is known. */
static inline void fsnotify_file(struct file *f, u32 mask)
{
	if (unlikely(READ_ONCE(fsnotify_active)) && f->path.dentry &&
	    !(f->mode & (FMODE_PATH | FMODE_NONOTIFY)))
		__fsnotify_event(f->path.dentry, &f->path, mask);
}

/** fsnotify_perm() - ask those who decide whether @mask (FAN_*_PERM) may be done to @f. No lock held. 0, -EPERM, -ERESTARTSYS: killed. */
static inline int fsnotify_perm(struct file *f, u32 mask)
{
	return unlikely(READ_ONCE(fsnotify_active)) ? __fsnotify_perm(f, mask) : 0;
}

/** fsnotify_name() - the name @name of @d in @dir came or went. */
static inline void fsnotify_name(struct dentry *dir, struct dentry *d, const char *name, u32 mask,
				 u32 cookie)
{
	if (unlikely(READ_ONCE(fsnotify_active)))
		__fsnotify_name(dir, d, name, mask | fsnotify_isdir(d_inode(d)), cookie);
}

/** fsnotify_self() - what only watchers of the object itself hear. */
static inline void fsnotify_self(struct dentry *d, u32 mask)
{
	if (unlikely(READ_ONCE(fsnotify_active)))
		__fsnotify_inode(d, mask);
}

/** fsnotify_gone() - @d lost a name; if it was the last one, its watches end. */
static inline void fsnotify_gone(struct dentry *d)
{
	if (unlikely(READ_ONCE(fsnotify_active)))
		__fsnotify_gone(d);
}

/** fsnotify_super_gone() - nobody reaches @sb any more: watches of what is on it end. */
void fsnotify_super_gone(struct super *sb);

/** fsnotify_dev() - the number of a device as fdinfo shows it. fsnotify_show_fid() - a handle, as there. */
u32 fsnotify_dev(const struct super *sb);
void fsnotify_show_fid(struct printbuf *pb, const struct file_fid *fid);

/* ---- inotify.c ---- */

void inotify_init(void);
void inotify_object(struct inode *inode, u32 mask, u32 cookie, const char *name);
void inotify_drop_inode(struct inode *inode); /* its watches end, and say so */
void inotify_super_gone(struct super *sb);

/* ---- fanotify.c ---- */

/* What happened, or is asked. */
struct fan_happening {
	u32 mask;		 /* FAN_*, with FAN_ONDIR */
	struct dentry *d;	 /* to what */
	const struct path *path; /* by which mount; NULL: not known */
	struct dentry *dir;	 /* the directory it is in, NULL: not asked for */
	const char *name;	 /* its name there */
	struct dentry *new_dir;	 /* FAN_RENAME: and in this */
	const char *new_name;
};

struct fan_mark;
bool fanotify_wanted(const struct dentry *d, const struct path *path);
void fanotify_tell(const struct fan_happening *h);
int fanotify_ask(const struct fan_happening *h);
/** fanotify_object_gone() - the object whose marks *@head are has no user any more. May be called while memory is short. */
void fanotify_object_gone(struct fan_mark **head);
void fanotify_drop_inode(struct inode *inode);
void fanotify_super_gone(struct super *sb);

#endif

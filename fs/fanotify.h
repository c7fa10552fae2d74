/* SPDX-License-Identifier: MIT */
/* What fanotify.c (marks, and what is queued for whom) and fanotify_file.c (the descriptor) share. fanotify_mutex guards all of it. */
#ifndef FS_FANOTIFY_H
#define FS_FANOTIFY_H

#include <fs/fsnotify.h>
#include <kernel/wait.h>

struct fan_group {
	struct list link;	   /* of all groups */
	struct list events, asked; /* to be read; read, and waiting for an answer */
	struct list marks;
	u32 flags, event_flags; /* of fanotify_init */
	bool unprivileged;
	bool overflowed; /* that events were lost is queued */
	unsigned int nevents, max_events, nmarks;
	uid_t user;
	u64 order; /* in which groups are told: by class, then by age */
	struct waitq wait;
};

enum fan_object { FAN_OBJECT_INODE, FAN_OBJECT_MOUNT, FAN_OBJECT_SUPER };

struct fan_mark {
	struct fan_mark *next;	/* of the same object */
	struct fan_mark **head; /* the object's list; NULL: it has gone. mark_lock too */
	struct list link;	/* of the same group */
	struct fan_group *group;
	void *object; /* an inode is referred to unless FAN_MARK_EVICTABLE is in flags */
	u8 type;
	u32 flags; /* FAN_MARK_IGNORED_SURV_MODIFY, _IGNORE, _EVICTABLE */
	u32 mask, ignore;
	struct file_fid fid; /* of an inode, to be shown */
};

enum fan_state { FAN_QUEUED, FAN_ASKED, FAN_ANSWERED, FAN_CANCELLED };

struct fan_event {
	struct list link;
	u32 mask;
	pid_t pid;
	struct process *process; /* a reference, if the group wants a pidfd */
	struct path path;	 /* references; mnt NULL: the event has fids or nothing */
	u64 dev;		 /* of the file system that fids are of */
	u8 fids;		 /* bits: FAN_FID_DIR, ... */
	struct file_fid fid[3];
	u16 name_len, new_len;
	/* Of a question: */
	enum fan_state state;
	u32 response;
	s32 fd;
	char names[]; /* the name and the new name, without an end */
};
enum { FAN_FID_DIR, FAN_FID_NEW_DIR, FAN_FID_OBJECT };

extern struct mutex fanotify_mutex;
/* Limits, in /proc/sys/fs/fanotify. */
extern u32 fanotify_max_queued, fanotify_max_groups, fanotify_max_marks;

static inline bool fan_is_question(const struct fan_event *e)
{
	return e->mask & FAN_PERM_EVENTS;
}

/** fan_answer() - @e is answered; who asked goes on and owns it. It is on no list. fanotify_mutex held. */
void fan_answer(struct fan_event *e, u32 response);
/** fan_event_free() - with its references; no lock held. */
void fan_event_free(struct fan_event *e);
/** fan_group_add() - count @g with its user's groups. 0, -EMFILE. fan_group_gone() - nobody has it open any more: marks, events, questions go. */
int fan_group_add(struct fan_group *g);
void fan_group_gone(struct fan_group *g);

/** fanotify_show_marks() - the lines of /proc/PID/fdinfo. */
void fanotify_show_marks(struct fan_group *g, struct printbuf *pb);

/** fanotify_create() - flags are checked. ERR_PTR(-EMFILE, -ENOMEM). fanotify_group() - of a file; NULL: it is none. */
struct file *fanotify_create(u32 flags, u32 event_flags, bool unprivileged);
struct fan_group *fanotify_group(const struct file *f);
/** fanotify_add(), fanotify_remove() - FAN_MARK_ADD and _REMOVE on what @p names; @umask: bits that alone make no mark. */
int fanotify_add(struct fan_group *g, const struct path *p, u32 mask, u32 flags);
int fanotify_remove(struct fan_group *g, const struct path *p, u32 mask, u32 flags, u32 umask);
void fanotify_flush(struct fan_group *g, u32 flags);

#endif

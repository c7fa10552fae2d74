/* SPDX-License-Identifier: MIT */
/*
 * System V IPC: what its three kinds of objects have in common.
 *
 * An object begins with struct ipc_object. A kind's table finds it by number (a place and a count of the place's
 * uses, so that a stale number finds nothing) or by key. ipc_mutex guards the tables and everything in the objects.
 * An object lives while somebody has a reference; one that was removed says so.
 */
#ifndef FS_IPC_H
#define FS_IPC_H

#include <fs/internal.h>
#include <kernel/task.h>
#include <uapi/ipc.h>

struct ipc_object {
	u32 refs; /* ipc_mutex */
	int id;
	s32 key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq;
	bool removed;
	u32 changes;	   /* counts what a sleeper may be waiting for */
	struct waitq wait; /* sleepers: for changes */
};

struct ipc_kind {
	struct ipc_object **place; /* grows */
	u32 nplaces, nused;
	u16 next_seq;
	u32 max;			       /* objects */
	void (*destroy)(struct ipc_object *o); /* the last reference: free it */
};

extern struct mutex ipc_mutex;

/** ipc_find() - by number. ERR_PTR(-EINVAL): none. ipc_find_place(): by place, for the listing commands. */
struct ipc_object *ipc_find(struct ipc_kind *kind, int id);
struct ipc_object *ipc_find_place(struct ipc_kind *kind, int place);
/** ipc_find_key() - NULL: none. */
struct ipc_object *ipc_find_key(struct ipc_kind *kind, s32 key);
/** ipc_add() - give @o, zeroed by its maker, owner, mode and number; takes over the reference on success. Its id, -ENOSPC, -ENOMEM. */
int ipc_add(struct ipc_kind *kind, struct ipc_object *o, s32 key, unsigned int mode);
/** ipc_remove() - out of the table, and its reference with it; sleepers wake. */
void ipc_remove(struct ipc_kind *kind, struct ipc_object *o);
void ipc_put(struct ipc_kind *kind, struct ipc_object *o);
/** ipc_permitted() - rights wanted as in a mode's last three bits, or in a place of their own. 0 or -EACCES. */
int ipc_permitted(const struct ipc_object *o, unsigned int wanted);
/** ipc_owned() - may current change or remove it? 0 or -EPERM. */
int ipc_owned(const struct ipc_object *o);
/** ipc_get_existing() - the rules of the get calls for a key that is there. Its id, -EEXIST, -EACCES. */
int ipc_get_existing(const struct ipc_object *o, int flags);
/** ipc_last_place() - the highest place in use, or 0: what the INFO commands return. */
int ipc_last_place(const struct ipc_kind *kind);
void ipc_fill(const struct ipc_object *o, struct ipc_perm_abi *out);
/** ipc_set_owner() - what IPC_SET changes. 0; -EINVAL: an id of -1. */
int ipc_set_owner(struct ipc_object *o, const struct ipc_perm_abi *in);
/** ipc_sleep() - let go of ipc_mutex until @o changes, or @deadline_ns. 0; -EIDRM, -EINTR, -ETIMEDOUT. */
int ipc_sleep(struct ipc_kind *kind, struct ipc_object *o, u64 deadline_ns);
/** ipc_changed() - wake those who sleep for changes of @o. */
void ipc_changed(struct ipc_object *o);
static inline s64 ipc_now(void)
{
	return (s64)(inode_now() / 1000000000ULL);
}

/* The limits that /proc/sys/kernel shows. */
extern unsigned long shm_max_bytes, shm_all_pages;
extern struct ipc_kind shm_kind, sem_kind, msg_kind;
extern unsigned int sem_limits[4]; /* SEMMSL, SEMMNS, SEMOPM, SEMMNI */
extern unsigned int msg_max_bytes, msg_queue_bytes;
/** *_show() - the tables of /proc/sysvipc. */
int shm_show(struct printbuf *pb, struct task *t);
int sem_show(struct printbuf *pb, struct task *t);
int msg_show(struct printbuf *pb, struct task *t);

#endif

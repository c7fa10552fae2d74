/* SPDX-License-Identifier: MIT */
/* System V IPC: tables, numbers, rights (fs/ipc/ipc.h). Source: sysvipc(7). */
#include <fs/ipc/ipc.h>
#include <uapi/capability.h>

#define PLACES 32768u /* a number is its count of uses times this, plus the place */

struct mutex ipc_mutex = MUTEX_INIT(ipc_mutex);

/* ---- tables ---- */

struct ipc_object *ipc_find_place(struct ipc_kind *kind, int place)
{
	if (place < 0 || (u32)place >= kind->nplaces || !kind->place[place])
		return ERR_PTR(-EINVAL);
	return kind->place[place];
}

struct ipc_object *ipc_find(struct ipc_kind *kind, int id)
{
	struct ipc_object *o;

	if (id < 0)
		return ERR_PTR(-EINVAL);
	o = ipc_find_place(kind, (int)((u32)id % PLACES));
	return IS_ERR(o) || o->id == id ? o : ERR_PTR(-EINVAL);
}

struct ipc_object *ipc_find_key(struct ipc_kind *kind, s32 key)
{
	for (u32 i = 0; i < kind->nplaces; i++)
		if (kind->place[i] && kind->place[i]->key == key)
			return kind->place[i];
	return NULL;
}

int ipc_last_place(const struct ipc_kind *kind)
{
	u32 i = kind->nplaces;

	while (i && !kind->place[i - 1])
		i--;
	return i ? (int)i - 1 : 0;
}

/* Room for one more; the first free place, or -ENOMEM. */
static int free_place(struct ipc_kind *kind)
{
	struct ipc_object **grown;
	u32 i = 0, size;

	while (i < kind->nplaces && kind->place[i])
		i++;
	if (i < kind->nplaces)
		return (int)i;
	size = kind->nplaces ? kind->nplaces * 2 : 16;
	grown = kcalloc(size, sizeof(struct ipc_object *), GFP_KERNEL);
	if (!grown)
		return -ENOMEM;
	if (kind->place)
		memcpy(grown, kind->place, kind->nplaces * sizeof(struct ipc_object *));
	kfree(kind->place);
	kind->place = grown;
	kind->nplaces = size;
	return (int)i;
}

int ipc_add(struct ipc_kind *kind, struct ipc_object *o, s32 key, unsigned int mode)
{
	const struct creds *c = current->creds;
	int i;

	if (kind->nused >= kind->max)
		return -ENOSPC;
	i = free_place(kind);
	if (i < 0)
		return i;
	o->refs = 1;
	o->key = key;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->mode = mode & 0777;
	o->seq = kind->next_seq;
	o->id = (int)(o->seq * PLACES + (u32)i);
	kind->next_seq = (u16)((kind->next_seq + 1) & 0x7fff);
	waitq_init(&o->wait);
	kind->place[i] = o;
	kind->nused++;
	return o->id;
}

void ipc_put(struct ipc_kind *kind, struct ipc_object *o)
{
	if (!--o->refs)
		kind->destroy(o);
}

void ipc_changed(struct ipc_object *o)
{
	WRITE_ONCE(o->changes, o->changes + 1);
	waitq_wake_all(&o->wait);
}

void ipc_remove(struct ipc_kind *kind, struct ipc_object *o)
{
	kind->place[(u32)o->id % PLACES] = NULL;
	kind->nused--;
	o->removed = true;
	ipc_changed(o);
	ipc_put(kind, o);
}

int ipc_sleep(struct ipc_kind *kind, struct ipc_object *o, u64 deadline_ns)
{
	u32 seen = o->changes;
	int r;

	o->refs++;
	mutex_unlock(&ipc_mutex);
	r = wait_event_interruptible_until(&o->wait, READ_ONCE(o->changes) != seen, deadline_ns);
	mutex_lock(&ipc_mutex);
	if (o->removed)
		r = -EIDRM;
	ipc_put(kind, o);
	return r;
}

/* ---- rights ---- */

int ipc_permitted(const struct ipc_object *o, unsigned int wanted)
{
	const struct creds *c = current->creds;
	unsigned int granted = o->mode;

	wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7;
	if (c->euid == o->cuid || c->euid == o->uid)
		granted >>= 6;
	else if (c->egid == o->cgid || c->egid == o->gid || creds_in_group(c, o->cgid) ||
		 creds_in_group(c, o->gid))
		granted >>= 3;
	return wanted & ~granted && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_owned(const struct ipc_object *o)
{
	uid_t euid = current->creds->euid;

	return euid == o->cuid || euid == o->uid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_get_existing(const struct ipc_object *o, int flags)
{
	int r;

	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	r = ipc_permitted(o, (unsigned int)flags & 0777);
	return r ? r : o->id;
}

void ipc_fill(const struct ipc_object *o, struct ipc_perm_abi *out)
{
	*out = (struct ipc_perm_abi){ .key = o->key,
				      .uid = o->uid,
				      .gid = o->gid,
				      .cuid = o->cuid,
				      .cgid = o->cgid,
				      .mode = o->mode,
				      .seq = o->seq };
}

int ipc_set_owner(struct ipc_object *o, const struct ipc_perm_abi *in)
{
	if (in->uid == ~0u || in->gid == ~0u)
		return -EINVAL;
	o->uid = in->uid;
	o->gid = in->gid;
	o->mode = (o->mode & ~0777u) | (in->mode & 0777);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* System V message queues. Locking: ipc_mutex. Source: msgget(2), msgop(2), msgctl(2). */
#include <fs/ipc/ipc.h>
#include <fs/ipc/sysv.h>
#include <uapi/capability.h>

struct msg {
	struct list link;
	s64 type;
	size_t size;
	char text[];
};

struct msg_queue {
	struct ipc_object o; /* must be first */
	struct list messages;
	u64 cbytes, qnum, qbytes;
	s64 stime, rtime, ctime;
	pid_t lspid, lrpid;
};

unsigned int msg_max_bytes = 8192, msg_queue_bytes = 16384;

static void destroy(struct ipc_object *o)
{
	struct msg_queue *q = (struct msg_queue *)o;
	struct msg *m, *next;

	list_for_each_entry_safe(m, next, &q->messages, link)
		kfree(m);
	kfree(q);
}

struct ipc_kind msg_kind = { .max = 32000, .destroy = destroy };

static struct msg_queue *find_queue(int id)
{
	return (struct msg_queue *)ipc_find(&msg_kind, id);
}

static int make_queue(s32 key, int flags)
{
	struct msg_queue *q = kzalloc(sizeof(*q), GFP_KERNEL);
	int r;

	if (!q)
		return -ENOMEM;
	list_init(&q->messages);
	q->qbytes = msg_queue_bytes;
	q->ctime = ipc_now();
	r = ipc_add(&msg_kind, &q->o, key, (unsigned int)flags);
	if (r < 0)
		kfree(q);
	return r;
}

long ipc_msgget(s32 key, int flags)
{
	struct ipc_object *o = NULL;
	long r;

	mutex_lock(&ipc_mutex);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&msg_kind, key);
	if (o)
		r = ipc_get_existing(o, flags);
	else if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		r = -ENOENT;
	else
		r = make_queue(key, flags);
	mutex_unlock(&ipc_mutex);
	return r;
}

/* ---- sending ---- */

static bool has_room(const struct msg_queue *q, size_t size)
{
	return q->cbytes + size <= q->qbytes && q->qnum + 1 <= q->qbytes;
}

static long send_locked(int id, struct msg *m, int flags)
{
	struct msg_queue *q = find_queue(id);
	int r;

	if (IS_ERR(q))
		return PTR_ERR(q);
	for (;;) {
		r = ipc_permitted(&q->o, 2);
		if (r)
			return r;
		if (has_room(q, m->size))
			break;
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		r = ipc_sleep(&msg_kind, &q->o, U64_MAX);
		if (r)
			return r;
	}
	list_add_tail(&m->link, &q->messages);
	q->cbytes += m->size;
	q->qnum++;
	q->lspid = task_pid(current);
	q->stime = ipc_now();
	ipc_changed(&q->o);
	return 0;
}

long ipc_msgsnd(int id, uaddr_t umsg, size_t size, int flags)
{
	struct msg *m;
	s64 type;
	long r;

	if (id < 0 || size > msg_max_bytes)
		return -EINVAL;
	if (get_user_obj(&type, umsg))
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + size, GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->size = size;
	r = copy_from_user(m->text, umsg + sizeof(type), size);
	if (!r) {
		mutex_lock(&ipc_mutex);
		r = send_locked(id, m, flags);
		mutex_unlock(&ipc_mutex);
	}
	if (r)
		kfree(m);
	return r;
}

/* ---- receiving ---- */

static bool type_fits(const struct msg *m, s64 type, int flags)
{
	if (type == 0)
		return true;
	if (type > 0)
		return (m->type == type) != ((flags & MSG_EXCEPT) != 0);
	return type == S64_MIN || m->type <= -type;
}

/* The message that @type asks for; of several below a limit the one with the lowest type. NULL: none. */
static struct msg *choose(struct msg_queue *q, s64 type, int flags)
{
	struct msg *m, *best = NULL;

	list_for_each_entry(m, &q->messages, link) {
		if (!type_fits(m, type, flags))
			continue;
		if (type >= 0)
			return m;
		if (!best || m->type < best->type)
			best = m;
	}
	return best;
}

/* MSG_COPY: the message at a position, which stays. */
static struct msg *copy_at(struct msg_queue *q, s64 position)
{
	struct msg *m, *copy;

	list_for_each_entry(m, &q->messages, link) {
		if (position-- > 0)
			continue;
		copy = kmalloc(sizeof(*m) + m->size, GFP_KERNEL);
		if (!copy)
			return ERR_PTR(-ENOMEM);
		memcpy(copy, m, sizeof(*m) + m->size);
		return copy;
	}
	return ERR_PTR(-ENOMSG);
}

static void take(struct msg_queue *q, struct msg *m)
{
	list_del(&m->link);
	q->cbytes -= m->size;
	q->qnum--;
	q->lrpid = task_pid(current);
	q->rtime = ipc_now();
	ipc_changed(&q->o);
}

/* A message that is now the caller's. ERR_PTR. */
static struct msg *receive_locked(int id, size_t size, s64 type, int flags)
{
	struct msg_queue *q = find_queue(id);
	struct msg *m;
	int r;

	if (IS_ERR(q))
		return ERR_CAST(q);
	for (;;) {
		r = ipc_permitted(&q->o, 4);
		if (r)
			return ERR_PTR(r);
		if (flags & MSG_COPY)
			return copy_at(q, type);
		m = choose(q, type, flags);
		if (m)
			break;
		if (flags & IPC_NOWAIT)
			return ERR_PTR(-ENOMSG);
		r = ipc_sleep(&msg_kind, &q->o, U64_MAX);
		if (r)
			return ERR_PTR(r);
	}
	if (m->size > size && !(flags & MSG_NOERROR))
		return ERR_PTR(-E2BIG);
	take(q, m);
	return m;
}

long ipc_msgrcv(int id, uaddr_t umsg, size_t size, s64 type, int flags)
{
	struct msg *m;
	long r;

	if (id < 0 || (s64)size < 0)
		return -EINVAL;
	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	mutex_lock(&ipc_mutex);
	m = receive_locked(id, size, type, flags);
	mutex_unlock(&ipc_mutex);
	if (IS_ERR(m))
		return PTR_ERR(m);
	if ((flags & MSG_COPY) && m->size > size && !(flags & MSG_NOERROR))
		r = -E2BIG;
	else if (put_user_obj(umsg, &m->type) ||
		 copy_to_user(umsg + sizeof(m->type), m->text, min(size, m->size)))
		r = -EFAULT;
	else
		r = (long)min(size, m->size);
	kfree(m);
	return r;
}

/* ---- control ---- */

static void fill(const struct msg_queue *q, struct msqid_abi *out)
{
	*out = (struct msqid_abi){ .stime = q->stime,
				   .rtime = q->rtime,
				   .ctime = q->ctime,
				   .cbytes = q->cbytes,
				   .qnum = q->qnum,
				   .qbytes = q->qbytes,
				   .lspid = q->lspid,
				   .lrpid = q->lrpid };
	ipc_fill(&q->o, &out->perm);
}

static long set_queue(struct msg_queue *q, const struct msqid_abi *in)
{
	int r;

	if (in->qbytes > msg_queue_bytes && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	r = ipc_set_owner(&q->o, &in->perm);
	if (r)
		return r;
	q->qbytes = in->qbytes;
	q->ctime = ipc_now();
	ipc_changed(&q->o);
	return 0;
}

static long info(int cmd, struct msginfo_abi *out)
{
	*out = (struct msginfo_abi){ .msgmax = (s32)msg_max_bytes,
				     .msgmnb = (s32)msg_queue_bytes,
				     .msgmni = (s32)msg_kind.max,
				     .msgssz = 16,
				     .msgseg = 0xffff };
	out->msgpool = out->msgmni * out->msgmnb / 1024;
	out->msgmap = out->msgtql = out->msgmnb;
	if (cmd == IPC_INFO)
		return ipc_last_place(&msg_kind);
	out->msgpool = (s32)msg_kind.nused;
	out->msgmap = out->msgtql = 0;
	for (u32 i = 0; i < msg_kind.nplaces; i++) {
		struct msg_queue *q = (struct msg_queue *)msg_kind.place[i];

		out->msgmap += q ? (s32)q->qnum : 0;
		out->msgtql += q ? (s32)q->cbytes : 0;
	}
	return ipc_last_place(&msg_kind);
}

static long stat_locked(int id, int cmd, struct msqid_abi *out)
{
	struct ipc_object *o =
		cmd == IPC_STAT ? ipc_find(&msg_kind, id) : ipc_find_place(&msg_kind, id);
	int r;

	if (IS_ERR(o))
		return PTR_ERR(o);
	r = cmd == MSG_STAT_ANY ? 0 : ipc_permitted(o, 4);
	if (r)
		return r;
	fill((struct msg_queue *)o, out);
	return cmd == IPC_STAT ? 0 : o->id;
}

static long change_locked(int id, int cmd, const struct msqid_abi *in)
{
	struct msg_queue *q = find_queue(id);
	int r;

	if (IS_ERR(q))
		return PTR_ERR(q);
	r = ipc_owned(&q->o);
	if (r)
		return r;
	if (cmd == IPC_SET)
		return set_queue(q, in);
	ipc_remove(&msg_kind, &q->o);
	return 0;
}

long ipc_msgctl(int id, int cmd, uaddr_t ubuf)
{
	struct msginfo_abi mi;
	struct msqid_abi ds;
	long r;

	if (id < 0)
		return -EINVAL;
	if (cmd == IPC_SET && get_user_obj(&ds, ubuf))
		return -EFAULT;
	mutex_lock(&ipc_mutex);
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		r = info(cmd, &mi);
		break;
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		r = stat_locked(id, cmd, &ds);
		break;
	case IPC_SET:
	case IPC_RMID:
		r = change_locked(id, cmd, &ds);
		break;
	default:
		r = -EINVAL;
	}
	mutex_unlock(&ipc_mutex);
	if (r < 0 || cmd == IPC_SET || cmd == IPC_RMID)
		return r;
	if (cmd == IPC_INFO || cmd == MSG_INFO)
		return put_user_obj(ubuf, &mi) ? -EFAULT : r;
	return put_user_obj(ubuf, &ds) ? -EFAULT : r;
}

int msg_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb,
		      "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
		      "cuid  cgid      stime      rtime      ctime\n");
	mutex_lock(&ipc_mutex);
	for (u32 i = 0; i < msg_kind.nplaces; i++) {
		struct msg_queue *q = (struct msg_queue *)msg_kind.place[i];

		if (q && !ipc_permitted(&q->o, 4))
			printbuf_printf(pb,
					"%10d %10d  %4o  %10llu %10llu %5d %5d %5u %5u %5u %5u "
					"%10lld %10lld %10lld\n",
					q->o.key, q->o.id, q->o.mode, q->cbytes, q->qnum, q->lspid,
					q->lrpid, q->o.uid, q->o.gid, q->o.cuid, q->o.cgid,
					q->stime, q->rtime, q->ctime);
	}
	mutex_unlock(&ipc_mutex);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * System V semaphores. Source: semget(2), semop(2), semctl(2).
 *
 * A set of operations happens as a whole or not at all. One that cannot happen yet waits in its array's line; whoever changes a value
 * carries out, in the order of arrival, those that now can, so that a sleeper wakes with its work done.
 * What SEM_UNDO is to take back is kept with the array, for each process.
 * Locking: ipc_mutex.
 */
#include <fs/ipc/ipc.h>
#include <fs/ipc/sysv.h>
#include <kernel/files.h>
#include <kernel/time.h>
#include <uapi/capability.h>

#define VALUE_MAX 32767
#define OPS_FAST  16

struct sem {
	u16 value;
	pid_t pid; /* of the last change */
};

struct sem_undo {
	struct list link;
	const struct process *process;
	s16 adjust[];
};

struct sem_array {
	struct ipc_object o; /* must be first */
	struct list line;    /* struct sem_waiter */
	struct list undos;
	s64 otime, ctime;
	u32 nsems;
	struct sem sem[];
};

/* On the sleeper's stack. */
struct sem_waiter {
	struct list link;
	struct task *task;
	const struct sembuf_abi *ops;
	unsigned int nops, blocking; /* the operation that stands in the way */
	struct sem_undo *undo;
	int result;
	bool done;
};

unsigned int sem_limits[4] = { 32000, 1024000000, 500, 32000 };
#define SEMMSL sem_limits[0]
#define SEMMNS sem_limits[1]
#define SEMOPM sem_limits[2]

static void destroy(struct ipc_object *o)
{
	struct sem_array *a = (struct sem_array *)o;
	struct sem_undo *u, *next;

	list_for_each_entry_safe(u, next, &a->undos, link)
		kfree(u);
	kfree(a);
}

struct ipc_kind sem_kind = { .max = 32000, .destroy = destroy };

static struct sem_array *find_array(int id)
{
	return (struct sem_array *)ipc_find(&sem_kind, id);
}

/* ---- semget ---- */

static u32 sems_in_use(void)
{
	u32 n = 0;

	for (u32 i = 0; i < sem_kind.nplaces; i++)
		if (sem_kind.place[i])
			n += ((struct sem_array *)sem_kind.place[i])->nsems;
	return n;
}

static int make_array(s32 key, int nsems, int flags)
{
	struct sem_array *a;
	int r;

	if (!nsems)
		return -EINVAL;
	if (sems_in_use() + (u32)nsems > SEMMNS)
		return -ENOSPC;
	a = kzalloc(sizeof(*a) + (size_t)nsems * sizeof(struct sem), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	list_init(&a->line);
	list_init(&a->undos);
	a->nsems = (u32)nsems;
	a->ctime = ipc_now();
	r = ipc_add(&sem_kind, &a->o, key, (unsigned int)flags);
	if (r < 0)
		kfree(a);
	return r;
}

long ipc_semget(s32 key, int nsems, int flags)
{
	struct ipc_object *o = NULL;
	long r;

	if (nsems < 0 || (u32)nsems > SEMMSL)
		return -EINVAL;
	mutex_lock(&ipc_mutex);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&sem_kind, key);
	if (o) {
		r = ipc_get_existing(o, flags);
		if (r >= 0 && (u32)nsems > ((struct sem_array *)o)->nsems)
			r = -EINVAL;
	} else if (key != IPC_PRIVATE && !(flags & IPC_CREAT)) {
		r = -ENOENT;
	} else {
		r = make_array(key, nsems, flags);
	}
	mutex_unlock(&ipc_mutex);
	return r;
}

/* ---- operations ---- */

static void undo_adjust(struct sem_undo *u, const struct sembuf_abi *op, int sign)
{
	if (u && (op->flags & SEM_UNDO))
		u->adjust[op->num] = (s16)(u->adjust[op->num] - sign * op->op);
}

/* Take back the first @n of @w's operations. */
static void roll_back(struct sem_array *a, struct sem_waiter *w, unsigned int n)
{
	while (n--) {
		a->sem[w->ops[n].num].value = (u16)(a->sem[w->ops[n].num].value - w->ops[n].op);
		undo_adjust(w->undo, &w->ops[n], -1);
	}
}

static bool undo_overflows(const struct sem_undo *u, const struct sembuf_abi *op)
{
	int v = u && (op->flags & SEM_UNDO) ? u->adjust[op->num] - op->op : 0;

	return v < -VALUE_MAX - 1 || v > VALUE_MAX;
}

/* All of @w's operations, or none. 0 done; 1: must wait; -EAGAIN, -ERANGE. */
static int perform(struct sem_array *a, struct sem_waiter *w)
{
	int r = 0;
	unsigned int i;

	for (i = 0; i < w->nops; i++) {
		const struct sembuf_abi *op = &w->ops[i];
		int value = a->sem[op->num].value + op->op;

		if ((!op->op && a->sem[op->num].value) || value < 0)
			r = op->flags & IPC_NOWAIT ? -EAGAIN : 1;
		else if (value > VALUE_MAX || undo_overflows(w->undo, op))
			r = -ERANGE;
		if (r)
			break;
		a->sem[op->num].value = (u16)value;
		undo_adjust(w->undo, op, 1);
	}
	if (r) {
		w->blocking = i;
		roll_back(a, w, i);
		return r;
	}
	for (i = 0; i < w->nops; i++)
		a->sem[w->ops[i].num].pid = task_pid(w->task);
	a->otime = ipc_now();
	return 0;
}

/* Let @w's sleeper go, with the result of its operations; it may be gone as soon as done is seen. */
static void release(struct sem_waiter *w, int result)
{
	struct task *t = w->task;

	list_del(&w->link);
	w->result = result;
	task_get(t);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	task_wake(t, WAKE_NORMAL);
	task_put(t);
}

/* Values have changed: carry out what was waiting for that; each success may make another one possible. */
static void serve_line(struct sem_array *a)
{
	struct sem_waiter *w, *next;
	bool again = true;

	while (again) {
		again = false;
		list_for_each_entry_safe(w, next, &a->line, link) {
			int r = perform(a, w);

			if (r == 1)
				continue;
			release(w, r);
			if (!r) {
				again = true;
				break;
			}
		}
	}
}

/* Removed: everybody who waits is told. */
static void dismiss_line(struct sem_array *a)
{
	struct sem_waiter *w, *next;

	list_for_each_entry_safe(w, next, &a->line, link)
		release(w, -EIDRM);
}

/* What current has to take back of @a. NULL without memory. */
static struct sem_undo *get_undo(struct sem_array *a)
{
	struct process *p = current->process;
	struct sem_undo *u;

	list_for_each_entry(u, &a->undos, link)
		if (u->process == p)
			return u;
	u = kzalloc(sizeof(*u) + a->nsems * sizeof(u->adjust[0]), GFP_KERNEL);
	if (u) {
		u->process = p;
		list_add(&u->link, &a->undos);
		WRITE_ONCE(p->sem_undo, true);
	}
	return u;
}

static int check_ops(const struct sem_array *a, const struct sembuf_abi *ops, unsigned int nops,
		     bool *undo)
{
	bool alters = false;

	*undo = false;
	for (unsigned int i = 0; i < nops; i++) {
		if (ops[i].num >= a->nsems)
			return -EFBIG;
		alters |= ops[i].op != 0;
		*undo |= (ops[i].flags & SEM_UNDO) && ops[i].op;
	}
	return ipc_permitted(&a->o, alters ? 2 : 4);
}

/* Sleep in line. ipc_mutex held, and let go of meanwhile; the array may be gone afterwards. */
static int wait_in_line(struct sem_array *a, struct sem_waiter *w, u64 deadline_ns)
{
	int r = 0;

	list_add_tail(&w->link, &a->line);
	mutex_unlock(&ipc_mutex);
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (__atomic_load_n(&w->done, __ATOMIC_ACQUIRE))
			break;
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			r = -EINTR;
			break;
		}
		if (schedule_until(deadline_ns)) {
			r = -EAGAIN;
			break;
		}
	}
	task_finish_sleep();
	mutex_lock(&ipc_mutex);
	if (w->done)
		return w->result;
	list_del(&w->link);
	return r;
}

static long semop_locked(int id, const struct sembuf_abi *ops, unsigned int nops, u64 deadline_ns)
{
	struct sem_waiter w = { .task = current, .ops = ops, .nops = nops };
	struct sem_array *a = find_array(id);
	bool undo;
	int r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	r = check_ops(a, ops, nops, &undo);
	if (r)
		return r;
	if (undo && !(w.undo = get_undo(a)))
		return -ENOMEM;
	r = perform(a, &w);
	if (!r)
		serve_line(a);
	return r == 1 ? wait_in_line(a, &w, deadline_ns) : r;
}

long ipc_semop(int id, uaddr_t uops, unsigned int nops, u64 deadline_ns)
{
	struct sembuf_abi fast[OPS_FAST], *ops = fast;
	long r;

	if (id < 0 || nops < 1)
		return -EINVAL;
	if (nops > SEMOPM)
		return -E2BIG;
	if (nops > OPS_FAST && !(ops = kmalloc(nops * sizeof(*ops), GFP_KERNEL)))
		return -ENOMEM;
	r = copy_from_user(ops, uops, nops * sizeof(*ops));
	if (!r) {
		mutex_lock(&ipc_mutex);
		r = semop_locked(id, ops, nops, deadline_ns);
		mutex_unlock(&ipc_mutex);
	}
	if (ops != fast)
		kfree(ops);
	return r;
}

/* ---- the end of a process ---- */

static void take_back(struct sem_array *a, const struct sem_undo *u)
{
	for (u32 i = 0; i < a->nsems; i++) {
		int v = a->sem[i].value + u->adjust[i];

		if (!u->adjust[i])
			continue;
		a->sem[i].value = (u16)clamp(v, 0, VALUE_MAX);
		a->sem[i].pid = u->process->pid->nr;
	}
	a->otime = ipc_now();
}

void ipc_process_exit(struct process *p)
{
	mutex_lock(&ipc_mutex);
	for (u32 i = 0; i < sem_kind.nplaces; i++) {
		struct sem_array *a = (struct sem_array *)sem_kind.place[i];
		struct sem_undo *u, *next;

		if (!a)
			continue;
		list_for_each_entry_safe(u, next, &a->undos, link) {
			if (u->process != p)
				continue;
			list_del(&u->link);
			take_back(a, u);
			kfree(u);
			serve_line(a);
		}
	}
	p->sem_undo = false;
	mutex_unlock(&ipc_mutex);
}

/* ---- semctl ---- */

/* How many wait for semaphore @num to grow, or (@zero) to become zero. */
static long count_waiting(struct sem_array *a, u32 num, bool zero)
{
	struct sem_waiter *w;
	long n = 0;

	list_for_each_entry(w, &a->line, link)
		n += w->ops[w->blocking].num == num && !w->ops[w->blocking].op == zero;
	return n;
}

/* A value was set from outside: nobody has anything to take back of it. */
static void forget_undo(struct sem_array *a, u32 num)
{
	struct sem_undo *u;

	list_for_each_entry(u, &a->undos, link)
		u->adjust[num] = 0;
}

static void set_value(struct sem_array *a, u32 num, u16 value)
{
	forget_undo(a, num);
	a->sem[num].value = value;
	a->sem[num].pid = task_pid(current);
}

static long one_semaphore(struct sem_array *a, int num, int cmd, unsigned long arg)
{
	int r = ipc_permitted(&a->o, cmd == SETVAL ? 2 : 4);

	if (r)
		return r;
	if (num < 0 || (u32)num >= a->nsems)
		return -EINVAL;
	switch (cmd) {
	case GETVAL:
		return a->sem[num].value;
	case GETPID:
		return a->sem[num].pid;
	case GETNCNT:
	case GETZCNT:
		return count_waiting(a, (u32)num, cmd == GETZCNT);
	}
	if ((int)arg < 0 || (int)arg > VALUE_MAX)
		return -ERANGE;
	set_value(a, (u32)num, (u16)arg);
	a->ctime = ipc_now();
	serve_line(a);
	return 0;
}

/* GETALL and SETALL: the user copy is made without ipc_mutex, through @values, which has room for @nsems. */
static long get_all(int id, u16 *values, u32 nsems)
{
	struct sem_array *a = find_array(id);
	int r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	r = ipc_permitted(&a->o, 4);
	for (u32 i = 0; !r && i < min(nsems, a->nsems); i++)
		values[i] = a->sem[i].value;
	return r;
}

static long set_all(int id, const u16 *values, u32 nsems)
{
	struct sem_array *a = find_array(id);
	int r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	r = ipc_permitted(&a->o, 2);
	if (r)
		return r;
	for (u32 i = 0; i < min(nsems, a->nsems); i++)
		set_value(a, i, values[i]);
	a->ctime = ipc_now();
	serve_line(a);
	return 0;
}

static long array_size(int id, int cmd)
{
	struct sem_array *a;
	long r;

	mutex_lock(&ipc_mutex);
	a = find_array(id);
	r = IS_ERR(a) ? PTR_ERR(a) : ipc_permitted(&a->o, cmd == SETALL ? 2 : 4);
	if (!r)
		r = (long)a->nsems;
	mutex_unlock(&ipc_mutex);
	return r;
}

static long all_values(int id, int cmd, uaddr_t ubuf)
{
	long n = array_size(id, cmd), r = 0;
	u16 *values;

	if (n < 0)
		return n;
	values = kcalloc((size_t)n, sizeof(*values), GFP_KERNEL);
	if (!values)
		return -ENOMEM;
	if (cmd == SETALL)
		r = copy_from_user(values, ubuf, (size_t)n * sizeof(*values));
	for (long i = 0; !r && i < n; i++)
		if (values[i] > VALUE_MAX)
			r = -ERANGE;
	if (!r) {
		mutex_lock(&ipc_mutex);
		r = cmd == SETALL ? set_all(id, values, (u32)n) : get_all(id, values, (u32)n);
		mutex_unlock(&ipc_mutex);
	}
	if (!r && cmd == GETALL)
		r = copy_to_user(ubuf, values, (size_t)n * sizeof(*values));
	kfree(values);
	return r;
}

struct semid_abi {
	struct ipc_perm_abi perm;
	struct semid_tail tail;
};

static long stat_array(int id, int cmd, uaddr_t ubuf)
{
	struct semid_abi ds = { 0 };
	struct ipc_object *o;
	struct sem_array *a;
	long r;

	mutex_lock(&ipc_mutex);
	o = cmd == IPC_STAT ? ipc_find(&sem_kind, id) : ipc_find_place(&sem_kind, id);
	r = IS_ERR(o) ? PTR_ERR(o) : cmd == SEM_STAT_ANY ? 0 : ipc_permitted(o, 4);
	if (!r) {
		a = (struct sem_array *)o;
		ipc_fill(o, &ds.perm);
		ds.tail.otime = a->otime;
		ds.tail.ctime = a->ctime;
		ds.tail.nsems = a->nsems;
		r = cmd == IPC_STAT ? 0 : o->id;
	}
	mutex_unlock(&ipc_mutex);
	return r >= 0 && put_user_obj(ubuf, &ds) ? -EFAULT : r;
}

static long info(int cmd, uaddr_t ubuf)
{
	struct seminfo_abi si = { .semmap = (s32)SEMMNS,
				  .semmni = (s32)sem_kind.max,
				  .semmns = (s32)SEMMNS,
				  .semmnu = (s32)SEMMNS,
				  .semmsl = (s32)SEMMSL,
				  .semopm = (s32)SEMOPM,
				  .semume = (s32)SEMOPM,
				  .semusz = 20,
				  .semvmx = VALUE_MAX,
				  .semaem = VALUE_MAX };
	long r;

	mutex_lock(&ipc_mutex);
	if (cmd == SEM_INFO) {
		si.semusz = (s32)sem_kind.nused;
		si.semaem = (s32)sems_in_use();
	}
	r = ipc_last_place(&sem_kind);
	mutex_unlock(&ipc_mutex);
	return put_user_obj(ubuf, &si) ? -EFAULT : r;
}

static long change_locked(int id, int cmd, const struct semid_abi *in)
{
	struct sem_array *a = find_array(id);
	int r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	r = ipc_owned(&a->o);
	if (r)
		return r;
	if (cmd == IPC_SET) {
		r = ipc_set_owner(&a->o, &in->perm);
		if (!r)
			a->ctime = ipc_now();
		return r;
	}
	dismiss_line(a);
	ipc_remove(&sem_kind, &a->o);
	return 0;
}

long ipc_semctl(int id, int num, int cmd, unsigned long arg)
{
	struct sem_array *a;
	struct semid_abi ds;
	long r;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return info(cmd, arg);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return stat_array(id, cmd, arg);
	case GETALL:
	case SETALL:
		return all_values(id, cmd, arg);
	case IPC_SET:
		if (get_user_obj(&ds, arg))
			return -EFAULT;
		break;
	case IPC_RMID:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		break;
	default:
		return -EINVAL;
	}
	mutex_lock(&ipc_mutex);
	if (cmd == IPC_SET || cmd == IPC_RMID) {
		r = change_locked(id, cmd, &ds);
	} else {
		a = find_array(id);
		r = IS_ERR(a) ? PTR_ERR(a) : one_semaphore(a, num, cmd, arg);
	}
	mutex_unlock(&ipc_mutex);
	return r;
}

int sem_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(
		pb,
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		"ctime\n");
	mutex_lock(&ipc_mutex);
	for (u32 i = 0; i < sem_kind.nplaces; i++) {
		struct sem_array *a = (struct sem_array *)sem_kind.place[i];

		if (a && !ipc_permitted(&a->o, 4))
			printbuf_printf(pb, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n",
					a->o.key, a->o.id, a->o.mode, a->nsems, a->o.uid, a->o.gid,
					a->o.cuid, a->o.cgid, a->otime, a->ctime);
	}
	mutex_unlock(&ipc_mutex);
	return 0;
}

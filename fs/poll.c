/* SPDX-License-Identifier: MIT */
/*
 * poll and select.
 *
 * The first round asks every file and registers on its wait queues; it registers no more once something is ready. A waker
 * marks the state triggered and wakes the task, which then asks again without registering.
 * Locking: entries belong to the sleeping task; wakers run under the queue's lock, and leaving takes each entry off its queue.
 * Source: poll(2), select(2).
 */
#include <fs/internal.h>
#include <fs/poll.h>

static bool poll_wake(struct waiter *w, u64 key)
{
	struct poll_entry *e = container_of(w, struct poll_entry, w);

	if (key && !(key & (e->wanted | POLLERR | POLLHUP)))
		return false;
	__atomic_store_n(&e->state->triggered, true, __ATOMIC_RELEASE);
	return task_wake(e->state->task, WAKE_NORMAL);
}

static struct poll_entry *new_entry(struct poll_wait_state *s)
{
	struct poll_chunk *c = s->chunks;

	if (s->n < POLL_INLINE)
		return &s->inline_entry[s->n++];
	if (!c || c->n == ARRAY_SIZE(c->entry)) {
		c = kmalloc(sizeof(*c), GFP_KERNEL);
		if (!c)
			return NULL;
		c->n = 0;
		c->next = s->chunks;
		s->chunks = c;
	}
	return &c->entry[c->n++];
}

static void poll_queue(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct poll_wait_state *s = container_of(pt, struct poll_wait_state, pt);
	struct poll_entry *e = new_entry(s);

	if (!e) {
		s->error = -ENOMEM;
		pt->queue = NULL;
		return;
	}
	e->file = file_get(f);
	e->q = q;
	e->wanted = pt->wanted;
	e->state = s;
	waiter_init(&e->w);
	e->w.wake = poll_wake;
	waitq_add(q, &e->w);
}

void poll_state_init(struct poll_wait_state *s)
{
	s->pt.queue = poll_queue;
	s->pt.wanted = 0;
	s->task = current;
	s->triggered = false;
	s->error = 0;
	s->n = 0;
	s->chunks = NULL;
}

static void drop_entry(struct poll_entry *e)
{
	waitq_remove(e->q, &e->w);
	file_put(e->file);
}

void poll_state_free(struct poll_wait_state *s)
{
	struct poll_chunk *c;

	for (unsigned int i = 0; i < s->n; i++)
		drop_entry(&s->inline_entry[i]);
	while ((c = s->chunks) != NULL) {
		for (unsigned int i = 0; i < c->n; i++)
			drop_entry(&c->entry[i]);
		s->chunks = c->next;
		kfree(c);
	}
}

bool poll_sleep(struct poll_wait_state *s, u64 deadline_ns)
{
	bool late = false;

	task_prepare_sleep(TASK_INTERRUPTIBLE);
	if (!__atomic_load_n(&s->triggered, __ATOMIC_ACQUIRE) &&
	    !sleep_interrupted(TASK_INTERRUPTIBLE))
		late = schedule_until(deadline_ns);
	task_finish_sleep();
	return late;
}

/*
 * Until @round finds something ready in @set, the deadline passes (0: it has) or a signal comes. @round looks at every file once, and
 * queues on it if the table it is given says so. Return: what @round says, or -EINTR, -ENOMEM.
 */
static __always_inline int poll_until(u64 deadline_ns,
				      int (*round)(void *set, struct poll_table *pt), void *set)
{
	struct poll_wait_state s;
	bool late = deadline_ns == 0;
	int ready;

	poll_state_init(&s);
	if (late)
		s.pt.queue = NULL;
	for (;;) {
		WRITE_ONCE(s.triggered, false);
		smp_mb();
		ready = round(set, &s.pt);
		s.pt.queue = NULL; /* registered once is enough */
		if (!ready)
			ready = s.error;
		if (ready || late)
			break;
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			ready = -EINTR;
			break;
		}
		late = poll_sleep(&s, deadline_ns);
	}
	poll_state_free(&s);
	return ready;
}

/* ---- poll ---- */

struct poll_set {
	struct pollfd *fds;
	unsigned int n;
};

static u32 poll_one(struct pollfd *p, struct poll_table *pt)
{
	u32 wanted = (u16)p->events | POLLERR | POLLHUP, mask;
	struct fd f;

	if (p->fd < 0)
		return 0;
	f = fdget(p->fd);
	if (!f.file)
		return POLLNVAL;
	pt->wanted = wanted;
	mask = vfs_poll(f.file, pt) & wanted;
	fdput(f);
	return mask;
}

static int poll_round(void *arg, struct poll_table *pt)
{
	struct poll_set *set = arg;
	int ready = 0;

	for (unsigned int i = 0; i < set->n; i++) {
		set->fds[i].revents = (s16)poll_one(&set->fds[i], pt);
		if (set->fds[i].revents) {
			ready++;
			pt->queue = NULL;
		}
	}
	return ready;
}

int do_poll(struct pollfd *fds, unsigned int n, u64 deadline_ns)
{
	struct poll_set set = { fds, n };

	return poll_until(deadline_ns, poll_round, &set);
}

/* ---- select ---- */

static const u32 select_mask[3] = {
	POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL,
	POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL,
	POLLPRI | POLLNVAL,
};

/*
 * The descriptors from @base on whose bits are in @set, for the events @wanted; those that are ready get their bits in *@out. A
 * descriptor in several sets is asked for each: it is rare, and one set at a time keeps the loop short.
 */
static __always_inline int select_word_of(const struct fdtable *ft, bool shared, unsigned int base,
					  u64 set, u32 wanted, u64 *out, struct poll_table *pt)
{
	int ready = 0;

	pt->wanted = wanted;
	for (; set; set &= set - 1) {
		unsigned int fd = base + (unsigned int)__builtin_ctzll(set);
		struct fd f =
			shared ? fdget_shared((int)fd) : (struct fd){ fdtable_own(ft, fd), false };
		u32 mask;

		if (!f.file)
			return -EBADF;
		mask = vfs_poll(f.file, pt);
		fdput(f);
		if (mask & wanted) {
			*out |= set & -set;
			pt->queue = NULL;
			ready++;
		}
	}
	return ready;
}

/* A table of one user stays so while that user is here: the loop for it need not look. */
static int select_word(unsigned int base, u64 set, u32 wanted, u64 *out, struct poll_table *pt)
{
	const struct fdtable *ft = current->files;

	if (unlikely(refcount_read(&ft->refs) != 1))
		return select_word_of(ft, true, base, set, wanted, out, pt);
	return select_word_of(ft, false, base, set, wanted, out, pt);
}

struct select_set {
	unsigned int n;
	u64 *const *in, *const *out; /* three sets each */
};

static int select_round(void *arg, struct poll_table *pt)
{
	const struct select_set *set = arg;
	int ready = 0;

	for (unsigned int base = 0; base < set->n; base += 64) {
		unsigned int left = set->n - base;
		u64 limit = left < 64 ? (1ULL << left) - 1 : ~0ULL;

		for (int k = 0; k < 3; k++) {
			int r = set->in[k]
					? select_word(base, set->in[k][base / 64] & limit,
						      select_mask[k], &set->out[k][base / 64], pt)
					: 0;

			if (r < 0)
				return r;
			ready += r;
		}
	}
	return ready;
}

int do_select(int n, u64 *const in[3], u64 *const out[3], u64 deadline_ns)
{
	struct select_set set = { (unsigned int)n, in, out };

	return poll_until(deadline_ns, select_round, &set);
}

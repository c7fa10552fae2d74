/* SPDX-License-Identifier: MIT */
/* See buffer.h. */
#include <err.h>
#include <hal/boot.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace/buffer.h>
#include <lib/string.h>
#include <mm/slab.h>

#define WAIT_NS (10 * NSEC_PER_MSEC)

#define DEFAULT_OPTIONS                                                                            \
	(1u << TRACE_OPT_CONTEXT_INFO | 1u << TRACE_OPT_OVERWRITE | 1u << TRACE_OPT_IRQ_INFO |     \
	 1u << TRACE_OPT_MARKERS)

struct trace_instance trace_top = { .link = { &trace_instances, &trace_instances },
				    .name = "",
				    .recording = 1,
				    .options = DEFAULT_OPTIONS,
				    .clock = &trace_clocks[0] };
struct list trace_instances = { &trace_top.link, &trace_top.link };
u64 trace_run;

/* For rings that change places; innermost, interrupts off. */
static struct spinlock swap_lock = SPINLOCK_INIT(RANK_ANY);

/* ---- clocks ---- */

static u64 clock_counter(void)
{
	static u64 count;

	return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
}

const struct trace_clock trace_clocks[] = {
	{ "local", hal_clock_ns, true },
	{ "global", hal_clock_ns, true },
	{ "counter", clock_counter, false },
	{ "mono", hal_clock_ns, true },
	{ "mono_raw", hal_clock_ns, true },
	{ "boot", hal_clock_ns, true },
	{ .name = NULL },
};

int trace_clock_set(struct trace_instance *in, const char *name)
{
	for (const struct trace_clock *c = trace_clocks; c->name; c++) {
		if (strcmp(c->name, name))
			continue;
		WRITE_ONCE(in->clock, c);
		trace_buffers_clear(in, TRACE_ALL_CPUS, false);
		trace_buffers_clear(in, TRACE_ALL_CPUS, true);
		return 0;
	}
	return -EINVAL;
}

/* ---- the rings ---- */

static u32 pages_of_kb(u64 kb)
{
	u64 n = DIV_ROUND_UP(kb * 1024, TRACE_PAGE_BYTES);

	return (u32)max(n, 2);
}

u64 trace_buffer_kb(const struct trace_instance *in, unsigned int cpu)
{
	return in->ring_kb[cpu] ? in->ring_kb[cpu] : TRACE_DEFAULT_KB;
}

/* Which of @in's two rings of a CPU; they change places. */
static struct trace_ring **place(struct trace_instance *in, unsigned int cpu, bool snapshot)
{
	return snapshot ? &in->snapshot[cpu] : &in->ring[cpu];
}

/* Writers may be using the old one until every CPU has passed a point with interrupts on. */
static void replace(struct trace_instance *in, unsigned int cpu, bool snapshot,
		    struct trace_ring *new)
{
	unsigned long flags;
	struct trace_ring *old;

	if (new)
		new->overwrite = in->options >> TRACE_OPT_OVERWRITE & 1;
	flags = spin_lock_irqsave(&swap_lock);
	old = *place(in, cpu, snapshot);
	__atomic_store_n(place(in, cpu, snapshot), new, __ATOMIC_RELEASE);
	spin_unlock_irqrestore(&swap_lock, flags);
	if (old)
		sched_sync_all_cpus();
	trace_ring_free(old);
}

/* A ring of the size that @cpu's is to have. Only the top's are for the host. */
static int make_one(struct trace_instance *in, unsigned int cpu, bool snapshot)
{
	u32 npages = pages_of_kb(trace_buffer_kb(in, cpu));
	struct trace_ring *old = *place(in, cpu, snapshot), *r;

	if (old && old->npages == npages)
		return 0;
	r = trace_ring_create(cpu, npages, in == &trace_top && !snapshot ? trace_run : 0);
	if (!r)
		return -ENOMEM;
	replace(in, cpu, snapshot, r);
	return 0;
}

static int make_all(struct trace_instance *in, bool snapshot)
{
	int r = 0;

	for (unsigned int cpu = 0; !r && cpu < boot_info.ncpus; cpu++)
		r = make_one(in, cpu, snapshot);
	return r;
}

int trace_buffers_make(struct trace_instance *in)
{
	return make_all(in, false);
}

int trace_buffers_resize(struct trace_instance *in, int cpu, u64 kb)
{
	for (unsigned int i = 0; i < boot_info.ncpus; i++) {
		u64 before = in->ring_kb[i];
		int r = 0;

		if (cpu != TRACE_ALL_CPUS && cpu != (int)i)
			continue;
		in->ring_kb[i] = kb;
		if (in->ring[i])
			r = make_one(in, i, false);
		if (!r && in->snapshot[i])
			r = make_one(in, i, true);
		if (r) {
			in->ring_kb[i] = before;
			return r;
		}
	}
	return 0;
}

void trace_buffers_clear(struct trace_instance *in, int cpu, bool snapshot)
{
	for (int i = 0; i < (int)boot_info.ncpus; i++) {
		struct trace_ring *r = *place(in, (unsigned int)i, snapshot);

		if (r && (cpu == TRACE_ALL_CPUS || cpu == i))
			trace_ring_clear(r);
	}
}

void trace_buffers_set_overwrite(struct trace_instance *in, bool on)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (in->ring[cpu])
			WRITE_ONCE(in->ring[cpu]->overwrite, on);
}

/* ---- snapshots ---- */

int trace_snapshot_make(struct trace_instance *in)
{
	int r = make_all(in, false);

	return r ? r : make_all(in, true);
}

static void free_rings(struct trace_instance *in, bool snapshot)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		replace(in, cpu, snapshot, NULL);
}

void trace_snapshot_free(struct trace_instance *in)
{
	free_rings(in, true);
}

/* A writer that has just taken the ring may put one more record into the snapshot: it is the same CPU's, whichever place it is in. */
void trace_snapshot_take(struct trace_instance *in, int cpu)
{
	unsigned long flags = spin_lock_irqsave(&swap_lock);

	for (unsigned int i = 0; i < boot_info.ncpus; i++) {
		struct trace_ring *live = in->ring[i];

		if ((cpu != TRACE_ALL_CPUS && cpu != (int)i) || !live || !in->snapshot[i])
			continue;
		__atomic_store_n(&in->ring[i], in->snapshot[i], __ATOMIC_RELEASE);
		__atomic_store_n(&in->snapshot[i], live, __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&swap_lock, flags);
}

/* ---- instances ---- */

struct trace_instance *trace_instance_find(const char *name)
{
	struct trace_instance *in;

	list_for_each_entry(in, &trace_instances, link)
		if (!strcmp(in->name, name))
			return in;
	return NULL;
}

bool trace_instance_alive(const struct trace_instance *wanted)
{
	struct trace_instance *in;

	list_for_each_entry(in, &trace_instances, link)
		if (in == wanted)
			return true;
	return false;
}

int trace_instance_create(const char *name)
{
	struct trace_instance *in;

	if (trace_instance_find(name))
		return -EEXIST;
	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return -ENOMEM;
	in->name = kstrdup(name, GFP_KERNEL);
	in->recording = 1;
	in->options = DEFAULT_OPTIONS;
	in->clock = trace_top.clock;
	list_add_tail(&in->link, &trace_instances);
	if (in->name && !trace_buffers_make(in))
		return 0;
	(void)trace_instance_remove(in);
	return -ENOMEM;
}

int trace_instance_remove(struct trace_instance *in)
{
	if (in->users)
		return -EBUSY;
	trace_event_files_free(in);
	trace_pids_clear(in, false);
	trace_pids_clear(in, true);
	list_del(&in->link);
	free_rings(in, false);
	free_rings(in, true);
	kfree(in->name);
	kfree(in);
	return 0;
}

void trace_set_recording(struct trace_instance *in, bool on)
{
	WRITE_ONCE(in->recording, on);
	if (!on)
		trace_wait_wake();
}

/* ---- writing ---- */

static DEFINE_PERCPU(u64, records); /* of all instances */

void trace_record_write(struct trace_instance *in, const struct trace_entry *e, size_t len)
{
	struct trace_ring *r = __atomic_load_n(&in->ring[hal_cpu_id()], __ATOMIC_ACQUIRE);
	const struct task *t = current;
	struct trace_record rec;

	if (!r)
		return;
	rec.len = (u32)len;
	rec.time = READ_ONCE(in->clock)->now();
	rec.tgid = t->process && t->process->pid ? t->process->pid->nr : 0;
	rec.cpu = hal_cpu_id();
	memcpy(rec.comm, t->flags & TASK_F_IDLE ? "<idle>\0\0\0\0\0\0\0\0\0" : t->comm,
	       sizeof(rec.comm));
	trace_ring_write(r, &rec, e);
	percpu(records)++;
}

/* ---- reading ---- */

struct trace_iter *trace_iter_create(struct trace_instance *in, int cpu, bool consuming,
				     bool snapshot)
{
	struct trace_iter *it = kzalloc(sizeof(*it), GFP_KERNEL);

	if (!it)
		return ERR_PTR(-ENOMEM);
	it->in = in;
	it->cpu = cpu;
	it->consuming = consuming;
	it->snapshot = snapshot;
	for (int i = 0; i < (int)boot_info.ncpus; i++) {
		if (cpu != TRACE_ALL_CPUS && cpu != i)
			continue;
		it->cursor[i] = kzalloc(sizeof(*it->cursor[i]), GFP_KERNEL);
		if (!it->cursor[i]) {
			trace_iter_free(it);
			return ERR_PTR(-ENOMEM);
		}
		it->cursor[i]->next_seq = U64_MAX;
		it->cursor[i]->end = U64_MAX;
	}
	return it;
}

void trace_iter_free(struct trace_iter *it)
{
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		kfree(it->cursor[i]);
	kfree(it);
}

/* Begin at what is in @r now; NULL: nothing. */
static void attach(struct trace_cursor *c, struct trace_ring *r, bool consuming)
{
	c->held = false;
	c->next_seq = U64_MAX;
	c->ring = r;
	c->serial = r ? r->serial : 0;
	c->pos = r ? trace_ring_start(r) : 0;
	c->end = consuming ? U64_MAX : r ? trace_ring_head(r) : 0;
}

void trace_iter_rewind(struct trace_iter *it)
{
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		if (it->cursor[i])
			attach(it->cursor[i], *place(it->in, i, it->snapshot), it->consuming);
}

/* Have the oldest record of one CPU in its cursor, if there is one. */
static bool fill(struct trace_iter *it, unsigned int cpu)
{
	struct trace_cursor *c = it->cursor[cpu];
	struct trace_ring *r = READ_ONCE(*place(it->in, cpu, it->snapshot));
	u64 next_seq;

	if (!r)
		return false;
	if (c->serial != r->serial)
		attach(c, r, it->consuming);
	/* Others consume, too. */
	if (c->held && c->read == r->read)
		return true;
	c->held = false;
	if (it->consuming || c->pos < r->read)
		c->pos = r->read;
	c->read = r->read;
	if (c->pos >= c->end || !trace_ring_next(r, &c->pos, &c->rec, c->bytes))
		return false;
	next_seq = it->consuming ? r->next_seq : c->next_seq;
	c->lost = c->rec.seq > next_seq ? c->rec.seq - next_seq : 0;
	c->next_seq = c->rec.seq + 1;
	c->held = true;
	return true;
}

struct trace_cursor *trace_iter_next(struct trace_iter *it)
{
	struct trace_cursor *oldest = NULL;

	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		if (it->cursor[i] && fill(it, i) &&
		    (!oldest || it->cursor[i]->rec.time < oldest->rec.time))
			oldest = it->cursor[i];
	return oldest;
}

void trace_iter_done(struct trace_iter *it, struct trace_cursor *c)
{
	c->held = false;
	if (!it->consuming)
		return;
	WRITE_ONCE(c->ring->read, c->pos);
	c->ring->next_seq = c->rec.seq + 1;
	c->ring->read_records++;
	c->ring->found_lost += c->lost;
}

/* With interrupts off, as writers: a ring that is replaced meanwhile is not freed. */
bool trace_iter_empty(const struct trace_iter *it)
{
	unsigned long flags = hal_irq_save();
	bool empty = true;

	for (unsigned int i = 0; i < boot_info.ncpus; i++) {
		struct trace_ring *r = __atomic_load_n(&it->in->ring[i], __ATOMIC_ACQUIRE);

		if (it->cursor[i] && r && trace_ring_head(r) > READ_ONCE(r->read))
			empty = false;
	}
	hal_irq_restore(flags);
	return empty;
}

/* ---- waiting ---- */

static struct waitq wait_queue = WAITQ_INIT(wait_queue);
static struct ktimer wait_timer; /* runs while somebody waits */
static u32 waiting;		 /* atomic: tasks in trace_wait() */
static u64 wait_seen;		 /* records when the timer looked last */

static u64 records_written(void)
{
	u64 n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += READ_ONCE(percpu_of(records, cpu));
	return n;
}

static void wait_tick(struct ktimer *t)
{
	u64 now = records_written();

	if (!waitq_active(&wait_queue) && !READ_ONCE(waiting))
		return;
	if (now != wait_seen)
		waitq_wake_all(&wait_queue);
	wait_seen = now;
	ktimer_start(t, hal_clock_ns() + WAIT_NS);
}

void trace_wait_kick(void)
{
	unsigned long flags = hal_irq_save();

	if (READ_ONCE(wait_timer.cpu) < 0)
		ktimer_start(&wait_timer, hal_clock_ns() + WAIT_NS);
	hal_irq_restore(flags);
}

struct waitq *trace_wait_queue(void)
{
	return &wait_queue;
}

int trace_wait(const struct trace_iter *it)
{
	int r;

	__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
	trace_wait_kick();
	r = wait_event_interruptible(&wait_queue,
				     !trace_iter_empty(it) || !READ_ONCE(it->in->recording));
	__atomic_fetch_sub(&waiting, 1, __ATOMIC_SEQ_CST);
	return r;
}

void trace_wait_wake(void)
{
	waitq_wake_all(&wait_queue);
}

void trace_init(void)
{
	ktimer_init(&wait_timer, wait_tick);
}

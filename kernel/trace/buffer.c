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

u32 trace_recording = 1;
u32 trace_options = 1u << TRACE_OPT_CONTEXT_INFO | 1u << TRACE_OPT_OVERWRITE |
		    1u << TRACE_OPT_IRQ_INFO | 1u << TRACE_OPT_MARKERS;

static struct trace_ring
	*ring[CONFIG_NR_CPUS];	    /* trace_mutex to write; writers with interrupts off */
static u64 ring_kb[CONFIG_NR_CPUS]; /* trace_mutex: as it was asked for; 0: the default */
u64 trace_run;

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
const struct trace_clock *trace_clock = &trace_clocks[0];

int trace_clock_set(const char *name)
{
	for (const struct trace_clock *c = trace_clocks; c->name; c++) {
		if (strcmp(c->name, name))
			continue;
		WRITE_ONCE(trace_clock, c);
		trace_buffers_clear(TRACE_ALL_CPUS);
		return 0;
	}
	return -EINVAL;
}

/* ---- the rings ---- */

struct trace_ring *trace_ring_of(unsigned int cpu)
{
	return ring[cpu];
}

static u32 pages_of_kb(u64 kb)
{
	u64 n = DIV_ROUND_UP(kb * 1024, TRACE_PAGE_BYTES);

	return (u32)max(n, 2);
}

u64 trace_buffer_kb(unsigned int cpu)
{
	return ring_kb[cpu] ? ring_kb[cpu] : TRACE_DEFAULT_KB;
}

bool trace_buffers_exist(void)
{
	return ring[0] != NULL;
}

/* Writers may be using the old one until every CPU has passed a point with interrupts on. */
static void replace(unsigned int cpu, struct trace_ring *new)
{
	struct trace_ring *old = ring[cpu];

	if (new)
		new->overwrite = trace_options >> TRACE_OPT_OVERWRITE & 1;
	__atomic_store_n(&ring[cpu], new, __ATOMIC_RELEASE);
	if (old)
		sched_sync_all_cpus();
	trace_ring_free(old);
}

int trace_buffers_make(void)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		struct trace_ring *r;

		if (ring[cpu])
			continue;
		r = trace_ring_create(cpu, pages_of_kb(trace_buffer_kb(cpu)), trace_run);
		if (!r)
			return -ENOMEM;
		replace(cpu, r);
	}
	return 0;
}

int trace_buffers_resize(int cpu, u64 kb)
{
	u32 npages = pages_of_kb(kb);

	for (int i = 0; i < (int)boot_info.ncpus; i++) {
		struct trace_ring *r = NULL;

		if (cpu != TRACE_ALL_CPUS && cpu != i)
			continue;
		if (ring[i] && ring[i]->npages != npages) {
			r = trace_ring_create((u32)i, npages, trace_run);
			if (!r)
				return -ENOMEM;
			replace((unsigned int)i, r);
		}
		ring_kb[i] = kb;
	}
	return 0;
}

void trace_buffers_clear(int cpu)
{
	for (int i = 0; i < (int)boot_info.ncpus; i++)
		if (ring[i] && (cpu == TRACE_ALL_CPUS || cpu == i))
			trace_ring_clear(ring[i]);
}

void trace_buffers_set_overwrite(bool on)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (ring[cpu])
			WRITE_ONCE(ring[cpu]->overwrite, on);
}

void trace_record_write(const struct trace_entry *e, size_t len)
{
	struct trace_ring *r = __atomic_load_n(&ring[hal_cpu_id()], __ATOMIC_ACQUIRE);
	const struct task *t = current;
	struct trace_record rec;

	if (!r)
		return;
	rec.len = (u32)len;
	rec.time = READ_ONCE(trace_clock)->now();
	rec.tgid = t->process && t->process->pid ? t->process->pid->nr : 0;
	rec.cpu = hal_cpu_id();
	memcpy(rec.comm, t->flags & TASK_F_IDLE ? "<idle>\0\0\0\0\0\0\0\0\0" : t->comm,
	       sizeof(rec.comm));
	trace_ring_write(r, &rec, e);
}

/* ---- reading ---- */

struct trace_iter *trace_iter_create(int cpu, bool consuming)
{
	struct trace_iter *it = kzalloc(sizeof(*it), GFP_KERNEL);

	if (!it)
		return ERR_PTR(-ENOMEM);
	it->cpu = cpu;
	it->consuming = consuming;
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
			attach(it->cursor[i], ring[i], it->consuming);
}

/* Have the oldest record of one CPU in its cursor, if there is one. */
static bool fill(struct trace_iter *it, unsigned int cpu)
{
	struct trace_cursor *c = it->cursor[cpu];
	struct trace_ring *r = ring[cpu];
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
		struct trace_ring *r = __atomic_load_n(&ring[i], __ATOMIC_ACQUIRE);

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
static u64 wait_seen;		 /* bytes in all rings when the timer looked last */

static u64 bytes_written(void)
{
	u64 n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		struct trace_ring *r = READ_ONCE(ring[cpu]);

		if (r)
			n += trace_ring_head(r);
	}
	return n;
}

static void wait_tick(struct ktimer *t)
{
	u64 now = bytes_written();

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
				     !trace_iter_empty(it) || !READ_ONCE(trace_recording));
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

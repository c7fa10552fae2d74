/* SPDX-License-Identifier: MIT */
/*
 * See profile.h. A timer on each CPU records the stack it interrupted: the kernel's part, if it was in the kernel, then the
 * program's. Stacks are followed along frame pointers; code without them gives its innermost function only (a kernel for profiles
 * is built with CONFIG_FRAME_POINTER). What lies at the program's addresses is recorded when its address space is left.
 * Idle CPUs are not sampled.
 */
#include <hal/boot.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/profile.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>

#define DEPTH	   64
#define FRAME_MOST (1UL << 20) /* a larger step is no frame */
#define PATH_SIZE  1024u

u32 trace_profile_hz;

/* Known to scripts/tracefile.py. */
struct sample {
	struct trace_entry entry;
	u64 vm; /* names the address space */
	u32 nkernel, nuser;
	u64 ip[2 * DEPTH]; /* innermost first; the kernel's, then the program's */
};

struct mapping {
	struct trace_entry entry;
	u64 vm, start, end, offset; /* offset: of start in the file */
	char path[PATH_SIZE];
};

static const struct trace_field sample_fields[] = {
	TRACE_FIELD(struct sample, u64, vm),
	TRACE_FIELD(struct sample, u32, nkernel),
	TRACE_FIELD(struct sample, u32, nuser),
	{ "u64", "ip[]", offsetof(struct sample, ip), 0, 0, false, TRACE_NUMBER },
};
static const struct trace_field mapping_fields[] = {
	TRACE_FIELD(struct mapping, u64, vm),
	TRACE_FIELD(struct mapping, u64, start),
	TRACE_FIELD(struct mapping, u64, end),
	TRACE_FIELD(struct mapping, u64, offset),
	{ "char", "path[]", offsetof(struct mapping, path), 0, 0, false, TRACE_CHARS },
};

/* Of the system whose events are not for tracefs to switch. */
static struct trace_event sample_event = { .system = "ftrace",
					   .name = "sample",
					   .fields = sample_fields,
					   .nfields = ARRAY_SIZE(sample_fields) };
static struct trace_event mapping_event = { .system = "ftrace",
					    .name = "mapping",
					    .fields = mapping_fields,
					    .nfields = ARRAY_SIZE(mapping_fields) };

/* ---- stacks ---- */

/* The two words of a frame, and which is which. */
#define FRAME_LOW const_min(ARCH_FRAME_PREV, ARCH_FRAME_RETURN)
static unsigned long frame_prev(const unsigned long *words)
{
	return words[(ARCH_FRAME_PREV - FRAME_LOW) / 8];
}
static unsigned long frame_return(const unsigned long *words)
{
	return words[(ARCH_FRAME_RETURN - FRAME_LOW) / 8];
}

u32 trace_profile_kernel_stack(const struct task *t, unsigned long first, unsigned long fp, u64 *ip,
			       u32 most)
{
	unsigned long low = (unsigned long)t->kstack;
	u32 n = 0;

	ip[n++] = first;
	while (n < most && low && fp % 8 == 0 && fp >= low + 16 && fp <= low + KSTACK_SIZE - 16) {
		const unsigned long *words = (const unsigned long *)(fp + FRAME_LOW);

		if (!frame_return(words))
			break;
		ip[n++] = frame_return(words);
		if (frame_prev(words) <= fp)
			break;
		fp = frame_prev(words);
	}
	return n;
}

static u32 kernel_stack(const struct task *t, u64 *ip)
{
	const struct hal_interrupted in = percpu(hal_interrupted);

	return in.ip ? trace_profile_kernel_stack(t, in.ip, in.fp, ip, DEPTH) : 0;
}

/* In an interrupt: a page that is not there ends it. */
static u32 user_stack(struct task *t, u64 *ip)
{
	unsigned long fp = uctx_fp(&t->hal.uctx), words[2];
	bool nofault = t->nofault;
	u32 n = 0;

	if (!t->vm || (t->flags & TASK_F_KTHREAD))
		return 0;
	ip[n++] = uctx_ip(&t->hal.uctx);
	t->nofault = true;
	while (n < DEPTH && fp % 8 == 0 && fp >= 16 &&
	       !hal_copy_from_user(words, fp + FRAME_LOW, sizeof(words))) {
		if (!frame_return(words))
			break;
		ip[n++] = frame_return(words);
		if (frame_prev(words) <= fp || frame_prev(words) - fp > FRAME_MOST)
			break;
		fp = frame_prev(words);
	}
	t->nofault = nofault;
	return n;
}

static DEFINE_PERCPU(struct sample, sample);
static DEFINE_PERCPU(struct ktimer, sample_timer);
static DEFINE_PERCPU(u64, sample_due);

static void take_sample(struct task *t)
{
	struct sample *s = &percpu(sample);

	s->vm = (u64)(unsigned long)t->vm;
	s->nkernel = kernel_stack(t, s->ip);
	s->nuser = user_stack(t, s->ip + s->nkernel);
	trace_event_write(&sample_event, &s->entry,
			  offsetof(struct sample, ip) + 8 * (s->nkernel + s->nuser));
}

static void tick(struct ktimer *timer)
{
	u64 *due = &percpu(sample_due), now = hal_clock_ns(),
	    period = NSEC_PER_SEC / trace_profile_hz;

	if (!(current->flags & TASK_F_IDLE) && trace_event_on(&sample_event))
		take_sample(current);
	/* At regular times; those that were missed are not made up for. */
	*due += period;
	if (*due <= now)
		*due = now + period;
	ktimer_start(timer, *due);
}

void trace_profile_cpu(void)
{
	unsigned long flags;

	if (!trace_profile_hz)
		return;
	flags = hal_irq_save();
	percpu(sample_due) = hal_clock_ns() + NSEC_PER_SEC / trace_profile_hz;
	ktimer_init(&percpu(sample_timer), tick);
	ktimer_start(&percpu(sample_timer), percpu(sample_due));
	hal_irq_restore(flags);
}

int trace_profile_start(void)
{
	int r = trace_event_register_locked(&sample_event);

	if (!r)
		r = trace_event_register_locked(&mapping_event);
	if (!r)
		r = trace_event_set(&sample_event, &trace_top, true);
	return r ? r : trace_event_set(&mapping_event, &trace_top, true);
}

/* ---- address spaces ---- */

static void record_mapping(const struct vma *vma, struct mapping *m)
{
	u64 dev, ino;

	if (!(vma->flags & VM_EXEC) || !vma->object || !vma->object->ops->describe)
		return;
	m->start = vma->start;
	m->end = vma->end;
	m->offset = vma->pgoff << PAGE_SHIFT;
	vma->object->ops->describe(vma->owner, m->path, sizeof(m->path), &dev, &ino);
	trace_event_write(&mapping_event, &m->entry,
			  offsetof(struct mapping, path) + strlen(m->path) + 1);
}

void trace_profile_maps(struct vm *vm)
{
	struct mapping *m;
	struct vma *vma;

	if (!trace_event_on(&mapping_event))
		return;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return;
	m->vm = (u64)(unsigned long)vm;
	rwsem_down_read(&vm->lock);
	rb_for_each_entry(vma, &vm->vmas, node)
		record_mapping(vma, m);
	rwsem_up_read(&vm->lock);
	kfree(m);
}

void trace_profile_end(void)
{
	pid_t nr = 1;

	if (!trace_event_on(&mapping_event))
		return;
	for (; (nr = pid_next(nr)) != 0; nr++) {
		struct task *t = task_find_get(nr);
		struct vm *vm = t ? task_vm_get(t) : NULL;

		if (vm) {
			trace_profile_maps(vm);
			vm_put(vm);
		}
		if (t)
			task_put(t);
	}
}

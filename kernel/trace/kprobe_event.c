/* SPDX-License-Identifier: MIT */
/*
 * Events from probes in the kernel: kprobes and kretprobes as the source of struct probe_event.
 * Everything here but arming runs in the trap of the hit: interrupts off, no sleeping, memory that is not there reads as a fault.
 */
#include <err.h>
#include <hal/uctx.h>
#include <kernel/kprobe.h>
#include <kernel/task.h>
#include <kernel/trace/probe_event.h>
#include <lib/string.h>

/* Of each CPU for the record of a hit: the stack of whatever was hit may be deep, and there are no hits within hits. */
struct record_room {
	u64 word[96];
};
static DEFINE_PERCPU(struct record_room, record_room);

static int read_string(char *dst, unsigned long addr, size_t n, bool user)
{
	size_t len = 0;

	while (len < n - 1) {
		if (kprobe_read(dst + len, addr + len, 1, user))
			return -EFAULT;
		if (!dst[len])
			return (int)len + 1;
		len++;
	}
	dst[len] = '\0';
	return (int)len + 1;
}

static __noinline void record_args(struct probe_event *pe, const struct uctx *u, unsigned long func)
{
	struct record_room *room = &percpu(record_room);
	struct fetch_source src = {
		.u = u,
		.comm = current->comm,
		.sp = uctx_sp(u),
		.read = kprobe_read,
		.read_string = read_string,
	};

	if (pe->fixed > sizeof(*room))
		probe_event_count(pe, 1);
	else
		probe_event_write(pe, uctx_ip(u), func, &src, room->word, sizeof(*room));
}

static void record(struct probe_event *pe, const struct uctx *u, unsigned long func)
{
	if (pe->nargs)
		record_args(pe, u, func);
	else
		probe_event_write_plain(pe, uctx_ip(u), func);
}

static void event_hit(void *ctx, const struct uctx *u)
{
	struct probe_event *pe = ctx;

	if (pe->is_return)
		return;
	probe_event_count(pe, 0);
	record(pe, u, 0);
}

static void event_ret(void *ctx, unsigned long func, const struct uctx *u)
{
	probe_event_count(ctx, 0);
	record(ctx, u, func);
}

static void event_missed(void *ctx)
{
	probe_event_count(ctx, 1);
}

static const struct kprobe_ops entry_ops = { .hit = event_hit, .missed = event_missed };
static const struct kprobe_ops return_ops = { .hit = event_hit,
					      .ret = event_ret,
					      .missed = event_missed };

int kprobe_event_enable(struct probe_event *pe, bool on)
{
	struct kprobe *kp;

	if (!on) {
		kprobe_unregister(pe->kprobe);
		pe->kprobe = NULL;
		return 0;
	}
	kp = kprobe_register(pe->addr, pe->is_return ? &return_ops : &entry_ops, pe, pe->maxactive);
	if (IS_ERR(kp))
		return (int)PTR_ERR(kp);
	pe->kprobe = kp;
	return 0;
}

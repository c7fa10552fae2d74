/* SPDX-License-Identifier: MIT */
/*
 * /proc/irq: which CPUs may take a line's interrupts. A directory for each number of /proc/interrupts.
 *
 *	smp_affinity, smp_affinity_list			what was asked for, at first all; a mask and a list; written to move it
 *	effective_affinity, effective_affinity_list	where it goes: the first of those that are online and that the controller reaches
 *
 * Locking: `wanted` is a word for each line; who writes last is right.
 * Source: Linux Documentation/core-api/irq/irq-affinity.rst; proc(5).
 */
#include <fs/procfs/proc.h>
#include <hal/boot.h>
#include <hal/irq.h>
#include <kernel/sched.h>

#define MAX_IRQS 256

static u64 wanted[MAX_IRQS]; /* 0: all */

static u64 online(void)
{
	return READ_ONCE(cpu_online_mask[0]);
}

/* CPUs, as a mask in groups of 32. */
static void mask_print(struct printbuf *pb, u64 mask)
{
	unsigned int ncpus = boot_info.ncpus;

	if (ncpus > 32)
		printbuf_printf(pb, "%0*llx,%08llx\n", (int)((ncpus - 32 + 3) / 4), mask >> 32,
				mask & U32_MAX);
	else
		printbuf_printf(pb, "%0*llx\n", (int)((ncpus + 3) / 4), mask);
}

void proc_cpu_list(struct printbuf *pb, u64 mask)
{
	const char *sep = "";

	for (unsigned int i = 0; i < 64; i++) {
		unsigned int last = i;

		if (!(mask >> i & 1))
			continue;
		while (last < 63 && (mask >> (last + 1) & 1))
			last++;
		printbuf_printf(pb, last > i ? "%s%u-%u" : "%s%u", sep, i, last);
		sep = ",";
		i = last;
	}
}

/* Hexadecimal digits, of which commas may set groups apart. */
static int mask_parse(const char *s, u64 *mask)
{
	unsigned int digits = 0;

	*mask = 0;
	for (; *s && *s != '\n'; s++) {
		unsigned int digit = *s >= '0' && *s <= '9'
					     ? (unsigned int)(*s - '0')
					     : (unsigned int)((*s | 0x20) - 'a' + 10);

		if (*s == ',' && digits)
			continue;
		if (digit > 15 || *mask >> 60)
			return digit > 15 ? -EINVAL : -EOVERFLOW;
		*mask = *mask << 4 | digit;
		digits++;
	}
	return digits ? 0 : -EINVAL;
}

static int number_parse(const char **s, unsigned int *n)
{
	if (**s < '0' || **s > '9')
		return -EINVAL;
	for (*n = 0; **s >= '0' && **s <= '9'; ++*s)
		*n = *n > 999 ? *n : *n * 10 + (unsigned int)(**s - '0');
	return *n < 64 ? 0 : -ERANGE;
}

/* Numbers and ranges, with commas between. */
static int list_parse(const char *s, u64 *mask)
{
	*mask = 0;
	for (;;) {
		unsigned int first, last;
		int err = number_parse(&s, &first);

		last = first;
		if (!err && *s == '-') {
			s++;
			err = number_parse(&s, &last);
		}
		if (err || last < first)
			return err ? err : -EINVAL;
		*mask |= (last == 63 ? ~0ULL : (1ULL << (last + 1)) - 1) & ~((1ULL << first) - 1);
		if (*s != ',')
			return *s && *s != '\n' ? -EINVAL : 0;
		s++;
	}
}

static int affinity_set(int irq, u64 mask)
{
	int err = -EINVAL;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus && err == -EINVAL; cpu++)
		if ((mask & online()) >> cpu & 1)
			err = hal_irq_set_affinity((unsigned int)irq, cpu);
	if (!err)
		WRITE_ONCE(wanted[irq], mask);
	return err;
}

static u64 affinity_of(int irq)
{
	u64 mask = READ_ONCE(wanted[irq]);

	return mask ? mask : online();
}

static int mask_show(struct printbuf *pb, int irq)
{
	mask_print(pb, affinity_of(irq));
	return 0;
}

static int list_show(struct printbuf *pb, int irq)
{
	proc_cpu_list(pb, affinity_of(irq));
	printbuf_putc(pb, '\n');
	return 0;
}

static int effective_mask_show(struct printbuf *pb, int irq)
{
	mask_print(pb, 1ULL << hal_irq_cpu((unsigned int)irq));
	return 0;
}

static int effective_list_show(struct printbuf *pb, int irq)
{
	printbuf_printf(pb, "%d\n", hal_irq_cpu((unsigned int)irq));
	return 0;
}

static int mask_write(int irq, const char *text)
{
	u64 mask;
	int err = mask_parse(text, &mask);

	return err ? err : affinity_set(irq, mask);
}

static int list_write(int irq, const char *text)
{
	u64 mask;
	int err = list_parse(text, &mask);

	return err ? err : affinity_set(irq, mask);
}

#define NUMBERED(n, m, show_, write_) { .name = n, .mode = S_IFREG | (m), .show_number = show_, .write_number = write_ }

static const struct proc_entry line_files[] = {
	NUMBERED("smp_affinity", 0644, mask_show, mask_write),
	NUMBERED("smp_affinity_list", 0644, list_show, list_write),
	NUMBERED("effective_affinity", 0444, effective_mask_show, NULL),
	NUMBERED("effective_affinity_list", 0444, effective_list_show, NULL),
	{ .name = NULL },
};

static int line_lookup(struct inode *dir, struct dentry *d)
{
	const struct proc_entry *e = proc_find_entry(line_files, d);

	return e ? proc_instantiate(dir, d, e, NULL, proc_i(dir)->fd) : -ENOENT;
}

static const struct inode_ops line_ops = { .lookup = line_lookup };
static const struct proc_entry line_entry = {
	.name = "line", .mode = S_IFDIR | 0555, .children = line_files, .iops = &line_ops
};

static int irq_lookup(struct inode *dir, struct dentry *d)
{
	u32 irq;

	if ((d->name[0] == '0' && d->len > 1) || d->name[0] < '0' || d->name[0] > '9' ||
	    kstrtou32(d->name, 10, &irq) || irq >= MAX_IRQS || hal_irq_cpu(irq) < 0)
		return -ENOENT;
	return proc_instantiate(dir, d, &line_entry, NULL, (int)irq);
}

static int irq_iterate(struct file *f, struct dir_ctx *ctx)
{
	static_assert(MAX_IRQS <= 1000);

	if (!proc_emit_dots(f, ctx))
		return 0;
	for (; ctx->pos - 2 < MAX_IRQS; ctx->pos++) {
		unsigned int irq = (unsigned int)ctx->pos - 2;
		char name[12];
		int len = snprintf(name, sizeof(name), "%u", irq);

		if (hal_irq_cpu(irq) >= 0 &&
		    !ctx->emit(ctx, name, (size_t)len, f->inode->ino + irq + 1, 4, ctx->pos + 1))
			break;
	}
	return 0;
}

const struct inode_ops proc_irq_ops = { .lookup = irq_lookup };
const struct file_ops proc_irq_fops = { .iterate = irq_iterate };

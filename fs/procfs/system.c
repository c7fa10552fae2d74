/* SPDX-License-Identifier: MIT */
/*
 * The files of the whole system: /proc/meminfo, stat, cpuinfo ... and /proc/sys. Formats: proc(5) and the pages it names.
 */
#include <fs/aio.h>
#include <fs/block/block.h>
#include <fs/events.h>
#include <fs/fanotify.h>
#include <fs/ipc/sysctl.h>
#include <fs/lease.h>
#include <fs/pipe.h>
#include <fs/procfs/proc.h>
#include <hal/boot.h>
#include <hal/irq.h>
#include <hal/uctx.h>
#include <kernel/coredump.h>
#include <kernel/ksym.h>
#include <kernel/process.h>
#include <kernel/random.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/ctype.h>

/* ---- memory ---- */

static void meminfo_line(struct printbuf *pb, const char *name, u64 pages)
{
	printbuf_printf(pb, "%s:%*s%8llu kB\n", name, (int)(15 - strlen(name)), "",
			pages * (PAGE_SIZE / 1024));
}

static int meminfo_show(struct printbuf *pb, struct task *t)
{
	struct mm_stats st;

	mm_get_stats(&st);
	meminfo_line(pb, "MemTotal", st.total);
	meminfo_line(pb, "MemFree", st.free);
	meminfo_line(pb, "MemAvailable", st.free);
	meminfo_line(pb, "Buffers", 0);
	meminfo_line(pb, "Cached", st.cache);
	meminfo_line(pb, "SwapCached", 0);
	meminfo_line(pb, "Active", st.anon);
	meminfo_line(pb, "Inactive", st.cache);
	meminfo_line(pb, "Unevictable", 0);
	meminfo_line(pb, "Mlocked", 0);
	meminfo_line(pb, "SwapTotal", 0);
	meminfo_line(pb, "SwapFree", 0);
	meminfo_line(pb, "Dirty", 0);
	meminfo_line(pb, "Writeback", 0);
	meminfo_line(pb, "AnonPages", st.anon);
	meminfo_line(pb, "Mapped", 0);
	meminfo_line(pb, "Shmem", st.cache);
	meminfo_line(pb, "Slab", st.slab);
	meminfo_line(pb, "SReclaimable", 0);
	meminfo_line(pb, "SUnreclaim", st.slab);
	meminfo_line(pb, "KernelStack", 0);
	meminfo_line(pb, "PageTables", st.tables);
	meminfo_line(pb, "CommitLimit", st.total);
	meminfo_line(pb, "Committed_AS", st.anon + st.cache);
	return 0;
}

static void slab_line(void *ctx, const char *name, size_t size, u64 inuse, u64 total)
{
	printbuf_printf(ctx,
			"%-17s %6llu %6llu %6zu %4lu %4u : tunables    0    0    0 : slabdata "
			"%6llu %6llu      0\n",
			name, inuse, total, size, size < PAGE_SIZE ? PAGE_SIZE / size : 1, 1, total,
			total);
}

static int slabinfo_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> "
			  "<objsize> <objperslab> "
			  "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
			  "slabdata <active_slabs> <num_slabs> "
			  "<sharedavail>\n");
	kmem_cache_stats(slab_line, pb);
	return 0;
}

/* ---- CPUs and time ---- */

static int cpuinfo_show(struct printbuf *pb, struct task *t)
{
	char *text = name_alloc();

	if (!text)
		return -ENOMEM;
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (cpu_online(cpu)) {
			hal_cpuinfo(cpu, text, 4096);
			printbuf_puts(pb, text);
		}
	name_free(text);
	return 0;
}

/* user nice system idle iowait irq softirq steal guest guest_nice, in ticks; interrupts count where they came. */
static void stat_cpu_line(struct printbuf *pb, const char *name, const struct cpu_split *s,
			  u64 idle_ns)
{
	const u64 tick = NSEC_PER_SEC / 100;

	printbuf_printf(pb, "%s %llu %llu %llu %llu 0 0 0 0 0 0\n", name, s->user_ns / tick,
			s->nice_ns / tick, s->system_ns / tick, idle_ns / tick);
}

static int stat_file_show(struct printbuf *pb, struct task *t)
{
	u64 now = hal_clock_ns(), idle = 0, load[3];
	struct cpu_split all = { 0 }, one;
	unsigned int running;
	char name[16];

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (cpu_online(cpu)) {
			sched_cpu_times(cpu, &one);
			idle += sched_cpu_idle_ns(cpu);
			all.user_ns += one.user_ns;
			all.nice_ns += one.nice_ns;
			all.system_ns += one.system_ns;
		}
	stat_cpu_line(pb, "cpu ", &all, idle);
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (cpu_online(cpu)) {
			sched_cpu_times(cpu, &one);
			snprintf(name, sizeof(name), "cpu%u", cpu);
			stat_cpu_line(pb, name, &one, sched_cpu_idle_ns(cpu));
		}
	sched_load(load, &running);
	printbuf_printf(pb,
			"intr 0\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running "
			"%u\nprocs_blocked 0\n",
			sched_switches(), (ktime_real_ns() - now) / NSEC_PER_SEC, fork_count(),
			running);
	return 0;
}

static int uptime_show(struct printbuf *pb, struct task *t)
{
	u64 up = hal_clock_ns() / (NSEC_PER_SEC / 100), idle = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (cpu_online(cpu))
			idle += sched_cpu_idle_ns(cpu);
	idle /= NSEC_PER_SEC / 100;
	printbuf_printf(pb, "%llu.%02llu %llu.%02llu\n", up / 100, up % 100, idle / 100,
			idle % 100);
	return 0;
}

static int loadavg_show(struct printbuf *pb, struct task *t)
{
	unsigned int running;
	u64 load[3];

	sched_load(load, &running);
	for (int i = 0; i < 3; i++) {
		u64 v = load[i] + (1u << 11) / 200; /* rounded to hundredths */

		printbuf_printf(pb, "%llu.%02llu ", v >> 11, ((v & 2047) * 100) >> 11);
	}
	printbuf_printf(pb, "%u/%u %d\n", running, task_count(), pid_last());
	return 0;
}

static int interrupts_show(struct printbuf *pb, struct task *t)
{
	char *text = name_alloc();

	if (!text)
		return -ENOMEM;
	hal_irq_format_stats(text, 4096);
	printbuf_puts(pb, text);
	name_free(text);
	return 0;
}

/* ---- identity ---- */

static int version_show(struct printbuf *pb, struct task *t)
{
	const struct uts_ns *u = current->ns->uts;

	printbuf_printf(pb, "%s version %s (caelum@localhost) (clang) %s\n", u->sysname, u->release,
			u->version);
	return 0;
}

static int proc_cmdline_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", boot_info.cmdline);
	return 0;
}

static int filesystems_show(struct printbuf *pb, struct task *t)
{
	for (struct fs_type *fs = fs_type_next(NULL); fs; fs = fs_type_next(fs))
		printbuf_printf(pb, "%s\t%s\n", fs->nodev ? "nodev" : "", fs->name);
	return 0;
}

/* Where a function is only those learn who may read the kernel's log. */
static int kallsyms_show(struct printbuf *pb, struct task *t)
{
	bool may = capable(CAP_SYSLOG);
	char name[KSYM_NAME];
	unsigned long addr;

	for (unsigned int i = 0; ksym_at(i, &addr, name); i++)
		printbuf_printf(pb, "%016lx T %s\n", may ? addr : 0, name);
	return 0;
}

/* Without CONFIG_BLOCK there are no disks. */
__weak struct bdev *bdev_next(struct bdev *prev)
{
	(void)prev;
	return NULL;
}

/* Each whole disk, followed by its partitions; blocks of 1 KiB. */
static int partitions_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "major minor  #blocks  name\n\n");
	for (struct bdev *whole = bdev_next(NULL); whole; whole = bdev_next(whole)) {
		for (struct bdev *b = whole; b && !whole->partition; b = bdev_next(b)) {
			u64 nsectors = READ_ONCE(b->nsectors);

			if (b->disk == whole->disk && nsectors)
				printbuf_printf(pb, "%4u  %7u %10llu %s\n", dev_major(b->rdev),
						dev_minor(b->rdev), nsectors >> 1, b->name);
		}
	}
	return 0;
}

static void block_drivers(struct printbuf *pb)
{
	for (struct bdev *b = bdev_next(NULL); b; b = bdev_next(b))
		if (!b->partition && !b->disk->index)
			printbuf_printf(pb, "%3u %s\n", b->disk->major, b->disk->driver);
}

static int devices_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 "
			  "/dev/ptmx\n136 pts\n240 stream\n\n"
			  "Block devices:\n");
	block_drivers(pb);
	return 0;
}

static int empty_show(struct printbuf *pb, struct task *t)
{
	return 0;
}

static int swaps_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* ---- /proc/sys ---- */

static int hostname_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", current->ns->uts->nodename);
	return 0;
}

static ssize_t hostname_write(struct task *t, const char *text, size_t n)
{
	size_t len = strcspn(text, "\n");

	if (len > 64)
		len = 64;
	memcpy(current->ns->uts->nodename, text, len);
	current->ns->uts->nodename[len] = '\0';
	return (ssize_t)n;
}

static int domainname_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", current->ns->uts->domainname);
	return 0;
}

static int ostype_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", current->ns->uts->sysname);
	return 0;
}

static int osrelease_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", current->ns->uts->release);
	return 0;
}

static int osversion_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", current->ns->uts->version);
	return 0;
}

/* A random UUID, version 4. */
static void make_uuid(u8 u[16])
{
	random_bytes(u, 16);
	u[6] = (u8)((u[6] & 0x0f) | 0x40);
	u[8] = (u8)((u[8] & 0x3f) | 0x80);
}

static void show_uuid(struct printbuf *pb, const u8 u[16])
{
	for (int i = 0; i < 16; i++)
		printbuf_printf(pb, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
	printbuf_putc(pb, '\n');
}

static int uuid_show(struct printbuf *pb, struct task *t)
{
	u8 u[16];

	make_uuid(u);
	show_uuid(pb, u);
	return 0;
}

static int boot_id_show(struct printbuf *pb, struct task *t)
{
	static u8 id[16];
	static bool made;

	if (!made)
		make_uuid(id);
	made = true;
	show_uuid(pb, id);
	return 0;
}

/* Files of one number that cannot be changed. */
#define CONSTANT_FILE(fn, value)                                                                                      \
	static int fn(struct printbuf *pb, struct task *t)                                                            \
	{                                                                                                             \
		printbuf_printf(pb, "%llu\n", (u64)(value));                                                          \
		return 0;                                                                                             \
	}
CONSTANT_FILE(pid_max_show, PID_MAX)
CONSTANT_FILE(threads_max_show, PID_MAX)
CONSTANT_FILE(cap_last_cap_show, 40)
CONSTANT_FILE(entropy_show, 256)
CONSTANT_FILE(poolsize_show, 256)
CONSTANT_FILE(overcommit_ratio_show, 50)
CONSTANT_FILE(mmap_min_addr_show, 65536)
CONSTANT_FILE(file_max_show, file_max)
CONSTANT_FILE(nr_open_show, 1 << 20)
CONSTANT_FILE(randomize_show, 2)
CONSTANT_FILE(tainted_show, 0)
CONSTANT_FILE(ngroups_max_show, 65536)

static int file_nr_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%llu\t0\t%lu\n", file_count(), file_max);
	return 0;
}

static int core_pattern_show(struct printbuf *pb, struct task *t)
{
	char pattern[CORE_PATTERN_MAX];

	coredump_get_pattern(pattern);
	printbuf_printf(pb, "%s\n", pattern);
	return 0;
}

/* One line, cut at the pattern's longest length, as Linux does with strings. */
static ssize_t core_pattern_write(struct task *t, const char *text, size_t n)
{
	char pattern[CORE_PATTERN_MAX];

	scnprintf(pattern, sizeof(pattern), "%.*s", (int)strcspn(text, "\n"), text);
	coredump_set_pattern(pattern);
	return (ssize_t)n;
}

int proc_number64(const char *text, u64 *value)
{
	char word[32];

	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	scnprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " \t\n"), text);
	return kstrtou64(word, 0, value);
}

int proc_number(const char *text, u32 *value)
{
	u64 wide;
	int r = proc_number64(text, &wide);

	if (!r && wide > UINT_MAX)
		r = -ERANGE;
	if (!r)
		*value = (u32)wide;
	return r;
}

int proc_small_number(const char *text, int min, int max, int *val)
{
	bool minus;
	u32 v;
	int r;

	while (isspace(*text))
		text++;
	minus = *text == '-';
	r = isdigit(text[minus]) ? proc_number(text + minus, &v) : -EINVAL;
	if (r || v > INT_MAX)
		return -EINVAL;
	*val = minus ? -(int)v : (int)v;
	return *val < min || *val > max ? -EINVAL : 0;
}

ssize_t proc_number_write(const char *text, size_t n, u32 *where, u32 min, u32 max)
{
	u32 value;
	int r = proc_number(text, &value);

	if (!r && (value < min || value > max))
		r = -EINVAL;
	if (r)
		return r;
	WRITE_ONCE(*where, value);
	return (ssize_t)n;
}

PROC_NUMBER_FILE(core_uses_pid, core_uses_pid, 0, 1)
PROC_NUMBER_FILE(core_pipe_limit, core_pipe_limit, 0, S32_MAX)
PROC_NUMBER_FILE(suid_dumpable, suid_dumpable, 0, 2)
PROC_NUMBER_FILE(lease_break, lease_break_seconds, 0, S32_MAX)
PROC_NUMBER_FILE(mount_max, mount_max, 1, S32_MAX)
PROC_NUMBER_FILE(aio_max, aio_max, 0, S32_MAX)
PROC_NUMBER_FILE(max_map_count, vm_max_maps, 0, S32_MAX)
/* Mode 2, strict accounting, is not offered. */
PROC_NUMBER_FILE(overcommit, vm_overcommit, 0, 1)

/* 1: pages that only may be wanted again, 2: names, 3: both. 4 is about a line in the log. Source: proc_sys_vm(5). */
static ssize_t drop_caches_write(struct task *t, const char *text, size_t n)
{
	u32 what;
	ssize_t r = proc_number_write(text, n, &what, 1, 4);

	if (r < 0)
		return r;
	while ((what & 1) && !fatal_signal_pending() && mm_shrink())
		cond_resched();
	if (what & 2)
		dcache_shrink(ULONG_MAX);
	return r;
}

static u32 rt_period_us = 1000000;
PROC_NUMBER_FILE(rt_period, rt_period_us, 1, S32_MAX)

/* Real-time threads are not held back, whatever the period: there is no other value. */
static int rt_runtime_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "-1\n");
	return 0;
}

static ssize_t rt_runtime_write(struct task *t, const char *text, size_t n)
{
	int value, r = proc_small_number(text, -1, -1, &value);

	return r ? r : (ssize_t)n;
}

/* What is not positive brings back the usual value. */
static ssize_t rr_slice_write(struct task *t, const char *text, size_t n)
{
	int ms, r = proc_small_number(text, -INT_MAX, INT_MAX, &ms);

	if (r)
		return r;
	WRITE_ONCE(sched_rr_slice_ms, ms > 0 ? (u32)ms : SCHED_RR_SLICE_MS);
	return (ssize_t)n;
}

static int rr_slice_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%u\n", READ_ONCE(sched_rr_slice_ms));
	return 0;
}

static int aio_nr_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%llu\n", aio_count());
	return 0;
}

static const struct proc_entry sys_random[] = {
	PROC_FILE("boot_id", boot_id_show),
	PROC_FILE("uuid", uuid_show),
	PROC_FILE("entropy_avail", entropy_show),
	PROC_FILE("poolsize", poolsize_show),
	{ .name = NULL },
};
PROC_NUMBER_FILE(fan_queued, fanotify_max_queued, 0, S32_MAX)
PROC_NUMBER_FILE(fan_groups, fanotify_max_groups, 0, S32_MAX)
PROC_NUMBER_FILE(fan_marks, fanotify_max_marks, 0, S32_MAX)
PROC_NUMBER_FILE(max_queued, inotify_max_queued, 0, S32_MAX)
PROC_NUMBER_FILE(max_instances, inotify_max_instances, 0, S32_MAX)
PROC_NUMBER_FILE(max_watches, inotify_max_watches, 0, S32_MAX)

static int pipe_max_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%u\n", READ_ONCE(pipe_max_size));
	return 0;
}

/* A power of two of pages, as a pipe's size is. */
static ssize_t pipe_max_write(struct task *t, const char *text, size_t n)
{
	u32 value;
	int r = proc_number(text, &value);

	if (!r && (value < 1 || value > 1u << 31))
		r = -EINVAL;
	if (r)
		return r;
	WRITE_ONCE(pipe_max_size, (u32)pipe_round_size(value));
	return (ssize_t)n;
}

static const struct proc_entry sys_kernel[] = {
	PROC_WRITABLE("hostname", hostname_show, hostname_write),
	PROC_FILE("domainname", domainname_show),
	PROC_FILE("ostype", ostype_show),
	PROC_FILE("osrelease", osrelease_show),
	PROC_FILE("version", osversion_show),
	PROC_FILE("pid_max", pid_max_show),
	PROC_FILE("tainted", tainted_show),
	PROC_FILE("threads-max", threads_max_show),
	PROC_FILE("cap_last_cap", cap_last_cap_show),
	PROC_WRITABLE("sched_rr_timeslice_ms", rr_slice_show, rr_slice_write),
	PROC_WRITABLE("sched_rt_period_us", rt_period_show, rt_period_write),
	PROC_WRITABLE("sched_rt_runtime_us", rt_runtime_show, rt_runtime_write),
	PROC_WRITABLE("core_pattern", core_pattern_show, core_pattern_write),
	PROC_WRITABLE("core_pipe_limit", core_pipe_limit_show, core_pipe_limit_write),
	PROC_WRITABLE("core_uses_pid", core_uses_pid_show, core_uses_pid_write),
	PROC_FILE("randomize_va_space", randomize_show),
	PROC_FILE("ngroups_max", ngroups_max_show),
	PROC_WRITABLE("shmmax", shmmax_show, shmmax_write),
	PROC_WRITABLE("shmall", shmall_show, shmall_write),
	PROC_WRITABLE("shmmni", shmmni_show, shmmni_write),
	PROC_WRITABLE("msgmax", msgmax_show, msgmax_write),
	PROC_WRITABLE("msgmnb", msgmnb_show, msgmnb_write),
	PROC_WRITABLE("msgmni", msgmni_show, msgmni_write),
	PROC_WRITABLE("sem", sem_limits_show, sem_limits_write),
	PROC_DIR("random", sys_random),
	{ .name = NULL },
};
static const struct proc_entry sys_vm[] = {
	PROC_WRITABLE("overcommit_memory", overcommit_show, overcommit_write),
	{ .name = "drop_caches", .mode = S_IFREG | 0200, .write = drop_caches_write },
	PROC_FILE("overcommit_ratio", overcommit_ratio_show),
	PROC_WRITABLE("max_map_count", max_map_count_show, max_map_count_write),
	PROC_FILE("mmap_min_addr", mmap_min_addr_show),
	{ .name = NULL },
};
static const struct proc_entry sys_fs_mqueue[] = {
	PROC_WRITABLE("msg_default", mq_msg_default_show, mq_msg_default_write),
	PROC_WRITABLE("msg_max", mq_msg_max_show, mq_msg_max_write),
	PROC_WRITABLE("msgsize_default", mq_msgsize_default_show, mq_msgsize_default_write),
	PROC_WRITABLE("msgsize_max", mq_msgsize_max_show, mq_msgsize_max_write),
	PROC_WRITABLE("queues_max", mq_queues_max_show, mq_queues_max_write),
	{ .name = NULL },
};
static const struct proc_entry sys_fs_inotify[] = {
	PROC_WRITABLE("max_queued_events", max_queued_show, max_queued_write),
	PROC_WRITABLE("max_user_instances", max_instances_show, max_instances_write),
	PROC_WRITABLE("max_user_watches", max_watches_show, max_watches_write),
	{ .name = NULL },
};
static const struct proc_entry sys_fs_fanotify[] = {
	PROC_WRITABLE("max_queued_events", fan_queued_show, fan_queued_write),
	PROC_WRITABLE("max_user_groups", fan_groups_show, fan_groups_write),
	PROC_WRITABLE("max_user_marks", fan_marks_show, fan_marks_write),
	{ .name = NULL },
};
static const struct proc_entry sys_fs[] = {
	PROC_DIR("fanotify", sys_fs_fanotify),
	PROC_DIR("mqueue", sys_fs_mqueue),
	PROC_DIR("inotify", sys_fs_inotify),
	PROC_FILE("file-max", file_max_show),
	PROC_FILE("file-nr", file_nr_show),
	PROC_FILE("nr_open", nr_open_show),
	PROC_WRITABLE("pipe-max-size", pipe_max_show, pipe_max_write),
	PROC_WRITABLE("suid_dumpable", suid_dumpable_show, suid_dumpable_write),
	PROC_WRITABLE("lease-break-time", lease_break_show, lease_break_write),
	PROC_WRITABLE("mount-max", mount_max_show, mount_max_write),
	PROC_WRITABLE("aio-max-nr", aio_max_show, aio_max_write),
	PROC_FILE("aio-nr", aio_nr_show),
	{ .name = NULL },
};
static int abi_number_show(struct printbuf *pb, struct task *t)
{
	int value = hal_abi_number();

	printbuf_printf(pb, "%d\n", value);
	return value < 0 ? value : 0;
}

static ssize_t abi_number_write(struct task *t, const char *text, size_t n)
{
	bool negative = *text == '-';
	u32 value;
	int r = proc_number(text + negative, &value);

	if (!r)
		r = value > S32_MAX ? -EINVAL
				    : hal_abi_number_set(negative ? -(int)value : (int)value);
	return r ? r : (ssize_t)n;
}

/* Empty, and not shown, where the architecture has nothing to set. */
static const struct proc_entry sys_abi[] = {
	PROC_WRITABLE(HAL_ABI_NUMBER, abi_number_show, abi_number_write),
	{ .name = NULL },
};
static const struct proc_entry sys_table[] = {
	PROC_DIR("kernel", sys_kernel),
	PROC_DIR("vm", sys_vm),
	PROC_DIR("fs", sys_fs),
	PROC_DIR("net", proc_sys_net),
	PROC_DIR(HAL_ABI_NUMBER ? "abi" : NULL, sys_abi),
	{ .name = NULL },
};

static const struct proc_entry sysvipc_table[] = {
	PROC_FILE("msg", msg_show),
	PROC_FILE("sem", sem_show),
	PROC_FILE("shm", shm_show),
	{ .name = NULL },
};

extern const char __kconfig_start[], __kconfig_end[];

static int config_show(struct printbuf *pb, struct task *t)
{
	printbuf_write(pb, __kconfig_start, (size_t)(__kconfig_end - __kconfig_start));
	return 0;
}

const struct proc_entry proc_system_entries[] = {
	PROC_FILE("cmdline", proc_cmdline_show),
	PROC_FILE("config.gz", config_show),
	PROC_FILE("cpuinfo", cpuinfo_show),
	PROC_FILE("devices", devices_show),
	PROC_FILE("filesystems", filesystems_show),
	PROC_FILE("interrupts", interrupts_show),
	PROC_FILE("kallsyms", kallsyms_show),
	PROC_FILE("loadavg", loadavg_show),
	PROC_FILE("meminfo", meminfo_show),
	PROC_FILE("modules", empty_show),
	PROC_FILE("slabinfo", slabinfo_show),
	PROC_FILE("stat", stat_file_show),
	PROC_FILE("partitions", partitions_show),
	PROC_FILE("swaps", swaps_show),
	PROC_FILE("uptime", uptime_show),
	PROC_FILE("version", version_show),
	PROC_DIR("sys", sys_table),
	PROC_DIR("sysvipc", sysvipc_table),
	{ .name = "irq", .mode = S_IFDIR | 0555, .iops = &proc_irq_ops, .fops = &proc_irq_fops },
	{ .name = NULL },
};

/* SPDX-License-Identifier: MIT */
/*
 * sysfs: what programs look for about CPUs, and the directories that they expect to be there.
 * Made of procfs's parts: tables of entries with generated text. Source: sysfs(5).
 */
#include <fs/procfs/proc.h>
#include <hal/boot.h>
#include <kernel/sched.h>

static void show_range(struct printbuf *pb, unsigned int n)
{
	printbuf_printf(pb, n > 1 ? "0-%u\n" : "0\n", n - 1);
}

static int online_show(struct printbuf *pb, struct task *t)
{
	show_range(pb, cpu_online_count());
	return 0;
}

static int possible_show(struct printbuf *pb, struct task *t)
{
	show_range(pb, boot_info.ncpus);
	return 0;
}

static int offline_show(struct printbuf *pb, struct task *t)
{
	printbuf_putc(pb, '\n');
	return 0;
}

static int kernel_max_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%u\n", CONFIG_NR_CPUS - 1);
	return 0;
}

static const struct proc_entry empty_table[] = { { .name = NULL } };

/* A CPU that is listed is online and stays so. */
static int one_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "1\n");
	return 0;
}
static const struct proc_entry one_cpu_table[] = { PROC_FILE("online", one_show),
						   { .name = NULL } };

/* The fixed entries; cpu0, cpu1 ... follow: see add_cpus(). */
#define CPU_FIXED 5
static struct proc_entry cpu_table[CPU_FIXED + CONFIG_NR_CPUS + 1] = {
	PROC_FILE("online", online_show),	  PROC_FILE("possible", possible_show),
	PROC_FILE("present", possible_show),	  PROC_FILE("offline", offline_show),
	PROC_FILE("kernel_max", kernel_max_show),
};
static char cpu_name[CONFIG_NR_CPUS][8];

static void __init add_cpus(void)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		const struct proc_entry dir = PROC_DIR(cpu_name[cpu], one_cpu_table);

		snprintf(cpu_name[cpu], sizeof(cpu_name[cpu]), "cpu%u", cpu);
		memcpy(&cpu_table[CPU_FIXED + cpu], &dir, sizeof(dir));
	}
}

static const struct proc_entry system_table[] = { PROC_DIR("cpu", cpu_table), { .name = NULL } };
static const struct proc_entry devices_table[] = { PROC_DIR("system", system_table),
						   { .name = NULL } };
/* Where tracefs and debugfs are mounted. */
static const struct proc_entry kernel_table[] = { PROC_DIR("debug", empty_table),
						  PROC_DIR("tracing", empty_table),
						  { .name = NULL } };
static const struct proc_entry root_table[] = {
	PROC_DIR("block", empty_table),	 PROC_DIR("bus", empty_table),
	PROC_DIR("class", empty_table),	 PROC_DIR("devices", devices_table),
	PROC_DIR("fs", empty_table),	 PROC_DIR("kernel", kernel_table),
	PROC_DIR("module", empty_table), { .name = NULL },
};
static const struct proc_entry root_entry = PROC_DIR("/", root_table);

static int sysfs_fill(struct super *sb, const char *source, const char *data)
{
	return data && *data ? -EINVAL : proc_fill_super(sb, &root_entry, SYSFS_MAGIC);
}

static struct fs_type sysfs_type = {
	.name = "sysfs", .nodev = true, .fill = sysfs_fill, .single = true
};

void sysfs_init(void)
{
	add_cpus();
	fs_type_register(&sysfs_type);
}

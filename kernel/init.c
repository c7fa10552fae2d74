/* SPDX-License-Identifier: MIT */
/*
 * From the machine's first C code to the first program.
 *
 * upcall_kernel_main() runs on the boot CPU with interrupts off and brings the parts up in the order in which they need each other. Then
 * process 1 mounts the root, unpacks the initramfs and becomes the program that the command line names. Secondary CPUs arrive in
 * upcall_secondary_main().
 *
 * Command line (docs/command-line.md): as Linux's, and caelum.run=FILE from `caelum run`.
 */
#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/upcall.h>
#include <kernel/console.h>
#include <kernel/files.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/random.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/cmdline.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/machine.h>

#define SECONDARY_TIMEOUT_NS (2 * NSEC_PER_SEC)

static struct task idle_task[CONFIG_NR_CPUS];
static struct uts_ns init_uts = {
	.sysname = "Linux",
	.nodename = "caelum",
	.release = "6.12.0-caelum",
	.version = "#1 SMP Caelum",
	.machine = UTS_MACHINE,
	.domainname = "(none)",
};
static struct ns_set init_ns = { .refs = REFCOUNT_INIT(1), .uts = &init_uts };
struct boot_options boot_options;

/* ---- CPUs ---- */

static void *percpu_alloc(size_t size)
{
	unsigned int order = 0;
	void *p;

	while (PAGE_SIZE << order < size)
		order++;
	p = kpages_alloc(GFP_ZERO, order);
	if (!p)
		panic("no memory for per-CPU data");
	return p;
}

static void init_idle_task(unsigned int cpu)
{
	struct task *t = &idle_task[cpu];

	refcount_set(&t->refs, 1);
	t->creds = creds_root();
	t->ns = &init_ns;
	t->hal.cpu = cpu;
	strscpy(t->comm, "idle", sizeof(t->comm));
	list_init(&t->pending.queue);
}

void upcall_secondary_main(void)
{
	sched_init_cpu(&idle_task[hal_cpu_id()]);
	sched_idle();
}

/* Start one CPU and wait until it runs. One that stays silent is given up: its number is simply never used. */
static void start_cpu(unsigned int cpu)
{
	char *stack = kstack_alloc();
	u64 deadline;

	if (!stack) {
		pr_warn("cpu %u: no memory for its stack\n", cpu);
		return;
	}
	init_idle_task(cpu);
	if (hal_cpu_start(cpu, stack + KSTACK_SIZE, &idle_task[cpu].hal)) {
		pr_warn("cpu %u: the firmware would not start it\n", cpu);
		kstack_free(stack);
		return;
	}
	deadline = hal_clock_ns() + SECONDARY_TIMEOUT_NS;
	while (!cpu_online(cpu) && hal_clock_ns() < deadline)
		hal_cpu_relax();
	if (!cpu_online(cpu))
		pr_warn("cpu %u: started but did not report\n", cpu);
}

static void start_secondaries(void)
{
	for (unsigned int cpu = 1; cpu < boot_info.ncpus; cpu++)
		start_cpu(cpu);
	if (boot_info.ncpus > 1)
		pr_info("%u CPUs\n", cpu_online_count());
}

/* ---- the command line ---- */

static void take_option(const char *key, const char *value)
{
	struct boot_options *o = &boot_options;

	if (!strcmp(key, "init") && value)
		o->init = value;
	else if (!strcmp(key, "caelum.run") && value)
		o->run_file = value;
	else if (!strcmp(key, "caelum.strace"))
		o->strace = true;
	else if (!strcmp(key, "caelum.frame"))
		console_framed = true;
	else if (!strcmp(key, "caelum.stdio") && value && strlen(value) == 3)
		memcpy(console_stdio, value, 3);
	else if (!strcmp(key, "loglevel") && value && value[0] >= '0' && value[0] <= '9' && !value[1])
		console_loglevel = min(value[0] - '0', 7) ;
	else if (!strcmp(key, "quiet"))
		console_loglevel = LOG_WARNING - 1;
	else if (!strcmp(key, "debug"))
		console_loglevel = LOG_DEBUG;
	else if (!strcmp(key, "console") || !strcmp(key, "earlycon") || !strcmp(key, "root") || !strcmp(key, "ro") || !strcmp(key, "rw"))
		; /* console= is read by hal/common/console.c; the root is always the initramfs */
	else if (value && !strchr(key, '.') && o->nenv < BOOT_ENV_MAX)
		o->env[o->nenv++] = key; /* made K=V again below */
	else if (!value && o->narg < BOOT_ARG_MAX)
		o->arg[o->narg++] = key;
}

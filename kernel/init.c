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
#include <kernel/ns.h>
#include <kernel/console.h>
#include <kernel/defer.h>
#include <kernel/files.h>
#include <kernel/net.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/random.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/export.h>
#include <kernel/trace/profile.h>
#include <ktest.h>
#include <lib/cmdline.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/machine.h>

#define SECONDARY_TIMEOUT_NS (10 * NSEC_PER_SEC) /* a virtual CPU may have to wait for a real one */

static DEFINE_PERCPU(struct task, idle_task);
static struct uts_ns init_uts = {
	.sysname = "Linux",
	.nodename = "caelum",
	.release = "6.12.0-caelum",
	.version = "#1 SMP Caelum",
	.machine = UTS_MACHINE,
	.domainname = "(none)",
	.refs = REFCOUNT_INIT(1),
	.id = UTS_NS_ID,
};
struct ns_set init_ns = { .refs = REFCOUNT_INIT(1), .uts = &init_uts };
/* The archive that CONFIG_INITRAMFS_SOURCE names; empty without one. */
extern const char __initramfs_start[], __initramfs_end[];

/* ---- CPUs ---- */

static void init_idle_task(unsigned int cpu)
{
	struct task *t = &percpu_of(idle_task, cpu);

	memset(t, 0, sizeof(*t)); /* the boot CPU's was copied when there was no other yet */
	refcount_set(&t->refs, 1);
	t->creds = creds_root();
	t->ns = &init_ns;
	t->hal.cpu = cpu;
	strscpy(t->comm, "idle", sizeof(t->comm));
	list_init(&t->pending.queue);
}

void upcall_secondary_main(void)
{
	sched_init_cpu(&percpu(idle_task));
	trace_profile_cpu();
	sched_idle();
}

/* Start one CPU and wait until it runs. One that stays silent is given up: its number is simply never used. */
static void start_cpu(unsigned int cpu)
{
	char *stack = kstack_alloc(), *irq_stack = kstack_alloc();
	u64 deadline;

	if (!stack || !irq_stack) {
		pr_warn("cpu %u: no memory for its stacks\n", cpu);
		goto free;
	}
	init_idle_task(cpu);
	hal_irq_stack_set(cpu, irq_stack, KSTACK_SIZE);
	if (hal_cpu_start(cpu, stack + KSTACK_SIZE, &percpu_of(idle_task, cpu).hal)) {
		pr_warn("cpu %u: the firmware would not start it\n", cpu);
		goto free;
	}
	deadline = hal_clock_ns() + SECONDARY_TIMEOUT_NS;
	while (!cpu_online(cpu) && hal_clock_ns() < deadline)
		hal_cpu_relax();
	if (!cpu_online(cpu))
		pr_warn("cpu %u: started but did not report\n", cpu);
	return;
free:
	if (stack)
		kstack_free(stack);
	if (irq_stack)
		kstack_free(irq_stack);
}

static void start_secondaries(void)
{
	for (unsigned int cpu = 1; cpu < boot_info.ncpus; cpu++)
		start_cpu(cpu);
	if (boot_info.ncpus > 1)
		pr_info("%u CPUs\n", cpu_online_count());
}

/* ---- the command line ---- */

#define BOOT_ARG_MAX 64
#define BOOT_ENV_MAX 64

static struct {
	const char *init, *run_file;
	bool strace, trace, ktest;
	char *arg[BOOT_ARG_MAX + 2]; /* argv[0] first */
	char *env[BOOT_ENV_MAX + 1];
	unsigned int narg, nenv;
} options = { .narg = 1,
	      .env = { "HOME=/", "TERM=linux", "PATH=/sbin:/usr/sbin:/bin:/usr/bin" },
	      .nenv = 3 };

static void opt_init(char *value)
{
	options.init = value;
}

static void opt_run(char *value)
{
	options.run_file = value;
}

static void opt_strace(char *value)
{
	(void)value;
	options.strace = true;
}

static void opt_ktest(char *value)
{
	(void)value;
	options.ktest = true;
}

static void opt_frame(char *value)
{
	console_framed = !value || value[0] != '0';
}

static void opt_stdio(char *value)
{
	if (value && strlen(value) == 3 && strspn(value, "tsn") == 3)
		memcpy(console_stdio, value, 3);
	else
		pr_warn("caelum.stdio=: three of the letters t, s, n are wanted\n");
}

static void opt_loglevel(char *value)
{
	if (value && value[0] >= '0' && value[0] <= '8' && !value[1])
		console_loglevel = value[0] - '0' - 1;
	else
		pr_warn("loglevel=: a number from 0 to 8 is wanted\n");
}

static void opt_trace(char *value)
{
	(void)value;
	options.trace = true;
}

static void opt_profile(char *value)
{
	if (!value || kstrtou32(value, 10, &trace_profile_hz) || trace_profile_hz > 10000)
		trace_profile_hz = 0;
}

static void opt_trace_run(char *value)
{
	if (!value || kstrtou64(value, 16, &trace_run))
		trace_run = 0;
}

static void opt_quiet(char *value)
{
	(void)value;
	console_loglevel = LOG_ERR;
}

static void opt_debug(char *value)
{
	(void)value;
	console_loglevel = LOG_DEBUG;
}

/* Read elsewhere (hal/common/console.c, the arch), or without meaning here because the root is always the initramfs. */
static void opt_elsewhere(char *value)
{
	(void)value;
}

static const struct {
	const char *key;
	void (*take)(char *value);
} boot_option[] = {
	{ "init", opt_init },
	{ "rdinit", opt_init },
	{ "caelum.run", opt_run },
	{ "caelum.ktest", opt_ktest },
	{ "caelum.strace", opt_strace },
	{ "caelum.trace", opt_trace },
	{ "caelum.profile", opt_profile },
	{ "caelum.trace_run", opt_trace_run },
	{ "caelum.frame", opt_frame },
	{ "caelum.stdio", opt_stdio },
	{ "loglevel", opt_loglevel },
	{ "quiet", opt_quiet },
	{ "debug", opt_debug },
	{ "console", opt_elsewhere },
	{ "earlycon", opt_elsewhere },
	{ "root", opt_elsewhere },
	{ "ro", opt_elsewhere },
	{ "rw", opt_elsewhere },
};

/* A word that is no option of ours is init's: K=V into its environment, others an argument; names with a dot are modules' and dropped. */
static void give_to_init(const struct cmdline_arg *arg)
{
	if (arg->value) {
		if (strchr(arg->key, '.') || options.nenv == BOOT_ENV_MAX)
			return;
		arg->value[-1] = '=';
		options.env[options.nenv++] = arg->key;
	} else if (options.narg <= BOOT_ARG_MAX) {
		options.arg[options.narg++] = arg->key;
	}
}

static void take_option(const struct cmdline_arg *arg)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(boot_option); i++) {
		if (cmdline_key_eq(arg->key, boot_option[i].key)) {
			boot_option[i].take(arg->value);
			return;
		}
	}
	give_to_init(arg);
}

static void parse_cmdline(void)
{
	static char text[BOOT_CMDLINE_MAX];
	char *pos = text, *word;
	struct cmdline_arg arg;
	int r;

	strscpy(text, boot_info.cmdline, sizeof(text));
	while ((r = cmdline_next(&pos, &arg)) == CMDLINE_OPTION)
		take_option(&arg);
	if (r == CMDLINE_INIT_ARGS)
		while ((word = cmdline_next_word(&pos)))
			if (options.narg <= BOOT_ARG_MAX)
				options.arg[options.narg++] = word;
}

/* ---- process 1 ---- */

static int try_exec(const char *path, char *const *argv, char *const *envp)
{
	struct exec_args args = {
		.filename = path, .argv = (uaddr_t)argv, .envp = (uaddr_t)envp, .kernel = true
	};
	struct file *f = exec_open(path);
	int r;

	if (IS_ERR(f))
		return PTR_ERR(f);
	args.file = f;
	r = do_exec(&args);
	exec_close(f);
	return r;
}

/* What a run file says: docs/console-frames.md. */
struct run_file {
	const char *exe, *cwd;
	char **argv, **envp;
	unsigned int argc, envc;
};

static bool has_prefix(const char *s, const char *prefix, char **rest)
{
	size_t n = strlen(prefix);

	if (strncmp(s, prefix, n))
		return false;
	*rest = (char *)s + n;
	return true;
}

static int parse_run_file(char *text, size_t size, struct run_file *run)
{
	size_t nrecords = 1;
	char *rest;

	for (size_t i = 0; i < size; i++)
		nrecords += !text[i];
	run->argv = kcalloc(nrecords + 1, sizeof(char *), 0);
	run->envp = kcalloc(nrecords + 1, sizeof(char *), 0);
	if (!run->argv || !run->envp)
		return -ENOMEM;
	for (char *s = text; s < text + size; s += strlen(s) + 1) {
		if (has_prefix(s, "exe=", &rest))
			run->exe = rest;
		else if (has_prefix(s, "cwd=", &rest))
			run->cwd = rest;
		else if (has_prefix(s, "argv=", &rest))
			run->argv[run->argc++] = rest;
		else if (has_prefix(s, "env=", &rest))
			run->envp[run->envc++] = rest;
		else
			return -EINVAL;
	}
	return run->exe ? 0 : -EINVAL;
}

static void run_from_file(const char *path)
{
	struct run_file run = { 0 };
	char *text;
	ssize_t n = files_read_whole(path, &text);
	int r;

	if (n < 0)
		panic("caelum.run=%s: cannot be read: %pe", path, ERR_PTR(n));
	r = parse_run_file(text, (size_t)n, &run);
	if (r)
		panic("caelum.run=%s: malformed", path);
	files_unlink(path);
	if (run.cwd) {
		r = files_chdir(run.cwd);
		if (r)
			panic("cannot change to directory %s: %pe", run.cwd, ERR_PTR(r));
	}
	r = try_exec(run.exe, run.argv, run.envp);
	if (r)
		panic("cannot run %s: %pe", run.exe, ERR_PTR(r));
	kfree(run.argv);
	kfree(run.envp);
	kfree(text);
}

static void run_from_cmdline(void)
{
	static char *const standard[] = { "/init", "/sbin/init", "/bin/init", "/bin/sh" };
	int r = -ENOENT;

	if (options.init) {
		options.arg[0] = (char *)options.init;
		r = try_exec(options.init, options.arg, options.env);
		if (r)
			panic("init=%s cannot be run: %pe", options.init, ERR_PTR(r));
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(standard) && r; i++) {
		options.arg[0] = standard[i];
		r = try_exec(standard[i], options.arg, options.env);
		if (r && r != -ENOENT)
			pr_err("%s exists but cannot be run: %pe\n", standard[i], ERR_PTR(r));
	}
	if (r)
		panic("no program to run: tried /init, /sbin/init, /bin/init and /bin/sh; pass an "
		      "initrd, or init=PATH");
}

static size_t builtin_size(void)
{
	return (size_t)((unsigned long)__initramfs_end - (unsigned long)__initramfs_start);
}

/* Fill the root from the loader's initrd, or from the one that is built in. */
static void unpack_root(void)
{
	const struct boot_range *rd = &boot_info.initrd;
	int r;

	if (rd->size) {
		r = files_unpack_root(phys_to_virt(rd->base), rd->size, "initrd");
		if (!r)
			mm_free_boot_range(rd->base, rd->size);
	} else if (builtin_size()) {
		r = files_unpack_root(__initramfs_start, builtin_size(), "built-in initramfs");
	} else {
		return;
	}
	if (r)
		pr_err("the root file system is incomplete: %pe\n", ERR_PTR(r));
}

static void init_main(void *arg)
{
	struct task *t = current;
	int r;

	(void)arg;
	start_secondaries();
	if (options.ktest)
		ktest_main();
	files_start_disks();
	unpack_root();
	r = files_open_stdio();
	if (r)
		pr_warn("init starts without a console: %pe\n", ERR_PTR(r));
	if (options.trace || trace_profile_hz)
		trace_export_start(options.trace, trace_profile_hz != 0);
	if (options.run_file)
		run_from_file(options.run_file);
	else
		run_from_cmdline();
	pr_info("running %s as process 1\n", t->comm);
	if (options.strace)
		task_set_work(t, WORK_STRACE);
	user_task_loop(t);
}

/* ---- the boot CPU ---- */

static void init_irq_stack(void)
{
	void *stack = kstack_alloc();

	if (!stack)
		panic("no memory for the interrupt stack");
	hal_irq_stack_set(0, stack, KSTACK_SIZE);
}

void upcall_kernel_main(void)
{
	struct task *boot = &percpu_of(idle_task, 0);
	struct task *init;

	init_idle_task(0);
	hal_set_current(&boot->hal);
	mm_init();
	init_irq_stack();
	sched_init_cpu(boot);
	parse_cmdline();
	hal_probe_devices();
	/* Not before the serial driver has reset its FIFOs: the other side answers the first frame. */
	console_init();
	pr_info("Caelum on %s, %u CPU%s listed, command line: %s\n", UTS_MACHINE, boot_info.ncpus,
		boot_info.ncpus > 1 ? "s" : "", boot_info.cmdline);
	ktime_set_real_ns(hal_wallclock() * NSEC_PER_SEC);
	random_seed();
	fork_init();
	defer_init();
	vdso_init();
	files_init();
	net_init();
	trace_init();
	trace_profile_cpu();
	hal_irq_enable();
	init = init_task_create(init_main, NULL);
	if (files_fork(init, 0))
		panic("no memory for the first descriptor table");
	sched_start_load_sampling();
	sched_start(init);
	sched_idle();
}

/* SPDX-License-Identifier: MIT */
/*
 * The files of a process: /proc/PID/... and /proc/PID/task/TID/...
 * Each show function writes the whole text. Formats: proc_pid_stat(5), proc_pid_status(5), proc_pid_maps(5) ...
 */
#include <fs/nsfs.h>
#include <fs/procfs/proc.h>
#include <fs/tty/tty.h>
#include <kernel/ksym.h>
#include <kernel/oom.h>
#include <kernel/posix_timer.h>
#include <kernel/ptrace.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/time.h>
#include <lib/ctype.h>

#define NS_PER_TICK (NSEC_PER_SEC / USER_HZ)

/* ---- what several files need ---- */

/* What tasklist_lock and the signal lock guard, copied. */
struct task_info {
	pid_t pid, tid, ppid, tracer, pgrp, session, tpgid;
	u64 tty;
	unsigned int nthreads;
	struct cpu_times times, child_times;
	u64 minflt, majflt, child_minflt, child_majflt, nvcsw, nivcsw;
	u64 pending, shared, blocked, ignored, caught;
	bool zombie;
	bool stopped; /* part of a group stop, whether it sleeps already or not */
};

static void add_thread(struct task_info *ti, struct task *t)
{
	struct cpu_times ct;

	sched_get_times(t, &ct);
	ti->times.user_ns += ct.user_ns;
	ti->times.system_ns += ct.system_ns;
	ti->minflt += t->min_flt;
	ti->majflt += t->maj_flt;
	ti->nvcsw += t->nvcsw;
	ti->nivcsw += t->nivcsw;
}

static void signal_info(struct task *t, struct task_info *ti)
{
	unsigned long flags;
	struct process *p = t->process;
	struct sighand *sh = sighand_lock(p, &flags);

	ti->stopped = p->stopping && !t->trace.tracer && t->stop_gen == p->stop_gen;
	ti->pending = t->pending.set;
	ti->shared = p->shared_pending.set;
	ti->blocked = t->blocked;
	for (int i = 0; i < NSIG; i++) {
		if (sh->action[i].handler == SIG_IGN)
			ti->ignored |= 1ULL << i;
		else if (sh->action[i].handler != SIG_DFL)
			ti->caught |= 1ULL << i;
	}
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* @whole: times of the process, not of the thread alone. */
static void get_info(struct task *t, struct task_info *ti, bool whole)
{
	struct process *p = t->process;
	struct task *th;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	memset(ti, 0, sizeof(*ti));
	ti->pid = p->pid->nr;
	ti->tid = t->tid->nr;
	ti->ppid = p->parent ? p->parent->pid->nr : 0;
	ti->tracer = t->trace.tracer ? task_tid(t->trace.tracer) : 0;
	ti->pgrp = p->pgrp ? p->pgrp->nr : 0;
	ti->session = p->session ? p->session->nr : 0;
	ti->tpgid = -1;
	if (p->session && p->session->session_tty) {
		struct tty *tty = p->session->session_tty;

		ti->tty = tty->rdev;
		ti->tpgid = tty->pgrp ? tty->pgrp->nr : -1;
	}
	ti->nthreads = p->nthreads;
	ti->child_times = p->child_times;
	ti->child_minflt = p->child_minflt;
	ti->child_majflt = p->child_majflt;
	/* A dead leader of living threads, too, and a thread its tracer has not waited for. */
	ti->zombie = p->zombie || (list_empty(&t->thread_link) && !(t->flags & TASK_F_KTHREAD));
	if (whole) {
		ti->times = p->dead_times;
		ti->minflt = p->dead_minflt;
		ti->majflt = p->dead_majflt;
		list_for_each_entry(th, &p->threads, thread_link)
			add_thread(ti, th);
	} else {
		add_thread(ti, t);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	signal_info(t, ti);
}

static const struct {
	char letter;
	const char *text;
} states[] = {
	[TASK_RUNNING] = { 'R', "R (running)" },
	[TASK_INTERRUPTIBLE] = { 'S', "S (sleeping)" },
	[TASK_KILLABLE] = { 'D', "D (disk sleep)" },
	[TASK_UNINTERRUPTIBLE] = { 'D', "D (disk sleep)" },
	[TASK_STOPPED] = { 'T', "T (stopped)" },
	[TASK_TRACED] = { 't', "t (tracing stop)" },
	[TASK_ZOMBIE] = { 'Z', "Z (zombie)" },
	[TASK_DEAD] = { 'X', "X (dead)" },
};

/*
 * Kernel threads wait uninterruptibly for their work: that is idling, not being stuck. Who has joined a stop, so that the parent's wait()
 * may have told of it, is stopped, even if it is still on its way to sleep.
 */
static unsigned int state_of(struct task *t, const struct task_info *ti)
{
	unsigned int s = READ_ONCE(t->state);

	if (ti->zombie)
		return TASK_ZOMBIE;
	if (ti->stopped && s == TASK_RUNNING)
		return TASK_STOPPED;
	if ((t->flags & TASK_F_KTHREAD) && s == TASK_UNINTERRUPTIBLE)
		return TASK_INTERRUPTIBLE;
	return s < ARRAY_SIZE(states) ? s : TASK_DEAD;
}

static u64 vm_rss(const struct vm *vm)
{
	return READ_ONCE(vm->rss_anon) + READ_ONCE(vm->rss_file);
}

static void put_vm(struct vm *vm)
{
	if (vm)
		vm_put(vm);
}

/* ---- stat, statm, status ---- */

/* Addresses are for those who may look into the process: others see 0, or 1 where Linux shows that. */
static int stat_show_any(struct printbuf *pb, struct task *t, bool whole)
{
	static const struct vm hidden = { .code_start = 1, .code_end = 1 }, none;
	struct vm *vm = task_vm_get(t);
	bool permitted = !ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS);
	const struct vm *addr = !vm ? &none : permitted ? vm : &hidden;
	struct task_info ti;

	get_info(t, &ti, whole);
	printbuf_printf(pb, "%d (%s) %c %d %d %d %llu %d 0 %llu %llu %llu %llu ",
			whole ? ti.pid : ti.tid, t->comm, states[state_of(t, &ti)].letter, ti.ppid,
			ti.pgrp, ti.session, ti.tty, ti.tpgid, ti.minflt, ti.child_minflt,
			ti.majflt, ti.child_majflt);
	printbuf_printf(pb, "%llu %llu %llu %llu %d %d %u 0 %llu ", ti.times.user_ns / NS_PER_TICK,
			ti.times.system_ns / NS_PER_TICK, ti.child_times.user_ns / NS_PER_TICK,
			ti.child_times.system_ns / NS_PER_TICK,
			t->se.rt_priority ? -1 - t->se.rt_priority : 20 + t->se.nice, t->se.nice,
			ti.nthreads, t->start_ns / NS_PER_TICK);
	printbuf_printf(pb, "%llu %llu %llu %lu %lu %lu 0 0 ", vm ? vm->total_pages * PAGE_SIZE : 0,
			vm ? vm_rss(vm) : 0, t->process->rlim[RLIMIT_RSS].rlim_cur,
			addr->code_start, addr->code_end, addr->stack_start);
	printbuf_printf(pb, "%llu %llu %llu %llu %d 0 0 %d %u %u %u 0 0 0 ",
			ti.pending & 0x7fffffff, ti.blocked & 0x7fffffff, ti.ignored & 0x7fffffff,
			ti.caught & 0x7fffffff, permitted && state_of(t, &ti) != TASK_RUNNING,
			t->process->exit_signal, t->hal.cpu, t->se.rt_priority, t->se.policy);
	printbuf_printf(pb, "%lu %lu %lu %lu %lu %lu %lu %d\n", addr->data_start, addr->data_end,
			addr->brk_start, addr->arg_start, addr->arg_end, addr->env_start,
			addr->env_end, ti.zombie && permitted ? t->exit_code : 0);
	put_vm(vm);
	return 0;
}

static int stat_show(struct printbuf *pb, struct task *t)
{
	return stat_show_any(pb, t, true);
}
static int task_stat_show(struct printbuf *pb, struct task *t)
{
	return stat_show_any(pb, t, false);
}

/* Pages of the program's own code. */
static u64 text_pages(const struct vm *vm)
{
	uaddr_t start = ALIGN_DOWN(vm->code_start, PAGE_SIZE),
		end = ALIGN_UP(vm->code_end, PAGE_SIZE);

	return (end - start) >> PAGE_SHIFT;
}

static int statm_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm)
		printbuf_printf(pb, "%llu %llu %llu %llu 0 %llu 0\n", vm->total_pages, vm_rss(vm),
				READ_ONCE(vm->rss_file), text_pages(vm),
				vm->data_pages + vm->stack_pages);
	else
		printbuf_puts(pb, "0 0 0 0 0 0 0\n");
	put_vm(vm);
	return 0;
}

static void status_ids(struct printbuf *pb, struct task *t)
{
	const struct creds *c = creds_of(t);
	struct fs_ctx *fs = task_fs_get(t);
	struct fdtable *ft = task_files_get(t);

	if (fs) {
		printbuf_printf(pb, "Umask:\t%04o\n", fs->umask);
		fs_ctx_put(fs);
	}
	printbuf_printf(pb, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid,
			c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	printbuf_printf(pb, "FDSize:\t%u\nGroups:\t", ft ? fdtable_size(ft) : 0);
	for (unsigned int i = 0; i < c->ngroups; i++)
		printbuf_printf(pb, "%u ", c->groups[i]);
	printbuf_putc(pb, '\n');
	if (ft)
		fdtable_put(ft);
	creds_put(c);
}

static void status_memory(struct printbuf *pb, struct vm *vm)
{
	const u64 kb = PAGE_SIZE / 1024;
	u64 code = min(text_pages(vm), READ_ONCE(vm->exec_pages)), rss = vm_rss(vm),
	    file = READ_ONCE(vm->rss_file);

	printbuf_printf(
		pb, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t       0 kB\n",
		vm->total_peak * kb, vm->total_pages * kb, vm->locked_pages * kb);
	printbuf_printf(pb,
			"VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nRssAnon:\t%8llu kB\nRssFile:\t%8llu "
			"kB\nRssShmem:\t       0 kB\n",
			max(vm->rss_peak, rss) * kb, rss * kb, (rss - file) * kb, file * kb);
	printbuf_printf(pb,
			"VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\nVmLib:\t%8llu kB\n",
			vm->data_pages * kb, vm->stack_pages * kb, code * kb,
			(READ_ONCE(vm->exec_pages) - code) * kb);
	printbuf_printf(pb, "VmPTE:\t%8llu kB\nVmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\n",
			(vm->pt.radix.ntables + 1) * kb);
}

static void status_signals(struct printbuf *pb, struct task *t, const struct task_info *ti)
{
	const struct creds *c = creds_of(t);

	printbuf_printf(pb, "Threads:\t%u\nSigQ:\t%llu/%llu\n", ti->nthreads,
			sig_user_count(c->uid), t->process->rlim[RLIMIT_SIGPENDING].rlim_cur);
	printbuf_printf(pb,
			"SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%"
			"016llx\nSigCgt:\t%016llx\n",
			ti->pending, ti->shared, ti->blocked, ti->ignored, ti->caught);
	printbuf_printf(pb,
			"CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%"
			"016llx\nCapAmb:\t%016llx\n",
			c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bset,
			c->cap_ambient);
	printbuf_printf(pb, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
			c->no_new_privs || t->no_new_privs, t->seccomp_mode, seccomp_filters(t));
	creds_put(c);
}

static void status_cpus(struct printbuf *pb, struct task *t)
{
	u64 mask = t->affinity.bits[0] & cpu_online_mask[0];

	printbuf_printf(pb, "Cpus_allowed:\t%llx\nCpus_allowed_list:\t", mask);
	proc_cpu_list(pb, mask);
	printbuf_puts(pb, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static void escape_name(struct printbuf *pb, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			printbuf_puts(pb, "\\n");
		else if (*s == '\\')
			printbuf_puts(pb, "\\\\");
		else
			printbuf_putc(pb, *s);
	}
}

static int status_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);
	struct task_info ti;

	get_info(t, &ti, false);
	printbuf_puts(pb, "Name:\t");
	escape_name(pb, t->comm);
	printbuf_putc(pb, '\n');
	if (!ti.zombie)
		printbuf_puts(pb, "");
	printbuf_printf(pb,
			"State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
			states[state_of(t, &ti)].text, ti.pid, ti.tid, ti.ppid, ti.tracer);
	status_ids(pb, t);
	printbuf_printf(pb, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t%d\n",
			ti.pid, ti.tid, ti.pgrp, ti.session, !!(t->flags & TASK_F_KTHREAD));
	if (vm)
		status_memory(pb, vm);
	put_vm(vm);
	printbuf_printf(pb, "CoreDumping:\t%d\n", READ_ONCE(t->process->core) != NULL);
	status_signals(pb, t, &ti);
	status_cpus(pb, t);
	printbuf_printf(pb, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
			ti.nvcsw, ti.nivcsw);
	return 0;
}

/* ---- strings of the program ---- */

/* Copy [start, end) of @vm's memory. */
static void show_memory(struct printbuf *pb, struct vm *vm, uaddr_t start, uaddr_t end)
{
	char chunk[256];

	while (start < end) {
		size_t n = min_t(size_t, end - start, sizeof(chunk));
		ssize_t got = vm_access(vm, start, chunk, n, false, true);

		if (got <= 0)
			return;
		printbuf_write(pb, chunk, (size_t)got);
		start += (uaddr_t)got;
	}
}

static int cmdline_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm)
		show_memory(pb, vm, vm->arg_start, vm->arg_end);
	put_vm(vm);
	return 0;
}

static int environ_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm)
		show_memory(pb, vm, vm->env_start, vm->env_end);
	put_vm(vm);
	return 0;
}

static int auxv_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm && vm->auxv)
		printbuf_write(pb, (const char *)vm->auxv->word, vm->auxv->n * sizeof(u64));
	put_vm(vm);
	return 0;
}

static int comm_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%s\n", t->comm);
	return 0;
}

static ssize_t comm_write(struct task *t, const char *text, size_t n)
{
	size_t len = min(n, sizeof(t->comm) - 1);

	if (t->process != current->process)
		return -EINVAL;
	if (len && text[len - 1] == '\n')
		len--;
	memcpy(t->comm, text, len);
	t->comm[len] = '\0';
	return (ssize_t)n;
}

/* ---- limits, mounts, the rest ---- */

static const struct {
	const char *name, *unit;
} limit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = { "Max cpu time", "seconds" },
	[RLIMIT_FSIZE] = { "Max file size", "bytes" },
	[RLIMIT_DATA] = { "Max data size", "bytes" },
	[RLIMIT_STACK] = { "Max stack size", "bytes" },
	[RLIMIT_CORE] = { "Max core file size", "bytes" },
	[RLIMIT_RSS] = { "Max resident set", "bytes" },
	[RLIMIT_NPROC] = { "Max processes", "processes" },
	[RLIMIT_NOFILE] = { "Max open files", "files" },
	[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
	[RLIMIT_AS] = { "Max address space", "bytes" },
	[RLIMIT_LOCKS] = { "Max file locks", "locks" },
	[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
	[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
	[RLIMIT_NICE] = { "Max nice priority", "" },
	[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
	[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

static void show_limit(struct printbuf *pb, u64 v)
{
	if (v == RLIM_INFINITY)
		printbuf_printf(pb, "%-20s ", "unlimited");
	else
		printbuf_printf(pb, "%-20llu ", v);
}

static int limits_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
			"Units");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		printbuf_printf(pb, "%-25s ", limit_names[i].name);
		show_limit(pb, t->process->rlim[i].rlim_cur);
		show_limit(pb, t->process->rlim[i].rlim_max);
		printbuf_printf(pb, limit_names[i].unit[0] ? "%-10s\n" : "%s\n",
				limit_names[i].unit);
	}
	return 0;
}

static int show_mounts(struct printbuf *pb, struct task *t, bool info)
{
	struct fs_ctx *fs = task_fs_get(t);
	int r;

	if (!fs)
		return -EINVAL;
	r = mounts_show(pb, fs, info);
	fs_ctx_put(fs);
	return r;
}

static int mounts_file(struct printbuf *pb, struct task *t)
{
	return show_mounts(pb, t, false);
}
static int mountinfo_file(struct printbuf *pb, struct task *t)
{
	return show_mounts(pb, t, true);
}

/* Where in the kernel @t sleeps; 0: it does not. */
static unsigned long sleeps_in(struct task *t)
{
	enum task_state state = READ_ONCE(t->state);

	if (t == current || state == TASK_RUNNING || state >= TASK_ZOMBIE ||
	    READ_ONCE(t->se.on_cpu))
		return 0;
	return (unsigned long)READ_ONCE(t->wchan);
}

static int wchan_show(struct printbuf *pb, struct task *t)
{
	unsigned long at = 0, offset, size;
	char name[KSYM_NAME];

	if (!ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS))
		at = sleeps_in(t);
	printbuf_puts(pb, at && ksym_lookup(at, name, &offset, &size) ? name : "0");
	return 0;
}

/* The kernel keeps no frame pointers: of a sleeping thread the innermost frame is known. */
static int stack_show(struct printbuf *pb, struct task *t)
{
	unsigned long at;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (ptrace_may_access(t, PTRACE_MODE_ATTACH_FSCREDS))
		return -EPERM;
	at = sleeps_in(t);
	if (at) {
		printbuf_puts(pb, "[<0>] ");
		ksym_print(pb, at);
		printbuf_puts(pb, "\n");
	}
	return 0;
}

/* ---- who dies first when memory is out ---- */

static int oom_score_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%u\n", oom_score(t->process));
	return 0;
}

/* How late timers may be, of a thread other than oneself only for who may change its nature. Source: proc(5). */
static bool may_see_slack(struct task *t)
{
	return t == current || capable(CAP_SYS_NICE);
}

static int timerslack_show(struct printbuf *pb, struct task *t)
{
	if (!may_see_slack(t))
		return -EPERM;
	printbuf_printf(pb, "%llu\n", task_timer_slack(t));
	return 0;
}

static ssize_t timerslack_write(struct task *t, const char *text, size_t n)
{
	u64 ns;
	int r;

	if (!may_see_slack(t))
		return -EPERM;
	r = proc_number64(text, &ns);
	if (r)
		return r;
	WRITE_ONCE(t->timer_slack_ns, ns ? ns : t->default_slack_ns);
	return (ssize_t)n;
}

static int oom_score_adj_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%d\n", READ_ONCE(t->process->oom_adj));
	return 0;
}

static int set_oom_adj(struct process *p, int adj)
{
	bool may = capable(CAP_SYS_RESOURCE);

	if (!may && adj < p->oom_adj_min)
		return -EACCES;
	WRITE_ONCE(p->oom_adj, (s16)adj);
	if (may)
		p->oom_adj_min = (s16)adj;
	return 0;
}

static ssize_t oom_score_adj_write(struct task *t, const char *text, size_t n)
{
	int adj, r = proc_small_number(text, OOM_ADJ_MIN, OOM_ADJ_MAX, &adj);

	if (!r)
		r = set_oom_adj(t->process, adj);
	return r ? r : (ssize_t)n;
}

/* The old form, -17 to 15: -17 is never. */
#define OLD_NEVER (-17)
#define OLD_MAX	  15

static int oom_adj_show(struct printbuf *pb, struct task *t)
{
	int adj = READ_ONCE(t->process->oom_adj);

	adj = adj == OOM_ADJ_MAX ? OLD_MAX : adj * -OLD_NEVER / OOM_ADJ_MAX;
	printbuf_printf(pb, "%d\n", adj);
	return 0;
}

static ssize_t oom_adj_write(struct task *t, const char *text, size_t n)
{
	int adj, r = proc_small_number(text, OLD_NEVER, OLD_MAX, &adj);

	if (!r)
		r = set_oom_adj(t->process,
				adj == OLD_MAX ? OOM_ADJ_MAX : adj * OOM_ADJ_MAX / -OLD_NEVER);
	return r ? r : (ssize_t)n;
}

/* Kernel threads and what runs right now have no system call to show. Source: proc_pid_syscall(5). */
static int syscall_show(struct printbuf *pb, struct task *t)
{
	const struct uctx *u = &t->hal.uctx;

	if (ptrace_may_access(t, PTRACE_MODE_ATTACH_FSCREDS))
		return -EPERM;
	if (!READ_ONCE(t->vm)) {
		printbuf_puts(pb, "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n");
		return 0;
	}
	if (t != current && (READ_ONCE(t->state) == TASK_RUNNING || READ_ONCE(t->se.on_cpu))) {
		printbuf_puts(pb, "running\n");
		return 0;
	}
	if (!uctx_in_syscall(u)) {
		printbuf_printf(pb, "-1 0x%lx 0x%lx\n", uctx_sp(u), uctx_ip(u));
		return 0;
	}
	printbuf_printf(pb, "%ld", uctx_syscall_nr(u));
	for (unsigned int i = 0; i < 6; i++)
		printbuf_printf(pb, " 0x%lx", uctx_arg(u, i));
	printbuf_printf(pb, " 0x%lx 0x%lx\n", uctx_sp(u), uctx_ip(u));
	return 0;
}

static int personality_show(struct printbuf *pb, struct task *t)
{
	if (ptrace_may_access(t, PTRACE_MODE_ATTACH_FSCREDS))
		return -EPERM;
	printbuf_printf(pb, "%08x\n", READ_ONCE(t->personality));
	return 0;
}

static void add_io(struct io_counts *sum, const struct io_counts *c)
{
	sum->rchar += READ_ONCE(c->rchar);
	sum->wchar += READ_ONCE(c->wchar);
	sum->syscr += READ_ONCE(c->syscr);
	sum->syscw += READ_ONCE(c->syscw);
}

static int io_show_any(struct printbuf *pb, struct task *t, bool whole)
{
	struct io_counts sum = { 0 };
	unsigned long flags;
	struct task *th;

	if (ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS))
		return -EACCES;
	if (whole) {
		flags = spin_lock_irqsave(&tasklist_lock);
		sum = t->process->dead_io;
		list_for_each_entry(th, &t->process->threads, thread_link)
			add_io(&sum, &th->io);
		spin_unlock_irqrestore(&tasklist_lock, flags);
	} else {
		add_io(&sum, &t->io);
	}
	printbuf_printf(pb,
			"rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\nread_bytes: "
			"0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
			sum.rchar, sum.wchar, sum.syscr, sum.syscw);
	return 0;
}

static int io_show(struct printbuf *pb, struct task *t)
{
	return io_show_any(pb, t, true);
}
static int task_io_show(struct printbuf *pb, struct task *t)
{
	return io_show_any(pb, t, false);
}

static void sched_ms(struct printbuf *pb, const char *name, u64 ns)
{
	printbuf_printf(pb, "%-45s:%14llu.%06llu\n", name, ns / NSEC_PER_MSEC, ns % NSEC_PER_MSEC);
}

static void sched_number(struct printbuf *pb, const char *name, s64 n)
{
	printbuf_printf(pb, "%-45s:%21lld\n", name, n);
}

static int sched_show(struct printbuf *pb, struct task *t)
{
	struct cpu_times times;

	sched_get_times(t, &times);
	printbuf_printf(pb, "%s (%d, #threads: %u)\n", t->comm, task_tid(t), t->process->nthreads);
	printbuf_puts(pb, "-------------------------------------------------------------------\n");
	sched_ms(pb, "se.exec_start", READ_ONCE(t->se.exec_start_ns));
	sched_ms(pb, "se.vruntime", READ_ONCE(t->se.vruntime));
	sched_ms(pb, "se.sum_exec_runtime", times.user_ns + times.system_ns);
	sched_number(pb, "nr_switches", (s64)(t->nvcsw + t->nivcsw));
	sched_number(pb, "nr_voluntary_switches", (s64)t->nvcsw);
	sched_number(pb, "nr_involuntary_switches", (s64)t->nivcsw);
	sched_number(pb, "se.load.weight", t->se.weight);
	sched_number(pb, "policy", t->se.policy);
	sched_number(pb, "prio", t->se.rt_priority ? 99 - t->se.rt_priority : 120 + t->se.nice);
	return 0;
}

/* /proc/PID/timers. Source: proc_pid_timers(5). */
static void timer_line(void *ctx, int id, int sig, u64 value, int notify, pid_t target, int clock)
{
	static const char *const how[] = { "signal", "none", "thread" };

	printbuf_printf(ctx, "ID: %d\nsignal: %d/%016llx\nnotify: %s/%s.%d\nClockID: %d\n", id, sig,
			value,
			notify & SIGEV_NONE	? how[1]
			: notify & SIGEV_THREAD ? how[2]
						: how[0],
			notify & SIGEV_THREAD_ID ? "tid" : "pid", target, clock);
}

static int timers_show(struct printbuf *pb, struct task *t)
{
	posix_timers_describe(t->process, timer_line, pb);
	return 0;
}

/* The numbers of the children, each followed by a space; all of them belong to the main thread. */
static int children_show(struct printbuf *pb, struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct process *child;

	if (t == t->process->leader)
		list_for_each_entry(child, &t->process->children, sibling)
			printbuf_printf(pb, "%d ", child->pid->nr);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

static int cgroup_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "0::/\n");
	return 0;
}

static int idmap_show(struct printbuf *pb, struct task *t)
{
	printbuf_printf(pb, "%10u %10u %10u\n", 0u, 0u, ~0u);
	return 0;
}

static int loginuid_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "4294967295");
	return 0;
}

static int coredump_filter_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm)
		printbuf_printf(pb, "%08x\n", READ_ONCE(vm->dump_filter));
	put_vm(vm);
	return 0;
}

static ssize_t coredump_filter_write(struct task *t, const char *text, size_t n)
{
	struct vm *vm = task_vm_get(t);
	u32 filter;
	int r = vm ? proc_number(text, &filter) : -ESRCH;

	if (!r)
		WRITE_ONCE(vm->dump_filter, filter & COREDUMP_ALL);
	put_vm(vm);
	return r ? r : (ssize_t)n;
}

static ssize_t dir_link(struct task *t, bool root, struct path *jump)
{
	struct fs_ctx *fs = task_fs_get(t);

	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	*jump = root ? fs->root : fs->cwd;
	path_get(jump);
	spin_unlock(&fs->lock);
	fs_ctx_put(fs);
	return 0;
}

static ssize_t cwd_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return dir_link(t, false, jump);
}
static ssize_t root_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return dir_link(t, true, jump);
}

static ssize_t exe_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	struct vm *vm = task_vm_get(t);
	struct file *f = vm ? vm->exe : NULL;

	if (f) {
		*jump = f->path;
		path_get(jump);
	}
	put_vm(vm);
	return f ? 0 : -ENOENT;
}

static ssize_t ns_link(struct task *t, u64 kind, struct path *jump)
{
	struct fs_ctx *fs = task_fs_get(t);

	if (!fs)
		return -ENOENT; /* it has ended */
	fs_ctx_put(fs);
	return proc_may_access(t) ? -EACCES : nsfs_path(t, kind, jump);
}

static ssize_t mnt_ns_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return ns_link(t, CLONE_NEWNS, jump);
}

static ssize_t uts_ns_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return ns_link(t, CLONE_NEWUTS, jump);
}

static const struct proc_entry ns_table[] = {
	PROC_LINK("mnt", mnt_ns_link),
	PROC_LINK("uts", uts_ns_link),
	{ .name = NULL },
};

#define COMMON_FILES                                                                                                  \
	PROC_FILE("status", status_show), PROC_FILE("statm", statm_show), PROC_FILE("cmdline", cmdline_show),         \
	PROC_WRITABLE("comm", comm_show, comm_write), PROC_PRIVATE("environ", 0400, environ_show),                    \
	{ .name = "maps", .mode = S_IFREG | 0444, .show_part = proc_maps_show, .ioctl = proc_maps_ioctl, .private = true },       \
	PROC_FILE("limits", limits_show), PROC_PRIVATE("auxv", 0400, auxv_show), \
	PROC_FILE("mounts", mounts_file), PROC_FILE("mountinfo", mountinfo_file), PROC_FILE("wchan", wchan_show),     \
	PROC_FILE("oom_score", oom_score_show), PROC_WRITABLE("oom_score_adj", oom_score_adj_show, oom_score_adj_write), \
	PROC_WRITABLE("oom_adj", oom_adj_show, oom_adj_write), PROC_FILE("cgroup", cgroup_show), PROC_FILE("uid_map", idmap_show),        \
	PROC_FILE("gid_map", idmap_show), PROC_FILE("loginuid", loginuid_show), PROC_LINK("cwd", cwd_link),           \
	PROC_LINK("root", root_link), PROC_LINK("exe", exe_link),  \
	PROC_WRITABLE("coredump_filter", coredump_filter_show, coredump_filter_write),                                                   \
	{ .name = "fd", .mode = S_IFDIR | 0500, .iops = &proc_fd_dir_ops, .fops = &proc_fd_dir_fops },                \
	{ .name = "fdinfo", .mode = S_IFDIR | 0555, .iops = &proc_fdinfo_dir_ops, .fops = &proc_fdinfo_dir_fops },    \
	{ .name = "ns", .mode = S_IFDIR | 0511, .children = ns_table },                                               \
	{ .name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_fops },                                            \
	{ .name = "pagemap", .mode = S_IFREG | 0400, .fops = &proc_pagemap_fops },                                    \
	{ .name = "smaps", .mode = S_IFREG | 0444, .show_part = proc_smaps_show, .private = true },                          \
	PROC_PRIVATE("smaps_rollup", 0444, proc_smaps_rollup_show),     \
	{ .name = "clear_refs", .mode = S_IFREG | 0200, .write = proc_clear_refs_write },                             \
	{ .name = "syscall", .mode = S_IFREG | 0400, .show = syscall_show },                                          \
	{ .name = "stack", .mode = S_IFREG | 0400, .show = stack_show },                                             \
	{ .name = "personality", .mode = S_IFREG | 0400, .show = personality_show },                                  \
	PROC_FILE("sched", sched_show), PROC_DIR("net", proc_net_entries)

static const struct proc_entry pid_table[] = {
	PROC_FILE("stat", stat_show),
	{ .name = "io", .mode = S_IFREG | 0400, .show = io_show },
	PROC_FILE("timers", timers_show),
	{ .name = "timerslack_ns",
	  .mode = S_IFREG | 0666,
	  .show = timerslack_show,
	  .write = timerslack_write },
	COMMON_FILES,
	{ .name = "task",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_tasks_ops,
	  .fops = &proc_tasks_fops },
	{ .name = NULL },
};
static const struct proc_entry task_table[] = {
	PROC_FILE("stat", task_stat_show),
	{ .name = "io", .mode = S_IFREG | 0400, .show = task_io_show },
	PROC_FILE("children", children_show),
	COMMON_FILES,
	{ .name = NULL },
};

static int pid_permission(struct inode *i, unsigned int may)
{
	struct task *t = proc_task(i);
	int r = -ESRCH;

	if (!t)
		return r;
	r = 0;
	if (proc_hides(t, HIDE_CONTENT))
		r = proc_hides(t, HIDE_INVISIBLE) ? -ENOENT : -EPERM;
	task_put(t);
	return r ? r : generic_permission(i, may);
}

static int pid_getattr(struct inode *i, struct kstat *st)
{
	struct task *t = proc_task(i);
	bool hidden;

	if (!t)
		return -ESRCH;
	hidden = proc_hides(t, HIDE_INVISIBLE);
	task_put(t);
	if (hidden)
		return -ENOENT;
	generic_fill_stat(i, st);
	return 0;
}

static const struct inode_ops pid_dir_ops = {
	.lookup = proc_dir_lookup,
	.revalidate = proc_revalidate,
	.permission = pid_permission,
	.getattr = pid_getattr,
};
const struct proc_entry proc_pid_entry = {
	.name = "PID", .mode = S_IFDIR | 0555, .children = pid_table, .iops = &pid_dir_ops
};
const struct proc_entry proc_task_entry = PROC_DIR("TID", task_table);

/* SPDX-License-Identifier: MIT */
/*
 * The files of a process: /proc/PID/... and /proc/PID/task/TID/...
 * Each show function writes the whole text. Formats: proc_pid_stat(5), proc_pid_status(5), proc_pid_maps(5) ...
 */
#include <fs/procfs/proc.h>
#include <fs/tty/tty.h>
#include <kernel/sched.h>
#include <kernel/time.h>

#define NS_PER_TICK (NSEC_PER_SEC / USER_HZ)

/* ---- what several files need ---- */

/* What tasklist_lock and the signal lock guard, copied. */
struct task_info {
	pid_t pid, tid, ppid, pgrp, session, tpgid;
	u64 tty;
	unsigned int nthreads;
	struct cpu_times times, child_times;
	u64 minflt, majflt, child_minflt, child_majflt, nvcsw, nivcsw;
	u64 pending, shared, blocked, ignored, caught;
	bool zombie;
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
	struct sighand *sh = sighand_lock(t->process, &flags);

	ti->pending = t->pending.set;
	ti->shared = t->process->shared_pending.set;
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
	ti->zombie = p->zombie;
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

/* Kernel threads wait uninterruptibly for their work: that is idling, not being stuck. */
static unsigned int state_of(struct task *t, const struct task_info *ti)
{
	unsigned int s = READ_ONCE(t->state);

	if (ti->zombie)
		return TASK_ZOMBIE;
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

static int stat_show_any(struct printbuf *pb, struct task *t, bool whole)
{
	struct vm *vm = task_vm_get(t);
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
			vm ? vm->code_start : 0, vm ? vm->code_end : 0, vm ? vm->stack_start : 0);
	printbuf_printf(pb, "%llu %llu %llu %llu %d 0 0 %d %u %u %u 0 0 0 ",
			ti.pending & 0x7fffffff, ti.blocked & 0x7fffffff, ti.ignored & 0x7fffffff,
			ti.caught & 0x7fffffff, state_of(t, &ti) != TASK_RUNNING,
			t->process->exit_signal, t->hal.cpu, t->se.rt_priority, t->se.policy);
	printbuf_printf(pb, "%lu %lu %lu %lu %lu %lu %lu %d\n", vm ? vm->data_start : 0,
			vm ? vm->data_end : 0, vm ? vm->brk_start : 0, vm ? vm->arg_start : 0,
			vm ? vm->arg_end : 0, vm ? vm->env_start : 0, vm ? vm->env_end : 0,
			ti.zombie ? t->exit_code : 0);
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

static int statm_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);

	if (vm)
		printbuf_printf(pb, "%llu %llu %llu %lu 0 %llu 0\n", vm->total_pages, vm_rss(vm),
				READ_ONCE(vm->rss_file),
				DIV_ROUND_UP(vm->code_end - vm->code_start, PAGE_SIZE),
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
	u64 code = DIV_ROUND_UP(vm->code_end - vm->code_start, PAGE_SIZE), rss = vm_rss(vm),
	    file = READ_ONCE(vm->rss_file);

	printbuf_printf(
		pb, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t       0 kB\n",
		vm->total_pages * kb, vm->total_pages * kb, vm->locked_pages * kb);
	printbuf_printf(pb,
			"VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nRssAnon:\t%8llu kB\nRssFile:\t%8llu "
			"kB\nRssShmem:\t       0 kB\n",
			max(vm->rss_peak, rss) * kb, rss * kb, (rss - file) * kb, file * kb);
	printbuf_printf(
		pb, "VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\nVmLib:\t       0 kB\n",
		vm->data_pages * kb, vm->stack_pages * kb, code * kb);
	printbuf_puts(pb, "VmPTE:\t       4 kB\nVmSwap:\t       0 kB\n");
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
	printbuf_printf(pb, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", c->no_new_privs);
	creds_put(c);
}

static void status_cpus(struct printbuf *pb, struct task *t)
{
	u64 mask = t->affinity.bits[0] & cpu_online_mask[0];
	const char *sep = "";

	printbuf_printf(pb, "Cpus_allowed:\t%llx\nCpus_allowed_list:\t", mask);
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
	printbuf_printf(pb, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
			states[state_of(t, &ti)].text, ti.pid, ti.tid, ti.ppid);
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

	if (vm)
		printbuf_write(pb, (const char *)vm->auxv, vm->nauxv * sizeof(u64));
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

/* ---- memory ---- */

static void show_vma_name(struct printbuf *pb, const struct vm *vm, const struct vma *vma,
			  size_t width, char *name, u64 *dev, u64 *ino)
{
	const char *text = "";

	if (vma->object && vma->object->ops->describe)
		text = name;
	else if (vma->flags & VM_VDSO)
		text = "[vdso]";
	else if (vma->flags & VM_HEAP)
		text = "[heap]";
	else if (vma->flags & VM_STACK)
		text = "[stack]";
	if (!*text)
		return;
	for (; width < 73; width++)
		printbuf_putc(pb, ' ');
	printbuf_puts(pb, text);
}

static void show_vma(struct printbuf *pb, const struct vm *vm, const struct vma *vma, char *name)
{
	u64 dev = 0, ino = 0;
	size_t before = pb->len;

	name[0] = '\0';
	if (vma->object && vma->object->ops->describe)
		vma->object->ops->describe(vma->owner, name, 4096, &dev, &ino);
	printbuf_printf(pb, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu ", vma->start, vma->end,
			vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-',
			vma->flags & VM_EXEC ? 'x' : '-', vma->flags & VM_SHARED ? 's' : 'p',
			vma->object ? vma->pgoff << PAGE_SHIFT : 0, dev_major(dev), dev_minor(dev),
			ino);
	show_vma_name(pb, vm, vma, pb->len - before, name, &dev, &ino);
	printbuf_putc(pb, '\n');
}

static int maps_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);
	char *name = name_alloc();

	if (vm && name) {
		rwsem_down_read(&vm->lock);
		for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma))
			show_vma(pb, vm, vma, name);
		rwsem_up_read(&vm->lock);
	}
	if (name)
		name_free(name);
	put_vm(vm);
	return name ? 0 : -ENOMEM;
}

/* /proc/PID/mem: the address space as a file. */
static int mem_open(struct inode *i, struct file *f)
{
	struct task *t = proc_task(i);
	int r;

	if (!t)
		return -ESRCH;
	r = proc_may_access(t);
	f->priv = r ? NULL : task_vm_get(t);
	task_put(t);
	return r;
}

static ssize_t mem_rw(struct file *f, struct iov_iter *it, loff_t *pos, bool write)
{
	char chunk[512];
	ssize_t done = 0;

	if (!f->priv)
		return 0;
	while (it->count) {
		size_t n = min(it->count, sizeof(chunk)), moved;
		ssize_t got;

		if (write && iov_iter_from(it, chunk, n) != n)
			return done ? done : -EFAULT;
		got = vm_access(f->priv, (uaddr_t)*pos, chunk, n, write, true);
		if (got <= 0)
			return done ? done : -EIO;
		moved = write ? (size_t)got : iov_iter_to(it, chunk, (size_t)got);
		if (moved < (size_t)got)
			return done ? done : -EFAULT;
		*pos += got;
		done += got;
		if ((size_t)got < n)
			break;
	}
	return done;
}

static ssize_t mem_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	return mem_rw(f, to, pos, false);
}
static ssize_t mem_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return mem_rw(f, from, pos, true);
}

static loff_t mem_llseek(struct file *f, loff_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return f->pos = off;
}

static void mem_release(struct file *f)
{
	if (f->priv)
		vm_put(f->priv);
}

const struct file_ops proc_mem_fops = {
	.open = mem_open,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_llseek,
	.release = mem_release,
};

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

static int show_mounts(struct printbuf *pb, bool info)
{
	size_t len;
	char *text = mounts_show(info, &len);

	if (IS_ERR(text))
		return (int)PTR_ERR(text);
	printbuf_write(pb, text, len);
	kfree(text);
	return 0;
}

static int mounts_file(struct printbuf *pb, struct task *t)
{
	return show_mounts(pb, false);
}
static int mountinfo_file(struct printbuf *pb, struct task *t)
{
	return show_mounts(pb, true);
}

static int wchan_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "0");
	return 0;
}

static int zero_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "0\n");
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

#define COMMON_FILES                                                                                                  \
	PROC_FILE("status", status_show), PROC_FILE("statm", statm_show), PROC_FILE("cmdline", cmdline_show),         \
	PROC_WRITABLE("comm", comm_show, comm_write), PROC_PRIVATE("environ", 0400, environ_show),                    \
	PROC_PRIVATE("maps", 0444, maps_show), PROC_FILE("limits", limits_show), PROC_PRIVATE("auxv", 0400, auxv_show), \
	PROC_FILE("mounts", mounts_file), PROC_FILE("mountinfo", mountinfo_file), PROC_FILE("wchan", wchan_show),     \
	PROC_FILE("oom_score", zero_show), PROC_FILE("cgroup", cgroup_show), PROC_FILE("uid_map", idmap_show),        \
	PROC_FILE("gid_map", idmap_show), PROC_FILE("loginuid", loginuid_show), PROC_LINK("cwd", cwd_link),           \
	PROC_LINK("root", root_link), PROC_LINK("exe", exe_link),  \
	PROC_WRITABLE("coredump_filter", coredump_filter_show, coredump_filter_write),                                                   \
	{ .name = "fd", .mode = S_IFDIR | 0500, .iops = &proc_fd_dir_ops, .fops = &proc_fd_dir_fops },                \
	{ .name = "fdinfo", .mode = S_IFDIR | 0555, .iops = &proc_fdinfo_dir_ops, .fops = &proc_fdinfo_dir_fops },    \
	{ .name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_fops }

static const struct proc_entry pid_table[] = {
	PROC_FILE("stat", stat_show),
	COMMON_FILES,
	{ .name = "task",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_tasks_ops,
	  .fops = &proc_tasks_fops },
	{ .name = NULL },
};
static const struct proc_entry task_table[] = {
	PROC_FILE("stat", task_stat_show),
	COMMON_FILES,
	{ .name = NULL },
};
const struct proc_entry proc_pid_entry = PROC_DIR("PID", pid_table);
const struct proc_entry proc_task_entry = PROC_DIR("TID", task_table);

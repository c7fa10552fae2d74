/* SPDX-License-Identifier: MIT */
/*
 * Making tasks: clone(2), kernel threads, and the first process.
 *
 * do_clone() builds a task that nobody sees, step by step, each step with its undo; then links it into its process, the pid table
 * and the run queue, which cannot fail. What a child shares with its parent it takes a reference on.
 */
#include <hal/upcall.h>
#include <kernel/files.h>
#include <kernel/kprobe.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ns.h>
#include <kernel/ptrace.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <kernel/uprobe.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/sched.h>

static struct kmem_cache *task_cache, *kthread_cache, *process_cache, *sighand_cache;
struct process *init_process;
static u32 ntasks; /* atomic; without the kernel's threads */
static u64 nforks;

void __init fork_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct task), 64);
	/* Of its own, because these come and go with what there is to do: the other's objects are those that programs have. */
	kthread_cache = kmem_cache_create("kthread", sizeof(struct task), 64);
	process_cache = kmem_cache_create("process", sizeof(struct process), 0);
	sighand_cache = kmem_cache_create("sighand", sizeof(struct sighand), 0);
	pid_init();
}

const struct k_sigaction sig_no_actions[NSIG];

u32 task_count(void)
{
	return READ_ONCE(ntasks);
}

u64 fork_count(void)
{
	return READ_ONCE(nforks);
}

/* ---- reference ends ---- */

static struct kmem_cache *cache_of(u32 flags)
{
	return flags & TASK_F_KTHREAD ? kthread_cache : task_cache;
}

static void count_task(u32 flags, u32 n)
{
	if (!(flags & TASK_F_KTHREAD))
		__atomic_fetch_add(&ntasks, n, __ATOMIC_RELAXED);
}

static void free_struct(struct task *t)
{
	count_task(t->flags, -1u);
	kmem_cache_free(cache_of(t->flags), t);
}

void task_put(struct task *t)
{
	if (!refcount_dec_and_test(&t->refs))
		return;
	TRACE_POINT(sched_process_free, t);
	uctx_exit(&t->hal);
	if (t->kreturns)
		kprobe_task_free(t);
	if (t->kstack)
		kstack_free(t->kstack);
	seccomp_release(t);
	sigguard_free(t);
	if (t->creds) {
		creds_drop_spares(t);
		creds_put(t->creds);
	}
	if (t->tid)
		pid_put(t->tid);
	if (t->process)
		process_put(t->process);
	free_struct(t);
}

void sighand_put(struct sighand *sh)
{
	while (sh && refcount_dec_and_test(&sh->refs)) {
		struct sighand *older = sh->older;

		if (sh->action != sig_no_actions)
			kfree(sh->action);
		kmem_cache_free(sighand_cache, sh);
		sh = older;
	}
}

void process_put(struct process *p)
{
	if (!refcount_dec_and_test(&p->refs))
		return;
	sig_free_pending(p);
	sighand_put(p->sighand);
	if (p->exec_sighand)
		sighand_put(p->exec_sighand);
	if (p->pgrp)
		pid_put(p->pgrp);
	if (p->session)
		pid_put(p->session);
	pid_put(p->pid);
	kmem_cache_free(process_cache, p);
}

/* ---- parts of a task ---- */

/* @flags: 0 or TASK_F_KTHREAD, which stays. */
static struct task *task_create(u32 flags)
{
	struct task *t = kmem_cache_alloc(cache_of(flags), GFP_ZERO);

	if (!t)
		return NULL;
	t->flags = flags;
	count_task(flags, 1);
	refcount_set(&t->refs, 1);
	t->kstack = kstack_alloc();
	if (!t->kstack) {
		free_struct(t);
		return NULL;
	}
	list_init(&t->pending.queue);
	list_init(&t->thread_link);
	list_init(&t->trace.tracees);
	list_init(&t->trace.link);
	t->altstack_flags = SS_DISABLE;
	t->start_ns = hal_clock_ns();
	return t;
}

struct sighand *sighand_create(void)
{
	struct sighand *sh = kmem_cache_alloc(sighand_cache, GFP_ZERO);

	if (sh) {
		refcount_set(&sh->refs, 1);
		sh->action = (struct k_sigaction *)sig_no_actions; /* who writes asks first */
		spin_init(&sh->lock, RANK_SIGHAND);
	}
	return sh;
}

int sighand_own_actions(struct sighand *sh)
{
	struct k_sigaction *own = kmalloc(NSIG * sizeof(*own), GFP_ZERO);
	unsigned long flags;

	if (!own)
		return -ENOMEM;
	flags = spin_lock_irqsave(&sh->lock);
	if (sh->action == sig_no_actions) {
		WRITE_ONCE(sh->action, own);
		own = NULL;
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	kfree(own);
	return 0;
}

/* @to, which nobody else sees yet, gets the actions of @from. 0 or -ENOMEM. */
static int sighand_copy_actions(struct sighand *to, struct sighand *from)
{
	const size_t size = NSIG * sizeof(*to->action);
	struct k_sigaction *copy;
	unsigned long flags;

	if (READ_ONCE(from->action) == sig_no_actions)
		return 0; /* a change that another thread is making comes after the fork */
	copy = kmalloc(size, 0);
	if (!copy)
		return -ENOMEM;
	flags = spin_lock_irqsave(&from->lock);
	memcpy(copy, from->action, size);
	spin_unlock_irqrestore(&from->lock, flags);
	to->action = copy;
	return 0;
}

static struct process *process_create(void)
{
	struct process *p = kmem_cache_alloc(process_cache, GFP_ZERO);

	if (!p)
		return NULL;
	refcount_set(&p->refs, 1);
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->group_link);
	list_init(&p->session_link);
	list_init(&p->shared_pending.queue);
	list_init(&p->posix_timers);
	waitq_init(&p->child_wait);
	waitq_init(&p->signalfd_wait);
	waitq_init(&p->exit_wait);
	mutex_init(&p->exec_mutex);
	p->start_ns = hal_clock_ns();
	return p;
}

/* A new process for @t: signal actions, limits, group and session as the parent has them. 0 or -ENOMEM. */
static int fork_process(struct task *t, const struct clone_req *req)
{
	struct process *parent = current->process, *p = process_create();
	unsigned long flags;

	if (!p)
		return -ENOMEM;
	if (req->flags & CLONE_SIGHAND) {
		refcount_inc(&parent->sighand->refs);
		p->sighand = parent->sighand;
	} else {
		p->sighand = sighand_create();
		if (!p->sighand || sighand_copy_actions(p->sighand, parent->sighand)) {
			sighand_put(p->sighand);
			kmem_cache_free(process_cache, p);
			return -ENOMEM;
		}
	}
	flags = spin_lock_irqsave(&parent->sighand->lock);
	memcpy(p->rlim, parent->rlim, sizeof(p->rlim));
	p->oom_adj = parent->oom_adj;
	p->oom_adj_min = parent->oom_adj_min;
	spin_unlock_irqrestore(&parent->sighand->lock, flags);
	if (req->flags & CLONE_CLEAR_SIGHAND)
		sig_flush_handlers(p->sighand);
	pid_get(t->tid);
	p->pid = t->tid;
	p->exit_signal = req->exit_signal;
	p->membarrier = READ_ONCE(parent->membarrier);
	p->leader = t;
	t->process = p;
	return 0;
}

/* Address space, files, process: what clone's flags share or copy. */
static int copy_resources(struct task *t, const struct clone_req *req)
{
	struct task *parent = current;
	int r;

	r = files_fork(t, req->flags);
	if (r)
		return r;
	r = ns_fork(t, req->flags);
	if (r) {
		files_exit(t);
		return r;
	}
	if (req->flags & CLONE_THREAD) {
		refcount_inc(&parent->process->refs);
		t->process = parent->process;
	} else {
		r = fork_process(t, req);
		if (r)
			goto undo_files;
	}
	if (req->flags & CLONE_VM) {
		vm_get(parent->vm);
		t->vm = parent->vm;
		return 0;
	}
	t->vm = vm_fork(parent->vm);
	if (!IS_ERR(t->vm))
		return 0;
	r = PTR_ERR(t->vm);
	t->vm = NULL;
undo_files:
	files_exit(t);
	ns_exit(t);
	return r;
}

static void copy_own(struct task *t, const struct clone_req *req)
{
	struct task *parent = current;

	memcpy(t->comm, parent->comm, sizeof(t->comm));
	t->creds = creds_get(parent->creds);
	t->ns = &init_ns; /* until ns_fork() */
	t->blocked = parent->blocked;
	t->personality = parent->personality;
	t->timer_slack_ns = t->default_slack_ns = parent->timer_slack_ns;
	t->ioprio = READ_ONCE(parent->ioprio);
	t->memory_failure = parent->memory_failure;
	t->io_flusher = parent->io_flusher;
	t->flags = TASK_F_FORKNOEXEC;
	t->work = parent->work & WORK_STRACE;
	rseq_fork(t, req->flags);
	if (!(req->flags & CLONE_VM) || (req->flags & CLONE_VFORK)) {
		t->altstack_sp = parent->altstack_sp;
		t->altstack_size = parent->altstack_size;
		t->altstack_flags = parent->altstack_flags;
	}
	t->set_child_tid = req->flags & CLONE_CHILD_SETTID ? req->child_tid : 0;
	if (!(req->flags & CLONE_THREAD))
		sigguard_fork(t, parent);
	t->clear_child_tid = req->flags & CLONE_CHILD_CLEARTID ? req->child_tid : 0;
}

/* ---- linking; cannot fail but for a pending fatal signal ---- */

static void link_process(struct process *p, const struct clone_req *req)
{
	struct process *creator = current->process;

	p->parent = req->flags & CLONE_PARENT ? creator->parent : creator;
	p->adopted = req->flags & CLONE_PARENT;
	p->parent_thread = req->flags & CLONE_PARENT ? creator->parent_thread : current;
	if (req->flags & CLONE_PARENT)
		p->exit_signal = creator->exit_signal;
	list_add_tail(&p->sibling, &p->parent->children);
	p->pgrp = creator->pgrp;
	pid_get(p->pgrp);
	list_add_tail(&p->group_link, &p->pgrp->group);
	p->session = creator->session;
	pid_get(p->session);
	list_add_tail(&p->session_link, &p->session->session);
	p->pid->process = p;
	/* One reference is the leader's, one the tables', until the process is reaped. */
	refcount_inc(&p->refs);
}

/* 0, or -EINTR when the parent is being killed: its children must not escape. */
static int link_task(struct task *t, const struct clone_req *req, unsigned int event)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct sighand *sh = p->sighand;
	int r = 0;

	spin_lock(&sh->lock);
	if (current->process->group_exit || current->process->group_exec ||
	    (!(req->flags & CLONE_THREAD) && fatal_signal_pending())) {
		r = -EINTR;
	} else {
		if (!(req->flags & CLONE_THREAD))
			link_process(p, req);
		list_add_tail(&t->thread_link, &p->threads);
		p->nthreads++;
		t->tid->task = t;
		seccomp_fork(t);
		if (READ_ONCE(trace_syscalls))
			task_set_work(t, WORK_TRACE);
		if (event || (req->flags & CLONE_PTRACE))
			ptrace_link_child(t);
		sig_recalc(t);
		if (p->rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY ||
		    p->rlim[RLIMIT_RTTIME].rlim_cur != RLIM_INFINITY)
			task_set_work(t, WORK_TIMER);
	}
	spin_unlock(&sh->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* ---- clone ---- */

static int check_flags(const struct clone_req *req)
{
	u64 f = req->flags;

	if ((f & CLONE_NEWNS) && (f & CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_NEW_ANY & ~CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (f & ((CLONE_NEW_ANY & ~NS_KINDS) | CLONE_INTO_CGROUP))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && current->process == init_process)
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	if (req->exit_signal < 0 || req->exit_signal > NSIG)
		return -EINVAL;
	return 0;
}

static int check_limits(void)
{
	u64 limit = task_rlimit(RLIMIT_NPROC);

	if (READ_ONCE(ntasks) >= 32000)
		return -EAGAIN;
	if (current->creds->uid && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN) &&
	    process_count_of_user(current->creds->uid) >= limit)
		return -EAGAIN;
	return 0;
}

/* The child's first steps; then its life (kernel/user_loop.c). */
static void child_entry(void *arg)
{
	sched_first_run();
	hal_irq_enable();
	user_task_loop(arg);
}

static void discard_task(struct task *t)
{
	uprobe_task_exit(t);
	vm_put(t->vm);
	t->vm = NULL;
	files_exit(t);
	ns_exit(t);
	task_put(t);
}

/* Everything up to linking. ERR_PTR. */
static struct task *copy_task(const struct clone_req *req)
{
	struct task *t = task_create(0);
	int r = -ENOMEM;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->tid = pid_alloc();
	if (IS_ERR(t->tid)) {
		r = PTR_ERR(t->tid);
		t->tid = NULL;
		goto undo;
	}
	copy_own(t, req);
	hal_task_init_kernel(&t->hal, t->kstack, KSTACK_SIZE, child_entry, t);
	r = uctx_fork(&t->hal, &current->hal, req->stack, req->flags & CLONE_SETTLS, req->tls);
	if (r)
		goto undo;
	sched_fork(t);
	r = copy_resources(t, req);
	if (r)
		goto undo;
	r = uprobe_task_fork(t, current, req->flags);
	if (r) {
		discard_task(t);
		return ERR_PTR(r);
	}
	return t;
undo:
	task_put(t);
	return ERR_PTR(r);
}

/* vfork: sleep until the child has released our address space. A fatal signal ends the wait: -EINTR. */
static int wait_for_vfork(struct task *child, struct vfork_wait *vw)
{
	unsigned long flags;
	int r;

	r = wait_event_killable(&vw->q, READ_ONCE(vw->done));
	flags = spin_lock_irqsave(&child->wake_lock);
	child->vfork = NULL;
	spin_unlock_irqrestore(&child->wake_lock, flags);
	return r;
}

long do_clone(const struct clone_req *req)
{
	struct vfork_wait vw = { .q = WAITQ_INIT(vw.q) };
	unsigned int event = ptrace_event_of_clone(req->flags, req->exit_signal);
	struct file *pidfile = NULL;
	struct task *t;
	pid_t tid;
	int fd = -1, r;

	r = check_flags(req);
	if (!r)
		r = check_limits();
	if (r)
		return r;
	t = copy_task(req);
	if (IS_ERR(t))
		return PTR_ERR(t);
	tid = task_tid(t);
	if (req->flags & CLONE_PIDFD) {
		fd = pidfd_reserve(t->process, NULL, 0, &pidfile);
		r = fd < 0 ? fd : hal_put_user32(req->pidfd, (u32)fd);
		if (r)
			goto undo;
	}
	/* As in Linux, the child exists even if this store is lost. */
	if (req->flags & CLONE_PARENT_SETTID)
		(void)hal_put_user32(req->parent_tid, (u32)tid);
	if (req->flags & CLONE_VFORK)
		t->vfork = &vw;
	r = link_task(t, req, event);
	if (r)
		goto undo;
	if (req->flags & CLONE_PIDFD)
		pidfd_install(fd, pidfile);
	__atomic_fetch_add(&nforks, 1, __ATOMIC_RELAXED);
	TRACE_POINT(sched_process_fork, t);
	task_get(t);
	sched_start(t);
	if (event)
		ptrace_event(event, (unsigned long)tid);
	if ((req->flags & CLONE_VFORK) && !wait_for_vfork(t, &vw))
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (unsigned long)tid);
	task_put(t);
	return tid;
undo:
	if (fd >= 0)
		pidfd_cancel(fd, pidfile);
	discard_task(t);
	return r;
}

/* ---- kernel threads ---- */

static void kthread_entry(void *arg)
{
	struct task *t = arg;

	sched_first_run();
	hal_irq_enable();
	t->kthread_fn(t->kthread_arg);
	sched_exit();
}

/* A task without address space, not yet started. */
static struct task *kthread_prepare(void (*fn)(void *), void *arg, const char *name, u32 flags)
{
	struct task *t = task_create(flags);

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->creds = creds_root();
	refcount_inc(&init_ns.refs); /* one of them becomes the first process */
	t->ns = &init_ns;
	strscpy(t->comm, name, sizeof(t->comm));
	t->kthread_fn = fn;
	t->kthread_arg = arg;
	hal_task_init_kernel(&t->hal, t->kstack, KSTACK_SIZE, kthread_entry, t);
	sched_fork(t);
	sched_reset(t);
	return t;
}

struct task *kthread_create(void (*fn)(void *), void *arg, const char *name)
{
	struct task *t = kthread_prepare(fn, arg, name, TASK_F_KTHREAD);

	if (!IS_ERR(t))
		sched_start(t);
	return t;
}

static const struct rlimit64 default_limits[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_FSIZE] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_DATA] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_STACK] = { 8 << 20, RLIM_INFINITY },
	[RLIMIT_CORE] = { 0, RLIM_INFINITY },
	[RLIMIT_RSS] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_NPROC] = { 16000, 16000 },
	[RLIMIT_NOFILE] = { 1024, 4096 },
	[RLIMIT_MEMLOCK] = { 8 << 20, 8 << 20 },
	[RLIMIT_AS] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_LOCKS] = { RLIM_INFINITY, RLIM_INFINITY },
	[RLIMIT_SIGPENDING] = { 16000, 16000 },
	[RLIMIT_MSGQUEUE] = { 819200, 819200 },
	[RLIMIT_NICE] = { 0, 0 },
	[RLIMIT_RTPRIO] = { 0, 0 },
	[RLIMIT_RTTIME] = { RLIM_INFINITY, RLIM_INFINITY },
};

/*
 * Number 0: the kernel as a process, parent of process 1 and of the kernel's helpers, whose group and session it bears, too. It ignores its
 * children's end.
 */
static struct pid nobody_pid = { .refs = REFCOUNT_INIT(1),
				 .group = LIST_HEAD_INIT(nobody_pid.group),
				 .session = LIST_HEAD_INIT(nobody_pid.session) };
static struct k_sigaction nobody_actions[NSIG] = { [SIGCHLD - 1].handler = SIG_IGN };
static struct sighand nobody_sighand = { .refs = REFCOUNT_INIT(1),
					 .lock = SPINLOCK_INIT(RANK_SIGHAND),
					 .action = nobody_actions };
static struct process nobody = { .refs = REFCOUNT_INIT(1),
				 .pid = &nobody_pid,
				 .pgrp = &nobody_pid,
				 .session = &nobody_pid,
				 .sighand = &nobody_sighand,
				 .threads = LIST_HEAD_INIT(nobody.threads),
				 .children = LIST_HEAD_INIT(nobody.children),
				 .child_wait = WAITQ_INIT(nobody.child_wait) };

/* A kernel thread with a pid and a process of its own, in no table yet. @fn execs and then becomes a user task. ERR_PTR. */
static struct task *prepare_process(void (*fn)(void *), void *arg, const char *name)
{
	struct task *t = kthread_prepare(fn, arg, name, 0);
	struct process *p;

	if (IS_ERR(t))
		return t;
	t->tid = pid_alloc();
	if (IS_ERR(t->tid)) {
		int r = PTR_ERR(t->tid);

		t->tid = NULL;
		task_put(t);
		return ERR_PTR(r);
	}
	p = process_create();
	if (p)
		p->sighand = sighand_create();
	if (!p || !p->sighand) {
		if (p)
			kmem_cache_free(process_cache, p);
		task_put(t);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(p->rlim, default_limits, sizeof(p->rlim));
	pid_get(t->tid);
	p->pid = t->tid;
	p->leader = t;
	p->exit_signal = SIGCHLD;
	t->process = p;
	return t;
}

/* Enter a process of prepare_process() into the tables: a child of the kernel's. tasklist_lock held. */
static void link_kernel_child(struct process *p, struct pid *group)
{
	struct task *t = p->leader;

	p->parent = &nobody;
	p->pgrp = p->session = group;
	refcount_add(2, &group->refs);
	t->tid->task = t;
	t->tid->process = p;
	list_add_tail(&p->sibling, &nobody.children);
	list_add_tail(&p->group_link, &group->group);
	list_add_tail(&p->session_link, &group->session);
	list_add_tail(&t->thread_link, &p->threads);
	p->nthreads = 1;
	refcount_inc(&p->refs); /* the tables', until it is reaped */
}

/* Process 1, not yet started. */
struct task *init_task_create(void (*fn)(void *), void *arg)
{
	struct task *t = prepare_process(fn, arg, "init");
	unsigned long flags;

	if (IS_ERR(t))
		panic("no memory for the first process");
	flags = spin_lock_irqsave(&tasklist_lock);
	link_kernel_child(t->process, t->tid);
	t->process->session_leader = true;
	init_process = t->process;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

int helper_task_start(void (*fn)(void *), void *arg)
{
	struct task *t = prepare_process(fn, arg, "helper");
	unsigned long flags;
	int r;

	if (IS_ERR(t))
		return PTR_ERR(t);
	t->process->rlim[RLIMIT_CORE] = (struct rlimit64){ 1, 1 };
	r = files_helper_fork(t);
	if (r) {
		task_put(t);
		return r;
	}
	flags = spin_lock_irqsave(&tasklist_lock);
	link_kernel_child(t->process, &nobody_pid);
	if (READ_ONCE(trace_syscalls))
		task_set_work(t, WORK_TRACE);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	sched_start(t);
	return 0;
}

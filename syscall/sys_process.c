/* SPDX-License-Identifier: MIT */
/*
 * Processes: clone(2), execve(2), wait4(2), waitid(2), exit(2), getpid(2), setpgid(2), setsid(2).
 */
#include <fs/vfs.h>
#include <kernel/files.h>
#include <kernel/ns.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>
#include <lib/printf.h>
#include <uapi/clone.h>
#include <uapi/fcntl.h>
#include <uapi/sched.h>
#include <uapi/wait.h>

/* ---- clone ---- */

/* The order of the last two arguments is the ABI's: see arch/<isa>/include/uapi/clone.h. */
static long clone_old(ulong flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t child_tid,
		      uaddr_t tls)
{
	struct clone_req req = {
		.flags = (u32)flags & ~CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.parent_tid = parent_tid,
		.pidfd = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};

	if ((req.flags & CLONE_PIDFD) && (req.flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	if (req.flags & CLONE_THREAD)
		req.exit_signal = 0;
	return do_clone(&req);
}

long sys_clone(ulong flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t arg3, uaddr_t arg4)
{
	return CLONE_TLS_LAST ? clone_old(flags, stack, parent_tid, arg3, arg4)
			      : clone_old(flags, stack, parent_tid, arg4, arg3);
}

struct clone_args_abi {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};
#define CLONE_ARGS_SIZE_VER0 64
/* CLONE_NEWTIME is one of the bits that hold clone's signal. */
#define CLONE3_FLAGS ((0x3ffffffffULL & ~(CSIGNAL | CLONE_DETACHED)) | CLONE_NEWTIME)

long sys_clone3(uaddr_t uargs, size_t size)
{
	struct clone_args_abi a;
	struct clone_req req;
	int r;

	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	r = copy_struct_from_user(&a, sizeof(a), uargs, size);
	if (r)
		return r;
	if ((a.flags & ~CLONE3_FLAGS) || a.exit_signal > NSIG || a.set_tid || a.set_tid_size)
		return -EINVAL;
	if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal)
		return -EINVAL;
	if (!a.stack != !a.stack_size || a.stack > USER_END || a.stack_size > USER_END - a.stack)
		return -EINVAL;
	req = (struct clone_req){
		.flags = a.flags,
		.exit_signal = (int)a.exit_signal,
		.stack = a.stack ? a.stack + a.stack_size : 0,
		.parent_tid = a.parent_tid,
		.child_tid = a.child_tid,
		.pidfd = a.pidfd,
		.tls = a.tls,
	};
	return do_clone(&req);
}

long sys_fork(void)
{
	struct clone_req req = { .exit_signal = SIGCHLD };

	return do_clone(&req);
}

long sys_vfork(void)
{
	struct clone_req req = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return do_clone(&req);
}

#define UNSHARE_KNOWN                                                                                                      \
	(CLONE_THREAD | CLONE_FS | CLONE_NEW_ANY | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM)

long sys_unshare(ulong flags)
{
	int r;

	if (flags & ~UNSHARE_KNOWN)
		return -EINVAL;
	if ((flags & CLONE_NEW_ANY & ~CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & CLONE_NEW_ANY & ~NS_KINDS)
		return -EINVAL;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && current->process->nthreads > 1)
		return -EINVAL;
	r = files_unshare(flags);
	return r ? r : ns_unshare(flags);
}

long sys_set_tid_address(uaddr_t tidptr)
{
	current->clear_child_tid = tidptr;
	return task_tid(current);
}

/* ---- exec ---- */

/* What a program that is known by descriptor is called: /dev/fd/N, or /dev/fd/N/NAME. NULL without memory. */
static char *name_by_fd(int dfd, const char *name)
{
	size_t size = strlen(name) + 32;
	char *text = kmalloc(size, 0);

	if (text)
		scnprintf(text, size, name[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d", dfd, name);
	return text;
}

static long exec_file(struct exec_args *args, int dfd, const char *name)
{
	char *by_fd = NULL;
	long r;

	args->filename = name;
	if (dfd != AT_FDCWD && name[0] != '/') {
		by_fd = name_by_fd(dfd, name);
		if (!by_fd)
			return -ENOMEM;
		args->filename = by_fd;
		args->inaccessible = fd_get_cloexec(dfd) == 1;
	}
	r = do_exec(args);
	kfree(by_fd);
	return r;
}

static long exec_common(int dfd, uaddr_t upath, uaddr_t argv, uaddr_t envp, int flags)
{
	struct exec_args args = { .argv = argv, .envp = envp };
	char *name = getname_flags(upath, flags & AT_EMPTY_PATH);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	args.file = flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
			    ? ERR_PTR(-EINVAL)
			    : file_open_exec(dfd, name, flags);
	if (IS_ERR(args.file)) {
		r = PTR_ERR(args.file);
	} else {
		r = exec_file(&args, dfd, name);
		file_exec_done(args.file);
		file_put(args.file);
	}
	putname(name);
	return r;
}

long sys_execve(path_t path, uaddr_t argv, uaddr_t envp)
{
	return exec_common(AT_FDCWD, path, argv, envp, 0);
}

long sys_execveat(fd_t dfd, path_t path, uaddr_t argv, uaddr_t envp, int flags)
{
	return exec_common(dfd, path, argv, envp, flags);
}

/* ---- exit and wait ---- */

long sys_exit(int status)
{
	do_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
	do_group_exit((status & 0xff) << 8);
}

static void ns_to_timeval(u64 ns, struct timeval_abi *tv)
{
	tv->tv_sec = (s64)(ns / NSEC_PER_SEC);
	tv->tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static int put_wait_rusage(uaddr_t urusage, const struct wait_result *res)
{
	struct rusage_abi ru;

	if (!urusage)
		return 0;
	memset(&ru, 0, sizeof(ru));
	ns_to_timeval(res->times.user_ns, &ru.ru_utime);
	ns_to_timeval(res->times.system_ns, &ru.ru_stime);
	ru.ru_maxrss = (s64)(res->maxrss * (PAGE_SIZE / 1024));
	ru.ru_minflt = (s64)res->minflt;
	ru.ru_majflt = (s64)res->majflt;
	return put_user_obj(urusage, &ru);
}

long sys_wait4(pid_t pid, uaddr_t ustatus, int options, uaddr_t urusage)
{
	struct wait_req req = { .options = options | WEXITED, .old = true };
	struct wait_result res;
	int r;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | (int)__WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	if (pid == -1) {
		req.idtype = P_ALL;
	} else if (pid > 0) {
		req.idtype = P_PID;
		req.id = pid;
	} else {
		req.idtype = P_PGID;
		req.id = pid ? -pid : current->process->pgrp->nr;
	}
	r = do_wait(&req, &res);
	if (r <= 0)
		return r;
	if (ustatus && hal_put_user32(ustatus, (u32)res.status))
		return -EFAULT;
	r = put_wait_rusage(urusage, &res);
	return r ? r : res.pid;
}

/* Which children waitid's first two arguments mean. */
static int waitid_select(struct wait_req *req, int idtype, pid_t id, bool *nonblock)
{
	struct task *thread = NULL;
	struct process *p;
	uint flags;

	switch (idtype) {
	case P_ALL:
		break;
	case P_PID:
		if (id <= 0)
			return -EINVAL;
		break;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		if (!id)
			id = current->process->pgrp->nr;
		break;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		p = pidfd_get(id, &thread, &flags);
		if (IS_ERR(p))
			return PTR_ERR(p);
		if (thread)
			task_put(thread);
		*nonblock = flags & O_NONBLOCK;
		idtype = P_PID;
		id = p->pid->nr;
		process_put(p);
		break;
	default:
		return -EINVAL;
	}
	req->idtype = idtype;
	req->id = id;
	return 0;
}

long sys_waitid(int idtype, pid_t id, uaddr_t uinfo, int options, uaddr_t urusage)
{
	struct wait_req req = { .options = options };
	struct wait_result res = { 0 };
	struct siginfo info;
	bool nonblock = false;
	int r;

	if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			 (int)__WCLONE | __WALL)) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	r = waitid_select(&req, idtype, id, &nonblock);
	if (nonblock)
		req.options |= WNOHANG;
	if (!r)
		r = do_wait(&req, &res);
	if (!r && nonblock && !(options & WNOHANG))
		r = -EAGAIN;
	if (r < 0)
		return r;
	memset(&info, 0, sizeof(info));
	if (r > 0) {
		info.si_signo = SIGCHLD;
		info.si_code = res.code;
		info.chld.pid = res.pid;
		info.chld.uid = res.uid;
		info.chld.status = res.value;
		r = put_wait_rusage(urusage, &res);
		if (r)
			return r;
	}
	/* The kernel fills up to si_status; the rest of the caller's structure is left alone. */
	return uinfo ? copy_to_user(uinfo, &info, offsetof(struct siginfo, chld.pad)) : 0;
}

/* ---- numbers, groups, sessions ---- */

long sys_getpid(void)
{
	return task_pid(current);
}

long sys_gettid(void)
{
	return task_tid(current);
}

long sys_getppid(void)
{
	/* The parent may change, but a struct process lives as long as its children: reparenting happens first. */
	return READ_ONCE(current->process->parent)->pid->nr;
}

/* The process @pid (0: current), with a reference. */
static struct process *target_process(pid_t pid)
{
	struct process *p;

	if (pid < 0)
		return ERR_PTR(-ESRCH);
	p = process_find_get(pid ? pid : task_pid(current));
	return p ? p : ERR_PTR(-ESRCH);
}

/* The number of process @pid's group or of its session. */
static long id_of(pid_t pid, bool session)
{
	struct process *p = target_process(pid);
	unsigned long flags;
	long nr;

	if (IS_ERR(p))
		return PTR_ERR(p);
	flags = spin_lock_irqsave(&tasklist_lock);
	nr = session ? p->session->nr : p->pgrp->nr;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	process_put(p);
	return nr;
}

long sys_getpgid(pid_t pid)
{
	return id_of(pid, false);
}

long sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long sys_getsid(pid_t pid)
{
	return id_of(pid, true);
}

/* tasklist_lock held. 0 and the group's pid, or why @p may not join group @pgid. */
static int setpgid_check(struct process *p, pid_t pgid, struct pid **group)
{
	struct process *self = current->process, *member;
	struct pid *pid = pid_find(pgid);

	if (p != self) {
		if (p->parent != self || p->zombie)
			return -ESRCH;
		if (p->session != self->session)
			return -EPERM;
		if (p->has_execed)
			return -EACCES;
	}
	if (p->session_leader)
		return -EPERM;
	if (pgid == p->pid->nr) {
		*group = p->pid;
		return 0;
	}
	if (!pid || list_empty(&pid->group))
		return -EPERM;
	member = list_first_entry(&pid->group, struct process, group_link);
	if (member->session != self->session)
		return -EPERM;
	*group = pid;
	return 0;
}

/* Move @p to a group; tasklist_lock held. */
static void join_group(struct process *p, struct pid *group)
{
	struct pid *old = p->pgrp;

	pid_get(group);
	list_del_init(&p->group_link);
	p->pgrp = group;
	list_add_tail(&p->group_link, &group->group);
	pid_put_locked(old);
}

long sys_setpgid(pid_t pid, pid_t pgid)
{
	struct process *p;
	struct pid *group;
	unsigned long flags;
	int r;

	if ((pgid ? pgid : pid) < 0)
		return -EINVAL;
	p = target_process(pid);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!pgid)
		pgid = p->pid->nr;
	flags = spin_lock_irqsave(&tasklist_lock);
	r = setpgid_check(p, pgid, &group);
	if (!r && p->pgrp != group)
		join_group(p, group);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	process_put(p);
	return r;
}

long sys_setsid(void)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *old = p->session;
	long r = -EPERM;

	if (p->session_leader || !list_empty(&p->pid->group))
		goto out;
	join_group(p, p->pid);
	pid_get(p->pid);
	list_del_init(&p->session_link);
	p->session = p->pid;
	list_add_tail(&p->session_link, &p->pid->session);
	p->session_leader = true;
	pid_put_locked(old);
	r = p->pid->nr;
out:
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* Continue an interrupted call with the time that is left; what the return path arranges, not programs. */
long sys_restart_syscall(void)
{
	struct restart_block *rb = &current->restart;

	return rb->fn ? rb->fn(rb) : -EINTR;
}

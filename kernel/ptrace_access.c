/* SPDX-License-Identifier: MIT */
/*
 * Who may look into whom: the check behind ptrace(2), process_vm_readv(2) and most of /proc/PID.
 * Source: ptrace(2), "Ptrace access mode checking".
 */
#include <err.h>
#include <kernel/coredump.h>
#include <kernel/ptrace.h>
#include <mm/vm.h>

static bool same_ids(const struct creds *c, uid_t uid, gid_t gid)
{
	return uid == c->uid && uid == c->euid && uid == c->suid && gid == c->gid &&
	       gid == c->egid && gid == c->sgid;
}

/* What has no memory has no secrets in it. */
static bool is_dumpable(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	bool yes = !t->vm || t->vm->dumpable == DUMPABLE_USER;

	spin_unlock_irqrestore(&t->wake_lock, flags);
	return yes;
}

static bool judge(struct task *t, const struct creds *it, unsigned int mode)
{
	const struct creds *me = current->creds;
	bool fs = mode & PTRACE_MODE_FSCREDS;
	u64 caps = fs ? me->cap_effective : me->cap_permitted;

	return same_ids(it, fs ? me->fsuid : me->uid, fs ? me->fsgid : me->gid) && is_dumpable(t) &&
	       !(it->cap_permitted & ~caps);
}

int ptrace_may_access(struct task *t, unsigned int mode)
{
	const struct creds *it;
	bool yes;

	if (t->process == current->process || capable(CAP_SYS_PTRACE))
		return 0;
	it = creds_of(t);
	yes = judge(t, it, mode);
	creds_put(it);
	return yes ? 0 : -EPERM;
}

struct vm *ptrace_vm_get(struct task *t, unsigned int mode)
{
	for (;;) {
		struct vm *vm = task_vm_get(t);
		int r = ptrace_may_access(t, mode);

		if (!r && READ_ONCE(t->vm) == vm)
			return vm;
		if (vm)
			vm_put(vm);
		if (r)
			return ERR_PTR(r);
	}
}

/* Does the tracer of current, if it has one, hold CAP_SYS_PTRACE since it attached? */
static bool tracer_is_capable(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct creds *c = current->trace.tracer_creds;
	bool yes = !c || (c->cap_effective >> CAP_SYS_PTRACE & 1);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return yes;
}

/* Can another process change current's directories, by CLONE_FS? */
static bool shares_directories(void)
{
	bool shares = false;

	for (pid_t nr = pid_next(1); nr && !shares; nr = pid_next(nr + 1)) {
		struct task *t = task_find_get(nr);

		if (!t)
			continue;
		shares = t->process != current->process && READ_ONCE(t->fs) == current->fs;
		task_put(t);
	}
	return shares;
}

void ptrace_exec_creds(struct creds *new)
{
	const struct creds *old = current->creds;

	/* Then it has no new ids. */
	if (new->no_new_privs || current->no_new_privs) {
		new->cap_permitted &= old->cap_permitted;
		return;
	}
	if (new->euid == old->uid &&new->egid == old->gid &&
	    !(new->cap_permitted & ~old->cap_permitted))
		return;
	if (tracer_is_capable() && !shares_directories())
		return;
	if (!capable(CAP_SETUID)) {
		new->euid = new->suid = new->fsuid = new->uid;
		new->egid = new->sgid = new->fsgid = new->gid;
	}
	new->cap_permitted &= old->cap_permitted;
}

/* SPDX-License-Identifier: MIT */
/* The rest: uname(2), sysinfo(2), prlimit(2), prctl(2), arch_prctl(2), reboot(2). */
#include <fs/tty/tty.h>
#include <hal/power.h>
#include <kernel/console.h>
#include <kernel/printk.h>
#include <kernel/posix_timer.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <mm/page.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <syscall/proto.h>
#include <syscall/internal.h>
#include <uapi/personality.h>
#include <uapi/prctl.h>

/* ---- names ---- */

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_ANY);

long sys_uname(uaddr_t ubuf)
{
	struct uts_ns copy;

	spin_lock(&uts_lock);
	copy = *current->ns->uts;
	spin_unlock(&uts_lock);
	/* For programs that take a release above 2.6 for a mistake: 6.12 is 2.6.72. */
	if (unlikely(current->personality & UNAME26))
		strscpy(copy.release, "2.6.72", sizeof(copy.release));
	/* Without the padding before what is the kernel's own. */
	return copy_to_user(ubuf, &copy, 6 * sizeof(copy.sysname)) ? -EFAULT : 0;
}

static long set_name(char *field, uaddr_t uname, int len)
{
	char name[65] = { 0 };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > 64)
		return -EINVAL;
	if (copy_from_user(name, uname, (size_t)len))
		return -EFAULT;
	spin_lock(&uts_lock);
	memcpy(field, name, sizeof(name));
	spin_unlock(&uts_lock);
	return 0;
}

long sys_sethostname(uaddr_t name, int len)
{
	return set_name(current->ns->uts->nodename, name, len);
}

long sys_setdomainname(uaddr_t name, int len)
{
	return set_name(current->ns->uts->domainname, name, len);
}

/* ---- resources ---- */

long sys_sysinfo(uaddr_t uinfo)
{
	struct sysinfo_abi si = { .mem_unit = 1 };
	unsigned int nrunning;
	struct mm_stats st;
	u64 load[3];

	mm_get_stats(&st);
	sched_load(load, &nrunning);
	si.uptime = (s64)(hal_clock_ns() / NSEC_PER_SEC);
	for (int i = 0; i < 3; i++)
		si.loads[i] = load[i] << 5;
	si.totalram = st.total * PAGE_SIZE;
	si.freeram = st.free * PAGE_SIZE;
	si.procs = (u16)task_count();
	return put_user_obj(uinfo, &si);
}

u64 task_rlimit(unsigned int which)
{
	return READ_ONCE(current->process->rlim[which].rlim_cur);
}

/* The address space keeps its own copies of the limits that it enforces. */
static void mirror_limit(struct process *p, uint which, u64 value)
{
	struct vm *vm = p->leader ? p->leader->vm : NULL;

	if (p == current->process)
		vm = current->vm;
	if (!vm)
		return;
	if (which == RLIMIT_AS)
		vm->rlimit_as = value;
	else if (which == RLIMIT_DATA)
		vm->rlimit_data = value;
	else if (which == RLIMIT_STACK)
		vm->rlimit_stack = value;
	else if (which == RLIMIT_MEMLOCK)
		vm->rlimit_memlock = value;
}

static int set_limit(struct process *p, uint which, const struct rlimit64 *new,
		     struct rlimit64 *old)
{
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);
	int r = 0;

	*old = p->rlim[which];
	if (new) {
		if (new->rlim_cur > new->rlim_max)
			r = -EINVAL;
		else if ((new->rlim_max > old->rlim_max && !capable(CAP_SYS_RESOURCE)) ||
			 (which == RLIMIT_NOFILE && new->rlim_max > 1048576))
			r = -EPERM;
		else
			p->rlim[which] = *new;
	}
	spin_unlock_irqrestore(&p->sighand->lock, flags);
	if (!r && new)
		mirror_limit(p, which, new->rlim_cur);
	if (!r && new && (which == RLIMIT_CPU || which == RLIMIT_RTTIME))
		posix_timers_recheck(p);
	return r;
}

/* May current read or set the limits of @p? Source: prlimit(2). */
static bool may_prlimit(struct process *p)
{
	const struct creds *me = current->creds, *it;
	bool ok;

	if (p == current->process || capable(CAP_SYS_RESOURCE))
		return true;
	if (!p->leader)
		return false;
	it = creds_of(p->leader);
	ok = me->uid == it->uid && me->uid == it->euid && me->uid == it->suid &&
	     me->gid == it->gid && me->gid == it->egid && me->gid == it->sgid;
	creds_put(it);
	return ok;
}

long sys_prlimit64(pid_t pid, uint which, uaddr_t unew, uaddr_t uold)
{
	struct rlimit64 new, old;
	struct process *p;
	int r;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (unew && get_user_obj(&new, unew))
		return -EFAULT;
	p = pid < 0 ? NULL : process_find_get(pid ? pid : task_pid(current));
	if (!p)
		return -ESRCH;
	r = may_prlimit(p) ? set_limit(p, which, unew ? &new : NULL, &old) : -EPERM;
	process_put(p);
	if (!r && uold)
		r = put_user_obj(uold, &old);
	return r;
}

long sys_getrlimit(uint which, uaddr_t ulim)
{
	struct rlimit64 old;
	int r;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	r = set_limit(current->process, which, NULL, &old);
	return r ? r : put_user_obj(ulim, &old);
}

long sys_setrlimit(uint which, uaddr_t ulim)
{
	struct rlimit64 new, old;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (get_user_obj(&new, ulim))
		return -EFAULT;
	return set_limit(current->process, which, &new, &old);
}

/* ---- prctl ---- */

static long set_name_of_task(uaddr_t uname)
{
	char name[16];
	long n = hal_strncpy_from_user(name, uname, sizeof(name));

	if (n < 0)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	TRACE_POINT(task_rename, current, name);
	strscpy(current->comm, name, sizeof(current->comm));
	return 0;
}

static long get_name_of_task(uaddr_t uname)
{
	char name[16] = { 0 };

	strscpy(name, current->comm, sizeof(name));
	return copy_to_user(uname, name, sizeof(name));
}

/* Change one bit set of the credentials. */
static long edit_creds(void (*edit)(struct creds *c, ulong arg), ulong arg)
{
	struct creds *c = creds_prepare();

	if (!c)
		return -ENOMEM;
	edit(c, arg);
	creds_commit(c);
	return 0;
}

static void edit_keepcaps(struct creds *c, ulong on)
{
	c->securebits = on ? c->securebits | 0x10 : c->securebits & ~0x10u;
}

static void edit_bset_drop(struct creds *c, ulong cap)
{
	c->cap_bset &= ~(1ULL << cap);
}

static void edit_no_new_privs(struct creds *c, ulong on)
{
	(void)on;
	c->no_new_privs = true;
}

static void edit_ambient_raise(struct creds *c, ulong cap)
{
	c->cap_ambient |= 1ULL << cap;
}

static void edit_ambient_lower(struct creds *c, ulong cap)
{
	c->cap_ambient &= ~(1ULL << cap);
}

static void edit_ambient_clear(struct creds *c, ulong arg)
{
	(void)arg;
	c->cap_ambient = 0;
}

static long prctl_ambient(ulong what, ulong cap, ulong arg4, ulong arg5)
{
	const struct creds *c = current->creds;

	if (arg4 || arg5)
		return -EINVAL;
	if (what == PR_CAP_AMBIENT_CLEAR_ALL)
		return cap ? -EINVAL : edit_creds(edit_ambient_clear, 0);
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	switch (what) {
	case PR_CAP_AMBIENT_IS_SET:
		return c->cap_ambient >> cap & 1;
	case PR_CAP_AMBIENT_RAISE:
		if (!(c->cap_permitted & c->cap_inheritable & 1ULL << cap) ||
		    (c->securebits & SECURE_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		return edit_creds(edit_ambient_raise, cap);
	case PR_CAP_AMBIENT_LOWER:
		return edit_creds(edit_ambient_lower, cap);
	default:
		return -EINVAL;
	}
}

static void edit_securebits(struct creds *c, ulong bits)
{
	c->securebits = (u32)bits;
}

/* Each bit has its lock beside it; a lock stays, and so does what it locks. Source: capabilities(7), "The securebits flags". */
static long set_securebits(ulong bits)
{
	u32 old = current->creds->securebits, locked = (old & SECURE_ALL_LOCKS) >> 1;

	if (((old ^ bits) & locked) || (old & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(ulong)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	return edit_creds(edit_securebits, bits);
}

static long prctl_caps(int option, ulong arg)
{
	const struct creds *c = current->creds;

	switch (option) {
	case PR_GET_KEEPCAPS:
		return c->securebits >> 4 & 1;
	case PR_SET_KEEPCAPS:
		if (arg > 1)
			return -EINVAL;
		return c->securebits & SECURE_KEEP_CAPS_LOCKED ? -EPERM
							       : edit_creds(edit_keepcaps, arg);
	case PR_CAPBSET_READ:
		return arg > CAP_LAST_CAP ? -EINVAL : (long)(c->cap_bset >> arg & 1);
	case PR_CAPBSET_DROP:
		if (!capable(CAP_SETPCAP))
			return -EPERM;
		return arg > CAP_LAST_CAP ? -EINVAL : edit_creds(edit_bset_drop, arg);
	case PR_SET_SECUREBITS:
		return set_securebits(arg);
	default:
		return c->securebits;
	}
}

long sys_prctl(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5)
{
	struct process *p = current->process;

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (arg2 > NSIG)
			return -EINVAL;
		current->pdeath_signal = (int)arg2;
		return 0;
	case PR_GET_PDEATHSIG:
		return hal_put_user32(arg2, (u32)current->pdeath_signal);
	case PR_GET_DUMPABLE:
		return current->vm->dumpable;
	case PR_SET_DUMPABLE:
		if (arg2 > 1)
			return -EINVAL;
		current->vm->dumpable = (u8)arg2;
		return 0;
	case PR_SET_NAME:
		return set_name_of_task(arg2);
	case PR_GET_NAME:
		return get_name_of_task(arg2);
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
		return prctl_caps(option, arg2);
	case PR_SET_CHILD_SUBREAPER:
		p->child_subreaper = arg2 != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return hal_put_user32(arg2, p->child_subreaper);
	case PR_SET_NO_NEW_PRIVS:
		return arg2 != 1 || arg3 || arg4 || arg5 ? -EINVAL
							 : edit_creds(edit_no_new_privs, 1);
	case PR_GET_NO_NEW_PRIVS:
		return arg2 || arg3 || arg4 || arg5
			       ? -EINVAL
			       : current->creds->no_new_privs || current->no_new_privs;
	case PR_CAP_AMBIENT:
		return prctl_ambient(arg2, arg3, arg4, arg5);
	default:
		return prctl_own(option, arg2, arg3, arg4, arg5);
	}
}

/* x86_64's segment bases; other ABIs have no such call. */
long sys_arch_prctl(int option, ulong addr)
{
	return uctx_arch_prctl(&current->hal, option, addr);
}

#define SYS_RISCV_FLUSH_ICACHE_LOCAL 1ul

/* riscv64's two. */
long sys_riscv_hwprobe(uaddr_t pairs, size_t count, size_t cpusetsize, uaddr_t cpus, uint flags)
{
	return uctx_riscv_hwprobe(pairs, count, cpusetsize, cpus, flags);
}

/* Everything is flushed on all CPUs, so the range and SYS_RISCV_FLUSH_ICACHE_LOCAL make no difference. */
long sys_riscv_flush_icache(uaddr_t start, uaddr_t end, ulong flags)
{
	if (flags & ~SYS_RISCV_FLUSH_ICACHE_LOCAL)
		return -EINVAL;
	hal_icache_sync(NULL, 0);
	return 0;
}

/* ---- the machine ---- */

long sys_vhangup(void)
{
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty_vhangup();
	return 0;
}

long sys_reboot(uint magic1, uint magic2, uint cmd, uaddr_t arg)
{
	(void)arg;
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != LINUX_REBOOT_MAGIC1 ||
	    (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
	     magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_RESTART:
		hal_reset();
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		console_report_exit(0);
		hal_power_off(0);
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}

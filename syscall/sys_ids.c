/* SPDX-License-Identifier: MIT */
/* Identity: getuid(2), setuid(2), setreuid(2), setresuid(2), setfsuid(2), getgroups(2), capget(2). Source: credentials(7), capabilities(7). */
#include <kernel/task.h>
#include <lib/sort.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>

#define NGROUPS_MAX 65536
#define SECBIT_KEEP_CAPS 0x10u
#define SECBIT_NO_SETUID_FIXUP 0x4u

long sys_getuid(void)
{
	return current->creds->uid;
}
long sys_geteuid(void)
{
	return current->creds->euid;
}
long sys_getgid(void)
{
	return current->creds->gid;
}
long sys_getegid(void)
{
	return current->creds->egid;
}

/* Capabilities follow user ids that leave or reach 0: capabilities(7), "Effect of user ID changes". */
static void fix_caps(const struct creds *old, struct creds *new)
{
	bool had_root = !old->uid || !old->euid || !old->suid,
	     has_root = !new->uid || !new->euid || !new->suid;

	if (new->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (had_root && !has_root) {
		if (!(new->securebits &SECBIT_KEEP_CAPS))
			new->cap_permitted = new->cap_effective = 0;
		new->cap_ambient = 0;
	}
	if (!old->euid && new->euid)
		new->cap_effective = 0;
	if (old->euid && !new->euid)
		new->cap_effective = new->cap_permitted;
}

static long commit_uids(struct creds *new)
{
	fix_caps(current->creds, new);
	creds_commit(new);
	return 0;
}

static long refuse(struct creds *new, long err)
{
	creds_put(new);
	return err;
}

long sys_setuid(uid_t uid)
{
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (uid == (uid_t)-1)
		return refuse(new, -EINVAL);
	if (capable(CAP_SETUID))
		new->uid = new->suid = uid;
	else if (uid != new->uid && uid != new->suid)
		return refuse(new, -EPERM);
	new->euid = new->fsuid = uid;
	return commit_uids(new);
}

long sys_setgid(gid_t gid)
{
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (gid == (gid_t)-1)
		return refuse(new, -EINVAL);
	if (capable(CAP_SETGID))
		new->gid = new->sgid = gid;
	else if (gid != new->gid && gid != new->sgid)
		return refuse(new, -EPERM);
	new->egid = new->fsgid = gid;
	creds_commit(new);
	return 0;
}

/* -1 means "as it is"; without the capability only one of the task's own ids may be taken. */
static bool may_take(u32 id, u32 a, u32 b, u32 c, int cap)
{
	return id == (u32)-1 || id == a || id == b || id == c || capable(cap);
}

long sys_setreuid(uid_t ruid, uid_t euid)
{
	const struct creds *old = current->creds;
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (!may_take(ruid, old->uid, old->euid, old->euid, CAP_SETUID) ||
	    !may_take(euid, old->uid, old->euid, old->suid, CAP_SETUID))
		return refuse(new, -EPERM);
	if (ruid != (uid_t)-1)
		new->uid = ruid;
	if (euid != (uid_t)-1)
		new->euid = euid;
	if (ruid != (uid_t)-1 || (euid != (uid_t)-1 && euid != old->uid))
		new->suid = new->euid;
	new->fsuid = new->euid;
	return commit_uids(new);
}

long sys_setregid(gid_t rgid, gid_t egid)
{
	const struct creds *old = current->creds;
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (!may_take(rgid, old->gid, old->egid, old->egid, CAP_SETGID) ||
	    !may_take(egid, old->gid, old->egid, old->sgid, CAP_SETGID))
		return refuse(new, -EPERM);
	if (rgid != (gid_t)-1)
		new->gid = rgid;
	if (egid != (gid_t)-1)
		new->egid = egid;
	if (rgid != (gid_t)-1 || (egid != (gid_t)-1 && egid != old->gid))
		new->sgid = new->egid;
	new->fsgid = new->egid;
	creds_commit(new);
	return 0;
}

long sys_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	const struct creds *old = current->creds;
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (!may_take(ruid, old->uid, old->euid, old->suid, CAP_SETUID) ||
	    !may_take(euid, old->uid, old->euid, old->suid, CAP_SETUID) ||
	    !may_take(suid, old->uid, old->euid, old->suid, CAP_SETUID))
		return refuse(new, -EPERM);
	if (ruid != (uid_t)-1)
		new->uid = ruid;
	if (euid != (uid_t)-1)
		new->euid = euid;
	if (suid != (uid_t)-1)
		new->suid = suid;
	new->fsuid = new->euid;
	return commit_uids(new);
}

long sys_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
	const struct creds *old = current->creds;
	struct creds *new = creds_prepare();

	if (!new)
		return -ENOMEM;
	if (!may_take(rgid, old->gid, old->egid, old->sgid, CAP_SETGID) ||
	    !may_take(egid, old->gid, old->egid, old->sgid, CAP_SETGID) ||
	    !may_take(sgid, old->gid, old->egid, old->sgid, CAP_SETGID))
		return refuse(new, -EPERM);
	if (rgid != (gid_t)-1)
		new->gid = rgid;
	if (egid != (gid_t)-1)
		new->egid = egid;
	if (sgid != (gid_t)-1)
		new->sgid = sgid;
	new->fsgid = new->egid;
	creds_commit(new);
	return 0;
}

static long put_three(uaddr_t ua, u32 a, uaddr_t ub, u32 b, uaddr_t uc, u32 c)
{
	return hal_put_user32(ua, a) || hal_put_user32(ub, b) || hal_put_user32(uc, c) ? -EFAULT
										       : 0;
}

long sys_getresuid(uaddr_t ruid, uaddr_t euid, uaddr_t suid)
{
	const struct creds *c = current->creds;

	return put_three(ruid, c->uid, euid, c->euid, suid, c->suid);
}

long sys_getresgid(uaddr_t rgid, uaddr_t egid, uaddr_t sgid)
{
	const struct creds *c = current->creds;

	return put_three(rgid, c->gid, egid, c->egid, sgid, c->sgid);
}

/* The previous value is the answer, whether or not it was changed. */
long sys_setfsuid(uid_t uid)
{
	const struct creds *old = current->creds;
	long prev = old->fsuid;
	struct creds *new;

	if (uid == (uid_t)-1 || (uid != old->uid && uid != old->euid && uid != old->suid &&
				 uid != old->fsuid && !capable(CAP_SETUID)))
		return prev;
	new = creds_prepare();
	if (new) {
		new->fsuid = uid;
		creds_commit(new);
	}
	return prev;
}

long sys_setfsgid(gid_t gid)
{
	const struct creds *old = current->creds;
	long prev = old->fsgid;
	struct creds *new;

	if (gid == (gid_t)-1 || (gid != old->gid && gid != old->egid && gid != old->sgid &&
				 gid != old->fsgid && !capable(CAP_SETGID)))
		return prev;
	new = creds_prepare();
	if (new) {
		new->fsgid = gid;
		creds_commit(new);
	}
	return prev;
}

long sys_getgroups(int size, uaddr_t ulist)
{
	const struct creds *c = current->creds;

	if (size < 0 || (size && (unsigned int)size < c->ngroups))
		return -EINVAL;
	if (size && copy_to_user(ulist, c->groups, c->ngroups * sizeof(gid_t)))
		return -EFAULT;
	return c->ngroups;
}

static int gid_cmp(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return x < y ? -1 : x > y;
}

long sys_setgroups(int size, uaddr_t ulist)
{
	struct creds *new;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((unsigned int)size > NGROUPS_MAX)
		return -EINVAL;
	new = creds_prepare_groups((unsigned int)size);
	if (!new)
		return -ENOMEM;
	if (copy_from_user(new->groups, ulist, (size_t)size * sizeof(gid_t)))
		return refuse(new, -EFAULT);
	sort(new->groups, (size_t)size, sizeof(gid_t), gid_cmp);
	creds_commit(new);
	return 0;
}

/* ---- capabilities ---- */

/* Words per set for a header version; an unknown version is answered with the preferred one. */
static int cap_words(uaddr_t uheader, struct user_cap_header *h, unsigned int *words)
{
	if (get_user_obj(h, uheader))
		return -EFAULT;
	switch (h->version) {
	case LINUX_CAPABILITY_VERSION_1:
		*words = 1;
		return 0;
	case LINUX_CAPABILITY_VERSION_2:
	case LINUX_CAPABILITY_VERSION_3:
		*words = 2;
		return 0;
	default:
		return hal_put_user32(uheader, LINUX_CAPABILITY_VERSION_3) ? -EFAULT : -EINVAL;
	}
}

long sys_capget(uaddr_t uheader, uaddr_t udata)
{
	struct user_cap_data data[2];
	struct user_cap_header h;
	const struct creds *c;
	unsigned int words;
	struct task *t;
	int r = cap_words(uheader, &h, &words);

	if (r)
		return r == -EINVAL && !udata ? 0 : r;
	if (h.pid < 0)
		return -EINVAL;
	t = task_find_get(h.pid ? h.pid : task_tid(current));
	if (!t)
		return -ESRCH;
	c = creds_of(t);
	for (unsigned int i = 0; i < 2; i++)
		data[i] = (struct user_cap_data){ (u32)(c->cap_effective >> 32 * i),
						  (u32)(c->cap_permitted >> 32 * i),
						  (u32)(c->cap_inheritable >> 32 * i) };
	creds_put(c);
	task_put(t);
	return udata ? copy_to_user(udata, data, words * sizeof(data[0])) : 0;
}

long sys_capset(uaddr_t uheader, uaddr_t udata)
{
	struct user_cap_data data[2] = { 0 };
	u64 effective, permitted, inheritable;
	const struct creds *old = current->creds;
	struct user_cap_header h;
	unsigned int words;
	struct creds *new;
	int r = cap_words(uheader, &h, &words);

	if (r)
		return r;
	if (h.pid && h.pid != task_tid(current))
		return -EPERM;
	if (copy_from_user(data, udata, words * sizeof(data[0])))
		return -EFAULT;
	effective = (data[0].effective | (u64)data[1].effective << 32) & CAP_FULL;
	permitted = (data[0].permitted | (u64)data[1].permitted << 32) & CAP_FULL;
	inheritable = (data[0].inheritable | (u64)data[1].inheritable << 32) & CAP_FULL;
	if ((permitted & ~old->cap_permitted) || (effective & ~permitted))
		return -EPERM;
	if ((inheritable & ~(old->cap_inheritable | old->cap_permitted)) && !capable(CAP_SETPCAP))
		return -EPERM;
	if (inheritable & ~(old->cap_inheritable | old->cap_bset))
		return -EPERM;
	new = creds_prepare();
	if (!new)
		return -ENOMEM;
	new->cap_effective = effective;
	new->cap_permitted = permitted;
	new->cap_inheritable = inheritable;
	new->cap_ambient &= permitted &inheritable;
	creds_commit(new);
	return 0;
}

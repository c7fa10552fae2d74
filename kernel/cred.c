/* SPDX-License-Identifier: MIT */
/*
 * Credentials: immutable once a task uses them. To change: creds_prepare() a copy, edit, creds_commit().
 * A task replaces only its own; others read them with a reference taken under tasklist_lock (see creds_of()).
 * Source: credentials(7), capabilities(7).
 */
#include <kernel/coredump.h>
#include <kernel/task.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vm.h>

static size_t creds_size(unsigned int ngroups)
{
	return sizeof(struct creds) + ngroups * sizeof(gid_t);
}

/* The credentials of the first task: root with all capabilities. */
static struct creds root_creds = {
	.refs = REFCOUNT_INIT(1),
	.cap_permitted = CAP_FULL,
	.cap_effective = CAP_FULL,
	.cap_bset = CAP_FULL,
};

const struct creds *creds_root(void)
{
	return creds_get(&root_creds);
}

const struct creds *creds_get(const struct creds *c)
{
	refcount_inc(&((struct creds *)c)->refs);
	return c;
}

void creds_put(const struct creds *c)
{
	if (refcount_dec_and_test(&((struct creds *)c)->refs))
		kfree(c);
}

const struct creds *creds_get_spare(void)
{
	const struct creds *c = current->creds;

	refcount_add(SPARE_CREDS, &((struct creds *)c)->refs);
	current->spare_creds = SPARE_CREDS - 1;
	return c;
}

void creds_drop_spares(struct task *t)
{
	while (t->spare_creds) {
		t->spare_creds--;
		creds_put(t->creds);
	}
}

struct creds *creds_prepare_groups(unsigned int ngroups)
{
	const struct creds *old = current->creds;
	struct creds *c = kmalloc(creds_size(ngroups), 0);

	if (!c)
		return NULL;
	memcpy(c, old, creds_size(min(ngroups, old->ngroups)));
	c->ngroups = ngroups;
	refcount_set(&c->refs, 1);
	return c;
}

struct creds *creds_prepare(void)
{
	return creds_prepare_groups(current->creds->ngroups);
}

bool creds_changes_trust(const struct creds *old, const struct creds *new)
{
	return old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
	       old->fsgid != new->fsgid || (new->cap_permitted & ~old->cap_permitted);
}

/* Source: prctl(2), PR_SET_DUMPABLE, PR_SET_PDEATHSIG. */
static void forget_trust(const struct creds *old, const struct creds *new)
{
	struct task *t = current;

	if (!creds_changes_trust(old, new))
		return;
	t->vm->dumpable = (u8)READ_ONCE(suid_dumpable);
	t->pdeath_signal = 0;
}

void creds_commit(struct creds *c)
{
	const struct creds *old = current->creds;
	unsigned long flags;

	creds_drop_spares(current);
	flags = spin_lock_irqsave(&tasklist_lock);
	forget_trust(old, c);
	current->creds = c;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	creds_put(old);
}

const struct creds *creds_override(const struct creds *c)
{
	const struct creds *old = current->creds;
	unsigned long flags;

	creds_drop_spares(current);
	flags = spin_lock_irqsave(&tasklist_lock);
	current->creds = c;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return old;
}

const struct creds *creds_of(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct creds *c = creds_get(t->creds);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return c;
}

bool capable(int cap)
{
	return current->creds->cap_effective >> cap & 1;
}

bool creds_in_group(const struct creds *c, gid_t gid)
{
	unsigned int lo = 0, hi = c->ngroups;

	if (gid == c->fsgid)
		return true;
	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

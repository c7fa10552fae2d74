/* SPDX-License-Identifier: MIT */
/*
 * uprobes: breakpoints in the text of programs, by file and offset.
 *
 * struct uprobe is one place in a file, struct uprobe_site that place in one address space. While a uprobe has consumers, every private
 * mapping of its page that may be executed and cannot be written has a site: uprobe_register() visits those there are, the hook
 * in mmap adds new ones, fork copies them, munmap drops them. A site owns the breakpoint in a private copy of the page and, if the displaced
 * instruction is to be executed, a slot in the address space's [uprobes] area that holds it; slot 0 holds the breakpoint that
 * functions with a return probe return to.
 *
 * A hit: the thread traps, the consumers run, then the instruction is emulated or the thread is sent to the slot, whose end traps again.
 * In between, signals and stops wait (uprobe_defer_work), and a fault is reported for the original address (uprobe_abort).
 *
 * Locking, outer to inner: uprobe_mutex (registration); uprobe->lock (rwsem: consumers; held for reading while they run); vm->lock (sites of an
 * address space: changed with it held for writing); uprobe->insn_lock; tree_lock (spin). A site is freed by its last reference: the
 * address space's or that of a thread in its slot.
 * Registration against mmap: a probe enters the tree before the mappings are visited and leaves it before they are visited again; a
 * mapping is in the object's list before the tree is searched. So one of both sees the other, and both may: placing is idempotent.
 * Source of the rules: Linux's behaviour; Documentation/trace/uprobetracer.rst.
 */
#include <err.h>
#include <hal/probe.h>
#include <kernel/printk.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <kernel/task.h>
#include <kernel/uprobe.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/sched.h>

#define AREA_PAGES 32UL
#define NSLOTS	   (AREA_PAGES * PAGE_SIZE / PROBE_SLOT)
#define NO_SLOT	   0u /* slot 0 is the trampoline */
#define MAX_DEPTH  64 /* of functions with a return probe, as in Linux */

struct uprobe {
	struct rb_node node; /* tree_lock */
	refcount_t refs;
	struct vm_object *object;
	u64 offset, ref_offset; /* ref_offset: of the counter, 0: none */
	struct rwsem lock;
	struct uprobe_consumer *consumers; /* lock */
	struct mutex insn_lock;
	bool decoded;		/* insn_lock */
	int error;		/* insn_lock: of decoding */
	struct probe_insn insn; /* constant once decoded */
};

struct uprobe_site {
	struct rb_node node; /* vm->lock */
	uaddr_t addr;
	struct uprobe *uprobe; /* reference */
	struct vm_probes *vp;
	u32 slot;
	uaddr_t counter; /* vm->lock: the counter that knows of it; 0: none */
	refcount_t refs;
};

/* One address space's. */
struct vm_probes {
	struct rb_root sites;  /* vm->lock */
	uaddr_t area;	       /* vm->lock to write; 0: none yet */
	u64 used[NSLOTS / 64]; /* atomic bits */
};

/* A function that was entered and is to be caught when it returns. */
struct uprobe_return {
	struct uprobe_return *next; /* the one that called it */
	struct uprobe *uprobe;	    /* reference */
	unsigned long func, address, sp;
	bool chained; /* entered by a jump from another one: both return at once */
};

/* One thread's; task->utask. */
struct uprobe_task {
	struct uprobe_site *site; /* reference: is in its slot */
	struct probe_saved saved;
	u32 deferred; /* WORK_* that wait */
	unsigned int depth;
	struct uprobe_return *returns;
};

static struct mutex uprobe_mutex = MUTEX_INIT(uprobe_mutex);
static struct rb_root uprobe_tree; /* tree_lock: by object and offset */
static struct spinlock tree_lock = SPINLOCK_INIT(RANK_OBJECT);

/* ---- user memory, for emulation ---- */

static int user_get(unsigned long addr, u64 *val, unsigned int size)
{
	*val = 0;
	return copy_from_user(val, addr, size);
}

static int user_put(unsigned long addr, u64 val)
{
	return copy_to_user(addr, &val, sizeof(val));
}

static const struct probe_mem user_mem = { user_get, user_put };

/* ---- the tree ---- */

static void uprobe_put(struct uprobe *up)
{
	if (refcount_dec_and_test(&up->refs))
		kfree(up);
}

static int key_cmp(const struct vm_object *obj, u64 offset, const struct uprobe *up)
{
	if (obj != up->object)
		return obj < up->object ? -1 : 1;
	return offset < up->offset ? -1 : offset > up->offset;
}

static struct uprobe *node_uprobe(const struct rb_node *n)
{
	return rb_entry((struct rb_node *)n, struct uprobe, node);
}

static int uprobe_cmp(const void *key, const struct rb_node *n)
{
	const struct uprobe *k = key;

	return key_cmp(k->object, k->offset, node_uprobe(n));
}

static bool uprobe_less(const struct rb_node *a, const struct rb_node *b)
{
	return uprobe_cmp(node_uprobe(a), b) < 0;
}

/* The first probe of @obj at or behind @offset, with a reference; NULL: none. */
static struct uprobe *uprobe_find_from(struct vm_object *obj, u64 offset)
{
	struct uprobe key = { .object = obj, .offset = offset }, *up = NULL;
	struct rb_node *n;

	spin_lock(&tree_lock);
	n = rb_find_ge(&uprobe_tree, &key, uprobe_cmp);
	if (n && node_uprobe(n)->object == obj) {
		up = node_uprobe(n);
		refcount_inc(&up->refs);
	}
	spin_unlock(&tree_lock);
	return up;
}

/* ---- the displaced instruction ---- */

/* Copy up to @n bytes of the file at @offset; less where it ends. Return: bytes, or -Exxx. */
static int read_object(struct vm_object *obj, u64 offset, u8 *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t off = (offset + done) & ~PAGE_MASK, part = min(n - done, PAGE_SIZE - off);
		struct page *page;
		int r = obj->ops->get_page(obj, (offset + done) >> PAGE_SHIFT, false, &page);

		if (r)
			return done ? (int)done : r;
		memcpy(buf + done, (u8 *)page_to_virt(page) + off, part);
		page_put(page);
		done += part;
	}
	return (int)done;
}

/* Decode on first use: the file may be written until somebody runs it. */
static int uprobe_decode(struct uprobe *up)
{
	u8 bytes[PROBE_INSN_MAX];
	int n, r;

	mutex_lock(&up->insn_lock);
	if (!up->decoded) {
		n = read_object(up->object, up->offset, bytes, sizeof(bytes));
		up->error = n < 0 ? -EIO : probe_decode(&up->insn, bytes, (size_t)n);
		up->decoded = n >= 0;
	}
	r = up->error;
	mutex_unlock(&up->insn_lock);
	return r;
}

/* ---- text ---- */

/* Whether @n bytes at @addr, on one page of @vma, are @code. vm->lock held. Return: 1, 0 or -ENOMEM. */
static int text_is(struct vm *vm, struct vma *vma, uaddr_t addr, const u8 *code, size_t n)
{
	size_t off = addr & ~PAGE_MASK;
	struct page *page = vm_pin_page_locked(vm, vma, addr - off, false, true);
	int same;

	if (!page)
		return -ENOMEM;
	same = !memcmp((u8 *)page_to_virt(page) + off, code, n);
	page_put(page);
	return same;
}

/* ---- sites ---- */

static struct uprobe_site *node_site(struct rb_node *n)
{
	return rb_entry_safe(n, struct uprobe_site, node);
}

static int site_cmp(const void *key, const struct rb_node *n)
{
	uaddr_t addr = *(const uaddr_t *)key;
	const struct uprobe_site *s = rb_entry((struct rb_node *)n, struct uprobe_site, node);

	return addr < s->addr ? -1 : addr > s->addr;
}

static bool site_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry((struct rb_node *)a, struct uprobe_site, node)->addr <
	       rb_entry((struct rb_node *)b, struct uprobe_site, node)->addr;
}

static void site_put(struct uprobe_site *s)
{
	if (!refcount_dec_and_test(&s->refs))
		return;
	if (s->slot != NO_SLOT)
		__atomic_fetch_and(&s->vp->used[s->slot / 64], ~(1ULL << (s->slot % 64)),
				   __ATOMIC_RELEASE);
	uprobe_put(s->uprobe);
	kfree(s);
}

static struct uprobe_site *site_create(struct vm_probes *vp, struct uprobe *up, uaddr_t addr)
{
	struct uprobe_site *s = kzalloc(sizeof(*s), 0);

	if (!s)
		return NULL;
	refcount_set(&s->refs, 1);
	refcount_inc(&up->refs);
	s->uprobe = up;
	s->addr = addr;
	s->vp = vp;
	return s;
}

/* NO_SLOT: all are taken. */
static u32 slot_alloc(struct vm_probes *vp)
{
	for (u32 i = 0; i < ARRAY_SIZE(vp->used); i++) {
		u64 old = READ_ONCE(vp->used[i]);

		while (~old) {
			u32 bit = (u32)__builtin_ctzll(~old);

			old = __atomic_fetch_or(&vp->used[i], 1ULL << bit, __ATOMIC_ACQUIRE);
			if (!(old >> bit & 1))
				return i * 64 + bit;
		}
	}
	return NO_SLOT;
}

static uaddr_t slot_addr(const struct vm_probes *vp, u32 slot)
{
	return vp->area + (uaddr_t)slot * PROBE_SLOT;
}

static struct vma *area_vma(struct vm *vm)
{
	struct vma *vma = vm->probes->area ? vm_find(vm, vm->probes->area) : NULL;

	return vma && (vma->flags & VM_PROBE_SLOTS) ? vma : NULL;
}

/* The [uprobes] area with its trampoline, unless there is one. 0 or -ENOMEM. */
static int area_make(struct vm *vm)
{
	u8 trampoline[PROBE_SLOT] = { 0 };
	long addr;

	if (area_vma(vm))
		return 0;
	addr = vm_map_probe_slots(vm, AREA_PAGES * PAGE_SIZE);
	if (addr < 0)
		return -ENOMEM;
	WRITE_ONCE(vm->probes->area, (uaddr_t)addr);
	probe_breakpoint(trampoline);
	return vm_write_text(vm, area_vma(vm), (uaddr_t)addr, trampoline, sizeof(trampoline));
}

static struct vm_probes *probes_make(struct vm *vm)
{
	if (!vm->probes) {
		struct vm_probes *vp = kzalloc(sizeof(*vp), 0);

		if (!vp)
			return NULL;
		rb_root_init(&vp->sites);
		vp->used[0] = 1; /* NO_SLOT, the trampoline */
		WRITE_ONCE(vm->probes, vp);
	}
	return vm->probes;
}

static int site_fill_slot(struct vm *vm, struct uprobe_site *s)
{
	u8 code[PROBE_SLOT];

	s->slot = slot_alloc(s->vp);
	if (s->slot == NO_SLOT)
		return -ENOMEM;
	probe_fill_slot(&s->uprobe->insn, code);
	return vm_write_text(vm, area_vma(vm), slot_addr(s->vp, s->slot), code, sizeof(code));
}

/*
 * The writable private mapping that has the counter of @up; the last of several: the page where one segment ends and the next begins is mapped for
 * both, and linkers put data behind what becomes read-only. vm->lock held.
 */
static struct vma *counter_vma(struct vm *vm, const struct uprobe *up)
{
	struct vma *vma, *found = NULL;

	for (vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma)) {
		u64 base = vma->pgoff << PAGE_SHIFT;

		if (vma->object == up->object &&
		    (vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE && up->ref_offset >= base &&
		    up->ref_offset - base < vma->end - vma->start)
			found = vma;
	}
	return found;
}

/* @by more at @at, if that is (still) the file's. vm->lock held for writing. Return: whether it could be. */
static bool add_to_counter(struct vm *vm, const struct uprobe *up, uaddr_t at, u16 by)
{
	struct vma *vma = vm_find(vm, at);
	struct page *page = NULL;

	if (vma && vma->object == up->object)
		page = vm_pin_page_locked(vm, vma, at & PAGE_MASK, true, false);
	if (!page)
		return false;
	__atomic_fetch_add((u16 *)((u8 *)page_to_virt(page) + (at & ~PAGE_MASK)), by,
			   __ATOMIC_SEQ_CST);
	page_put(page);
	return true;
}

static void uncount_site(struct vm *vm, struct uprobe_site *s)
{
	if (s->counter)
		(void)add_to_counter(vm, s->uprobe, s->counter, (u16)-1);
	s->counter = 0;
}

/* Tell the program that somebody looks. What is not mapped yet is told when it is. vm->lock held for writing. */
static void count_site(struct vm *vm, struct uprobe_site *s)
{
	const struct uprobe *up = s->uprobe;
	struct vma *vma = up->ref_offset ? counter_vma(vm, up) : NULL;
	uaddr_t at = vma ? vma->start + (up->ref_offset - (vma->pgoff << PAGE_SHIFT)) : 0;

	if (!at || at == s->counter)
		return;
	uncount_site(vm, s);
	if (add_to_counter(vm, up, at, 1))
		s->counter = at;
}

/* Place @up at @addr, in @vma of @vm. vm->lock held for writing. 0 (also if it is there), -Exxx. */
static int site_place(struct vm *vm, struct vma *vma, uaddr_t addr, struct uprobe *up)
{
	struct vm_probes *vp;
	struct uprobe_site *s;
	u8 code[4];
	int r = uprobe_decode(up);

	if (r)
		return r;
	vp = probes_make(vm);
	if (!vp || area_make(vm))
		return -ENOMEM;
	if (rb_find(&vp->sites, &addr, site_cmp))
		return 0;
	vma = vm_find(vm, addr); /* the area may have joined mappings anew */
	s = site_create(vp, up, addr);
	if (!s)
		return -ENOMEM;
	if (up->insn.action == PROBE_XOL)
		r = site_fill_slot(vm, s);
	if (!r)
		r = vm_write_text(vm, vma, addr, code, probe_breakpoint(code));
	if (r) {
		site_put(s);
		return r;
	}
	rb_add(&vp->sites, &s->node, site_less);
	count_site(vm, s);
	return 0;
}

/* Take the site away, and the breakpoint if it is still what stands there. vm->lock held for writing. */
static void site_remove(struct vm *vm, struct uprobe_site *s)
{
	struct vma *vma = vm_find(vm, s->addr);
	u8 code[4];
	unsigned int n = probe_breakpoint(code);
	int r = vma ? text_is(vm, vma, s->addr, code, n) : 0;

	if (r > 0)
		r = vm_write_text(vm, vma, s->addr, s->uprobe->insn.bytes, n);
	if (r)
		pr_err("uprobes: no memory to remove a breakpoint at %lx\n", s->addr);
	uncount_site(vm, s);
	rb_erase(&vm->probes->sites, &s->node);
	site_put(s);
}

/* May @vma have probes? As in Linux: private, might be executed, cannot be written. */
static bool vma_wanted(const struct vma *vma)
{
	return vma->object && (vma->flags & (VM_MAYEXEC | VM_SHARED | VM_WRITE)) == VM_MAYEXEC;
}

/* ---- what mm tells ---- */

static void place_in_vma(struct vm *vm, struct vma *vma, uaddr_t start, uaddr_t end)
{
	u64 base = vma->pgoff << PAGE_SHIFT;
	u64 at = base + (start - vma->start), limit = base + (end - vma->start);
	struct vm_object *obj = vma->object;
	uaddr_t vma_start = vma->start;
	struct uprobe *up;

	while ((up = uprobe_find_from(obj, at)) && up->offset < limit) {
		(void)site_place(vm, vma, vma_start + (up->offset - base), up);
		at = up->offset + 1;
		uprobe_put(up);
	}
	if (up)
		uprobe_put(up);
}

/* Data has been mapped: it may have counters of sites that are there. */
static void count_sites(struct vm *vm)
{
	struct uprobe_site *s;

	if (vm->probes)
		rb_for_each_entry(s, &vm->probes->sites, node)
			count_site(vm, s);
}

static void probes_mapped(struct vm *vm, uaddr_t start, uaddr_t end)
{
	for (uaddr_t a = start; a < end;) {
		struct vma *vma = vm_find_from(vm, a);
		uaddr_t to;

		if (!vma || vma->start >= end)
			break;
		to = min(end, vma->end);
		if (vma_wanted(vma))
			place_in_vma(vm, vma, max(a, vma->start), to);
		else if (vma->object && (vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
			count_sites(vm);
		a = to;
	}
}

static void probes_unmapped(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct rb_node *n = rb_find_ge(&vm->probes->sites, &start, site_cmp), *next;

	for (; n && node_site(n)->addr < end; n = next) {
		next = rb_next(n);
		rb_erase(&vm->probes->sites, n);
		site_put(node_site(n));
	}
}

static void probes_gone(struct vm *vm)
{
	probes_unmapped(vm, 0, ~0UL);
	kfree(vm->probes);
	vm->probes = NULL;
}

/* The child's pages were copied, slots and breakpoints included. */
static int probes_forked(struct vm *child, struct vm *parent)
{
	struct vm_probes *from = parent->probes, *to = probes_make(child);
	struct uprobe_site *s, *copy;

	if (!to)
		return -ENOMEM;
	to->area = from->area;
	rb_for_each_entry(s, &from->sites, node) {
		if (!vm_find(child, s->addr))
			continue;
		copy = site_create(to, s->uprobe, s->addr);
		if (!copy)
			return -ENOMEM;
		copy->slot = s->slot;
		copy->counter = s->counter;
		to->used[s->slot / 64] |= 1ULL << (s->slot % 64);
		rb_add(&to->sites, &copy->node, site_less);
	}
	return 0;
}

static const struct vm_probe_ops probe_ops = {
	.mapped = probes_mapped,
	.unmapped = probes_unmapped,
	.forked = probes_forked,
	.gone = probes_gone,
};

/* ---- registration; uprobe_mutex held ---- */

/* The address spaces that map @obj, each with a reference. Return: how many, or -ENOMEM. */
static int collect_vms(struct vm_object *obj, struct vm ***out)
{
	size_t room = 16;

	for (;; room *= 2) {
		struct vm **vms = kcalloc(room, sizeof(*vms), 0);
		size_t n = 0;
		struct vma *vma;
		bool all = true;

		if (!vms)
			return -ENOMEM;
		spin_lock(&obj->lock);
		list_for_each_entry(vma, &obj->maps, object_link) {
			if (n && vms[n - 1] == vma->vm)
				continue;
			all = n < room;
			if (!all)
				break;
			if (refcount_inc_not_zero(&vma->vm->users))
				vms[n++] = vma->vm;
		}
		spin_unlock(&obj->lock);
		*out = vms;
		if (all)
			return (int)n;
		while (n)
			vm_put(vms[--n]);
		kfree(vms);
	}
}

/* The site of @up at @addr, if it is there. vm->lock held. */
static struct uprobe_site *site_of(struct vm *vm, const struct uprobe *up, uaddr_t addr)
{
	struct uprobe_site *s =
		vm->probes ? node_site(rb_find(&vm->probes->sites, &addr, site_cmp)) : NULL;

	return s && s->uprobe == up ? s : NULL;
}

/* Place @up wherever @vm maps it, or remove it there. Return: how many times, or -Exxx. */
static int apply_to_vm(struct vm *vm, struct uprobe *up, bool place)
{
	struct vma *vma;
	int r = 0, changed = 0;

	rwsem_down_write(&vm->lock);
	for (vma = vm_next(vm, NULL); vma && !r; vma = vm_next(vm, vma)) {
		u64 base = vma->pgoff << PAGE_SHIFT;
		uaddr_t addr = vma->start + (up->offset - base);
		struct uprobe_site *site;

		if (vma->object != up->object || up->offset < base ||
		    up->offset - base >= vma->end - vma->start)
			continue;
		site = site_of(vm, up, addr);
		if (place && !site && vma_wanted(vma)) {
			r = site_place(vm, vma, addr, up);
			changed++;
		} else if (!place && site) {
			site_remove(vm, site);
			changed++;
		}
		vma = vm_find(vm, addr);
	}
	rwsem_up_write(&vm->lock);
	return r ? r : changed;
}

/* One visit to all address spaces that map the file. */
static int apply_once(struct uprobe *up, bool place)
{
	struct vm **vms;
	int n = collect_vms(up->object, &vms), r = 0, changed = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = apply_to_vm(vms[i], up, place);
		if (r > 0)
			changed += r;
		vm_put(vms[i]);
	}
	kfree(vms);
	return r < 0 ? r : changed;
}

/*
 * A fork that copies an address space while it waits for our visit makes a child that was not in the list. It is by the next
 * time: visit until there is nothing left to do.
 */
static int apply_everywhere(struct uprobe *up, bool place)
{
	int r;

	do
		r = apply_once(up, place);
	while (r > 0);
	return r;
}

/* The uprobe of that place, new if need be; with a reference. ERR_PTR(-ENOMEM; -EINVAL: it has another counter). */
static struct uprobe *uprobe_get(struct vm_object *obj, u64 offset, u64 ref_offset)
{
	struct uprobe *up = uprobe_find_from(obj, offset);

	if (up && up->offset == offset && up->ref_offset == ref_offset)
		return up;
	if (up) {
		bool same = up->offset == offset;

		uprobe_put(up);
		if (same)
			return ERR_PTR(-EINVAL);
	}
	up = kzalloc(sizeof(*up), 0);
	if (!up)
		return ERR_PTR(-ENOMEM);
	refcount_set(&up->refs, 2); /* the tree's and the caller's */
	up->object = obj;
	up->offset = offset;
	up->ref_offset = ref_offset;
	rwsem_init(&up->lock);
	mutex_init(&up->insn_lock);
	spin_lock(&tree_lock);
	rb_add(&uprobe_tree, &up->node, uprobe_less);
	spin_unlock(&tree_lock);
	__atomic_fetch_add(&vm_probes_wanted, 1, __ATOMIC_SEQ_CST);
	return up;
}

static void consumer_add(struct uprobe *up, struct uprobe_consumer *c)
{
	rwsem_down_write(&up->lock);
	c->uprobe = up;
	c->next = up->consumers;
	WRITE_ONCE(up->consumers, c);
	rwsem_up_write(&up->lock);
}

/* Waits for those of its calls that run. Return: it was the last one. */
static bool consumer_del(struct uprobe *up, struct uprobe_consumer *c)
{
	struct uprobe_consumer **p;

	rwsem_down_write(&up->lock);
	for (p = &up->consumers; *p; p = &(*p)->next)
		if (*p == c) {
			*p = c->next;
			break;
		}
	rwsem_up_write(&up->lock);
	return !up->consumers;
}

static void unregister_locked(struct uprobe_consumer *c)
{
	struct uprobe *up = c->uprobe;

	if (consumer_del(up, c)) {
		spin_lock(&tree_lock);
		rb_erase(&uprobe_tree, &up->node);
		spin_unlock(&tree_lock);
		__atomic_fetch_sub(&vm_probes_wanted, 1, __ATOMIC_SEQ_CST);
		/* Without memory the breakpoints stay: hits of a uprobe without consumers do nothing. */
		(void)apply_everywhere(up, false);
		uprobe_put(up);
	}
	c->uprobe = NULL;
	uprobe_put(up);
}

int uprobe_register(struct uprobe_consumer *c, struct vm_object *obj, u64 offset, u64 ref_offset,
		    u64 size)
{
	struct uprobe *up;
	int r;

	if (offset > size || offset % probe_align() || ref_offset > size ||
	    ref_offset % sizeof(u16))
		return -EINVAL;
	mutex_lock(&uprobe_mutex);
	vm_probe_ops = &probe_ops;
	up = uprobe_get(obj, offset, ref_offset);
	r = PTR_ERR_OR_ZERO(up);
	if (!r) {
		consumer_add(up, c);
		r = apply_everywhere(up, true);
		if (r)
			unregister_locked(c);
	}
	mutex_unlock(&uprobe_mutex);
	return r;
}

void uprobe_unregister(struct uprobe_consumer *c)
{
	mutex_lock(&uprobe_mutex);
	if (c->uprobe)
		unregister_locked(c);
	mutex_unlock(&uprobe_mutex);
}

/* ---- return probes ---- */

static struct uprobe_task *utask_get(struct task *t)
{
	if (!t->utask)
		t->utask = kzalloc(sizeof(*t->utask), 0);
	return t->utask;
}

static struct uprobe_return *return_pop(struct uprobe_task *ut)
{
	struct uprobe_return *r = ut->returns, *next = r->next;

	uprobe_put(r->uprobe);
	kfree(r);
	ut->returns = next;
	ut->depth--;
	return next;
}

/* Functions that were left by longjmp: their frames lie below the stack pointer. @equal: so are those at it. */
static void returns_prune(struct uprobe_task *ut, unsigned long sp, bool equal)
{
	while (ut->returns && (equal ? ut->returns->sp <= sp : ut->returns->sp < sp))
		return_pop(ut);
}

/* The function that begins here has return probes: make it return to the trampoline. */
static void return_prepare(struct task *t, struct uprobe *up, uaddr_t trampoline)
{
	struct uprobe_task *ut = utask_get(t);
	struct uctx *u = &t->hal.uctx;
	struct uprobe_return *r;
	unsigned long address;

	if (!ut || ut->depth >= MAX_DEPTH || probe_return_address(u, &user_mem, &address))
		return;
	returns_prune(ut, uctx_sp(u), address != trampoline);
	if (address == trampoline && !ut->returns)
		return;
	r = kmalloc(sizeof(*r), 0);
	if (!r)
		return;
	r->chained = address == trampoline;
	if (!r->chained && probe_set_return_address(u, &user_mem, trampoline)) {
		kfree(r);
		return;
	}
	refcount_inc(&up->refs);
	r->uprobe = up;
	r->func = uctx_ip(u);
	r->sp = uctx_sp(u);
	r->address = r->chained ? ut->returns->address : address;
	r->next = ut->returns;
	ut->returns = r;
	ut->depth++;
}

static void return_consumers(const struct uprobe_return *r, const struct uctx *u)
{
	struct uprobe *up = r->uprobe;

	rwsem_down_read(&up->lock);
	for (struct uprobe_consumer *c = up->consumers; c; c = c->next)
		if (c->ret)
			c->ret(c, r->func, u);
	rwsem_up_read(&up->lock);
}

/* A function came back to the trampoline. */
static void return_hit(struct task *t)
{
	struct uprobe_task *ut = t->utask;
	struct uctx *u = &t->hal.uctx;
	bool chained;

	/* What lies below the stack pointer was left without returning; the frame that returns popped its address already, where the stack holds it. */
	while (ut && ut->returns) {
		struct uprobe_return *next = ut->returns;

		while (next && next->chained)
			next = next->next;
		next = next ? next->next : NULL;
		if (!next || next->sp >= uctx_sp(u))
			break;
		while (ut->returns != next)
			return_pop(ut);
	}
	if (!ut || !ut->returns) {
		pr_err("uprobes: pid %d returned to the trampoline from nowhere\n", task_pid(t));
		sig_force(SIGILL, SI_KERNEL, uctx_ip(u));
		return;
	}
	uctx_set_ip(u, ut->returns->address);
	do {
		chained = ut->returns->chained;
		return_consumers(ut->returns, u);
		return_pop(ut);
	} while (chained && ut->returns);
}

/* ---- a hit ---- */

/* Does a breakpoint stand at @addr? vm->lock held. */
static bool breakpoint_at(struct vm *vm, uaddr_t addr)
{
	struct vma *vma = vm_find(vm, addr);
	u8 code[4];
	unsigned int n = probe_breakpoint(code);

	return !vma || (addr & ~PAGE_MASK) + n > PAGE_SIZE || text_is(vm, vma, addr, code, n) != 0;
}

/*
 * The site at @addr, with a reference; or NULL, and in *@gone whether there is no breakpoint, either: then it was removed while we came. Both
 * are looked at under one lock, or the breakpoint of a probe that is just placed would seem nobody's.
 */
static struct uprobe_site *site_find(struct vm *vm, uaddr_t addr, uaddr_t *area, bool *gone)
{
	struct uprobe_site *s;

	rwsem_down_read(&vm->lock);
	s = node_site(rb_find(&vm->probes->sites, &addr, site_cmp));
	if (s)
		refcount_inc(&s->refs);
	*area = vm->probes->area;
	*gone = !s && addr != *area && !breakpoint_at(vm, addr);
	rwsem_up_read(&vm->lock);
	return s;
}

static void run_consumers(struct task *t, struct uprobe_site *s, uaddr_t trampoline)
{
	struct uprobe *up = s->uprobe;
	bool want_return = false;

	rwsem_down_read(&up->lock);
	for (struct uprobe_consumer *c = up->consumers; c; c = c->next) {
		if (c->hit)
			c->hit(c, &t->hal.uctx);
		want_return |= c->ret != NULL;
	}
	rwsem_up_read(&up->lock);
	if (want_return)
		return_prepare(t, up, trampoline);
}

/* The consumers have run: now the instruction itself. Takes over the reference to @s. */
static enum uctx_reason carry_out(struct task *t, struct uprobe_site *s, struct uctx_event *ev)
{
	const struct probe_insn *p = &s->uprobe->insn;
	struct uprobe_task *ut;
	struct probe_fault fault;
	enum uctx_reason r = UCTX_INTERRUPT;

	switch (p->action) {
	case PROBE_EMULATE:
		if (probe_emulate(p, &t->hal.uctx, s->addr, &user_mem, &fault)) {
			ev->addr = fault.addr;
			ev->access = fault.access;
			r = UCTX_PAGE_FAULT;
		}
		break;
	case PROBE_SYSCALL:
		probe_syscall(p, &t->hal.uctx, s->addr);
		r = UCTX_SYSCALL;
		break;
	default:
		ut = utask_get(t);
		if (!ut) {
			sig_kill_self(SIGKILL);
			break;
		}
		probe_slot_enter(p, &t->hal.uctx, s->addr, slot_addr(s->vp, s->slot), &ut->saved);
		ut->site = s;
		return UCTX_INTERRUPT;
	}
	site_put(s);
	return r;
}

static enum uctx_reason breakpoint_hit(struct task *t, struct uctx_event *ev)
{
	uaddr_t ip = probe_trap_ip(&t->hal.uctx), area = READ_ONCE(t->vm->probes->area);
	struct uprobe_site *s;
	bool gone;

	/* The return that this thread waits for: the trampoline is where it was when its address was written. */
	if (ip == area && t->utask && t->utask->returns) {
		return_hit(t);
		return UCTX_INTERRUPT;
	}
	s = site_find(t->vm, ip, &area, &gone);
	if (!s && area && ip == area) {
		return_hit(t);
		return UCTX_INTERRUPT;
	}
	if (!s && !gone)
		return UCTX_EXCEPTION;
	uctx_set_ip(&t->hal.uctx, ip);
	if (!s)
		return UCTX_INTERRUPT;
	run_consumers(t, s, area);
	return carry_out(t, s, ev);
}

/* Out of the slot; what waited for that may come. */
static void slot_left(struct task *t)
{
	struct uprobe_task *ut = t->utask;
	struct uprobe_site *s = ut->site;
	u32 deferred = ut->deferred;

	ut->site = NULL;
	ut->deferred = 0;
	site_put(s);
	if (deferred)
		task_set_work(t, deferred);
}

static bool slot_done(struct task *t, uaddr_t at)
{
	struct uprobe_task *ut = t->utask;
	struct uprobe_site *s = ut->site;

	if (!probe_slot_next(&s->uprobe->insn, &t->hal.uctx, s->addr, slot_addr(s->vp, s->slot), at,
			     &ut->saved))
		return false;
	slot_left(t);
	return true;
}

void uprobe_abort(struct task *t)
{
	struct uprobe_task *ut = t->utask;

	if (!ut->site)
		return;
	probe_slot_leave(&ut->site->uprobe->insn, &t->hal.uctx, ut->site->addr, &ut->saved);
	slot_left(t);
}

/* Something led the thread elsewhere: its registers are its own again, its ip is kept. */
static void slot_abandon(struct task *t)
{
	unsigned long ip = uctx_ip(&t->hal.uctx);

	uprobe_abort(t);
	uctx_set_ip(&t->hal.uctx, ip);
}

enum uctx_reason uprobe_exception(struct task *t, struct uctx_event *ev)
{
	bool in_slot = t->utask && t->utask->site;

	if (ev->kind == UCTX_EXC_BREAKPOINT) {
		if (in_slot && slot_done(t, probe_trap_ip(&t->hal.uctx)))
			return UCTX_INTERRUPT;
		if (in_slot)
			slot_abandon(t);
		/* A step that leads to a probe ends before it is hit. */
		else if (step_breakpoint(t))
			return UCTX_INTERRUPT;
		return breakpoint_hit(t, ev);
	}
	/* A step over the displaced instruction ends where the one over the original would. */
	if (ev->kind == UCTX_EXC_DEBUG && in_slot && !slot_done(t, uctx_ip(&t->hal.uctx)))
		uprobe_abort(t);
	return UCTX_EXCEPTION;
}

bool uprobe_defer_work(struct task *t, u32 bits)
{
	if (!t->utask->site)
		return false;
	t->utask->deferred |= bits;
	task_clear_work(t, bits);
	return true;
}

/* ---- tasks ---- */

void uprobe_task_exit(struct task *t)
{
	struct uprobe_task *ut = t->utask;

	if (!ut)
		return;
	if (ut->site)
		site_put(ut->site);
	while (ut->returns)
		return_pop(ut);
	t->utask = NULL;
	kfree(ut);
}

int uprobe_task_fork(struct task *child, struct task *parent, u64 clone_flags)
{
	struct uprobe_return *r, **tail;

	if (!parent->utask || !parent->utask->returns ||
	    ((clone_flags & CLONE_VM) && !(clone_flags & CLONE_VFORK)))
		return 0;
	if (!utask_get(child))
		return -ENOMEM;
	tail = &child->utask->returns;
	for (r = parent->utask->returns; r; r = r->next) {
		struct uprobe_return *copy = kmalloc(sizeof(*copy), 0);

		if (!copy)
			return -ENOMEM; /* the child, discarded, gives back what it has */
		*copy = *r;
		copy->next = NULL;
		refcount_inc(&r->uprobe->refs);
		*tail = copy;
		tail = &copy->next;
		child->utask->depth++;
	}
	return 0;
}

void uprobe_original(struct vm *vm, uaddr_t addr, u8 *buf, size_t len)
{
	uaddr_t from = addr > PROBE_INSN_MAX ? addr - PROBE_INSN_MAX : 0;
	u8 code[4];
	unsigned int n = probe_breakpoint(code);
	struct rb_node *node;

	rwsem_down_read(&vm->lock);
	node = vm->probes ? rb_find_ge(&vm->probes->sites, &from, site_cmp) : NULL;
	for (; node && node_site(node)->addr < addr + len; node = rb_next(node)) {
		const struct uprobe_site *s = node_site(node);

		for (unsigned int i = 0; i < n; i++)
			if (s->addr + i - addr < len)
				buf[s->addr + i - addr] = s->uprobe->insn.bytes[i];
	}
	rwsem_up_read(&vm->lock);
}

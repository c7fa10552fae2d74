/* SPDX-License-Identifier: MIT */
/*
 * Address spaces against a model: up to four of them, related by fork, in a window of pages that is mapped, unmapped,
 * protected, moved, read and written at random. The model knows of each page what is mapped there and what it holds; the
 * pretended CPU of hal/host reads and writes through its TLB, so a missing flush is seen. Then the same with
 * every allocation failing in turn: nothing may be lost and nothing may leak.
 */
#include "test_lib.h"

#include <hal/host/host.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <uapi/mman.h>

#include "kernel_stubs.h"

#define RAM_SIZE  (64UL << 20)
#define NPAGES	  96
#define BASE	  0x200000000000UL
#define NSPACES	  4
#define FILE_PAGES 64
#define NOBJECTS  4096
#define RWX	  (PROT_READ | PROT_WRITE | PROT_EXEC)
#define MAY_ALL	  (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* ---- a file ---- */

static struct vm_object file_object;
static int file_refs;

static u64 file_pattern(u64 index)
{
	return 0xf11e000000000000ULL + index;
}

static int file_get_page(struct vm_object *obj, u64 index, bool write, struct page **out)
{
	struct page *page;
	int r;

	(void)write;
	if (index >= FILE_PAGES)
		return -EFAULT;
	*out = vm_object_find(obj, index);
	if (*out)
		return 0;
	page = page_alloc(GFP_USER | GFP_ZERO, 0);
	if (!page)
		return -ENOMEM;
	page_set_type(page, PAGE_CACHE);
	*(u64 *)page_to_virt(page) = file_pattern(index);
	r = vm_object_insert(obj, index, page, out);
	page_put(page);
	return r;
}

static void file_get(void *owner)
{
	(*(int *)owner)++;
}

static void file_put(void *owner)
{
	(*(int *)owner)--;
}

static const struct vm_object_ops file_ops = {
	.get_page = file_get_page,
	.owner_get = file_get,
	.owner_put = file_put,
};

/* ---- the model ---- */

enum kind { FREE, ANON, SHARED, FILE_PRIVATE, FILE_SHARED };

struct mpage {
	enum kind kind;
	unsigned int prot;
	unsigned int object; /* SHARED: which */
	u64 index;	     /* in the object or file */
	bool own;	     /* private: value is here */
	u64 value;
};

static struct space {
	struct vm *vm; /* NULL: none */
	struct mpage page[NPAGES];
} space[NSPACES];

static u64 file_value[FILE_PAGES];
static u64 shared_value[NOBJECTS][NPAGES], shared_size[NOBJECTS];
static unsigned int nobjects;
static u64 rng;
static bool strict; /* no allocation fails: results are exactly the model's */

static u64 rnd(u64 n)
{
	return test_random(&rng) % n;
}

static uaddr_t addr_of(u64 i)
{
	return BASE + i * PAGE_SIZE;
}

bool upcall_kernel_fault(vaddr_t addr, unsigned int access)
{
	struct vm *vm = container_of(host_active_pt, struct vm, pt);

	return vm_handle_fault(vm, addr, access) == VM_FAULT_OK;
}

/* The word a read of page @p gives. */
static u64 *model_word(struct mpage *p)
{
	switch (p->kind) {
	case SHARED:
		return &shared_value[p->object][p->index];
	case FILE_SHARED:
		return &file_value[p->index];
	case FILE_PRIVATE:
		return p->own ? &p->value : &file_value[p->index];
	default:
		return &p->value;
	}
}

static bool backed(const struct mpage *p)
{
	return p->kind == SHARED ? p->index < shared_size[p->object]
				 : p->kind == ANON || p->index < FILE_PAGES;
}

/* ---- what must hold at any time ---- */

static void check_tree(struct vm *vm)
{
	u64 total = 0, anon = 0, file = 0;
	unsigned int n = 0;
	uaddr_t last = 0;

	for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma)) {
		assert_true(vma->start >= last && vma->start < vma->end && vma->vm == vm);
		last = vma->end;
		total += (vma->end - vma->start) >> PAGE_SHIFT;
		n++;
	}
	assert_int_equal(vm->nvmas, n);
	assert_int_equal(vm->total_pages, total);
	for (u64 i = 0; i < NPAGES; i++) {
		struct vma *vma = vm_find(vm, addr_of(i));
		struct hal_pte_info pte;

		if (!hal_pt_query(&vm->pt, addr_of(i), &pte))
			continue;
		/* A page in the table lies in a mapping, is allocated, and has no more rights than that. */
		assert_non_null(vma);
		assert_true(page_count(phys_to_page(pte.pa)) > 0);
		assert_int_equal(pte.prot & RWX & ~vma->flags, 0);
		anon += phys_to_page(pte.pa)->type == PAGE_ANON;
		file += phys_to_page(pte.pa)->type == PAGE_CACHE;
	}
	assert_int_equal(vm->rss_anon, anon);
	assert_int_equal(vm->rss_file, file);
}

static void check_mappings(struct space *s)
{
	for (u64 i = 0; i < NPAGES; i++) {
		struct vma *vma = vm_find(s->vm, addr_of(i));
		struct mpage *p = &s->page[i];

		assert_int_equal(vma != NULL, p->kind != FREE);
		if (!vma)
			continue;
		assert_int_equal(vma->flags & RWX, p->prot);
		assert_int_equal(!!(vma->flags & VM_SHARED),
				 p->kind == SHARED || p->kind == FILE_SHARED);
		assert_int_equal(vma->object == &file_object,
				 p->kind == FILE_PRIVATE || p->kind == FILE_SHARED);
		if (vma->object)
			assert_int_equal(vma->pgoff + i - ((vma->start - BASE) >> PAGE_SHIFT),
					 p->index);
	}
}

static void check_all(void)
{
	assert_int_equal(host_tlb_check(), 0);
	for (unsigned int i = 0; i < NSPACES; i++) {
		if (!space[i].vm)
			continue;
		check_tree(space[i].vm);
		if (strict)
			check_mappings(&space[i]);
	}
}

/* ---- operations ---- */

struct range {
	u64 first, n;
};

static struct range random_range(void)
{
	struct range r = { .first = rnd(NPAGES) };

	r.n = 1 + rnd(rnd(4) ? 8 : NPAGES);
	if (r.first + r.n > NPAGES)
		r.n = NPAGES - r.first;
	return r;
}

static void op_map(struct space *s)
{
	static const unsigned int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, RWX,
		PROT_READ | PROT_EXEC
	};
	enum kind kind = ANON + rnd(4);
	unsigned int prot = prots[rnd(ARRAY_SIZE(prots))];
	bool shared = kind == SHARED || kind == FILE_SHARED,
	     file = kind == FILE_PRIVATE || kind == FILE_SHARED;
	u64 index = file ? rnd(FILE_PAGES) : 0;
	bool populate = !rnd(8);
	struct range r = random_range();
	long got;

	if (nobjects == NOBJECTS && kind == SHARED)
		return;
	got = vm_map(s->vm, addr_of(r.first), r.n * PAGE_SIZE, prot,
		     MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE) | (file ? 0 : MAP_ANONYMOUS) |
			     (populate ? MAP_POPULATE : 0),
		     file ? &file_object : NULL, file ? &file_refs : NULL, index, MAY_ALL, 0);
	if (strict)
		assert_int_equal(got, addr_of(r.first));
	if (got < 0)
		return;
	for (u64 i = 0; i < r.n; i++) {
		struct mpage *p = &s->page[r.first + i];

		*p = (struct mpage){
			.kind = kind, .prot = prot, .object = nobjects, .index = index + i
		};
		/* Populating a private mapping that may be written copies the file's pages at once, as on Linux. */
		p->own = populate && kind == FILE_PRIVATE && (prot & PROT_WRITE) && backed(p);
		if (p->own)
			p->value = file_value[p->index];
	}
	if (kind == SHARED)
		shared_size[nobjects++] = r.n;
}

static void op_unmap(struct space *s)
{
	struct range r = random_range();
	int got = vm_unmap(s->vm, addr_of(r.first), r.n * PAGE_SIZE);

	if (strict)
		assert_int_equal(got, 0);
	if (!got)
		memset(&s->page[r.first], 0, r.n * sizeof(struct mpage));
}

static void op_protect(struct space *s)
{
	static const unsigned int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
					      PROT_READ | PROT_WRITE, RWX };
	unsigned int prot = prots[rnd(ARRAY_SIZE(prots))];
	struct range r = random_range();
	int got = vm_protect(s->vm, addr_of(r.first), r.n * PAGE_SIZE, prot);
	u64 n = 0;

	while (n < r.n && s->page[r.first + n].kind != FREE)
		n++;
	if (!strict)
		return;
	assert_int_equal(got, n == r.n ? 0 : -ENOMEM);
	for (u64 i = 0; i < n; i++)
		s->page[r.first + i].prot = prot;
}

static void op_write(struct space *s)
{
	u64 i = rnd(NPAGES), value = test_random(&rng), left, twice[2] = { value, value };
	struct mpage *p = &s->page[i];
	bool ok = (p->prot & PROT_WRITE) && p->kind != FREE && backed(p);

	hal_pt_activate(&s->vm->pt);
	left = hal_copy_to_user(addr_of(i), &twice, sizeof(value));
	if (!strict)
		return;
	assert_int_equal(left == 0, ok);
	if (!ok)
		return;
	p->own = true;
	*model_word(p) = value;
}

static void op_read(struct space *s)
{
	u64 i = rnd(NPAGES), value = 0, tail = 0;
	struct mpage *p = &s->page[i];
	bool ok = p->prot && p->kind != FREE && backed(p);
	size_t left;

	hal_pt_activate(&s->vm->pt);
	left = hal_copy_from_user(&value, addr_of(i), sizeof(value));
	if (!strict)
		return;
	assert_int_equal(left == 0, ok);
	if (!ok)
		return;
	assert_int_equal(value, *model_word(p));
	assert_int_equal(hal_copy_from_user(&tail, addr_of(i + 1) - 8, sizeof(tail)), 0);
	assert_int_equal(tail, 0);
}

/* What a debugger does: rights do not matter, but a private page is copied first. */
static void op_access(struct space *s)
{
	u64 i = rnd(NPAGES), value = test_random(&rng), was = 0;
	struct mpage *p = &s->page[i];
	bool write = rnd(2), private = p->kind == ANON || p->kind == FILE_PRIVATE;
	ssize_t got;

	if (p->kind == FREE || !backed(p) ||
	    (!private && (!p->prot || (write && !(p->prot & PROT_WRITE)))))
		return;
	got = vm_access(s->vm, addr_of(i), write ? &value : &was, 8, write, true);
	if (!strict)
		return;
	assert_int_equal(got, 8);
	if (!write) {
		assert_int_equal(was, *model_word(p));
		return;
	}
	p->own = true;
	*model_word(p) = value;
}

static void op_discard(struct space *s)
{
	struct range r = random_range();
	int got = vm_advise(s->vm, addr_of(r.first), r.n * PAGE_SIZE, MADV_DONTNEED);
	bool hole = false;

	for (u64 i = r.first; i < r.first + r.n; i++) {
		hole |= s->page[i].kind == FREE;
		s->page[i].own = false;
		s->page[i].value = 0;
	}
	assert_int_equal(got, hole ? -ENOMEM : 0);
}

static void op_fork(struct space *s)
{
	struct space *child = &space[rnd(NSPACES)];
	struct vm *vm;

	if (child == s)
		return;
	vm = vm_fork(s->vm);
	if (strict)
		assert_false(IS_ERR(vm));
	if (IS_ERR(vm))
		return;
	if (child->vm)
		vm_put(child->vm);
	*child = *s;
	child->vm = vm;
}

/* How far the mapping of page @first reaches, by what the kernel itself says: mremap wants one mapping. */
static u64 mapping_pages(struct space *s, u64 first)
{
	struct vma *vma = vm_find(s->vm, addr_of(first));

	return vma ? (vma->end - addr_of(first)) >> PAGE_SHIFT : 0;
}

static void op_remap(struct space *s)
{
	struct range from = random_range(), to = random_range();
	struct mpage moved[NPAGES];
	u64 reach = mapping_pages(s, from.first);
	long got;

	if (from.first < to.first + to.n && to.first < from.first + from.n)
		return;
	got = vm_remap(s->vm, addr_of(from.first), from.n * PAGE_SIZE, to.n * PAGE_SIZE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, addr_of(to.first), U64_MAX);
	if (!strict)
		return;
	if (reach < from.n) {
		assert_int_equal(got, -EFAULT);
		return;
	}
	assert_int_equal(got, addr_of(to.first));
	for (u64 i = 0; i < to.n; i++) {
		moved[i] = s->page[from.first + min(i, from.n - 1)];
		if (i < from.n)
			continue;
		moved[i].index = s->page[from.first].index + i;
		moved[i].own = false;
		moved[i].value = 0;
	}
	memset(&s->page[from.first], 0, from.n * sizeof(struct mpage));
	memcpy(&s->page[to.first], moved, to.n * sizeof(struct mpage));
}

static void op_shrink_or_grow(struct space *s)
{
	struct range r = random_range();
	u64 n = 1 + rnd(NPAGES - r.first), reach = mapping_pages(s, r.first), room = 0;
	long got = vm_remap(s->vm, addr_of(r.first), r.n * PAGE_SIZE, n * PAGE_SIZE, 0, 0, U64_MAX);

	if (!strict)
		return;
	while (r.first + r.n + room < NPAGES && s->page[r.first + r.n + room].kind == FREE)
		room++;
	if (!reach || (reach < r.n && n > r.n)) {
		assert_int_equal(got, -EFAULT);
	} else if (n <= r.n) {
		assert_int_equal(got, addr_of(r.first));
		memset(&s->page[r.first + n], 0, (r.n - n) * sizeof(struct mpage));
	} else if (reach != r.n || room < n - r.n) {
		assert_int_equal(got, -ENOMEM);
	} else {
		assert_int_equal(got, addr_of(r.first));
		for (u64 i = r.n; i < n; i++) {
			s->page[r.first + i] = s->page[r.first];
			s->page[r.first + i].index = s->page[r.first].index + i;
			s->page[r.first + i].own = false;
			s->page[r.first + i].value = 0;
		}
	}
}

/* Truncation takes a file's pages out of every address space, private copies too; then the file has its first content. */
static void op_truncate(struct space *s)
{
	u64 first = rnd(FILE_PAGES), last = first + rnd(8);

	(void)s;
	vm_object_truncate(&file_object, first, last);
	for (u64 i = first; i <= min(last, (u64)FILE_PAGES - 1); i++)
		file_value[i] = file_pattern(i);
	for (unsigned int k = 0; k < NSPACES; k++)
		for (u64 i = 0; i < NPAGES; i++) {
			struct mpage *p = &space[k].page[i];

			if (p->kind == FILE_PRIVATE && p->index >= first && p->index <= last)
				p->own = false;
		}
}

static void op_exit(struct space *s)
{
	if (s == &space[0])
		return;
	vm_put(s->vm);
	memset(s, 0, sizeof(*s));
}

static const struct {
	void (*run)(struct space *s);
	unsigned int weight;
} ops[] = {
	{ op_map, 12 },	 { op_unmap, 6 },	   { op_protect, 10 }, { op_write, 40 },
	{ op_read, 40 }, { op_access, 10 },	   { op_discard, 3 },  { op_fork, 3 },
	{ op_remap, 6 }, { op_shrink_or_grow, 4 }, { op_truncate, 1 }, { op_exit, 1 },
};

static void run_one(void)
{
	struct space *s = &space[rnd(NSPACES)];
	u64 pick, total = 0;

	if (!s->vm)
		s = &space[0];
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	pick = rnd(total);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (pick < ops[i].weight) {
			ops[i].run(s);
			return;
		}
		pick -= ops[i].weight;
	}
}

static struct vm *new_vm(void)
{
	struct vm *vm = vm_create();

	if (!IS_ERR(vm))
		vm->rlimit_as = vm->rlimit_data = vm->rlimit_stack = vm->rlimit_memlock = ~0ULL;
	return vm;
}

static void begin(u64 seed)
{
	rng = seed;
	nobjects = 0;
	memset(space, 0, sizeof(space));
	memset(shared_value, 0, sizeof(shared_value));
	for (u64 i = 0; i < FILE_PAGES; i++)
		file_value[i] = file_pattern(i);
	space[0].vm = new_vm();
}

static void end(const struct stubs_usage *before)
{
	struct stubs_usage after;

	for (unsigned int i = 0; i < NSPACES; i++)
		if (space[i].vm)
			vm_put(space[i].vm);
	vm_object_truncate(&file_object, 0, U64_MAX);
	stubs_in_use(&after);
	assert_int_equal(after.objects, before->objects);
	assert_int_equal(after.anon, before->anon);
	assert_int_equal(after.cache, before->cache);
	assert_int_equal(after.tables, before->tables);
	assert_int_equal(file_refs, 0);
	assert_true(list_empty(&file_object.maps));
}

static void test_model(void **state)
{
	struct stubs_usage before;

	(void)state;
	strict = true;
	for (u64 seed = 1; seed <= 100; seed++) {
		stubs_in_use(&before);
		begin(seed * 0x9e3779b97f4a7c15ULL);
		assert_false(IS_ERR(space[0].vm));
		for (unsigned int i = 0; i < 4000; i++) {
			run_one();
			if (i % 8 == 0)
				check_all();
		}
		end(&before);
	}
}

/* The same operations, short, again and again, with one more allocation succeeding each time. */
static void test_out_of_memory(void **state)
{
	struct stubs_usage before;
	bool hit = true;

	(void)state;
	strict = false;
	for (u64 n = 0; hit; n++) {
		stubs_in_use(&before);
		begin(n / 64 + 1);
		if (n % 2)
			stubs_fail_one(n / 2);
		else
			stubs_fail_at(n / 2);
		for (unsigned int i = 0; i < 150; i++)
			run_one();
		hit = stubs_fail_never();
		check_all();
		for (unsigned int i = 0; i < 50; i++)
			run_one();
		check_all();
		end(&before);
		assert_true(n < 20000);
	}
}

/* A single operation that runs out of memory leaves everything as it was: its bytes and its rights. */
static void test_failure_loses_nothing(void **state)
{
	u64 value = 0;
	bool hit = true;

	(void)state;
	for (u64 n = 0; hit; n++) {
		struct vm *vm = new_vm(), *child;
		u64 mark = 0x1234;
		uaddr_t far = BASE + (1UL << 40);
		long r;

		assert_int_equal(vm_map(vm, BASE, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, NULL, NULL, 0,
					MAY_ALL, 0),
				 BASE);
		hal_pt_activate(&vm->pt);
		for (unsigned int i = 0; i < 8; i++)
			assert_int_equal(hal_copy_to_user(addr_of(i), &mark, 8), 0);
		stubs_fail_at(n);
		r = vm_remap(vm, addr_of(2), 3 * PAGE_SIZE, 3 * PAGE_SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, far, U64_MAX);
		child = vm_fork(vm);
		hit = stubs_fail_never();
		if (!IS_ERR(child))
			vm_put(child);
		for (unsigned int i = 0; i < 8; i++) {
			uaddr_t at =
				r >= 0 && i >= 2 && i < 5 ? far + (i - 2) * PAGE_SIZE : addr_of(i);

			assert_int_equal(hal_copy_from_user(&value, at, 8), 0);
			assert_int_equal(value, mark);
			assert_int_equal(hal_copy_to_user(at, &mark, 8), 0);
		}
		vm_put(vm);
	}
}

/* ---- single rules ---- */

static void test_errors(void **state)
{
	struct vm *vm = new_vm();
	const unsigned int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	u8 vec[4];

	(void)state;
	assert_int_equal(vm_map(vm, 0, 0, 0, anon, NULL, NULL, 0, MAY_ALL, 0), -EINVAL);
	assert_int_equal(vm_map(vm, BASE + 1, PAGE_SIZE, 0, anon | MAP_FIXED, NULL, NULL, 0,
				MAY_ALL, 0),
			 -EINVAL);
	assert_int_equal(vm_map(vm, 0, PAGE_SIZE, 0, anon | MAP_FIXED, NULL, NULL, 0, MAY_ALL, 0),
			 -EPERM);
	assert_int_equal(vm_map(vm, USER_END - PAGE_SIZE, 2 * PAGE_SIZE, 0, anon | MAP_FIXED, NULL,
				NULL, 0, MAY_ALL, 0),
			 -ENOMEM);
	assert_int_equal(vm_map(vm, 0, ~0UL - 5, 0, anon, NULL, NULL, 0, MAY_ALL, 0), -ENOMEM);
	assert_int_equal(vm_map(vm, BASE, 2 * PAGE_SIZE, PROT_READ, anon | MAP_FIXED, NULL, NULL, 0,
				MAY_ALL, 0),
			 BASE);
	assert_int_equal(vm_map(vm, BASE, PAGE_SIZE, 0, anon | MAP_FIXED_NOREPLACE, NULL, NULL, 0,
				MAY_ALL, 0),
			 -EEXIST);
	assert_int_equal(vm_unmap(vm, BASE + 1, PAGE_SIZE), -EINVAL);
	assert_int_equal(vm_unmap(vm, BASE, 0), -EINVAL);
	assert_int_equal(vm_unmap(vm, BASE, ~0UL), -EINVAL);
	assert_int_equal(vm_protect(vm, BASE, 3 * PAGE_SIZE, PROT_NONE), -ENOMEM);
	assert_int_equal(vm_protect(vm, BASE, PAGE_SIZE, 0x80), -EINVAL);
	assert_int_equal(vm_remap(vm, BASE, PAGE_SIZE, PAGE_SIZE, 0x80, 0, U64_MAX), -EINVAL);
	assert_int_equal(vm_remap(vm, BASE, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, BASE + PAGE_SIZE,
				  U64_MAX),
			 -EINVAL);
	assert_int_equal(vm_remap(vm, BASE, 2 * PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED | MREMAP_MAYMOVE,
				  BASE + PAGE_SIZE, U64_MAX),
			 -EINVAL);
	assert_int_equal(vm_remap(vm, BASE + 8 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0, 0, U64_MAX),
			 -EFAULT);
	assert_int_equal(vm_advise(vm, BASE, PAGE_SIZE, 12345), -EINVAL);
	assert_int_equal(vm_mincore(vm, BASE, 4, vec), -ENOMEM);
	assert_int_equal(vm_handle_fault(vm, BASE - 1, UCTX_READ), VM_FAULT_MAPERR);
	assert_int_equal(vm_handle_fault(vm, USER_END, UCTX_READ), VM_FAULT_MAPERR);
	assert_int_equal(vm_handle_fault(vm, ~0UL, UCTX_WRITE), VM_FAULT_MAPERR);
	vm_put(vm);
}

static void test_brk(void **state)
{
	struct vm *vm = new_vm();
	u64 value = 7;

	(void)state;
	vm->brk_start = vm->brk = BASE + 100;
	hal_pt_activate(&vm->pt);
	assert_int_equal(vm_brk(vm, 0, U64_MAX), BASE + 100);
	assert_int_equal(vm_brk(vm, BASE + 3 * PAGE_SIZE, U64_MAX), BASE + 3 * PAGE_SIZE);
	assert_int_equal(hal_copy_to_user(BASE + 2 * PAGE_SIZE, &value, 8), 0);
	assert_int_not_equal(hal_copy_to_user(BASE + 3 * PAGE_SIZE, &value, 8), 0);
	assert_int_equal(vm_brk(vm, BASE + PAGE_SIZE + 1, U64_MAX), BASE + PAGE_SIZE + 1);
	assert_int_not_equal(hal_copy_to_user(BASE + 2 * PAGE_SIZE, &value, 8), 0);
	assert_int_equal(vm_brk(vm, BASE + 3 * PAGE_SIZE, U64_MAX), BASE + 3 * PAGE_SIZE);
	assert_int_equal(hal_copy_from_user(&value, BASE + 2 * PAGE_SIZE, 8), 0);
	assert_int_equal(value, 0);
	assert_int_equal(vm_brk(vm, BASE, U64_MAX), BASE + 3 * PAGE_SIZE);
	vm_put(vm);
}

static void test_stack_growth(void **state)
{
	struct vm *vm = new_vm();
	uaddr_t top = addr_of(NPAGES);
	u64 value = 1;

	(void)state;
	vm->rlimit_stack = 64 * PAGE_SIZE;
	hal_pt_activate(&vm->pt);
	assert_int_equal(vm_map(vm, top - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, NULL,
				0, MAY_ALL, VM_STACK),
			 top - PAGE_SIZE);
	assert_int_equal(hal_copy_to_user(top - 64 * PAGE_SIZE, &value, 8), 0);
	assert_int_not_equal(hal_copy_to_user(top - 64 * PAGE_SIZE - 8, &value, 8), 0);
	check_tree(vm);
	vm_put(vm);
}

static int setup(void **state)
{
	(void)state;
	host_ram_init(RAM_SIZE, 0x80000000);
	stubs_start_mm();
	vm_object_init(&file_object, &file_ops);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),	      cmocka_unit_test(test_brk),
		cmocka_unit_test(test_stack_growth),  cmocka_unit_test(test_model),
		cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_failure_loses_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Replacing the program: execve(2).
 *
 * do_exec() works in two halves. The first builds everything new beside the old: the interpreter of a script is resolved, argument
 * strings are copied, the ELF file is checked and mapped into a fresh address space, its stack is written. Any error returns to a caller
 * that has lost nothing. The second half (commit) ends the other threads, switches address spaces and resets what exec resets.
 *
 * The strings are copied straight into the pages that become the top of the new stack:
 *
 *	stack top  | argv strings | envp strings | file name | platform | 16 random bytes | unused |
 *	           (pages that the strings were copied into)
 *	           | auxv, envp[], argv[], argc <- sp |
 */
#include <hal/power.h>
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/posix_timer.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/random.h>
#include <kernel/rseq.h>
#include <kernel/signal.h>
#include <kernel/trace/points.h>
#include <kernel/trace/profile.h>
#include <kernel/uprobe.h>
#include <lib/elf.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/auxvec.h>
#include <uapi/machine.h>
#include <uapi/mman.h>
#include <uapi/personality.h>
#include <uapi/time.h>

#define MAX_ARG_PAGES	512
#define MAX_ARG_STRLEN	(128 * 1024UL)
#define SCRIPT_MAX	256
#define SCRIPT_DEPTH	5
#define STACK_EXTRA	(128 * 1024UL)

/* Argument strings, gathered in the pages of the new stack. */
struct arg_area {
	struct page **page;
	unsigned int npages;
	size_t len, limit;	     /* bytes used and allowed */
	u32 *offset;		     /* of each string */
	unsigned int nstrings, room; /* of offset[] */
	unsigned int argc, envc;
	size_t arg_end, env_end;
};

/* All of one exec. */
struct exec {
	const struct exec_args *args;
	struct file *file; /* the ELF file: the script's interpreter, if it is one */
	bool own_file;
	pid_t old_tid;				 /* before the thread took the leader's number */
	char *script_args[2 * SCRIPT_DEPTH + 1]; /* what scripts put before argv[1] */
	unsigned int nscript;
	struct elf_image image, interp;
	void *phdrs;
	u8 head[SCRIPT_MAX];
	size_t head_len;
	struct vm *vm;
	struct arg_area area;
	uaddr_t bias, interp_base, entry, stack_top, sp;
	struct creds *creds;
	bool secure;
	bool hidden; /* its memory is nobody else's to see: read from a file that current may not read */
	bool doomed; /* failed where Linux has already given up the old program: the process dies */
};

/* ---- argument strings ---- */

/* Make room for the next byte. The page under it, or NULL. */
static char *area_room(struct arg_area *a, size_t *room)
{
	size_t off = a->len & ~PAGE_MASK;

	if (!off) {
		struct page *page;

		if (a->npages == MAX_ARG_PAGES)
			return NULL;
		page = page_alloc(GFP_USER, 0);
		if (!page)
			return NULL;
		page_set_type(page, PAGE_ANON);
		a->page[a->npages++] = page;
	}
	*room = PAGE_SIZE - off;
	return (char *)page_to_virt(a->page[a->npages - 1]) + off;
}

static int area_note(struct arg_area *a)
{
	if (a->nstrings == a->room) {
		unsigned int room = a->room ? 2 * a->room : 64;
		u32 *bigger = krealloc(a->offset, room * sizeof(u32), 0);

		if (!bigger)
			return -ENOMEM;
		a->offset = bigger;
		a->room = room;
	}
	a->offset[a->nstrings++] = (u32)a->len;
	return 0;
}

static int area_add_bytes(struct arg_area *a, const void *src, size_t n)
{
	const char *s = src;

	while (n) {
		size_t room, part;
		char *dst = area_room(a, &room);

		if (!dst)
			return -E2BIG;
		part = min(n, room);
		memcpy(dst, s, part);
		a->len += part;
		s += part;
		n -= part;
	}
	return a->len > a->limit ? -E2BIG : 0;
}

static int area_add_kernel(struct arg_area *a, const char *s)
{
	int r = area_note(a);

	return r ? r : area_add_bytes(a, s, strlen(s) + 1);
}

static int area_add_user(struct arg_area *a, uaddr_t s)
{
	size_t start = a->len;
	int r = area_note(a);

	if (r)
		return r;
	for (;;) {
		size_t room;
		char *dst = area_room(a, &room);
		long n;

		if (!dst)
			return -E2BIG;
		n = hal_strncpy_from_user(dst, s, room);
		if (n < 0)
			return -EFAULT;
		a->len += (size_t)n;
		if ((size_t)n < room) {
			a->len++;
			break;
		}
		s += (size_t)n;
		if (a->len - start >= MAX_ARG_STRLEN)
			return -E2BIG;
	}
	if (a->len - start > MAX_ARG_STRLEN)
		return -E2BIG;
	return a->len > a->limit ? -E2BIG : 0;
}

/* Add the strings of a NULL-terminated array from element @skip on; *count is increased. */
static int area_add_array(struct arg_area *a, uaddr_t array, bool kernel, unsigned int skip,
			  unsigned int *count)
{
	int r = 0;

	for (size_t i = skip; !r && array; i++) {
		u64 p;

		if (kernel)
			p = ((u64 *)array)[i];
		else if (hal_get_user64(&p, array + i * sizeof(u64)))
			return -EFAULT;
		if (!p)
			break;
		r = kernel ? area_add_kernel(a, (const char *)p) : area_add_user(a, (uaddr_t)p);
		++*count;
		cond_resched();
	}
	return r;
}

static int gather_strings(struct exec *e)
{
	struct arg_area *a = &e->area;
	unsigned int skip = e->nscript ? 1 : 0;
	int r = 0;

	a->limit = clamp(task_rlimit(RLIMIT_STACK) / 4, 32 * PAGE_SIZE, MAX_ARG_PAGES * PAGE_SIZE);
	a->page = kmalloc(MAX_ARG_PAGES * sizeof(*a->page), 0);
	if (!a->page)
		return -ENOMEM;
	/* Scripts push from the innermost out: the last one pushed comes first. */
	for (unsigned int i = e->nscript; i-- > 0 && !r; a->argc++)
		r = area_add_kernel(a, e->script_args[i]);
	if (!r)
		r = area_add_array(a, e->args->argv, e->args->kernel, skip, &a->argc);
	/* Linux gives a program without arguments an empty argv[0]. */
	if (!r && !a->argc) {
		r = area_add_kernel(a, "");
		a->argc = 1;
	}
	a->arg_end = a->len;
	if (!r)
		r = area_add_array(a, e->args->envp, e->args->kernel, 0, &a->envc);
	a->env_end = a->len;
	if (!r)
		r = area_add_kernel(a, e->args->filename);
	return r;
}

static void area_free(struct arg_area *a)
{
	while (a->npages)
		page_put(a->page[--a->npages]);
	kfree(a->page);
	kfree(a->offset);
}

/* ---- scripts ---- */

static int push_script_arg(struct exec *e, const char *s, size_t n)
{
	char *copy = kmalloc(n + 1, 0);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, s, n);
	copy[n] = '\0';
	e->script_args[e->nscript++] = copy;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Take "#! interpreter [argument]" apart. A line that does not end within the buffer is accepted only if the interpreter's name does.
 */
static int parse_script_line(struct exec *e, const char **interp, size_t *interp_len,
			     const char **arg, size_t *arg_len)
{
	char *s = (char *)e->head + 2, *limit = (char *)e->head + e->head_len;
	char *end = memchr(s, '\n', (size_t)(limit - s));
	bool cut = !end && e->head_len == SCRIPT_MAX;
	char *p;

	if (!end)
		end = limit;
	while (end > s && is_blank(end[-1]) && !cut)
		end--;
	while (s < end && is_blank(*s))
		s++;
	for (p = s; p < end && !is_blank(*p) && *p; p++)
		;
	if (p == s || (cut && p == end))
		return -ENOEXEC;
	*interp = s;
	*interp_len = (size_t)(p - s);
	while (p < end && is_blank(*p))
		p++;
	*arg = p;
	*arg_len = strnlen(p, (size_t)(end - p));
	return 0;
}

static int read_head(struct exec *e)
{
	ssize_t n = exec_read(e->file, e->head, sizeof(e->head), 0);

	if (n < 0)
		return (int)n;
	e->head_len = (size_t)n;
	return 0;
}

static void drop_file(struct exec *e)
{
	if (e->own_file)
		exec_close(e->file);
	e->own_file = false;
}

/* Replace a script by its interpreter, as often as needed. 0, or -ELOOP, -ENOEXEC, what opening said. */
static int resolve_scripts(struct exec *e)
{
	const char *name = e->args->filename, *interp, *arg;
	size_t interp_len, arg_len;
	int r = read_head(e);

	for (int depth = 0; !r && e->head_len >= 2 && e->head[0] == '#' && e->head[1] == '!';
	     depth++) {
		struct file *f;

		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		if (e->args->inaccessible)
			return -ENOENT;
		r = parse_script_line(e, &interp, &interp_len, &arg, &arg_len);
		/* The script's own name replaces the argv[0] that came before it. */
		if (!r && !depth)
			r = push_script_arg(e, name, strlen(name));
		if (!r && arg_len)
			r = push_script_arg(e, arg, arg_len);
		if (!r)
			r = push_script_arg(e, interp, interp_len);
		if (r)
			return r;
		f = exec_open(e->script_args[e->nscript - 1]);
		if (IS_ERR(f))
			return PTR_ERR(f);
		drop_file(e);
		e->file = f;
		e->own_file = true;
		r = read_head(e);
	}
	return r;
}

/* ---- the ELF file ---- */

static void complain(const struct exec *e, const char *why)
{
	pr_warn("exec: %s: %s\n", e->args->filename, why);
}

/* Read and check the program headers of @f. The caller frees *phdrs. */
static int read_phdrs(struct file *f, struct elf_image *image, void **phdrs, const char **why)
{
	ssize_t n;

	*phdrs = kmalloc(image->phdrs_size, 0);
	if (!*phdrs)
		return -ENOMEM;
	n = exec_read(f, *phdrs, image->phdrs_size, image->phoff);
	if (n < 0)
		return (int)n;
	return elf_parse_phdrs(*phdrs, (size_t)n, exec_size(f), image, why);
}

static int check_elf(struct exec *e)
{
	const char *why = "cannot be read";
	int r = elf_parse_ehdr(e->head, e->head_len, exec_size(e->file), ELF_MACHINE, &e->image,
			       &why);

	if (!r)
		r = read_phdrs(e->file, &e->image, &e->phdrs, &why);
	e->doomed = r == -EINVAL;
	if (r == -ENOEXEC || r == -EINVAL)
		complain(e, why);
	return r;
}

static unsigned int phdr_prot(const struct elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

static int map_anonymous(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int prot)
{
	long r;

	if (start >= end)
		return 0;
	r = vm_map(vm, start, end - start, prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, NULL,
		   NULL, 0, VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, 0);
	return r < 0 ? (int)r : 0;
}

/* Clear from the end of the file's part to the end of its page: the start of .bss. */
static int clear_tail(struct vm *vm, uaddr_t from, uaddr_t to)
{
	if (from >= to)
		return 0;
	return vm_access(vm, from, page_to_virt(zero_page), to - from, true, true) ==
			       (ssize_t)(to - from)
		       ? 0
		       : -EFAULT;
}

static int map_segment(struct vm *vm, struct file *f, const struct elf64_phdr *ph, uaddr_t bias)
{
	uaddr_t addr = bias + ph->p_vaddr, start = ALIGN_DOWN(addr, PAGE_SIZE);
	uaddr_t file_end = addr + ph->p_filesz, page_end = ALIGN_UP(file_end, PAGE_SIZE),
		mem_end = addr + ph->p_memsz;
	unsigned int prot = phdr_prot(ph);
	long r;
	int err;

	if (ph->p_filesz) {
		r = exec_map(vm, f, start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED,
			     (ph->p_offset - (addr - start)) >> PAGE_SHIFT);
		if (r < 0)
			return (int)r;
	} else {
		page_end = start;
	}
	if (ph->p_memsz == ph->p_filesz)
		return 0;
	if (ph->p_filesz && (prot & PROT_WRITE)) {
		err = clear_tail(vm, file_end, min(page_end, mem_end));
		if (err)
			return err;
	}
	return map_anonymous(vm, page_end, ALIGN_UP(mem_end, PAGE_SIZE), prot);
}

static int map_image(struct vm *vm, struct file *f, const struct elf_image *image,
		     const void *phdrs, uaddr_t bias)
{
	int r = 0;

	for (unsigned int i = 0; i < image->phnum && !r; i++) {
		struct elf64_phdr ph = elf_phdr(phdrs, i);

		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		r = map_segment(vm, f, &ph, bias);
	}
	return r;
}

/* Where the program's own code and data are, not its interpreter's: for /proc/PID/stat and the sizes made of it. */
static void note_segments(struct exec *e)
{
	struct vm *vm = e->vm;

	vm->code_start = ~(uaddr_t)0;
	for (unsigned int i = 0; i < e->image.phnum; i++) {
		struct elf64_phdr ph = elf_phdr(e->phdrs, i);
		uaddr_t start = e->bias + ph.p_vaddr, end = start + ph.p_filesz;

		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		if (ph.p_flags & PF_X) {
			vm->code_start = min(vm->code_start, start);
			vm->code_end = max(vm->code_end, end);
		}
		vm->data_start = max(vm->data_start, start);
		vm->data_end = max(vm->data_end, end);
	}
	vm->code_start = min(vm->code_start, vm->code_end);
}

/* @bits random bits, in pages. */
static uaddr_t random_offset(unsigned int bits)
{
	if (unlikely(current->personality & ADDR_NO_RANDOMIZE))
		return 0;
	return (random_u64() & ((1ULL << bits) - 1)) << PAGE_SHIFT;
}

/* Where a position-independent program goes: two thirds up, as on Linux, with room above for mmap and the stack. */
static uaddr_t choose_bias(const struct elf_image *image)
{
	uaddr_t base = USER_END / 3 * 2 + random_offset(16);

	return ALIGN_DOWN(base, max(image->max_align, PAGE_SIZE)) - image->min_vaddr;
}

/* Open the dynamic linker that the program names. ERR_PTR. */
static struct file *open_interp(struct exec *e)
{
	char *path = kmalloc(ELF_INTERP_MAX, 0);
	const char *why;
	struct file *f;
	ssize_t n;

	if (!path)
		return ERR_PTR(-ENOMEM);
	n = exec_read(e->file, path, e->image.interp_size, e->image.interp_offset);
	if (n != (ssize_t)e->image.interp_size ||
	    elf_check_interp_path(path, e->image.interp_size, &why)) {
		kfree(path);
		return ERR_PTR(-ENOEXEC);
	}
	f = exec_open(path);
	if (IS_ERR(f))
		pr_warn("exec: %s: interpreter %s: not found or not executable\n",
			e->args->filename, path);
	kfree(path);
	return f;
}

static int check_interp(struct exec *e, struct file *f, void **phdrs)
{
	const char *why = "interpreter cannot be read";
	u8 head[64];
	ssize_t n = exec_read(f, head, sizeof(head), 0);
	int r = n < 0			    ? (int)n
		: n < (ssize_t)sizeof(head) ? -EIO
					    : elf_parse_interp_ehdr(head, (size_t)n, exec_size(f),
								    ELF_MACHINE, &e->interp, &why);

	if (!r)
		r = read_phdrs(f, &e->interp, phdrs, &why);
	if (r && r != -ENOMEM)
		complain(e, why);
	return r == -ENOEXEC || r == -EINVAL ? -ELIBBAD : r;
}

/* Load the dynamic linker anywhere. */
static int load_interp(struct exec *e)
{
	struct file *f = open_interp(e);
	void *phdrs = NULL;
	long base;
	int r;

	if (IS_ERR(f))
		return PTR_ERR(f);
	e->hidden |= !exec_is_readable(f);
	r = check_interp(e, f, &phdrs);
	if (r)
		goto out;
	base = vm_map(e->vm, 0, e->interp.max_vaddr - e->interp.min_vaddr, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, NULL, NULL, 0,
		      VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, 0);
	if (base < 0) {
		e->doomed = true;
		r = (int)base;
		goto out;
	}
	e->interp_base = (uaddr_t)base - e->interp.min_vaddr;
	r = map_image(e->vm, f, &e->interp, phdrs, e->interp_base);
	e->doomed = r != 0;
	e->entry = e->interp_base + e->interp.entry;
out:
	kfree(phdrs);
	exec_close(f);
	return r;
}

#define TABLE_SPAN (PAGE_SIZE * (PAGE_SIZE / 8)) /* what a page of page-table entries maps */
#define LEAST_ROOM (64 * 1024UL)

/* The stack's top: 8 MiB to choose from, with room above it in the same page-table page, for the vDSO and small mappings behind a guard page. */
static uaddr_t choose_stack(struct vm *vm)
{
	uaddr_t limit = USER_END - PAGE_SIZE, top = limit - random_offset(11);
	uaddr_t end = min(ALIGN_UP(top, TABLE_SPAN), limit);

	if (end - top < LEAST_ROOM)
		top -= LEAST_ROOM;
	end -= random_offset(11) % (end - top - LEAST_ROOM + PAGE_SIZE);
	vm_small_room(vm, top + PAGE_SIZE, end);
	return top;
}

/* Top of the stack, and from where mmap goes down. */
static void choose_layout(struct exec *e)
{
	u64 gap = clamp(task_rlimit(RLIMIT_STACK), 128ULL << 20, (u64)USER_END / 6 * 5);
	struct process *p = current->process;

	e->stack_top = choose_stack(e->vm);
	e->vm->mmap_top = ALIGN_DOWN(e->stack_top - gap - random_offset(13), PAGE_SIZE);
	if (current->vm) {
		e->vm->dump_filter = READ_ONCE(current->vm->dump_filter);
		vm_inherit_policy(e->vm, current->vm);
	}
	e->vm->rlimit_as = p->rlim[RLIMIT_AS].rlim_cur;
	e->vm->rlimit_data = p->rlim[RLIMIT_DATA].rlim_cur;
	e->vm->rlimit_stack = p->rlim[RLIMIT_STACK].rlim_cur;
	e->vm->rlimit_memlock = p->rlim[RLIMIT_MEMLOCK].rlim_cur;
}

static int load_program(struct exec *e)
{
	struct vm *vm = vm_create();
	int r;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	e->vm = vm;
	choose_layout(e);
	if (e->image.type == ET_DYN)
		e->bias = choose_bias(&e->image);
	r = map_image(vm, e->file, &e->image, e->phdrs, e->bias);
	if (r) {
		e->doomed = true;
		return r;
	}
	note_segments(e);
	e->entry = e->bias + e->image.entry;
	vm->brk_start = vm->brk = ALIGN_UP(e->bias + e->image.brk, PAGE_SIZE) + random_offset(8);
	if (e->image.has_interp)
		r = load_interp(e);
	if (!r)
		r = vdso_map(vm);
	return r;
}

/* ---- the stack ---- */

static int map_stack(struct exec *e)
{
	struct arg_area *a = &e->area;
	uaddr_t strings = e->stack_top - a->npages * PAGE_SIZE;
	size_t vectors = (a->argc + a->envc + 64UL) * sizeof(u64);
	uaddr_t bottom = ALIGN_DOWN(strings - vectors, PAGE_SIZE) - STACK_EXTRA;
	unsigned int prot =
		PROT_READ | PROT_WRITE | (e->image.stack == ELF_STACK_EXEC ? PROT_EXEC : 0);
	long r = vm_map(e->vm, bottom, e->stack_top - bottom, prot,
			MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, NULL, NULL, 0,
			VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, VM_GROWSDOWN | VM_STACK);

	if (r < 0)
		return r == -EEXIST ? -ENOMEM : (int)r;
	for (unsigned int i = 0; i < a->npages; i++) {
		int err = vm_install_page(e->vm, strings + i * PAGE_SIZE, a->page[i]);

		if (err)
			return err;
	}
	e->vm->arg_start = strings;
	e->vm->arg_end = e->vm->env_start = strings + a->arg_end;
	e->vm->env_end = strings + a->env_end;
	return 0;
}

static void auxv_add(struct vm_auxv *v, u64 type, u64 value)
{
	v->word[v->n++] = type;
	v->word[v->n++] = value;
}

static int make_auxv(struct exec *e, uaddr_t execfn, uaddr_t platform, uaddr_t random)
{
	const struct creds *c = e->creds;
	struct vm_auxv *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return -ENOMEM;
	refcount_set(&v->refs, 1);
	if (e->vm->vdso)
		auxv_add(v, AT_SYSINFO_EHDR, e->vm->vdso);
	auxv_add(v, AT_HWCAP, hal_hwcap(0));
	auxv_add(v, AT_PAGESZ, PAGE_SIZE);
	auxv_add(v, AT_CLKTCK, USER_HZ);
	auxv_add(v, AT_PHDR, e->image.phdr_vaddr ? e->bias + e->image.phdr_vaddr : 0);
	auxv_add(v, AT_PHENT, sizeof(struct elf64_phdr));
	auxv_add(v, AT_PHNUM, e->image.phnum);
	auxv_add(v, AT_BASE, e->interp_base);
	auxv_add(v, AT_FLAGS, 0);
	auxv_add(v, AT_ENTRY, e->bias + e->image.entry);
	auxv_add(v, AT_UID, c->uid);
	auxv_add(v, AT_EUID, c->euid);
	auxv_add(v, AT_GID, c->gid);
	auxv_add(v, AT_EGID, c->egid);
	auxv_add(v, AT_SECURE, e->secure);
	auxv_add(v, AT_RANDOM, random);
	auxv_add(v, AT_HWCAP2, hal_hwcap(1));
	auxv_add(v, AT_EXECFN, execfn);
	if (platform)
		auxv_add(v, AT_PLATFORM, platform);
	auxv_add(v, AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
	auxv_add(v, AT_RSEQ_ALIGN, RSEQ_ALIGN);
	auxv_add(v, AT_MINSIGSTKSZ, uctx_sigframe_size());
	auxv_add(v, AT_NULL, 0);
	static_assert(sizeof_field(struct vm_auxv, word) >= 2 * 24 * sizeof(u64),
		      "room for all of them");
	e->vm->auxv = v;
	return 0;
}

/* argc, argv[], NULL, envp[], NULL, auxv: below the strings. */
static int write_vectors(struct exec *e)
{
	struct arg_area *a = &e->area;
	uaddr_t strings = e->vm->arg_start;
	size_t n = 1 + a->argc + 1 + a->envc + 1 + e->vm->auxv->n, i = 0;
	u64 *v = kmalloc(n * sizeof(*v), 0);
	int r;

	if (!v)
		return -ENOMEM;
	v[i++] = a->argc;
	for (unsigned int k = 0; k < a->argc + a->envc; k++) {
		if (k == a->argc)
			v[i++] = 0;
		v[i++] = strings + a->offset[k];
	}
	if (!a->envc)
		v[i++] = 0;
	v[i++] = 0;
	memcpy(&v[i], e->vm->auxv->word, e->vm->auxv->n * sizeof(u64));
	e->sp = ALIGN_DOWN(strings - n * sizeof(*v), 16);
	e->vm->stack_start = e->sp;
	r = vm_access(e->vm, e->sp, v, n * sizeof(*v), true, false) == (ssize_t)(n * sizeof(*v))
		    ? 0
		    : -ENOMEM;
	kfree(v);
	return r;
}

static int build_stack(struct exec *e)
{
	struct arg_area *a = &e->area;
	const char *platform = hal_platform_name();
	size_t platform_at = 0, random_at, execfn_at = a->offset[a->nstrings - 1];
	u8 seed[16];
	int r = 0;

	if (platform) {
		platform_at = a->len;
		r = area_add_bytes(a, platform, strlen(platform) + 1);
	}
	random_at = a->len;
	random_bytes(seed, sizeof(seed));
	if (!r)
		r = area_add_bytes(a, seed, sizeof(seed));
	/* What is left of the last page must not show old memory. */
	if (a->len & ~PAGE_MASK)
		memset((char *)page_to_virt(a->page[a->npages - 1]) + (a->len & ~PAGE_MASK), 0,
		       PAGE_SIZE - (a->len & ~PAGE_MASK));
	if (!r)
		r = map_stack(e);
	if (!r)
		r = make_auxv(e, e->vm->arg_start + execfn_at,
			      platform ? e->vm->arg_start + platform_at : 0,
			      e->vm->arg_start + random_at);
	return r ? r : write_vectors(e);
}

/* ---- the point of no return ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void switch_vm(struct vm *vm)
{
	struct task *t = current;
	struct vm *old = t->vm;

	if (old) {
		trace_profile_maps(old);
		futex_exit(t);
	}
	uprobe_task_exit(t);
	spin_lock_irqsave(&t->wake_lock); /* task_vm_get() */
	t->vm = vm;
	vm_activate(vm);
	spin_unlock(&t->wake_lock);
	hal_irq_enable();
	exit_release_vfork(t);
	if (old)
		vm_put(old);
}

/* May others of the same user look into the new program? Source: prctl(2), PR_SET_DUMPABLE. */
static u8 new_dumpable(const struct exec *e)
{
	const struct creds *old = current->creds;
	bool hide = e->hidden || old->euid != old->uid || old->egid != old->gid ||
		    creds_changes_trust(old, e->creds);

	return hide ? (u8)READ_ONCE(suid_dumpable) : DUMPABLE_USER;
}

static void commit(struct exec *e)
{
	struct task *t = current;
	u8 dumpable = new_dumpable(e);

	exec_set_exe(e->vm, e->file);
	e->vm->dumpable = 0; /* until the new credentials are known */
	/* Whoever sees the new program's arguments in /proc may count on setpgid(2) being refused. */
	t->flags &= ~TASK_F_FORKNOEXEC;
	t->process->has_execed = true;
	rseq_drop(t);
	task_clear_work(t, WORK_DISPATCH);
	switch_vm(e->vm);
	e->vm = NULL;
	posix_timers_exec(t->process);
	sig_exec();
	TRACE_POINT(task_rename, t, base_name(e->args->filename));
	strscpy(t->comm, base_name(e->args->filename), sizeof(t->comm));
	creds_commit(e->creds);
	e->creds = NULL;
	t->process->exit_signal = SIGCHLD;
	t->process->membarrier = 0;
	t->vm->dumpable = dumpable;
	t->altstack_sp = t->altstack_size = 0;
	t->altstack_flags = SS_DISABLE;
	t->clear_child_tid = 0;
	uctx_init_user(&t->hal, e->entry, e->sp);
	TRACE_POINT(sched_process_exec, e->args->filename, e->old_tid);
}

/* A bad argument is told before a file that is no program is. */
static int check_file(struct exec *e)
{
	int r = resolve_scripts(e), strings;

	if (!r)
		r = check_elf(e);
	strings = gather_strings(e);
	return strings ? strings : r;
}

/* Everything that may fail. */
static int prepare(struct exec *e)
{
	int r = check_file(e);

	if (!r)
		r = load_program(e);
	if (r)
		return r;
	e->creds = creds_prepare();
	if (!e->creds)
		return -ENOMEM;
	e->hidden |= !exec_is_readable(e->file);
	r = exec_creds(e->file, e->creds);
	if (r < 0)
		return r;
	e->secure = r;
	if (e->secure)
		current->personality &= ~PER_CLEAR_ON_SETID;
	r = build_stack(e);
	if (!r)
		r = sig_exec_prepare();
	if (!r)
		r = files_exec();
	if (!r && current->vm)
		r = process_kill_other_threads();
	return r;
}

/* Nobody may begin to trace between the decision about credentials and the moment they count. */
static int prepare_and_commit(struct exec *e)
{
	struct mutex *m = &current->process->exec_mutex;
	int r = mutex_lock_killable(m);

	if (r)
		return r;
	r = prepare(e);
	if (!r)
		commit(e);
	mutex_unlock(m);
	return r;
}

int do_exec(const struct exec_args *args)
{
	struct exec *e = kzalloc(sizeof(*e), 0);
	pid_t old_tid = task_tid(current);
	int r;

	if (!e)
		return -ENOMEM;
	e->args = args;
	e->file = args->file;
	e->old_tid = old_tid;
	r = prepare_and_commit(e);
	if (r && e->doomed && current->vm)
		sig_kill_self(SIGSEGV);
	if (e->vm)
		vm_put(e->vm);
	if (e->creds)
		creds_put(e->creds);
	drop_file(e);
	area_free(&e->area);
	kfree(e->phdrs);
	while (e->nscript)
		kfree(e->script_args[--e->nscript]);
	kfree(e);
	if (!r)
		ptrace_exec_event(old_tid);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Files of a process that are about its memory: maps, smaps, smaps_rollup, pagemap, clear_refs and mem.
 *
 * Whoever may open one may read it as long as the process runs the same program: mem and pagemap remember which address
 * space that was (vm->id), generated text does so in procfs.c. After exec or exit there is nothing to read.
 * Sources: proc_pid_maps(5), proc_pid_smaps(5), proc_pid_mem(5), proc_pid_pagemap(5), proc_pid_clear_refs(5).
 */
#include <fs/procfs/proc.h>
#include <kernel/ptrace.h>
#include <uapi/capability.h>

static const u64 kb = PAGE_SIZE / 1024;

/* ---- maps ---- */

/* What a mapping without a file is called. */
static const char *special_name(const struct vma *vma)
{
	if (vma->flags & VM_PROBE_SLOTS)
		return "[uprobes]";
	if (vma->flags & VM_HEAP)
		return "[heap]";
	return vma->flags & VM_STACK ? "[stack]" : "";
}

static void show_vma_name(struct printbuf *pb, const struct vma *vma, size_t width, char *name)
{
	const char *text = vma->object && vma->object->ops->describe ? name : special_name(vma);

	if (!*text)
		return;
	for (; width < 73; width++)
		printbuf_putc(pb, ' ');
	printbuf_puts(pb, text);
}

static void show_vma(struct printbuf *pb, const struct vma *vma, char *name)
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
	show_vma_name(pb, vma, pb->len - before, name);
	printbuf_putc(pb, '\n');
}

/* The mappings of the task's memory from *@cursor on, a record each, as struct proc_entry has it. 0 or -ENOMEM. */
static int show_vmas(struct printbuf *pb, struct task *t, u64 *cursor,
		     void (*record)(struct printbuf *pb, struct vm *vm, struct vma *vma,
				    char *name))
{
	struct vm *vm = task_vm_get(t);
	char *name = name_alloc();
	struct vma *vma = NULL;

	if (vm && name) {
		rwsem_down_read(&vm->lock);
		for (vma = vm_find_from(vm, *cursor); vma; vma = vm_next(vm, vma)) {
			size_t before = pb->len;

			record(pb, vm, vma, name);
			if (printbuf_overflowed(pb)) {
				pb->len = before;
				break;
			}
		}
		*cursor = vma ? vma->start : PROC_TEXT_END;
		rwsem_up_read(&vm->lock);
	} else {
		*cursor = PROC_TEXT_END;
	}
	if (vm)
		vm_put(vm);
	if (!name)
		return -ENOMEM;
	name_free(name);
	return 0;
}

static void maps_line(struct printbuf *pb, struct vm *vm, struct vma *vma, char *name)
{
	show_vma(pb, vma, name);
}

int proc_maps_show(struct printbuf *pb, struct task *t, u64 *cursor)
{
	return show_vmas(pb, t, cursor, maps_line);
}

/* ---- one mapping, asked for by its address. Source: Linux Documentation/filesystems/proc.rst, PROCMAP_QUERY. ---- */

#define PROCMAP_QUERY		  0xc0686611u
#define PROCMAP_SIZE_MIN	  24 /* up to the address */
#define QUERY_READABLE		  0x01u
#define QUERY_WRITABLE		  0x02u
#define QUERY_EXECUTABLE	  0x04u
#define QUERY_SHARED		  0x08u
#define QUERY_COVERING_OR_NEXT	  0x10u
#define QUERY_FILE_BACKED	  0x20u
#define QUERY_ALL		  0x3fu

struct procmap_query {
	u64 size, query_flags, query_addr;
	u64 vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	u32 dev_major, dev_minor, vma_name_size, build_id_size;
	u64 vma_name_addr, build_id_addr;
};
static_assert(sizeof(struct procmap_query) == 104, "as PROCMAP_QUERY has it");

static bool is_file(const struct vma *vma)
{
	return vma->object && vma->object->ops->describe && !(vma->flags & VM_VDSO);
}

static bool vma_fits(const struct vma *vma, u64 flags)
{
	static_assert(VM_READ == QUERY_READABLE && VM_WRITE == QUERY_WRITABLE &&
			      VM_EXEC == QUERY_EXECUTABLE && VM_SHARED == QUERY_SHARED,
		      "same bits");
	return !(flags & 0xf & ~vma->flags) && (!(flags & QUERY_FILE_BACKED) || is_file(vma));
}

/* The mapping at the address, or with COVERING_OR_NEXT the first from there on, that has all the properties asked for. */
static const struct vma *find_asked(struct vm *vm, const struct procmap_query *q)
{
	struct vma *vma = vm_find_from(vm, q->query_addr);

	if (q->query_flags & QUERY_COVERING_OR_NEXT) {
		while (vma && !vma_fits(vma, q->query_flags))
			vma = vm_next(vm, vma);
		return vma;
	}
	return vma && vma->start <= q->query_addr && vma_fits(vma, q->query_flags) ? vma : NULL;
}

/* @name: of PATH_MAX bytes, empty. */
static void describe_to(struct procmap_query *q, const struct vma *vma, char *name)
{
	u64 dev = 0, ino = 0;

	if (vma->object && vma->object->ops->describe)
		vma->object->ops->describe(vma->owner, name, PATH_MAX, &dev, &ino);
	else
		strscpy(name, special_name(vma), PATH_MAX);
	q->vma_start = vma->start;
	q->vma_end = vma->end;
	q->vma_flags = vma->flags & 0xf;
	q->vma_page_size = PAGE_SIZE;
	q->vma_offset = vma->object ? vma->pgoff << PAGE_SHIFT : 0;
	q->inode = ino;
	q->dev_major = dev_major(dev);
	q->dev_minor = dev_minor(dev);
	q->build_id_size = 0;
}

static int procmap_query(struct vm *vm, struct procmap_query *q, char *name)
{
	const struct vma *vma;
	size_t len;

	rwsem_down_read(&vm->lock);
	vma = find_asked(vm, q);
	if (vma)
		describe_to(q, vma, name);
	rwsem_up_read(&vm->lock);
	if (!vma)
		return -ENOENT;
	if (!q->vma_name_size)
		return 0;
	len = name[0] ? strlen(name) + 1 : 0;
	if (len > q->vma_name_size)
		return -ENAMETOOLONG;
	q->vma_name_size = (u32)len;
	return len && copy_to_user(q->vma_name_addr, name, len) ? -EFAULT : 0;
}

/* Build ids are not looked for: who asks for one is refused. */
static int read_query(struct procmap_query *q, uaddr_t arg)
{
	u64 size;
	int r;

	if (get_user_obj(&size, arg))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < PROCMAP_SIZE_MIN)
		return -EINVAL;
	r = copy_struct_from_user(q, sizeof(*q), arg, size);
	if (r)
		return r;
	if ((q->query_flags & ~(u64)QUERY_ALL) || !q->vma_name_size != !q->vma_name_addr ||
	    !q->build_id_size != !q->build_id_addr)
		return -EINVAL;
	return q->build_id_size ? -EOPNOTSUPP : 0;
}

long proc_maps_ioctl(struct vm *vm, unsigned int cmd, uaddr_t arg)
{
	struct procmap_query q;
	char *name;
	int r;

	if (cmd != PROCMAP_QUERY)
		return -ENOTTY;
	r = read_query(&q, arg);
	if (r)
		return r;
	if (!vm)
		return -ESRCH;
	name = name_alloc();
	if (!name)
		return -ENOMEM;
	name[0] = '\0';
	r = procmap_query(vm, &q, name);
	if (!r && copy_to_user(arg, &q, min_t(size_t, q.size, sizeof(q))))
		r = -EFAULT;
	name_free(name);
	return r;
}

/* ---- smaps ---- */

static void size_line(struct printbuf *pb, const char *name, u64 kbytes)
{
	printbuf_printf(pb, "%s:%*s%8llu kB\n", name, (int)(15 - strlen(name)), "", kbytes);
}

static void show_usage(struct printbuf *pb, const struct vm_usage *u, bool rollup)
{
	size_line(pb, "Rss", u->rss * kb);
	size_line(pb, "Pss", u->pss / 1024);
	size_line(pb, "Pss_Dirty", u->pss_dirty / 1024);
	if (rollup) {
		size_line(pb, "Pss_Anon", u->anon * kb);
		size_line(pb, "Pss_File", u->pss / 1024 - min(u->anon * kb, u->pss / 1024));
		size_line(pb, "Pss_Shmem", 0);
	}
	size_line(pb, "Shared_Clean", u->shared_clean * kb);
	size_line(pb, "Shared_Dirty", u->shared_dirty * kb);
	size_line(pb, "Private_Clean", u->private_clean * kb);
	size_line(pb, "Private_Dirty", u->private_dirty * kb);
	size_line(pb, "Referenced", u->rss * kb);
	size_line(pb, "Anonymous", u->anon * kb);
	size_line(pb, "KSM", 0);
	size_line(pb, "LazyFree", 0);
	size_line(pb, "AnonHugePages", 0);
	size_line(pb, "ShmemPmdMapped", 0);
	size_line(pb, "FilePmdMapped", 0);
	size_line(pb, "Shared_Hugetlb", 0);
	size_line(pb, "Private_Hugetlb", 0);
	size_line(pb, "Swap", 0);
	size_line(pb, "SwapPss", 0);
	size_line(pb, "Locked", u->locked / 1024);
}

static void show_vm_flags(struct printbuf *pb, unsigned int flags)
{
	static const struct {
		unsigned int flag;
		char name[3];
	} names[] = {
		{ VM_READ, "rd" },	{ VM_WRITE, "wr" },	 { VM_EXEC, "ex" },
		{ VM_SHARED, "sh" },	{ VM_MAYREAD, "mr" },	 { VM_MAYWRITE, "mw" },
		{ VM_MAYEXEC, "me" },	{ VM_SHARED, "ms" },	 { VM_GROWSDOWN, "gd" },
		{ VM_LOCKED, "lo" },	{ VM_DONTFORK, "dc" },	 { VM_LOCKONFAULT, "lf" },
		{ VM_NORESERVE, "nr" }, { VM_WIPEONFORK, "wf" }, { VM_DONTDUMP, "dd" },
		{ VM_SEALED, "sl" },	{ VM_DROPPABLE, "dp" },
	};

	printbuf_puts(pb, "VmFlags: ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			printbuf_printf(pb, "%s ", names[i].name);
	printbuf_putc(pb, '\n');
}

static void smaps_entry(struct printbuf *pb, struct vm *vm, struct vma *vma, char *name)
{
	struct vm_usage u = { 0 };

	vm_add_usage(vm, vma, &u);
	show_vma(pb, vma, name);
	size_line(pb, "Size", (vma->end - vma->start) / 1024);
	size_line(pb, "KernelPageSize", kb);
	size_line(pb, "MMUPageSize", kb);
	show_usage(pb, &u, false);
	printbuf_puts(pb, "THPeligible:           0\n");
	show_vm_flags(pb, vma->flags);
}

int proc_smaps_show(struct printbuf *pb, struct task *t, u64 *cursor)
{
	return show_vmas(pb, t, cursor, smaps_entry);
}

int proc_smaps_rollup_show(struct printbuf *pb, struct task *t)
{
	struct vm *vm = task_vm_get(t);
	struct vm_usage total = { 0 };
	size_t before = pb->len;
	uaddr_t start = 0, end = 0;

	if (!vm)
		return -ESRCH;
	rwsem_down_read(&vm->lock);
	for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma)) {
		start = start ? start : vma->start;
		end = vma->end;
		vm_add_usage(vm, vma, &total);
	}
	rwsem_up_read(&vm->lock);
	vm_put(vm);
	printbuf_printf(pb, "%08lx-%08lx ---p 00000000 00:00 0 ", start, end);
	for (size_t width = pb->len - before; width < 73; width++)
		printbuf_putc(pb, ' ');
	printbuf_puts(pb, "[rollup]\n");
	show_usage(pb, &total, true);
	return 0;
}

/* ---- clear_refs ---- */

#define CLEAR_REFS_MM_HIWATER_RSS 5

/* Only the high-water mark: which pages were used or written is not recorded, so nothing else can be cleared. */
ssize_t proc_clear_refs_write(struct task *t, const char *text, size_t n)
{
	struct vm *vm;
	u32 what;

	if (proc_number(text, &what) || what != CLEAR_REFS_MM_HIWATER_RSS)
		return -EINVAL;
	vm = task_vm_get(t);
	if (!vm)
		return (ssize_t)n;
	WRITE_ONCE(vm->rss_peak, READ_ONCE(vm->rss_anon) + READ_ONCE(vm->rss_file));
	vm_put(vm);
	return (ssize_t)n;
}

/* ---- mem and pagemap: files of an address space ---- */

struct vm_file {
	u64 vm_id; /* 0: there was none */
	bool pfns; /* pagemap: opened by one who may know where pages are */
};

static int vm_file_open(struct inode *i, struct file *f, unsigned int mode)
{
	struct task *t = proc_task(i);
	struct vm_file *vf;
	struct vm *vm;

	if (!t)
		return -ESRCH;
	vm = ptrace_vm_get(t, mode);
	task_put(t);
	if (IS_ERR(vm))
		return -EACCES;
	vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	if (vf) {
		vf->vm_id = vm ? vm->id : 0;
		vf->pfns = capable(CAP_SYS_ADMIN);
	}
	if (vm)
		vm_put(vm);
	f->priv = vf;
	return vf ? 0 : -ENOMEM;
}

static void vm_file_release(struct file *f)
{
	kfree(f->priv);
}

/* The address space that was opened, with a reference; NULL when it has gone. */
static struct vm *vm_of_file(struct file *f)
{
	const struct vm_file *vf = f->priv;
	struct task *t = proc_task(f->inode);
	struct vm *vm = t ? task_vm_get(t) : NULL;

	if (t)
		task_put(t);
	if (vm && vm->id != vf->vm_id) {
		vm_put(vm);
		vm = NULL;
	}
	return vm;
}

static int mem_open(struct inode *i, struct file *f)
{
	return vm_file_open(i, f, PTRACE_MODE_ATTACH_FSCREDS);
}

static ssize_t mem_copy(struct vm *vm, struct iov_iter *it, uaddr_t at, char *page, bool write)
{
	ssize_t done = 0;

	while (it->count) {
		size_t n = min(it->count, PAGE_SIZE), moved;
		ssize_t got;

		if (write && iov_iter_from(it, page, n) != n)
			return done ? done : -EFAULT;
		got = vm_access(vm, at + (uaddr_t)done, page, n, write, true);
		if (got <= 0)
			return done ? done : -EIO;
		moved = write ? (size_t)got : iov_iter_to(it, page, (size_t)got);
		done += (ssize_t)moved;
		if (moved < (size_t)got)
			return done ? done : -EFAULT;
		if ((size_t)got < n || sleep_interrupted(TASK_KILLABLE))
			break;
		cond_resched();
	}
	return done;
}

static ssize_t mem_rw(struct file *f, struct iov_iter *it, loff_t *pos, bool write)
{
	struct vm *vm = vm_of_file(f);
	char *page = vm ? kmalloc(PAGE_SIZE, GFP_KERNEL) : NULL;
	ssize_t r = vm ? -ENOMEM : 0;

	if (page)
		r = mem_copy(vm, it, (uaddr_t)*pos, page, write);
	kfree(page);
	if (vm)
		vm_put(vm);
	if (r > 0)
		*pos += r;
	return r;
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

const struct file_ops proc_mem_fops = {
	.open = mem_open,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_llseek,
	.release = vm_file_release,
};

static int pagemap_open(struct inode *i, struct file *f)
{
	return vm_file_open(i, f, PTRACE_MODE_READ_FSCREDS);
}

static ssize_t pagemap_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	const struct vm_file *vf = f->priv;
	const u64 last = USER_END >> PAGE_SHIFT;
	u64 entries[32], index = (u64)*pos / sizeof(u64);
	struct vm *vm = vm_of_file(f);
	ssize_t done = 0;

	if (*pos < 0 || (*pos | (loff_t)to->count) % (loff_t)sizeof(u64)) {
		done = vm ? -EINVAL : 0;
		goto out;
	}
	while (vm && to->count && index < last) {
		size_t n =
			min(min_t(u64, to->count / sizeof(u64), ARRAY_SIZE(entries)), last - index);

		vm_pagemap(vm, index << PAGE_SHIFT, entries, n, vf->pfns);
		if (iov_iter_to(to, entries, n * sizeof(u64)) != n * sizeof(u64)) {
			done = done ? done : -EFAULT;
			break;
		}
		index += n;
		done += (ssize_t)(n * sizeof(u64));
		if (sleep_interrupted(TASK_KILLABLE))
			break;
		cond_resched();
	}
	if (done > 0)
		*pos += done;
out:
	if (vm)
		vm_put(vm);
	return done;
}

const struct file_ops proc_pagemap_fops = {
	.open = pagemap_open,
	.read = pagemap_read,
	.llseek = mem_llseek,
	.release = vm_file_release,
};

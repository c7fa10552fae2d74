/* SPDX-License-Identifier: MIT */
/*
 * The format of a core file: an ELF file of type ET_CORE.
 *
 *	ELF header | program headers: PT_NOTE, one PT_LOAD a mapping | notes | page-aligned: memory
 *
 * Notes are those Linux writes, in its order: of the dumping thread NT_PRSTATUS, then of the process NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE,
 * then the other register sets of that thread; then NT_PRSTATUS and register sets of every other thread. The same code
 * runs twice over the notes: first it only counts. Pages that hold nothing become holes of the file, so that the size of a
 * sparse address space does not matter.
 *
 * Context: the dumping thread, all others of the process waiting. Source: elf(5), core(5), System V gABI.
 */
#include <hal/debug.h>
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/posix_timer.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/elf.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/machine.h>

#define NT_PRSTATUS 1
#define NT_PRFPREG  2
#define NT_PRPSINFO 3
#define NT_AUXV	    6
#define NT_SIGINFO  0x53494749
#define NT_FILE	    0x46494c45

struct core_timeval {
	s64 sec, usec;
};

/* struct elf_prstatus; the general registers and pr_fpvalid follow. */
struct core_prstatus {
	s32 si_signo, si_code, si_errno;
	s16 cursig;
	s16 pad;
	u64 sigpend, sighold;
	s32 pid, ppid, pgrp, sid;
	struct core_timeval utime, stime, cutime, cstime;
};
static_assert(sizeof(struct core_prstatus) == 112, "ABI");

/* struct elf_prpsinfo */
struct core_prpsinfo {
	char state, sname, zomb;
	s8 nice;
	u64 flag;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char fname[16];
	char psargs[80];
};
static_assert(sizeof(struct core_prpsinfo) == 136, "ABI");

/* ---- output ---- */

static void put(struct core_writer *w, const void *buf, size_t n)
{
	const char *p = buf;

	if (w->failed)
		return;
	if (w->counting) {
		w->pos += n;
		return;
	}
	if (n > w->limit - w->written) {
		w->failed = true;
		return;
	}
	w->hole = false;
	while (n && !w->failed) {
		ssize_t r = READ_ONCE(w->dump->killed) ? -EINTR
						       : files_core_write(w->file, p, n, w->pos);

		if (r <= 0) {
			w->failed = true;
			return;
		}
		p += r;
		n -= (size_t)r;
		w->pos += (u64)r;
		w->written += (u64)r;
	}
}

static void put_zeros(struct core_writer *w, u64 n)
{
	for (; n && !w->failed; n -= min(n, PAGE_SIZE))
		put(w, page_to_virt(zero_page), min(n, PAGE_SIZE));
}

static void skip(struct core_writer *w, u64 n)
{
	if (w->stream && !w->counting) {
		put_zeros(w, n);
		return;
	}
	w->pos += n;
	w->hole |= n != 0;
}

static void pad_to(struct core_writer *w, u64 align)
{
	static const char zeros[16];
	u64 n = ALIGN_UP(w->pos, align) - w->pos;

	if (n <= sizeof(zeros))
		put(w, zeros, n);
	else
		skip(w, n);
}

/* ---- notes ---- */

static void note_begin(struct core_writer *w, const char *owner, u32 type, size_t size)
{
	struct elf64_nhdr h = { .n_namesz = (u32)strlen(owner) + 1,
				.n_descsz = (u32)size,
				.n_type = type };

	put(w, &h, sizeof(h));
	put(w, owner, h.n_namesz);
	pad_to(w, 4);
}

static void note(struct core_writer *w, const char *owner, u32 type, const void *data, size_t size)
{
	note_begin(w, owner, type, size);
	put(w, data, size);
	pad_to(w, 4);
}

static struct core_timeval timeval(u64 ns)
{
	return (struct core_timeval){ (s64)(ns / NSEC_PER_SEC),
				      (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

static void fill_prstatus(struct core_writer *w, struct task *t, struct core_prstatus *s)
{
	struct process *p = t->process;
	struct cpu_times times;
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	s->si_signo = s->cursig = (s16)w->info->si_signo;
	s->sigpend = t->pending.set;
	s->sighold = t->blocked;
	s->pid = task_tid(t);
	flags = spin_lock_irqsave(&tasklist_lock);
	s->ppid = p->parent->pid->nr;
	s->pgrp = p->pgrp->nr;
	s->sid = p->session->nr;
	if (t == p->leader)
		process_cpu_times_locked(p, &times);
	else
		sched_get_times(t, &times);
	s->cutime = timeval(p->child_times.user_ns);
	s->cstime = timeval(p->child_times.system_ns);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	s->utime = timeval(times.user_ns);
	s->stime = timeval(times.system_ns);
}

/* Read a register set of @size bytes into the scratch buffer; one that cannot be read is all zeros. */
static void get_set(struct core_writer *w, struct task *t, const struct hal_regset *set,
		    size_t size)
{
	memset(w->scratch, 0, size);
	if (!w->counting && set->get(&t->hal, w->scratch))
		memset(w->scratch, 0, size);
}

static bool has_fpregs(struct task *t)
{
	unsigned int n;
	const struct hal_regset *sets = hal_regsets(&n);

	for (unsigned int i = 0; i < n; i++)
		if (sets[i].note == NT_PRFPREG)
			return sets[i].size(&t->hal);
	return false;
}

static void note_prstatus(struct core_writer *w, struct task *t)
{
	unsigned int n;
	const struct hal_regset *gregs = hal_regsets(&n);
	size_t size = gregs->size(&t->hal);
	struct core_prstatus s;
	u32 fpvalid[2] = { has_fpregs(t), 0 };

	fill_prstatus(w, t, &s);
	get_set(w, t, gregs, size);
	note_begin(w, "CORE", NT_PRSTATUS, sizeof(s) + size + sizeof(fpvalid));
	put(w, &s, sizeof(s));
	put(w, w->scratch, size);
	put(w, fpvalid, sizeof(fpvalid));
	pad_to(w, 4);
}

static void note_regsets(struct core_writer *w, struct task *t)
{
	unsigned int n;
	const struct hal_regset *sets = hal_regsets(&n);

	for (unsigned int i = 1; i < n; i++) {
		size_t size = sets[i].size(&t->hal);

		if (!size)
			continue;
		get_set(w, t, &sets[i], size);
		note(w, sets[i].owner, sets[i].note, w->scratch, size);
	}
}

static void note_prpsinfo(struct core_writer *w)
{
	struct vm *vm = w->vm;
	struct task *t = current;
	struct core_prpsinfo s = { .sname = 'R', .nice = t->se.nice };
	size_t n = min(vm->arg_end - vm->arg_start, sizeof(s.psargs) - 1);
	struct core_prstatus ids;

	fill_prstatus(w, t->process->leader, &ids);
	s.pid = task_pid(t);
	s.ppid = ids.ppid;
	s.pgrp = ids.pgrp;
	s.sid = ids.sid;
	s.uid = t->creds->uid;
	s.gid = t->creds->gid;
	memcpy(s.fname, t->comm, sizeof(s.fname));
	if (vm_access(vm, vm->arg_start, s.psargs, n, false, true) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (!s.psargs[i])
			s.psargs[i] = ' ';
	note(w, "CORE", NT_PRPSINFO, &s, sizeof(s));
}

static bool is_file(const struct vm_area *a)
{
	return a->mapped_file && !(a->flags & VM_VDSO);
}

/* How many mappings show files, how long their names are, page size; then start, end and offset of each; then the names. */
static void note_file(struct core_writer *w)
{
	u64 head[2] = { 0, PAGE_SIZE };
	size_t names = 0;

	for (size_t i = 0; i < w->nareas; i++)
		if (is_file(&w->areas[i])) {
			head[0]++;
			names += strlen(w->names + w->areas[i].name) + 1;
		}
	if (!head[0])
		return;
	note_begin(w, "CORE", NT_FILE, sizeof(head) + head[0] * 3 * sizeof(u64) + names);
	put(w, head, sizeof(head));
	for (size_t i = 0; i < w->nareas; i++) {
		const struct vm_area *a = &w->areas[i];
		u64 entry[3] = { a->start, a->end, a->pgoff };

		if (is_file(a))
			put(w, entry, sizeof(entry));
	}
	for (size_t i = 0; i < w->nareas; i++) {
		const char *name = w->names + w->areas[i].name;

		if (is_file(&w->areas[i]))
			put(w, name, strlen(name) + 1);
	}
	pad_to(w, 4);
}

static void note_siginfo(struct core_writer *w)
{
	u8 info[SIGINFO_SIZE] = { 0 };

	memcpy(info, w->info, sizeof(*w->info));
	note(w, "CORE", NT_SIGINFO, info, sizeof(info));
}

static void write_notes(struct core_writer *w)
{
	struct task *t;

	note_prstatus(w, current);
	note_prpsinfo(w);
	note_siginfo(w);
	note(w, "CORE", NT_AUXV, w->vm->auxv->word, w->vm->auxv->n * sizeof(u64));
	note_file(w);
	note_regsets(w, current);
	/* Nobody joins or leaves the list: all but current wait in coredump_join(). */
	list_for_each_entry(t, &current->process->threads, thread_link) {
		if (t == current)
			continue;
		note_prstatus(w, t);
		note_regsets(w, t);
	}
}

/* ---- memory ---- */

/* Does a mapping of the start of a file show an ELF header? Debuggers find the build id of the file there. */
static bool shows_elf_header(struct core_writer *w, const struct vm_area *a)
{
	char magic[SELFMAG];

	return a->mapped_file && !a->pgoff && (a->flags & VM_READ) &&
	       vm_access(w->vm, a->start, magic, sizeof(magic), false, true) == sizeof(magic) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

/* Source: core(5), "Controlling which mappings are written to the core dump". */
static u64 size_to_dump(struct core_writer *w, const struct vm_area *a)
{
	u32 filter = READ_ONCE(w->vm->dump_filter), wanted = 0;
	u64 whole = a->end - a->start;

	if (a->flags & VM_DONTDUMP)
		return 0;
	if (a->flags & VM_VDSO)
		return whole;
	if (a->flags & VM_SHARED) {
		wanted = a->unlinked ? COREDUMP_ANON_SHARED : COREDUMP_MAPPED_SHARED;
		return filter & wanted ? whole : 0;
	}
	if (a->written)
		wanted |= COREDUMP_ANON_PRIVATE;
	if (a->mapped_file)
		wanted |= COREDUMP_MAPPED_PRIVATE;
	if (filter & wanted)
		return whole;
	return (filter & COREDUMP_ELF_HEADERS) && shows_elf_header(w, a) ? PAGE_SIZE : 0;
}

static void write_area(struct core_writer *w, const struct vm_area *a, u64 size)
{
	uaddr_t at = a->start, next = a->start, end = a->start + size;
	struct page *page;

	while (!w->failed && (page = vm_dump_page(w->vm, &next, end))) {
		skip(w, next - at);
		put(w, page_to_virt(page), PAGE_SIZE);
		page_put(page);
		at = next = next + PAGE_SIZE;
		cond_resched();
	}
	skip(w, end - at);
}

static u32 segment_flags(const struct vm_area *a)
{
	return (a->flags & VM_READ ? PF_R : 0) | (a->flags & VM_WRITE ? PF_W : 0) |
	       (a->flags & VM_EXEC ? PF_X : 0);
}

/* ---- headers ---- */

static void write_header(struct core_writer *w)
{
	struct elf64_ehdr h = {
		.e_type = ET_CORE,
		.e_machine = ELF_MACHINE,
		.e_version = 1,
		.e_phoff = sizeof(h),
		.e_ehsize = sizeof(h),
		.e_phentsize = sizeof(struct elf64_phdr),
		.e_phnum = (u16)(1 + w->nareas),
	};

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	h.e_ident[EI_VERSION] = 1;
	put(w, &h, sizeof(h));
}

static void write_phdrs(struct core_writer *w, u64 notes_at, u64 notes_size, u64 memory_at)
{
	struct elf64_phdr ph = { .p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes_size };

	put(w, &ph, sizeof(ph));
	for (size_t i = 0; i < w->nareas; i++) {
		const struct vm_area *a = &w->areas[i];

		ph = (struct elf64_phdr){
			.p_type = PT_LOAD,
			.p_flags = segment_flags(a),
			.p_offset = memory_at,
			.p_vaddr = a->start,
			.p_filesz = w->dump_size[i],
			.p_memsz = a->end - a->start,
			.p_align = PAGE_SIZE,
		};
		put(w, &ph, sizeof(ph));
		memory_at += w->dump_size[i];
	}
}

static size_t largest_set(void)
{
	unsigned int n;
	const struct hal_regset *sets = hal_regsets(&n);
	size_t most = 0;
	struct task *t;

	list_for_each_entry(t, &current->process->threads, thread_link)
		for (unsigned int i = 0; i < n; i++)
			most = max(most, sets[i].size(&t->hal));
	return most;
}

static u64 count_notes(struct core_writer *w)
{
	u64 size;

	w->counting = true;
	write_notes(w);
	size = w->pos;
	w->counting = false;
	w->pos = 0;
	return size;
}

bool core_write_elf(struct core_writer *w)
{
	u64 notes_at = sizeof(struct elf64_ehdr) + (1 + w->nareas) * sizeof(struct elf64_phdr);
	u64 notes_size;

	w->scratch = kmalloc(largest_set(), 0);
	if (!w->scratch)
		return false;
	for (size_t i = 0; i < w->nareas; i++)
		w->dump_size[i] = size_to_dump(w, &w->areas[i]);
	notes_size = count_notes(w);
	write_header(w);
	write_phdrs(w, notes_at, notes_size, ALIGN_UP(notes_at + notes_size, PAGE_SIZE));
	write_notes(w);
	pad_to(w, PAGE_SIZE);
	for (size_t i = 0; i < w->nareas; i++)
		write_area(w, &w->areas[i], w->dump_size[i]);
	/* A file that ends in a hole is as long as it says it is. */
	if (w->hole && !w->failed) {
		w->pos--;
		put(w, "", 1);
	}
	kfree(w->scratch);
	return true;
}

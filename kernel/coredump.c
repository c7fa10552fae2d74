/* SPDX-License-Identifier: MIT */
/*
 * Core dumps: whether there is one, where it goes, and who waits for whom.
 *
 * The dumping thread begins the exit of its process: from then on no thread runs user code, none is created, and every one
 * that leaves the kernel ends in do_exit(), where it waits until the dump is done, its registers untouched. When all have
 * come, the file is written by core_write_elf(). A SIGKILL that arrives meanwhile ends the writing, not the wait status.
 *
 * Locking: process->core and what it points at: sighand->lock. Source: core(5), proc(5), prctl(2) PR_SET_DUMPABLE.
 */
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CORE_NAME_MAX 4096
#define CORE_MIN      PAGE_SIZE /* a smaller limit means: none */

char core_pattern[CORE_PATTERN_MAX] = "core";
u32 core_uses_pid, suid_dumpable;
static struct spinlock pattern_lock = SPINLOCK_INIT(RANK_CONSOLE);

int coredump_set_pattern(const char *pattern)
{
	unsigned long flags;

	if (pattern[0] == '|')
		return -EINVAL;
	flags = spin_lock_irqsave(&pattern_lock);
	strscpy(core_pattern, pattern, sizeof(core_pattern));
	spin_unlock_irqrestore(&pattern_lock, flags);
	return 0;
}

void coredump_get_pattern(char *out)
{
	unsigned long flags = spin_lock_irqsave(&pattern_lock);

	memcpy(out, core_pattern, sizeof(core_pattern));
	spin_unlock_irqrestore(&pattern_lock, flags);
}

/* ---- the name ---- */

/* A name as part of a file name: no slash, and not "." or "..", nor empty. */
static void put_escaped(struct printbuf *pb, const char *s)
{
	if (!s[0] || !strcmp(s, ".") || !strcmp(s, "..")) {
		printbuf_putc(pb, '!');
		if (s[0])
			printbuf_puts(pb, s + 1);
		return;
	}
	for (; *s; s++)
		printbuf_putc(pb, *s == '/' ? '!' : *s);
}

/* %E and %f: the path of the program, or its last component. */
static void put_exe(struct printbuf *pb, bool whole)
{
	char *path = kmalloc(CORE_NAME_MAX, 0);
	const char *name = path, *slash;

	if (!path)
		return;
	if (files_exe_path(current->vm, path, CORE_NAME_MAX))
		strscpy(path, current->comm, CORE_NAME_MAX);
	slash = whole ? NULL : strrchr(path, '/');
	if (slash)
		name = slash + 1;
	put_escaped(pb, name);
	kfree(path);
}

static void put_specifier(struct printbuf *pb, char c, int sig)
{
	const struct creds *creds = current->creds;
	struct process *p = current->process;

	switch (c) {
	case '%':
		printbuf_putc(pb, '%');
		break;
	case 'p':
	case 'P':
		printbuf_printf(pb, "%d", task_pid(current));
		break;
	case 'i':
	case 'I':
		printbuf_printf(pb, "%d", task_tid(current));
		break;
	case 'u':
		printbuf_printf(pb, "%u", creds->uid);
		break;
	case 'g':
		printbuf_printf(pb, "%u", creds->gid);
		break;
	case 'd':
		printbuf_printf(pb, "%d", current->vm->dumpable);
		break;
	case 's':
		printbuf_printf(pb, "%d", sig);
		break;
	case 't':
		printbuf_printf(pb, "%llu", ktime_real_ns() / NSEC_PER_SEC);
		break;
	case 'h':
		put_escaped(pb, current->ns->uts->nodename);
		break;
	case 'e':
		put_escaped(pb, current->comm);
		break;
	case 'f':
	case 'E':
		put_exe(pb, c == 'E');
		break;
	case 'c':
		printbuf_printf(pb, "%llu", p->rlim[RLIMIT_CORE].rlim_cur);
		break;
	case 'C':
		printbuf_printf(pb, "%u", current->hal.cpu);
		break;
	}
}

/* Expand the pattern. 0, or -ENAMETOOLONG. */
static int make_name(char *name, size_t size, int sig)
{
	char pattern[CORE_PATTERN_MAX];
	bool has_pid = false;
	struct printbuf pb;

	coredump_get_pattern(pattern);
	printbuf_init(&pb, name, size);
	for (const char *s = pattern; *s; s++) {
		if (*s != '%') {
			printbuf_putc(&pb, *s);
			continue;
		}
		if (!*++s)
			break;
		has_pid |= *s == 'p';
		put_specifier(&pb, *s, sig);
	}
	if (!has_pid && READ_ONCE(core_uses_pid))
		printbuf_printf(&pb, ".%d", task_pid(current));
	return printbuf_overflowed(&pb) ? -ENAMETOOLONG : 0;
}

/* ---- the other threads ---- */

static struct core_dump *dump_of(struct process *p)
{
	return READ_ONCE(p->core);
}

void coredump_join(void)
{
	struct process *p = current->process;
	struct core_dump *cd;
	unsigned long flags;
	struct sighand *sh;

	if (!dump_of(p))
		return;
	sh = sighand_lock(p, &flags);
	cd = p->core;
	if (cd)
		cd->joined++;
	spin_unlock_irqrestore(&sh->lock, flags);
	if (!cd)
		return;
	waitq_wake_all(&p->exit_wait);
	wait_event(&p->exit_wait, !dump_of(p));
}

static bool all_joined(struct process *p, const struct core_dump *cd)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	bool all = cd->joined + 1 >= p->nthreads;

	spin_unlock_irqrestore(&sh->lock, flags);
	return all;
}

/* Until every thread is in coredump_join(), or gone, and off its CPU: its registers are all in memory. */
static void wait_for_threads(struct process *p, const struct core_dump *cd)
{
	struct task *t;

	wait_event(&p->exit_wait, all_joined(p, cd));
	list_for_each_entry(t, &p->threads, thread_link)
		while (t != current && READ_ONCE(t->se.on_cpu))
			cond_resched();
}

/* ---- writing ---- */

/* Describe the mappings; room is made until they fit. 0 or -ENOMEM. */
static int get_areas(struct core_writer *w)
{
	size_t n = 64, names = 16384;

	for (int tries = 0; tries < 16; tries++) {
		long r;

		w->areas = kmalloc(n * sizeof(*w->areas), 0);
		w->dump_size = kzalloc(n * sizeof(*w->dump_size), 0);
		w->names = kmalloc(names, 0);
		r = w->areas && w->dump_size && w->names
			    ? vm_areas(w->vm, w->areas, n, w->names, names)
			    : -ENOMEM;
		if (r >= 0 && (size_t)r <= n) {
			w->nareas = (size_t)r;
			return 0;
		}
		kfree(w->areas);
		kfree(w->dump_size);
		kfree(w->names);
		if (r == -ENOMEM)
			break;
		if (r == -ENOSPC)
			names *= 4;
		else
			n = (size_t)r + 16;
	}
	w->areas = NULL;
	w->dump_size = NULL;
	w->names = NULL;
	return -ENOMEM;
}

/* Write it. Returns whether there is something in the file that can be called a core. */
static bool write_core(struct core_dump *cd, const struct siginfo *info, struct file *file)
{
	struct core_writer w = {
		.file = file,
		.dump = cd,
		.info = info,
		.vm = current->vm,
		.limit = task_rlimit(RLIMIT_CORE),
	};
	bool done = false;

	if (!get_areas(&w))
		done = core_write_elf(&w);
	kfree(w.areas);
	kfree(w.dump_size);
	kfree(w.names);
	return done;
}

/* The file to write to, or an error: no core. */
static struct file *open_core(int sig)
{
	bool safe = current->vm->dumpable == DUMPABLE_ROOT;
	char *name = kmalloc(CORE_NAME_MAX, 0);
	struct file *f;
	int r;

	if (!name)
		return ERR_PTR(-ENOMEM);
	r = make_name(name, CORE_NAME_MAX, sig);
	f = r ? ERR_PTR(r) : files_core_create(name, safe);
	kfree(name);
	return f;
}

void coredump(const struct siginfo *info)
{
	struct process *p = current->process;
	struct core_dump cd = { .dumper = current };
	struct file *file;
	bool dumped = false;

	if (!current->vm || current->vm->dumpable == DUMPABLE_NO ||
	    task_rlimit(RLIMIT_CORE) < CORE_MIN)
		return;
	if (!sig_begin_dump(&cd, info->si_signo))
		return;
	wait_for_threads(p, &cd);
	file = open_core(info->si_signo);
	if (!IS_ERR(file)) {
		dumped = write_core(&cd, info, file);
		files_core_close(file);
	}
	sig_end_dump(&cd, dumped);
}

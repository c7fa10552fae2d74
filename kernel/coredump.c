/* SPDX-License-Identifier: MIT */
/*
 * Core dumps: whether there is one, where it goes, and who waits for whom.
 *
 * The dumping thread begins the exit of its process: from then on no thread runs user code, none is created, and every one
 * that leaves the kernel ends in do_exit(), where it waits until the dump is done, its registers untouched. When all have
 * come, the file is written by core_write_elf(). A SIGKILL that arrives meanwhile ends the writing, and is what the process died of.
 *
 * A pattern that begins with '|' names a program that the kernel starts (kernel/helper.h) to read the core from its descriptor 0. Words are
 * told apart before the specifiers are replaced, so that a name with spaces remains one argument.
 *
 * Locking: process->core and what it points at: sighand->lock. Source: core(5), proc(5), prctl(2) PR_SET_DUMPABLE.
 */
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/helper.h>
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
u32 core_uses_pid, core_pipe_limit, suid_dumpable;
static u32 npiped; /* atomic: dumps to pipes under way */
static struct spinlock pattern_lock = SPINLOCK_INIT(RANK_CONSOLE);

void coredump_set_pattern(const char *pattern)
{
	unsigned long flags = spin_lock_irqsave(&pattern_lock);

	strscpy(core_pattern, pattern, sizeof(core_pattern));
	spin_unlock_irqrestore(&pattern_lock, flags);
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

/* What a pattern becomes: a file's name, or a program and its arguments. */
struct core_target {
	char pattern[CORE_PATTERN_MAX];
	char name[CORE_NAME_MAX]; /* words, each with its NUL */
	char *argv[CORE_PATTERN_MAX / 2 + 1];
	unsigned int argc;
	bool has_pid; /* the pid is part of it */
};

/* Put what stands at @s and return what follows it; NULL: nothing more. */
static const char *put_next(struct core_target *to, struct printbuf *pb, const char *s, int sig)
{
	if (*s != '%') {
		printbuf_putc(pb, *s);
		return s + 1;
	}
	if (!*++s)
		return NULL;
	to->has_pid |= *s == 'p';
	put_specifier(pb, *s, sig);
	return s + 1;
}

/* 0, or -ENAMETOOLONG. */
static int make_name(struct core_target *to, int sig)
{
	struct printbuf pb;

	printbuf_init(&pb, to->name, sizeof(to->name));
	for (const char *s = to->pattern; s && *s;)
		s = put_next(to, &pb, s, sig);
	if (!to->has_pid && READ_ONCE(core_uses_pid))
		printbuf_printf(&pb, ".%d", task_pid(current));
	return printbuf_overflowed(&pb) ? -ENAMETOOLONG : 0;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The same for a pipe. 0, -ENAMETOOLONG, or -ENOENT: no program is named. */
static int make_command(struct core_target *to, int sig)
{
	bool new_word = false;
	struct printbuf pb;

	printbuf_init(&pb, to->name, sizeof(to->name));
	to->argv[to->argc++] = to->name;
	for (const char *s = to->pattern + 1; s && *s;) {
		if (is_space(*s)) {
			new_word = printbuf_used(&pb) != 0;
			s++;
			continue;
		}
		if (new_word) {
			printbuf_putc(&pb, '\0');
			to->argv[to->argc++] = to->name + printbuf_used(&pb);
		}
		new_word = false;
		s = put_next(to, &pb, s, sig);
	}
	if (printbuf_overflowed(&pb))
		return -ENAMETOOLONG;
	return to->name[0] ? 0 : -ENOENT;
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
static bool write_core(struct core_dump *cd, const struct siginfo *info, struct file *file,
		       bool stream)
{
	struct core_writer w = {
		.file = file,
		.dump = cd,
		.info = info,
		.vm = current->vm,
		.limit = stream ? RLIM_INFINITY : task_rlimit(RLIMIT_CORE),
		.stream = stream,
	};
	bool done = false;

	if (!get_areas(&w))
		done = core_write_elf(&w);
	kfree(w.areas);
	kfree(w.dump_size);
	kfree(w.names);
	return done;
}

static bool dump_to_file(struct core_dump *cd, const struct siginfo *info, struct core_target *to)
{
	bool safe = current->vm->dumpable == DUMPABLE_ROOT, dumped;
	struct file *file;

	if (task_rlimit(RLIMIT_CORE) < CORE_MIN || make_name(to, info->si_signo))
		return false;
	file = files_core_create(to->name, safe);
	if (IS_ERR(file))
		return false;
	dumped = write_core(cd, info, file, false);
	files_core_close(file);
	return dumped;
}

/* Start the program; the end of the pipe to write to. ERR_PTR. */
static struct file *start_reader(struct core_target *to, int sig)
{
	struct file *input, *output;
	int r = make_command(to, sig);

	if (r)
		return ERR_PTR(r);
	output = files_core_pipe(&input);
	if (IS_ERR(output))
		return output;
	r = helper_start(to->argv, input);
	if (!r)
		return output;
	files_core_close(output);
	return ERR_PTR(r);
}

/* With a limit, the number of dumps at a time, this waits for the reader, who may look into /proc/PID until it ends. */
static bool dump_to_pipe(struct core_dump *cd, const struct siginfo *info, struct core_target *to)
{
	u32 limit = READ_ONCE(core_pipe_limit);
	u32 n = __atomic_add_fetch(&npiped, 1, __ATOMIC_RELAXED);
	struct file *file = ERR_PTR(-EAGAIN);
	bool dumped = false;

	if (!limit || n <= limit)
		file = start_reader(to, info->si_signo);
	if (IS_ERR(file)) {
		pr_info("process %d (%s): no core dump to \"%s\": %pe\n", task_pid(current),
			current->comm, to->pattern, file);
	} else {
		dumped = write_core(cd, info, file, true);
		if (limit)
			files_core_wait(file);
		files_core_close(file);
	}
	__atomic_sub_fetch(&npiped, 1, __ATOMIC_RELAXED);
	return dumped;
}

/* A pipe pays no regard to RLIMIT_CORE, but for 1: that is what the reader itself has, whose core would start the next reader. */
static bool dump(struct core_dump *cd, const struct siginfo *info)
{
	struct core_target *to = kzalloc(sizeof(*to), 0);
	bool dumped = false;

	if (!to)
		return false;
	coredump_get_pattern(to->pattern);
	if (to->pattern[0] != '|')
		dumped = dump_to_file(cd, info, to);
	else if (task_rlimit(RLIMIT_CORE) != 1)
		dumped = dump_to_pipe(cd, info, to);
	kfree(to);
	return dumped;
}

void coredump(const struct siginfo *info)
{
	struct process *p = current->process;
	struct core_dump cd = { .dumper = current };

	if (!current->vm || current->vm->dumpable == DUMPABLE_NO ||
	    (task_rlimit(RLIMIT_CORE) < CORE_MIN && READ_ONCE(core_pattern[0]) != '|'))
		return;
	if (!sig_begin_dump(&cd, info->si_signo))
		return;
	wait_for_threads(p, &cd);
	sig_end_dump(&cd, dump(&cd, info));
}

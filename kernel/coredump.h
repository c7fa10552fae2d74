/* SPDX-License-Identifier: MIT */
/*
 * Core dumps: the memory and registers of a process that dies of a signal, in a file.
 *
 *	coredump(info)		by the thread that takes the signal: stops the others, writes, marks the process as exiting
 *	coredump_join()		by every thread that exits: wait until a dump that is under way is done
 *
 * Source: core(5).
 */
#ifndef KERNEL_COREDUMP_H
#define KERNEL_COREDUMP_H

#include <kernel/task.h>
#include <lib/printf.h>
#include <mm/vm.h>

/* Signals whose default action includes a core dump. */
#define SIG_COREDUMP_MASK                                                                                              \
	(SIGMASK(SIGQUIT) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGABRT) | SIGMASK(SIGFPE) |                 \
	 SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGSYS) | SIGMASK(SIGXCPU) | SIGMASK(SIGXFSZ))

/* What vm->dumpable says. */
#define DUMPABLE_NO   0
#define DUMPABLE_USER 1
#define DUMPABLE_ROOT 2 /* fs.suid_dumpable=2: by root only, to a safe place */

/* A dump that is under way (process->core). */
struct core_dump {
	struct task *dumper;
	unsigned int joined; /* s: threads that wait in coredump_join() */
	bool killed;	     /* s: by SIGKILL: stop writing */
};

/**
 * coredump() - current's process dies of @info->si_signo by default action; leave a core file if its settings allow one.
 * Afterwards the process is exiting, with a wait status that has bit 7 only if a core was written; nothing happens if it was exiting
 * already. Context: current task, no locks, on its way to user mode or in a system call. May sleep.
 */
void coredump(const struct siginfo *info);
/** coredump_join() - current exits: let its registers be read first if its process is being dumped. Sleeps. */
void coredump_join(void);

/* Between signal.c and coredump.c: begin the end of the process with a dump; false: it is ending already. Then finish it. */
bool sig_begin_dump(struct core_dump *cd, int sig);
void sig_end_dump(struct core_dump *cd, bool dumped);

/* Settings: /proc/sys. */
#define CORE_PATTERN_MAX 128 /* with its NUL */
extern char core_pattern[CORE_PATTERN_MAX]; /* written by coredump_set_pattern() */
extern u32 core_uses_pid, core_pipe_limit, suid_dumpable;
void coredump_set_pattern(const char *pattern);
/** coredump_get_pattern() - copy it out, CORE_PATTERN_MAX bytes. */
void coredump_get_pattern(char *out);

/* ---- the file's format: coredump_elf.c ---- */

struct core_writer {
	struct file *file;
	const struct core_dump *dump;
	const struct siginfo *info;
	struct vm *vm;
	struct vm_area *areas;
	char *names; /* of the areas' files */
	size_t nareas;
	u64 *dump_size; /* bytes of each area that go into the file */
	u64 pos, limit, written;
	bool counting; /* nothing is written, only pos counts */
	bool hole;     /* the last thing was a hole */
	bool stream;   /* a pipe: holes are written as zeros */
	bool failed;   /* an error, the limit, or SIGKILL: write no more */
	void *scratch; /* room for any register set */
};
/** core_write_elf() - write the whole core file. False: not even its header. */
bool core_write_elf(struct core_writer *w);

#endif

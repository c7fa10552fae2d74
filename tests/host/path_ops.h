/* SPDX-License-Identifier: MIT */
/*
 * Operations on paths, decoded from bytes, and carried out by Caelum's file system (path_ops.c) or by the Linux
 * that runs the test (path_ops_linux.c, which may not include the kernel's headers: hence the plain types).
 */
#ifndef PATH_OPS_H
#define PATH_OPS_H

#include <stddef.h>

#define PATH_OP_TEXT 5000

enum path_op_kind {
	OP_MKDIR,
	OP_RMDIR,
	OP_UNLINK,
	OP_SYMLINK,
	OP_LINK,
	OP_RENAME,
	OP_OPEN,
	OP_WRITE,
	OP_STAT,
	OP_LSTAT,
	OP_READLINK,
	OP_CHDIR,
	OP_GETCWD,
	OP_TRUNCATE,
	OP_MKFIFO,
	OP_OPEN2,
	OP_KINDS
};

struct path_op {
	enum path_op_kind kind;
	char a[PATH_OP_TEXT], b[PATH_OP_TEXT];
	unsigned int flags; /* index of what the call's flags are: see path_ops_flags() */
	unsigned int size;
};

struct path_result {
	long ret; /* 0 or more, or -errno */
	unsigned int mode, nlink;
	unsigned long long size;
	char text[PATH_OP_TEXT];
};

/* Decode one operation from [*data, *data + *left); false when the bytes are used up. */
int path_op_decode(const unsigned char **data, size_t *left, struct path_op *op);
const char *path_op_name(enum path_op_kind kind);

/* Flags by number, as bits both sides know (Linux's x86-64 and generic values are the same for these). */
unsigned int path_ops_open_flags(unsigned int n);
unsigned int path_ops_rename_flags(unsigned int n);
unsigned long long path_ops_resolve(unsigned int n);

void path_ops_init(void);					    /* Caelum's root */
void path_ops_run(const struct path_op *op, struct path_result *r); /* on Caelum */
void path_ops_clear(void); /* remove everything, back to / */
/** path_ops_leaks() - objects and pages in use beyond those at the end of path_ops_init(), after path_ops_clear(). */
long path_ops_leaks(void);

int linux_ops_init(void); /* a root in a tmpfs of this machine: 0, or -1 when that cannot be had */
void linux_ops_run(const struct path_op *op, struct path_result *r);
void linux_ops_clear(void);
void linux_ops_fini(void); /* leave that root again and remove it */

#endif

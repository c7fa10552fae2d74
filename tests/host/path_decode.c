/* SPDX-License-Identifier: MIT */
/* Bytes to path operations: see path_ops.h. Paths are made of few names, so that they meet. */
#include <string.h>

#include "path_ops.h"

static const char *const names[] = { "a", "b", "c", "dd", "a", "b", ".", ".." };

static unsigned int next(const unsigned char **data, size_t *left)
{
	if (!*left)
		return 0;
	(*left)--;
	return *(*data)++;
}

static void append(char *path, const char *text, size_t n)
{
	size_t have = strlen(path);

	if (have + n >= PATH_OP_TEXT)
		return;
	memcpy(path + have, text, n);
	path[have + n] = '\0';
}

/*
 * First byte: bit 7 absolute, bit 6 trailing slash, bit 5 double slashes, low three bits the number of names. Each name
 * is one byte: mostly an index into names, else one of 255 or 256 letters, or many repetitions of "./".
 */
static void decode_path(const unsigned char **data, size_t *left, char *path)
{
	static const char letters[] =
		"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll";
	unsigned int head = next(data, left), n = head & 7;

	path[0] = '\0';
	if (head & 0x80)
		append(path, "/", 1);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int byte = next(data, left);

		if (i)
			append(path, "//", head & 0x20 ? 2 : 1);
		if (byte < 0xf8) {
			append(path, names[byte & 7], strlen(names[byte & 7]));
		} else if (byte < 0xfc) {
			for (unsigned int k = 0; k < 4; k++)
				append(path, letters, 64 - (k == 3 && byte < 0xfa));
		} else {
			for (unsigned int k = 0; k < (byte == 0xff ? 2047u : 1000u); k++)
				append(path, "./", 2);
		}
	}
	if (head & 0x40)
		append(path, "/", 1);
}

int path_op_decode(const unsigned char **data, size_t *left, struct path_op *op)
{
	if (!*left)
		return 0;
	op->kind = (enum path_op_kind)(next(data, left) % OP_KINDS);
	decode_path(data, left, op->a);
	op->b[0] = '\0';
	if (op->kind == OP_SYMLINK || op->kind == OP_LINK || op->kind == OP_RENAME)
		decode_path(data, left, op->b);
	op->flags = next(data, left);
	op->size = op->kind == OP_WRITE || op->kind == OP_TRUNCATE ? next(data, left) * 37 : 0;
	return 1;
}

const char *path_op_name(enum path_op_kind kind)
{
	static const char *const text[] = { "mkdir",  "rmdir",	  "unlink",   "symlink",
					    "link",   "rename",	  "open",     "write",
					    "stat",   "lstat",	  "readlink", "chdir",
					    "getcwd", "truncate", "mkfifo",   "openat2" };

	return text[kind];
}

unsigned int path_ops_open_flags(unsigned int n)
{
	/* O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW, O_DIRECTORY, O_PATH; bits 0-1 of n the access mode. FIFOs must not block. */
	static const unsigned int sets[] = { 0,		0100,	  0300,	   01000,
					     01100,	0400000,  0200000, 010000000,
					     010600000, 0400100,  0200100, 0200300,
					     010000100, 01400000, 0600000, 02000100 };

	return sets[n >> 4 & 15] | (n & 3) % 3 | 04000;
}

unsigned int path_ops_rename_flags(unsigned int n)
{
	static const unsigned int sets[] = { 0, 0, 0, 1, 2, 3, 8, 0 };

	return sets[n & 7];
}

unsigned long long path_ops_resolve(unsigned int n)
{
	static const unsigned int sets[] = { 0,	   1,	  2,	4,    8, 0x10, 0x0c, 0x18,
					     0x1c, 0x100, 0x14, 0x11, 6, 5,    9,    0x0d };

	return sets[n & 15];
}

/* SPDX-License-Identifier: MIT */
/* Rows of files: names and tmpfs data. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define NAME "/tmp/bench-file"

static int fd;
static long chunk;
static char *buffer;

static void make_file(long size)
{
	chunk = size ? size : 4096;
	buffer = malloc((size_t)chunk);
	memset(buffer, 'x', (size_t)chunk);
	fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, buffer, (size_t)chunk) != chunk)
		die(NAME);
}

static void run_stat(long rounds)
{
	struct stat st;

	while (rounds--)
		if (stat(NAME, &st) != 0 || st.st_size != 4096)
			die("stat");
}

static void run_fstat(long rounds)
{
	struct stat st;

	while (rounds--)
		if (fstat(fd, &st) != 0 || st.st_size != 4096)
			die("fstat");
}

static void run_open_close(long rounds)
{
	while (rounds--) {
		int f = open(NAME, O_RDONLY);

		if (f < 0 || close(f) != 0)
			die("open");
	}
}

static void run_create_unlink(long rounds)
{
	while (rounds--) {
		int f = open("/tmp/bench-new", O_WRONLY | O_CREAT | O_EXCL, 0600);

		if (f < 0 || close(f) != 0 || unlink("/tmp/bench-new") != 0)
			die("create");
	}
}

static void run_file_read(long rounds)
{
	while (rounds--) {
		sys3(SYS_lseek, fd, 0, SEEK_SET);
		if (sys3(SYS_read, fd, (long)buffer, chunk) != chunk)
			die("read");
	}
}

static void run_file_write(long rounds)
{
	while (rounds--) {
		sys3(SYS_lseek, fd, 0, SEEK_SET);
		if (sys3(SYS_write, fd, (long)buffer, chunk) != chunk)
			die("write");
	}
}

const struct row file_rows[] = {
	ROW("stat", run_stat, 5000, .prepare = make_file),
	ROW("fstat", run_fstat, 5000, .prepare = make_file),
	ROW("open-close", run_open_close, 5000, .prepare = make_file),
	ROW("create-unlink", run_create_unlink, 2000),
	ROW("tmpfs-read-4k", run_file_read, 2000, .prepare = make_file, .arg = 4096),
	ROW("tmpfs-read-64k", run_file_read, 300, .prepare = make_file, .arg = 65536),
	ROW("tmpfs-write-4k", run_file_write, 2000, .prepare = make_file, .arg = 4096),
	ROW("tmpfs-write-64k", run_file_write, 300, .prepare = make_file, .arg = 65536),
	{ .name = NULL },
};

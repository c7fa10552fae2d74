/* SPDX-License-Identifier: MIT */
/* Rows of memory: mappings and faults. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096L

static char *area;
static int fd;
static long page;

static char *map(size_t size, int prot, int flags, int f)
{
	char *p = mmap(NULL, size, prot, flags, f, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void run_mmap(long rounds)
{
	while (rounds--) {
		char *p = map(65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		for (int i = 0; i < 65536; i += PAGE)
			p[i] = 1;
		munmap(p, 65536);
	}
}

/* Without huge pages: what is measured is a fault. */
static void run_anon_fault(long rounds)
{
	char *p = map((size_t)(rounds * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1);

	madvise(p, (size_t)(rounds * PAGE), MADV_NOHUGEPAGE);
	for (long i = 0; i < rounds; i++)
		p[i * PAGE] = 1;
	munmap(p, (size_t)(rounds * PAGE));
}

static void make_file(long pages)
{
	char data[PAGE];

	memset(data, 'f', sizeof(data));
	fd = open("/tmp/bench-mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		die("open");
	for (long i = 0; i < pages; i++)
		if (write(fd, data, sizeof(data)) != PAGE)
			die("write");
}

/* A round is a page read through a private mapping of a file. */
static void run_file_fault(long rounds)
{
	char *p = map((size_t)(rounds * PAGE), PROT_READ, MAP_PRIVATE, fd);

	for (long i = 0; i < rounds; i++)
		if (*(volatile char *)(p + i * PAGE) != 'f')
			die("content");
	munmap(p, (size_t)(rounds * PAGE));
}

static void run_cow_fault(long rounds)
{
	char *p = map((size_t)(rounds * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);

	for (long i = 0; i < rounds; i++)
		p[i * PAGE] = 1;
	munmap(p, (size_t)(rounds * PAGE));
}

static void make_area(long arg)
{
	area = map((size_t)(64 * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(area, 1, (size_t)(64 * PAGE));
	page = 0;
}

/* One page of 64 to read-only and back. */
static void run_mprotect(long rounds)
{
	while (rounds--) {
		char *p = area + (page++ & 63) * PAGE;

		if (mprotect(p, PAGE, PROT_READ) != 0 ||
		    mprotect(p, PAGE, PROT_READ | PROT_WRITE) != 0)
			die("mprotect");
	}
}

const struct row memory_rows[] = {
	ROW("mmap-touch-unmap", run_mmap, 500),
	ROW("anon-fault", run_anon_fault, 2048),
	ROW("file-fault", run_file_fault, 1024, .prepare = make_file, .arg = 1024),
	ROW("cow-fault", run_cow_fault, 1024, .prepare = make_file, .arg = 1024),
	ROW("mprotect", run_mprotect, 2000, .prepare = make_area),
	{ .name = NULL },
};

/* SPDX-License-Identifier: MIT */
/* /proc/irq: masks and lists agree, what is not a set of CPUs is refused, a line that can be moved shows where it was sent. */
#include "tap.h"

#include <dirent.h>
#include <sched.h>

static char path[512];

static const char *file_of(const char *irq, const char *name)
{
	snprintf(path, sizeof(path), "/proc/irq/%s/%s", irq, name);
	return path;
}

static int read_line(const char *irq, const char *name, char *buf, size_t size)
{
	int fd = open(file_of(irq, name), O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 1 || buf[n - 1] != '\n')
		return -EIO;
	buf[n - 1] = '\0';
	return 0;
}

/* 0 or the error. */
static int write_line(const char *irq, const char *name, const char *text)
{
	int fd = open(file_of(irq, name), O_WRONLY), err;

	if (fd < 0)
		return errno;
	err = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
	close(fd);
	return err;
}

/* Of up to 64 CPUs; 0: not one. */
static unsigned long long from_mask(const char *s)
{
	unsigned long long v = 0;

	for (; *s; s++)
		if (*s != ',')
			v = v << 4 | (unsigned long long)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return v;
}

static unsigned long long from_list(const char *s)
{
	unsigned long long v = 0;

	while (*s) {
		char *end;
		unsigned long first = strtoul(s, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first < 64; first++)
			v |= 1ULL << first;
		s = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return 0;
	}
	return v;
}

static unsigned int checked, moved;

static void check_line(const char *irq)
{
	char mask[256], list[256], old[256], where[64];
	int err;

	CHECK(read_line(irq, "smp_affinity", mask, sizeof(mask)) == 0);
	CHECK(read_line(irq, "smp_affinity_list", list, sizeof(list)) == 0);
	CHECK(from_mask(mask) && from_mask(mask) == from_list(list));
	snprintf(old, sizeof(old), "%s", list);
	err = write_line(irq, "smp_affinity_list", "0\n");
	checked++; /* some cannot be moved, says their driver or their controller */
	if (err)
		return;
	moved++;
	CHECK(read_line(irq, "smp_affinity_list", list, sizeof(list)) == 0 && !strcmp(list, "0"));
	CHECK(read_line(irq, "smp_affinity", mask, sizeof(mask)) == 0 && from_mask(mask) == 1);
	CHECK(read_line(irq, "effective_affinity_list", where, sizeof(where)) == 0);
	CHECK(from_list(where) != 0);
	CHECK(write_line(irq, "smp_affinity", "1") == 0);
	CHECK(write_line(irq, "smp_affinity", "0") == EINVAL);
	CHECK(write_line(irq, "smp_affinity", "z") == EINVAL);
	CHECK(write_line(irq, "smp_affinity_list", "z") == EINVAL);
	CHECK(write_line(irq, "smp_affinity_list", "3-1") == EINVAL);
	CHECK(write_line(irq, "smp_affinity_list", "0-99999") == ERANGE);
	CHECK(read_line(irq, "smp_affinity_list", list, sizeof(list)) == 0 && !strcmp(list, "0"));
	CHECK(write_line(irq, "smp_affinity_list", old) == 0);
	CHECK(read_line(irq, "smp_affinity_list", list, sizeof(list)) == 0 && !strcmp(list, old));
}

static void lines(void)
{
	DIR *d = opendir("/proc/irq");
	struct dirent *e;

	REQUIRE(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			check_line(e->d_name);
	closedir(d);
	CHECK(moved > 0);
	printf("# %u lines, %u can be moved\n", checked, moved);
}

static void no_such(void)
{
	CHECK(open("/proc/irq/99999/smp_affinity", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(open("/proc/irq/00/smp_affinity", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(open("/proc/irq/x", O_RDONLY) < 0 && errno == ENOENT);
}

/* A container shows the machine's interrupts, and keeps them as they are. */
static int writable(void)
{
	DIR *d = opendir("/proc/irq");
	struct dirent *e;
	int found = 0;

	while (d && !found && (e = readdir(d)) != NULL)
		found = e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
			access(file_of(e->d_name, "smp_affinity_list"), W_OK) == 0;
	if (d)
		closedir(d);
	return found;
}

int main(void)
{
	if (geteuid() != 0 || !writable())
		SKIP("interrupts may not be moved here");
	TAP_RUN(lines);
	TAP_RUN(no_such);
	return tap_done();
}

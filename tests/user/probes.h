/* SPDX-License-Identifier: MIT */
/* What tests of uprobe_events and kprobe_events share. Included after tap.h. */
#ifndef TESTS_USER_PROBES_H
#define TESTS_USER_PROBES_H

#include <stdbool.h>
#include <sys/mount.h>

#define TRACING "/sys/kernel/tracing"

static char probe_text[1 << 18];

/* Write formatted text to a file of tracefs. 0, or -1 with errno. */
__attribute__((format(printf, 3, 4), unused)) static int probe_put(const char *name, int flags,
								   const char *fmt, ...)
{
	char path[256], line[1024];
	va_list args;
	int fd, n, saved;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -1;
	n = (int)write(fd, line, (size_t)n);
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

__attribute__((unused)) static const char *probe_get(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), TRACING "/%s", name);
	if (tap_read_file(path, probe_text, sizeof(probe_text)) < 0)
		snprintf(probe_text, sizeof(probe_text), "(%s: %s)", name, tap_errname(errno));
	return probe_text;
}

__attribute__((unused)) static int probe_enable(const char *group, const char *event, int on)
{
	char path[128];

	snprintf(path, sizeof(path), "events/%s/%s/enable", group, event);
	return probe_put(path, 0, "%d\n", on);
}

/* Hits of one event; -1: not in the profile. */
__attribute__((unused)) static long probe_hits(const char *profile, const char *event)
{
	char *save, *line, name[64];
	long hits = -1;

	probe_get(profile);
	for (line = strtok_r(probe_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *at = strstr(line, event);

		snprintf(name, sizeof(name), " %s ", event);
		at = strstr(line, name);
		if (at)
			hits = atol(at + strlen(name));
	}
	return hits;
}

/* Lines of the trace that contain @what. */
__attribute__((unused)) static int probe_lines(const char *what)
{
	char *save, *line;
	int n = 0;

	probe_get("trace");
	for (line = strtok_r(probe_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += line[0] != '#' && strstr(line, what) != NULL;
	return n;
}

__attribute__((unused)) static void probe_clear_trace(void)
{
	int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

/* Skip the whole program where probes cannot be used. */
__attribute__((unused)) static void probe_require(const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "/%s", file);
	if (access(path, W_OK) != 0)
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (geteuid() != 0 || access(path, W_OK) != 0)
		SKIP("no %s here", path);
	probe_put("tracing_on", 0, "1\n");
}

/* The file that @addr of this process is mapped from, and the offset in it. */
__attribute__((unused)) static unsigned long probe_file_offset(const void *addr, char *file)
{
	unsigned long start, end, offset, a = (unsigned long)addr;
	char line[512], path[256];
	FILE *f = fopen("/proc/self/maps", "r");

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &start, &end, &offset, path) != 4)
			continue;
		if (a >= start && a < end) {
			fclose(f);
			strcpy(file, path);
			return a - start + offset;
		}
	}
	fclose(f);
	REQUIRE(!"address is not mapped from a file");
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/* What tests of tracefs share; where they work: in an instance of their own, where there are instances. Included after tap.h. */
#ifndef TESTS_USER_TRACEFS_H
#define TESTS_USER_TRACEFS_H

#include <stdbool.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define TRACEFS_MAGIC 0x74726163

static char top[64] = "/sys/kernel/tracing";
static char instance[128];
static int mounted;

/* Go there; skip the test without the rights. */
static void tracefs_enter(void)
{
	struct statfs fs;
	int made;

	if (statfs(top, &fs) || fs.f_type != TRACEFS_MAGIC) {
		snprintf(top, sizeof(top), "/tmp/tracefs.%d", getpid());
		mkdir("/tmp", 01777);
		REQUIRE(mkdir(top, 0700) == 0);
		if (mount("none", top, "tracefs", 0, NULL)) {
			rmdir(top);
			SKIP("tracefs cannot be mounted: %s", tap_errname(errno));
		}
		mounted = 1;
	}
	if (chdir(top))
		SKIP("%s: %s", top, tap_errname(errno));
	snprintf(instance, sizeof(instance), "%s/instances/t%d", top, getpid());
	made = mkdir(instance, 0700) == 0;
	CHECK(made || !tap_on_caelum() || geteuid() != 0);
	if (made)
		REQUIRE(chdir(instance) == 0);
	else
		instance[0] = '\0';
	if (access("tracing_on", W_OK))
		SKIP("no right to write: %s", tap_errname(errno));
}

static void tracefs_leave(void)
{
	CHECK_OK(chdir("/"));
	if (instance[0])
		CHECK_OK(rmdir(instance));
	if (mounted) {
		umount(top);
		rmdir(top);
	}
}

#define BIG (1 << 20)

static char text[BIG];

/* ---- files ---- */

__attribute__((unused)) static int put_flags(const char *name, const char *value, int flags)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC | flags), saved;
	ssize_t n;

	if (fd < 0)
		return -1;
	/* set_event may take one word at a time. */
	do {
		n = write(fd, value, strlen(value));
		value += n > 0 ? n : 0;
	} while (n > 0 && *value);
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

__attribute__((unused)) static int put(const char *name, const char *value)
{
	return put_flags(name, value, 0);
}

__attribute__((unused)) static const char *get(const char *name)
{
	if (tap_read_file(name, text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "(%s: %s)", name, tap_errname(errno));
	return text;
}

__attribute__((unused)) static void clear(void)
{
	int fd = (int)CHECK_OK(open("trace", O_WRONLY | O_TRUNC));

	close(fd);
}

__attribute__((unused)) static void reset(void)
{
	CHECK_OK(put("tracing_on", "1"));
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	CHECK_OK(put("trace_clock", "local"));
	clear();
}

/* Lines of trace with @what in them, of this process (or of @pid). */
__attribute__((unused)) static int count_of(pid_t pid, const char *what)
{
	char who[16], *line, *save;
	int n = 0;

	snprintf(who, sizeof(who), "-%d ", pid);
	get("trace");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += strstr(line, who) && strstr(line, what);
	return n;
}

__attribute__((unused)) static int count(const char *what)
{
	return count_of(getpid(), what);
}

#endif

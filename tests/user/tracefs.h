/* SPDX-License-Identifier: MIT */
/* Where the tests of tracefs work: in an instance of their own, where there are instances. Included after tap.h. */
#ifndef TESTS_USER_TRACEFS_H
#define TESTS_USER_TRACEFS_H

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
	if (mkdir(instance, 0700) == 0)
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

#endif

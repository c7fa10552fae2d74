/* SPDX-License-Identifier: MIT */
/* What tests that mount share: mounts that nobody else on the machine sees, where that can be had. Included after tap.h. */
#ifndef TESTS_USER_MOUNTS_H
#define TESTS_USER_MOUNTS_H

#include <sched.h>
#include <sys/mount.h>

/* Mounts from now on are this process's own. Skips the test without the rights. */
static void mounts_unshare(void)
{
	umask(022);
	if (geteuid() != 0)
		SKIP("mounting needs root");
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Go into a new tmpfs at "t". */
__attribute__((unused)) static void mounts_enter_tmpfs(const char *options)
{
	CHECK_OK(mkdir("t", 0755));
	if (mount("none", "t", "tmpfs", 0, options) && mount("none", "t", "tmpfs", 0, "mode=755"))
		SKIP("no tmpfs can be mounted here");
	REQUIRE(chdir("t") == 0);
}

__attribute__((unused)) static void mounts_leave_tmpfs(void)
{
	CHECK_OK(chdir(".."));
	CHECK_OK(umount("t"));
	CHECK_OK(rmdir("t"));
}

#endif

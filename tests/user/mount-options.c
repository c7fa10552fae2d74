/* SPDX-License-Identifier: MIT */
/*
 * What the options of mount(2) mean to file systems without a device, and that options nobody knows are refused. Needs root; runs in a mount namespace of
 * its own where there are such.
 */
#include "tap.h"
#include "mounts.h"
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/personality.h>

static bool listed(const char *dir, const char *option)
{
	char line[512], where[256], opts[256];
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %255s %*s %255s", where, opts) == 2 && !strcmp(where, dir))
			found = strstr(opts, option) != NULL;
	if (f)
		fclose(f);
	return found;
}

static void refused(void)
{
	static const char *const types[] = { "tmpfs", "proc", "sysfs", "devpts" };

	CHECK_OK(mkdir("at", 0755));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		CHECK_ERRNO(mount("none", "at", types[i], 0, "nosuchoption=1"), EINVAL);
	CHECK_ERRNO(mount("none", "at", "tmpfs", 0, "mode=89"), EINVAL);
	CHECK_ERRNO(mount("none", "at", "tmpfs", 0, "uid="), EINVAL);
	CHECK_ERRNO(mount("none", "at", "tmpfs", 0, "size=1x"), EINVAL);
	CHECK_ERRNO(mount("none", "at", "proc", 0, "hidepid=3"), EINVAL);
	CHECK_ERRNO(mount("none", "at", "devpts", 0, "ptmxmode=x"), EINVAL);
	CHECK_OK(rmdir("at"));
}

static void tmpfs_owner(void)
{
	struct stat st;

	CHECK_OK(mkdir("t", 0755));
	CHECK_OK(mount("none", "t", "tmpfs", 0, "uid=1000,gid=1001,mode=0712,size=64k"));
	CHECK_OK(stat("t", &st));
	CHECK_EQ(st.st_uid, 1000);
	CHECK_EQ(st.st_gid, 1001);
	CHECK_EQ(st.st_mode & 07777, 0712);
	CHECK_OK(umount("t"));
	CHECK_OK(rmdir("t"));
}

static void terminals(void)
{
	struct stat st;
	char name[64], dir[256];
	int fd, n = -1;

	REQUIRE(getcwd(dir, sizeof(dir) - 8) != NULL);
	strcat(dir, "/pts");
	CHECK_OK(mkdir("pts", 0755));
	CHECK_OK(mount("none", "pts", "devpts", 0,
		       "newinstance,uid=7,gid=8,mode=0640,ptmxmode=0602"));
	CHECK(listed(dir, "mode=640"));
	CHECK(listed(dir, "ptmxmode=602"));
	CHECK(listed(dir, "gid=8"));
	CHECK_OK(stat("pts/ptmx", &st));
	CHECK_EQ(st.st_mode & 07777, 0602);
	fd = (int)CHECK_OK(open("pts/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(fd, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "pts/%d", n);
	CHECK_OK(stat(name, &st));
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_EQ(st.st_uid, 7);
	CHECK_EQ(st.st_gid, 8);
	close(fd);
	/* Here there may be one instance only: give it back what it had. */
	CHECK_OK(mount("none", "pts", "devpts", MS_REMOUNT, "uid=0,gid=5,mode=0620,ptmxmode=0666"));
	CHECK_OK(umount("pts"));
	CHECK_OK(rmdir("pts"));
}

/* As user 1000, who may not trace process 1. */
static void others_see(int content, int visible)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct stat st;
		char name[64];
		int fd, bad = 0;

		if (setgid(1000) || setuid(1000))
			_exit(1);
		snprintf(name, sizeof(name), "p/%d/stat", getppid());
		fd = open(name, O_RDONLY);
		bad |= (fd >= 0) != content ? 2 : 0;
		bad |= fd < 0 && errno != (visible ? EPERM : ENOENT) ? 4 : 0;
		snprintf(name, sizeof(name), "p/%d", getppid());
		bad |= (stat(name, &st) == 0) != visible ? 8 : 0;
		bad |= access("p/self/stat", R_OK) ? 16 : 0;
		_exit(bad);
	}
	CHECK_EXIT(pid, 0);
}

static void processes(void)
{
	char dir[256];

	REQUIRE(getcwd(dir, sizeof(dir) - 8) != NULL);
	strcat(dir, "/p");
	CHECK_OK(chmod(".", 0755));
	CHECK_OK(mkdir("p", 0755));
	CHECK_OK(mount("none", "p", "proc", 0, "hidepid=1"));
	CHECK(listed(dir, "hidepid=noaccess"));
	others_see(0, 1);
	CHECK_OK(mount("none", "p", "proc", MS_REMOUNT, "hidepid=invisible"));
	CHECK(listed(dir, "hidepid=invisible"));
	others_see(0, 0);
	CHECK_OK(mount("none", "p", "proc", MS_REMOUNT, "hidepid=2,gid=1000"));
	others_see(1, 1);
	CHECK_OK(mount("none", "p", "proc", MS_REMOUNT, "hidepid=4"));
	others_see(0, 0);
	CHECK_OK(mount("none", "p", "proc", MS_REMOUNT, "hidepid=off,gid=0"));
	others_see(1, 1);
	CHECK_OK(umount("p"));
	CHECK_OK(rmdir("p"));
}

static void tracing(void)
{
	struct stat st;

	CHECK_OK(mkdir("tr", 0755));
	if (mount("none", "tr", "tracefs", 0, "uid=3,gid=4,mode=0750")) {
		NOTE("left out: no tracefs here");
		rmdir("tr");
		return;
	}
	CHECK_OK(stat("tr", &st));
	CHECK_EQ(st.st_mode & 07777, 0750);
	CHECK_EQ(st.st_uid, 3);
	CHECK_EQ(st.st_gid, 4);
	CHECK_OK(mount("none", "tr", "tracefs", MS_REMOUNT, "uid=0,gid=0,mode=0700"));
	CHECK_OK(stat("tr", &st));
	CHECK_EQ(st.st_mode & 07777, 0700);
	CHECK_OK(umount("tr"));
	CHECK_OK(rmdir("tr"));
}

/* One mount point whose flags change: what each of them forbids, and only while it is set. */
static void remount(unsigned long flags)
{
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | flags, NULL));
}

static void no_exec(void)
{
	int fd = open("m/file", O_RDWR | O_CREAT, 0755);
	char *p;

	REQUIRE(fd >= 0);
	CHECK_EQ(write(fd, "#!/nowhere\n", 11), 11);
	close(fd);
	remount(MS_NOEXEC);
	CHECK_ERRNO(execl("m/file", "file", (char *)NULL), EACCES);
	CHECK_ERRNO(access("m/file", X_OK), EACCES);
	CHECK_OK(access("m", X_OK));
	fd = open("m/file", O_RDONLY);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EPERM);
	CHECK(mmap(NULL, 4096, PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EPERM);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
	CHECK_OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	munmap(p, 4096);
	/* A program that takes readable for executable gets what there is. */
	CHECK(personality(0x0400000 /* READ_IMPLIES_EXEC */) != -1);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(personality(0) != -1);
	remount(0);
	CHECK_ERRNO(execl("m/file", "file", (char *)NULL), ENOENT);
	CHECK_OK(access("m/file", X_OK));
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK_OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	close(fd);
}

static void no_devices(void)
{
	int fd;

	CHECK_OK(mknod("m/null", S_IFCHR | 0666, 1 << 8 | 3));
	fd = open("m/null", O_RDWR);
	CHECK(fd >= 0);
	close(fd);
	remount(MS_NODEV);
	CHECK_ERRNO(open("m/null", O_RDWR), EACCES);
	CHECK_OK(access("m/null", W_OK));
	remount(0);
	fd = open("m/null", O_RDWR);
	CHECK(fd >= 0);
	close(fd);
}

static void no_links(void)
{
	char text[16];

	CHECK_OK(symlink("file", "m/link"));
	remount(0x100 /* MS_NOSYMFOLLOW */);
	CHECK_ERRNO(open("m/link", O_RDONLY), ELOOP);
	CHECK_ERRNO(access("m/link", R_OK), ELOOP);
	CHECK_EQ(readlink("m/link", text, sizeof(text)), 4); /* it may be looked at */
	remount(0);
	CHECK_OK(access("m/link", R_OK));
}

static void flags(void)
{
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("none", "m", "tmpfs", 0, "mode=755"));
	no_exec();
	no_devices();
	no_links();
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK_OK(rmdir("m"));
}

int main(void)
{
	const char *dir = tap_tmpdir();

	mounts_unshare();
	TAP_RUN(refused);
	TAP_RUN(tmpfs_owner);
	TAP_RUN(terminals);
	TAP_RUN(processes);
	TAP_RUN(tracing);
	TAP_RUN(flags);
	tap_rmdir(dir);
	return tap_done();
}

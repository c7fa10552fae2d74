/* SPDX-License-Identifier: MIT */
/*
 * Capabilities of files: what a program gets from security.capability at exec, who keeps it from that, who may set them, and that a
 * changed file loses them. Source: capabilities(7), "File capabilities", "Transformation of capabilities during execve()".
 *
 *	file-caps --tell	its capabilities in words, on descriptor 1
 */
#include "tap.h"
#include "mounts.h"
#include "rights.h"
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/xattr.h>

#define NAME	  "security.capability"
#define REVISION  0x02000000u
#define EFFECTIVE 1u
#define RAW	  13 /* CAP_NET_RAW */
#define NICE	  23 /* CAP_SYS_NICE */
#define BIT(n)	  (1u << (n))

struct caps {
	uint32_t magic;
	struct {
		uint32_t permitted, inheritable;
	} words[2];
	uint32_t rootid;
};

static const char *dir;
static char program[128];

/* ---- in the program ---- */

static int tell(void)
{
	printf("p %lx e %lx i %lx a %lx secure %lu dumpable %d", capabilities("CapPrm:"),
	       capabilities("CapEff:"), capabilities("CapInh:"), capabilities("CapAmb:"),
	       getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE) == 1);
	return 0;
}

/* ---- running it ---- */

static long give(uint32_t flags, uint32_t permitted, uint32_t inheritable)
{
	struct caps c = { REVISION | flags, { { permitted, inheritable } }, 0 };

	return setxattr(program, NAME, &c, 20, 0);
}

/* What the program says after @before; or the error of exec. */
static const char *run(void (*before)(void))
{
	return run_program(program, "--tell", before);
}

#define NOTHING "p 0 e 0 i 0 a 0 secure 0 dumpable 1"

static void gains(void)
{
	CHECK_OK(give(EFFECTIVE, BIT(RAW), 0));
	CHECK_STR(run(become_user), "p 2000 e 2000 i 0 a 0 secure 1 dumpable 0");
	CHECK_OK(give(0, BIT(RAW) | BIT(NICE), 0));
	CHECK_STR(run(become_user), "p 802000 e 0 i 0 a 0 secure 1 dumpable 0");
	CHECK_OK(give(EFFECTIVE, 0, BIT(RAW)));
	/* Nothing gained, but a program that is to have something in effect is not to trust its surroundings. */
	CHECK_STR(run(become_user), "p 0 e 0 i 0 a 0 secure 1 dumpable 1");
	CHECK_OK(removexattr(program, NAME));
	CHECK_STR(run(become_user), NOTHING);
}

/* ---- what the process brings along ---- */

static void set_caps(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct {
		uint32_t version;
		int pid;
	} header = { 0x20080522, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2] = { { effective, permitted, inheritable } };

	if (syscall(SYS_capset, &header, data))
		_exit(96);
}

static void inheriting_user(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1))
		_exit(95);
	become_user();
	set_caps(0, BIT(RAW), BIT(RAW));
}

static void ambient_user(void)
{
	inheriting_user();
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, RAW, 0, 0))
		_exit(94);
}

static void bounded_user(void)
{
	if (prctl(PR_CAPBSET_DROP, RAW))
		_exit(93);
	become_user();
}

static void obedient_user(void)
{
	become_user();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(92);
}

static void as_root(void)
{
}

static void combinations(void)
{
	CHECK_OK(give(0, 0, BIT(RAW) | BIT(NICE)));
	CHECK_STR(run(inheriting_user), "p 2000 e 0 i 2000 a 0 secure 1 dumpable 1");
	CHECK_OK(give(EFFECTIVE, 0, BIT(RAW) | BIT(NICE)));
	CHECK_STR(run(inheriting_user), "p 2000 e 2000 i 2000 a 0 secure 1 dumpable 1");
	/* What is ambient is lost by a file with capabilities of its own. */
	CHECK_OK(give(EFFECTIVE, BIT(NICE), 0));
	CHECK_STR(run(ambient_user), "p 800000 e 800000 i 2000 a 0 secure 1 dumpable 0");
	CHECK_OK(removexattr(program, NAME));
	CHECK_STR(run(ambient_user), "p 2000 e 2000 i 2000 a 2000 secure 0 dumpable 1");
	/* Beyond the bounding set: a program that does not look is not run at all. */
	CHECK_OK(give(EFFECTIVE, BIT(RAW) | BIT(NICE), 0));
	CHECK_STR(run(bounded_user), "EPERM");
	CHECK_OK(give(0, BIT(RAW) | BIT(NICE), 0));
	CHECK_STR(run(bounded_user), "p 800000 e 0 i 0 a 0 secure 1 dumpable 0");
	CHECK_OK(give(EFFECTIVE, BIT(RAW), 0));
	CHECK_STR(run(obedient_user), "p 0 e 0 i 0 a 0 secure 1 dumpable 1");
	CHECK(strstr(run(as_root), "secure 0 dumpable 1") != NULL);
	CHECK(!strstr(run(as_root), "p 2000 "));
}

/* A set-user-id-root program with capabilities has those, and no others. */
static void with_set_user_id(void)
{
	CHECK_OK(chown(program, 0, 0));
	CHECK_OK(chmod(program, 04755));
	CHECK_OK(give(EFFECTIVE, BIT(RAW), 0));
	CHECK_STR(run(become_user), "p 2000 e 2000 i 0 a 0 secure 1 dumpable 0");
	CHECK_OK(chmod(program, 0755));
}

static void mount_without(void)
{
	CHECK_OK(give(EFFECTIVE, BIT(RAW), 0));
	if (mount(dir, dir, NULL, MS_BIND, NULL)) {
		NOTE("mount: %s", tap_errname(errno));
		return;
	}
	CHECK_OK(mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
	CHECK_STR(run(become_user), NOTHING);
	CHECK_OK(umount(dir));
	CHECK_STR(run(become_user), "p 2000 e 2000 i 0 a 0 secure 1 dumpable 0");
}

/* A tracer without rights: the program runs, and gains nothing. */
static void traced_program(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(91);
	raise(SIGSTOP);
	execl(program, program, "--tell", (char *)NULL);
	_exit(90);
}

static void traced_by_user(void)
{
	int fds[2], status;
	char text[256];
	ssize_t n;
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	become_user();
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		traced_program();
	}
	close(fds[1]);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, 0, 0);
	CHECK_EQ(status, 0);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	CHECK_STR(text, "p 0 e 0 i 0 a 0 secure 1 dumpable 1");
}

static void traced(void)
{
	CHECK_OK(give(EFFECTIVE, BIT(RAW), 0));
	TAP_FORK(traced_by_user);
}

/* ---- the attribute ---- */

static void unprivileged(void)
{
	CHECK_OK(chown(program, USER, USER));
	become_user();
	CHECK_ERRNO(give(0, BIT(RAW), 0), EPERM);
	CHECK_ERRNO(removexattr(program, NAME), EPERM);
}

static void refused(void)
{
	struct caps c = { REVISION, { { 0 } }, 0 };

	CHECK_ERRNO(setxattr(program, NAME, &c, 12, 0), EINVAL);
	CHECK_ERRNO(setxattr(program, NAME, &c, 24, 0), EINVAL);
	c.magic = 0x01000000;
	CHECK_ERRNO(setxattr(program, NAME, &c, 12, 0), EINVAL);
	c.magic = 0x04000000;
	CHECK_ERRNO(setxattr(program, NAME, &c, 20, 0), EINVAL);
	CHECK_OK(give(0, BIT(RAW), 0));
	CHECK_EQ(getxattr(program, NAME, &c, sizeof(c)), 20);
	CHECK_EQ(c.words[0].permitted, BIT(RAW));
	TAP_FORK(unprivileged);
}

static void truncate_it(void)
{
	struct stat st;

	CHECK_OK(stat(program, &st));
	CHECK_OK(truncate(program, st.st_size));
}

static void write_it(void)
{
	int fd = open(program, O_RDWR);
	char c;

	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(pwrite(fd, &c, 1, 0), 1);
	close(fd);
}

static void own_it(void)
{
	CHECK_OK(chown(program, 0, 0));
}

/* Root, too, makes them go by changing the file; not by its mode. */
static void lost(void)
{
	void (*const ways[])(void) = { truncate_it, write_it, own_it };
	struct caps c;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		CHECK_OK(give(0, BIT(RAW), 0));
		CHECK_OK(chmod(program, 0755));
		CHECK_EQ(getxattr(program, NAME, &c, sizeof(c)), 20);
		ways[i]();
		CHECK_ERRNO(getxattr(program, NAME, &c, sizeof(c)), ENODATA);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return tell();
	mounts_unshare();
	dir = tap_tmpdir();
	CHECK_OK(chmod(dir, 0755));
	snprintf(program, sizeof(program), "%s/program", dir);
	REQUIRE(copy_self(program) == 0);
	if (give(0, BIT(RAW), 0) && errno == EOPNOTSUPP)
		SKIP("no extended attributes here");
	TAP_FORK(gains);
	TAP_FORK(combinations);
	TAP_FORK(with_set_user_id);
	TAP_FORK(mount_without);
	TAP_FORK(traced);
	TAP_FORK(refused);
	TAP_FORK(lost);
	unlink(program);
	tap_rmdir(dir);
	return tap_done();
}

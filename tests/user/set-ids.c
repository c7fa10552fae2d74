/* SPDX-License-Identifier: MIT */
/*
 * Programs with set-user-id and set-group-id bits: what they gain at exec, who keeps them from it (no_new_privs, mounts without
 * set-id bits, tracers without rights, SECBIT_NOROOT), and that nobody looks into them, nor into programs that are not his to read.
 * Sources: execve(2), credentials(7), capabilities(7), ptrace(2), prctl(2), mount(2).
 *
 *	set-ids --ids		its ids in words, on descriptor 1
 *	set-ids --wait		"x" on descriptor 1, then it waits
 */
#include "pt.h"
#include "rights.h"
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mount.h>

#define OWNER 54001 /* whose they are */

static const char *dir;
static char program[128];

/* ---- in the program ---- */

static void tell_ids(void)
{
	uid_t u[3];
	gid_t g[3];

	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	printf("%d,%d,%d %d,%d,%d secure %lu dumpable %d caps %d\n", u[0], u[1], u[2], g[0], g[1],
	       g[2], getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE) == 1,
	       capabilities("CapEff:") != 0);
}

static int as_program(const char *what)
{
	if (!strcmp(what, "--wait")) {
		if (write(1, "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	tell_ids();
	return 0;
}

/* ---- running it ---- */

static void install(uid_t uid, gid_t gid, mode_t mode)
{
	CHECK_OK(chown(program, uid, gid));
	CHECK_OK(chmod(program, mode));
}

/* What the program says when USER runs it, with @before done last. */
static const char *run(void (*before)(void))
{
	return run_program(program, "--ids", before);
}

static void without_new_privileges(void)
{
	become_user();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void gains(void)
{
	install(OWNER, OWNER, 0755);
	CHECK_STR(run(become_user),
		  "54000,54000,54000 54000,54000,54000 secure 0 dumpable 1 caps 0");
	install(OWNER, OWNER, 04755);
	CHECK_STR(run(become_user),
		  "54000,54001,54001 54000,54000,54000 secure 1 dumpable 0 caps 0");
	install(OWNER, OWNER, 02755);
	CHECK_STR(run(become_user),
		  "54000,54000,54000 54000,54001,54001 secure 1 dumpable 0 caps 0");
	install(OWNER, OWNER, 06755);
	CHECK_STR(run(become_user),
		  "54000,54001,54001 54000,54001,54001 secure 1 dumpable 0 caps 0");
	/* without the group's x it is no set-group-id bit */
	install(OWNER, OWNER, 02745);
	CHECK_STR(run(become_user),
		  "54000,54000,54000 54000,54000,54000 secure 0 dumpable 1 caps 0");
	install(0, 0, 04755);
	CHECK_STR(run(become_user), "54000,0,0 54000,54000,54000 secure 1 dumpable 0 caps 1");
	/* his own */
	install(USER, USER, 06755);
	CHECK_STR(run(become_user),
		  "54000,54000,54000 54000,54000,54000 secure 0 dumpable 1 caps 0");
	install(0, 0, 06755);
	CHECK_STR(run(without_new_privileges),
		  "54000,54000,54000 54000,54000,54000 secure 0 dumpable 1 caps 0");
}

/* SECBIT_NOROOT: being root gives no capabilities. */
static void no_root(void)
{
	if (prctl(PR_SET_SECUREBITS, 1, 0, 0, 0))
		_exit(96);
}

static void no_root_as_user(void)
{
	no_root();
	become_user();
}

static void securebits(void)
{
	install(0, 0, 0755);
	CHECK_STR(run(NULL), "0,0,0 0,0,0 secure 0 dumpable 1 caps 1");
	CHECK_STR(run(no_root), "0,0,0 0,0,0 secure 0 dumpable 1 caps 0");
	install(0, 0, 04755);
	CHECK_STR(run(no_root_as_user), "54000,0,0 54000,54000,54000 secure 1 dumpable 0 caps 0");
}

/* A mount may say that the bits do not count there. */
static void mount_without(void)
{
	install(OWNER, OWNER, 06755);
	if (mount(dir, dir, NULL, MS_BIND, NULL)) {
		NOTE("mount: %s", tap_errname(errno));
		return;
	}
	CHECK_OK(mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
	CHECK_STR(run(become_user),
		  "54000,54000,54000 54000,54000,54000 secure 0 dumpable 1 caps 0");
	CHECK_OK(umount(dir));
	CHECK_STR(run(become_user),
		  "54000,54001,54001 54000,54001,54001 secure 1 dumpable 0 caps 0");
}

/* ---- who looks on ---- */

static int out;

static void traced_program(void)
{
	dup2(out, 1);
	if (getuid() == 0)
		become_user();
	execl(program, program, "--ids", (char *)NULL);
	_exit(97);
}

/* The program's words when the calling process traces it. */
static void traced_run(char *text, size_t size)
{
	int fds[2];
	ssize_t n;
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	out = fds[1];
	pid = pt_child(traced_program, PT_O_TRACEEXEC);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_EVENT(PT_EVENT_EXEC));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
	n = read(fds[0], text, size - 1);
	text[n > 0 ? n - 1 : 0] = '\0';
	close(fds[0]);
	close(fds[1]);
}

static void traced_by_user(void)
{
	char text[256];

	become_user();
	prctl(PR_SET_DUMPABLE, 1);
	traced_run(text, sizeof(text));
	/* What it would have gained is taken back; that it is to be careful stays. */
	CHECK_STR(text, "54000,54000,54000 54000,54000,54000 secure 1 dumpable 1 caps 0");
}

static void traced(void)
{
	char text[256];

	install(0, 0, 06755);
	CHECK_EXIT(tap_spawn(traced_by_user), 0);
	traced_run(text, sizeof(text));
	CHECK_STR(text, "54000,0,0 54000,0,0 secure 1 dumpable 0 caps 1");
}

static pid_t start_waiting(void)
{
	int fds[2];
	char c;
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		become_user();
		execl(program, program, "--wait", (char *)NULL);
		_exit(97);
	}
	close(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void share_directories(void)
{
	pid_t pid;

	become_user();
	/* The child goes on; the parent waits for it, and shares what CLONE_FS says. */
	pid = (pid_t)syscall(SYS_clone, 0x200 /* CLONE_FS */ | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid)
		_exit(waitpid(pid, NULL, 0) == pid ? 0 : 1);
}

static void shared(void)
{
	install(0, 0, 06755);
	CHECK_STR(run(share_directories),
		  "54000,54000,54000 54000,54000,54000 secure 1 dumpable 1 caps 0");
}

static pid_t victim;
static bool allowed;

/* USER looks into a process that USER started. */
static void look(void)
{
	char path[64];
	int fd;

	become_user();
	CHECK_EQ(pt(PT_SEIZE, victim, 0, 0) == 0, allowed);
	snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	fd = open(path, O_RDONLY);
	CHECK_EQ(fd >= 0, allowed);
	snprintf(path, sizeof(path), "/proc/%d/maps", victim);
	fd = open(path, O_RDONLY);
	if (!allowed)
		CHECK(fd < 0 || read(fd, path, 1) <= 0);
	CHECK_EQ(fd >= 0 || errno == EACCES, 1);
}

static void looked_at(uid_t owner, mode_t mode, bool may)
{
	install(owner, owner, mode);
	victim = start_waiting();
	allowed = may;
	CHECK_EXIT(tap_spawn(look), 0);
	pt_kill(victim);
}

static void strangers(void)
{
	looked_at(OWNER, 0755, true);
	looked_at(OWNER, 04755, false);
	looked_at(OWNER, 02755, false);
	/* A program that may be run, not read, is not to be read in memory either. */
	looked_at(OWNER, 0711, false);
	looked_at(USER, 0100, false);
	looked_at(USER, 0500, true);
}

int main(int argc, char **argv)
{

	if (argc > 1)
		return as_program(argv[1]);
	if (geteuid())
		SKIP("only root can make such programs");
	alarm(100);
	dir = tap_tmpdir();
	CHECK_OK(chmod(dir, 0755));
	snprintf(program, sizeof(program), "%s/program", dir);
	REQUIRE(copy_self(program) == 0);
	TAP_FORK(gains);
	TAP_FORK(securebits);
	TAP_FORK(mount_without);
	TAP_FORK(traced);
	TAP_FORK(shared);
	TAP_FORK(strangers);
	unlink(program);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Paths that are looked up while names and mounts change: walkers, on as many CPUs as there are, against processes that rename,
 * exchange, remove, switch symlinks, mount and unmount. A path resolves to what it named at some time, or, where it had times
 * without a name, to ENOENT; never to anything else. At the end no reference is left: everything can be unmounted, and the file system has all its
 * space again.
 */
#include "tap.h"
#include "mounts.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#define WALKERS 3
#define ROUNDS	400
#define LONG	"a-name-that-does-not-fit-into-the-cache's-own-entry-for-it"
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static struct shared {
	int stop;
	ino_t moved, fixed, one, two, here, there, under, over, opened, closed;
	unsigned long hits;
} *shared;

static ino_t make_file(const char *name, size_t size)
{
	static char zeros[4096];
	struct stat st = { 0 };
	int fd = (int)CHECK_OK(open(name, O_CREAT | O_EXCL | O_RDWR, 0644));

	CHECK_EQ(write(fd, zeros, size), size);
	CHECK_OK(fstat(fd, &st));
	close(fd);
	return st.st_ino;
}

/* The inode of @path; 0: there is none; -1 and a failed check for other errors than @other. */
static ino_t look(const char *path, int other)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		shared->hits++;
		return st.st_ino;
	}
	if (errno == ENOENT)
		return 0;
	if (errno != other)
		tap_fail(__FILE__, __LINE__, "stat %s: %s", path, tap_errname(errno));
	return (ino_t)-1;
}

/* What @path may be: @a or @b; 0 stands for nothing. */
static void check_path(const char *path, ino_t a, ino_t b)
{
	ino_t got = look(path, 0);

	if (got != a && got != b)
		tap_fail(__FILE__, __LINE__, "%s is inode %llu, not %llu or %llu", path,
			 (unsigned long long)got, (unsigned long long)a, (unsigned long long)b);
}

static bool going_on(void)
{
	return !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/* ---- who changes ---- */

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void renamer(void)
{
	do {
		CHECK_OK(rename("p/a", "q/a"));
		CHECK_OK(exchange("x/n", "y/" LONG));
		CHECK_OK(rename("q/a", "p/a"));
		CHECK_OK(exchange("free", "shut"));
		CHECK_OK(exchange("free", "shut"));
	} while (going_on());
}

static void switcher(void)
{
	do {
		CHECK_OK(symlink("there", "new"));
		CHECK_OK(rename("new", "link"));
		CHECK_OK(symlink("../top/here", "new"));
		CHECK_OK(rename("new", "link"));
	} while (going_on());
}

static void remover(void)
{
	do {
		close(CHECK_OK(open("u", O_CREAT | O_EXCL | O_WRONLY, 0600)));
		CHECK_OK(unlink("u"));
		CHECK_OK(mkdir("v", 0755));
		close(CHECK_OK(open("v/" LONG, O_CREAT | O_EXCL | O_WRONLY, 0600)));
		CHECK_OK(unlink("v/" LONG));
		CHECK_OK(rmdir("v"));
	} while (going_on());
}

static void unmount(const char *path)
{
	while (umount(path) == -1) {
		if (errno != EBUSY) {
			CHECK_OK(-1);
			return;
		}
		sched_yield();
	}
}

static void mounter(void)
{
	int n = 0;

	do {
		CHECK_OK(mount("over", "m", NULL, MS_BIND, NULL));
		CHECK_OK(mount("none", "m/more", "tmpfs", 0, NULL));
		unmount("m/more");
		if (n++ % 2)
			unmount("m");
		else
			CHECK_OK(umount2("m", MNT_DETACH));
		CHECK_OK(mount("over", "m1", NULL, MS_BIND, NULL));
		CHECK_OK(mount("m1", "m2", NULL, MS_MOVE, NULL));
		CHECK_OK(umount2("m2", MNT_DETACH));
	} while (going_on());
}

/* ---- who walks ---- */

static void walk_names(void)
{
	check_path("p/a/f", shared->moved, 0);
	check_path("q/a/f", shared->moved, 0);
	check_path("p/b/f", shared->fixed, shared->fixed);
	check_path("q/b/f", 0, 0);
	check_path("p/a/../b/f", shared->fixed, 0);
	check_path("x/n/f", shared->one, shared->two);
	check_path("y/" LONG "/f", shared->one, shared->two);
	check_path("y/" LONG "x/f", 0, 0);
	check_path("./p/.././x/../p//b/f", shared->fixed, shared->fixed);
	check_path("link/f", shared->here, shared->there);
}

static void walk_mounts(void)
{
	check_path("m/f", shared->under, shared->over);
	check_path("m1/f", shared->under, shared->over);
	check_path("m2/f", shared->under, shared->over);
	check_path("m/more/f", shared->one, 0);
	check_path("m/more/../f", shared->under, shared->over);
	check_path("m/../p/b/f", shared->fixed, 0); /* taken off meanwhile, it has nothing above */
}

static void walk_removed(void)
{
	struct stat st;
	int fd = open("u", O_RDONLY);

	if (fd >= 0) {
		CHECK_OK(fstat(fd, &st));
		CHECK(S_ISREG(st.st_mode));
		close(fd);
	} else {
		CHECK_EQ(errno, ENOENT);
	}
	if (stat("v/" LONG, &st) == 0)
		CHECK(S_ISREG(st.st_mode));
	else
		CHECK_EQ(errno, ENOENT);
	if (stat("v/.", &st) == 0)
		CHECK(S_ISDIR(st.st_mode));
	else
		CHECK_EQ(errno, ENOENT);
}

static void walker(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		walk_names();
		walk_mounts();
		walk_removed();
	}
}

/* Without rights: what is in the closed directory is not seen, wherever that is just now. */
static void stranger(void)
{
	REQUIRE(setgid(1234) == 0 && setuid(1234) == 0);
	for (int i = 0; i < ROUNDS * 4; i++) {
		ino_t got = look("free/f", EACCES);

		CHECK(got == shared->opened || got == (ino_t)-1);
		got = look("shut/f", EACCES);
		CHECK(got == shared->opened || got == (ino_t)-1);
	}
}

/* Two threads with one working directory, which one of them changes, from mount to mount. */
static void *changer(void *arg)
{
	int *done = arg, here = (int)CHECK_OK(open("here", O_PATH | O_DIRECTORY));
	int over = (int)CHECK_OK(open("m0", O_PATH | O_DIRECTORY));

	while (!__atomic_load_n(done, __ATOMIC_RELAXED)) {
		CHECK_OK(fchdir(over));
		CHECK_OK(fchdir(here));
	}
	close(over);
	close(here);
	return NULL;
}

static void directory_walker(void)
{
	pthread_t thread;
	int done = 0, there = (int)CHECK_OK(open("there", O_PATH | O_DIRECTORY));

	CHECK_OK(chdir("here"));
	CHECK_OK(chdir(".."));
	CHECK_EQ(pthread_create(&thread, NULL, changer, &done), 0);
	while (access("only-top", F_OK) == 0)
		sched_yield();
	for (int i = 0; i < ROUNDS * 4; i++) {
		struct stat st;

		check_path("f", shared->here, shared->over);
		check_path("../p/b/f", shared->fixed, shared->fixed);
		CHECK_OK(fstatat(there, "f", &st, 0));
		CHECK_EQ(st.st_ino, shared->there);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	close(there);
}

/* ---- all of them ---- */

static void prepare(void)
{
	static const char *const dirs[] = { "p",    "q",      "p/a",	   "p/b",      "x",
					    "y",    "x/n",    "here",	   "there",    "m",
					    "m1",   "m2",     "over",	   "m0",       "free",
					    "shut", "m/more", "over/more", ("y/" LONG) };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_OK(mkdir(dirs[i], 0755));
	make_file("only-top", 1);
	shared->moved = make_file("p/a/f", 1);
	shared->fixed = make_file("p/b/f", 1);
	shared->one = make_file("x/n/f", 1);
	shared->two = make_file("y/" LONG "/f", 4096);
	shared->here = make_file("here/f", 1);
	shared->there = make_file("there/f", 1);
	shared->under = make_file("m/f", 1);
	CHECK_OK(link("m/f", "m1/f"));
	CHECK_OK(link("m/f", "m2/f"));
	shared->over = make_file("over/f", 1);
	shared->opened = make_file("free/f", 1);
	shared->closed = make_file("shut/f", 1);
	CHECK_OK(chmod("shut", 0700));
	CHECK_OK(symlink("here", "link"));
	CHECK_OK(link("x/n/f", "over/more/f"));
	CHECK_OK(mount("over", "m0", NULL, MS_BIND, NULL));
}

static void race(void)
{
	static void (*const changers[])(void) = { renamer, switcher, remover, mounter };
	pid_t change[ARRAY_SIZE(changers)], walk[WALKERS], directory, strange;

	for (size_t i = 0; i < ARRAY_SIZE(changers); i++)
		change[i] = tap_spawn(changers[i]);
	for (size_t i = 0; i < WALKERS; i++)
		walk[i] = tap_spawn(walker);
	directory = tap_spawn(directory_walker);
	strange = tap_spawn(stranger);
	for (size_t i = 0; i < WALKERS; i++)
		CHECK_EXIT(walk[i], 0);
	CHECK_EXIT(directory, 0);
	CHECK_EXIT(strange, 0);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_SIZE(changers); i++)
		CHECK_EXIT(change[i], 0);
	CHECK(shared->hits > 0);
}

/* Files that are only open take space until they are closed; so would those whose inode somebody has kept. */
static void many_removed(void)
{
	static char page[4096];
	struct statfs before, after;

	CHECK_OK(statfs(".", &before));
	for (int i = 0; i < 500; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "gone-%d", i);
		fd = (int)CHECK_OK(open(name, O_CREAT | O_EXCL | O_RDWR, 0600));
		CHECK_EQ(write(fd, page, sizeof(page)), sizeof(page));
		CHECK_OK(unlink(name));
		close(fd);
	}
	CHECK_OK(statfs(".", &after));
	CHECK_EQ(after.f_bfree, before.f_bfree);
	CHECK_EQ(after.f_ffree, before.f_ffree);
}

int main(void)
{
	mounts_unshare();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	REQUIRE(shared != MAP_FAILED);
	mounts_enter_tmpfs("mode=755");
	CHECK_OK(mkdir("top", 0755));
	CHECK_OK(chdir("top"));
	TAP_RUN(prepare);
	TAP_RUN(race);
	TAP_RUN(many_removed);
	CHECK_OK(umount("m0"));
	CHECK_OK(chdir(".."));
	mounts_leave_tmpfs();
	return tap_done();
}

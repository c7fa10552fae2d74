/* SPDX-License-Identifier: MIT */
/* What mounts tell of themselves, and which there are: statmount(2), listmount(2). Needs root. */
#include "tap.h"
#include "mounts.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define NR_STATMOUNT 457
#define NR_LISTMOUNT 458
#define ROOT	     (~0ULL)
#define REVERSE	     1
#define UNIQUE	     0x4000u /* STATX_MNT_ID_UNIQUE */
#define OLD	     0x1000u

enum {
	SB = 1,
	BASIC = 2,
	PROPAGATE = 4,
	FS_ROOT = 8,
	POINT = 16,
	TYPE = 32,
	NS = 64,
	OPTIONS = 128
};

struct request {
	uint32_t size, spare;
	uint64_t id, param, ns;
};

struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, type;
	uint64_t id, parent;
	uint32_t id_old, parent_old;
	uint64_t attr, propagation, peers, master, from;
	uint32_t root, point;
	uint64_t ns, spare[49];
	char text[8192];
};

static struct answer a;

static uint64_t id_of(const char *path, unsigned int which)
{
	struct {
		uint32_t head[36];
		uint64_t mnt_id, rest[20];
	} sx = { { 0 } };

	_Static_assert(offsetof(__typeof__(sx), mnt_id) == 144, "struct statx");
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, path, 0, which, &sx));
	return sx.mnt_id;
}

static long ask(uint64_t id, uint64_t wanted, size_t room)
{
	struct request rq = { .size = sizeof(rq), .id = id, .param = wanted };

	memset(&a, 0xee, sizeof(a));
	return syscall(NR_STATMOUNT, &rq, &a, room, 0);
}

static void numbers(void)
{
	uint64_t id = id_of(".", UNIQUE), parent = id_of("..", UNIQUE);
	struct stat st;

	CHECK_OK(stat(".", &st));
	CHECK_OK(ask(id, SB | BASIC | PROPAGATE, sizeof(a)));
	CHECK_EQ(a.size, 512);
	CHECK_EQ(a.mask, SB | BASIC | PROPAGATE);
	CHECK_EQ(makedev(a.major, a.minor), st.st_dev);
	CHECK(a.magic == 0x01021994 && a.sb_flags == 0);
	CHECK(a.id == id && a.parent == parent);
	CHECK(a.id_old == id_of(".", OLD) && a.parent_old == id_of("..", OLD));
	CHECK_EQ(a.attr, 0);
	CHECK(a.propagation == MS_PRIVATE && !a.peers && !a.master && !a.from);
	CHECK_OK(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_RDONLY | MS_NOATIME,
		       NULL));
	CHECK_OK(ask(id, BASIC, sizeof(a)));
	CHECK_EQ(a.attr, 0x1 | 0x2 | 0x10);
	CHECK_EQ(a.mask, BASIC);
	CHECK_OK(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL));
	CHECK_OK(ask(id, 0, sizeof(a)));
	CHECK(a.size == 512 && a.mask == 0 && a.id == 0);
}

static void strings(void)
{
	uint64_t id = id_of(".", UNIQUE);
	char cwd[256];

	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	CHECK_OK(ask(id, FS_ROOT | POINT | TYPE | OPTIONS, sizeof(a)));
	CHECK_EQ(a.mask & (FS_ROOT | POINT | TYPE), FS_ROOT | POINT | TYPE);
	CHECK_STR(a.text + a.type, "tmpfs");
	CHECK_STR(a.text + a.root, "/");
	CHECK_STR(a.text + a.point, cwd);
	CHECK((!tap_on_caelum() && !(a.mask & OPTIONS)) || strchr(a.text + a.options, '=') != NULL);
	CHECK_OK(mkdir("in", 0755));
	CHECK_OK(mkdir("out", 0755));
	CHECK_OK(mount("in", "out", NULL, MS_BIND, NULL));
	CHECK_OK(ask(id_of("out", UNIQUE), FS_ROOT | POINT, sizeof(a)));
	CHECK_STR(a.text + a.root, "/in");
	CHECK(strstr(a.text + a.point, "/out") != NULL);
	CHECK_OK(umount("out"));
	/* Strings need room for all of them; numbers are cut. */
	CHECK_ERRNO(ask(id, TYPE, 512), EOVERFLOW);
	CHECK_ERRNO(ask(id, TYPE, 515), EOVERFLOW);
	CHECK_OK(ask(id, TYPE, 600));
	CHECK(a.size >= 512 + sizeof("tmpfs") && a.size < 600);
	CHECK_OK(ask(id, BASIC, 16));
	CHECK_EQ(a.size, 16);
	CHECK_EQ(a.mask, BASIC);
	CHECK_EQ(a.major, 0xeeeeeeee);
}

static void trees(void)
{
	struct request rq = { .size = sizeof(rq), .id = id_of(".", UNIQUE), .param = NS };

	CHECK_OK(ask(rq.id, NS, sizeof(a)));
	rq.ns = a.ns;
	if (!tap_on_caelum() && !(a.mask & NS)) {
		NOTE("no STATMOUNT_MNT_NS_ID before Linux 6.11");
		return;
	}
	CHECK_EQ(a.mask, NS);
	CHECK_OK(syscall(NR_STATMOUNT, &rq, &a, sizeof(a), 0));
	CHECK_EQ(a.ns, rq.ns);
	rq.ns = rq.ns + 1000000;
	CHECK_ERRNO(syscall(NR_STATMOUNT, &rq, &a, sizeof(a), 0), ENOENT);
}

static void refused(void)
{
	uint64_t id = id_of(".", UNIQUE);
	struct {
		struct request rq;
		uint64_t more;
	} q = { { sizeof(q.rq), 0, id, BASIC, 0 }, 1 };

	CHECK_ERRNO(syscall(NR_STATMOUNT, &q, &a, sizeof(a), 1), EINVAL);
	CHECK_ERRNO(syscall(NR_STATMOUNT, (void *)8, &a, sizeof(a), 0), EFAULT);
	CHECK_ERRNO(syscall(NR_STATMOUNT, &q, (void *)8, sizeof(a), 0), EFAULT);
	q.rq.size = 16;
	CHECK_ERRNO(syscall(NR_STATMOUNT, &q, &a, sizeof(a), 0), EINVAL);
	q.rq.size = 5000;
	CHECK_ERRNO(syscall(NR_STATMOUNT, &q, &a, sizeof(a), 0), E2BIG);
	q.rq.size = sizeof(q);
	CHECK_ERRNO(syscall(NR_STATMOUNT, &q, &a, sizeof(a), 0), E2BIG);
	q.rq.size = 24;
	CHECK_OK(syscall(NR_STATMOUNT, &q, &a, sizeof(a), 0));
	CHECK_ERRNO(ask(id_of(".", OLD), BASIC, sizeof(a)), EINVAL);
	CHECK_OK(mkdir("gone", 0755));
	CHECK_OK(mount("none", "gone", "tmpfs", 0, NULL));
	id = id_of("gone", UNIQUE);
	CHECK_OK(ask(id, BASIC, sizeof(a)));
	CHECK_OK(umount("gone"));
	CHECK_ERRNO(ask(id, BASIC, sizeof(a)), ENOENT);
}

static long list(uint64_t id, uint64_t after, uint64_t *ids, size_t n, unsigned int flags)
{
	struct request rq = { .size = sizeof(rq), .id = id, .param = after };

	return syscall(NR_LISTMOUNT, &rq, ids, n, flags);
}

static void lists(void)
{
	uint64_t here = id_of(".", UNIQUE), ids[512], again[512], b[2];
	long n = list(ROOT, 0, ids, 512, 0), seen = 0;

	CHECK(n > 1);
	for (long i = 0; i < n; i++) {
		CHECK(!i || ids[i - 1] < ids[i]);
		seen += ids[i] == here;
	}
	CHECK_EQ(seen, 1);
	/* One after the other, and from the end. */
	for (long i = 0; i < n; i++)
		CHECK(list(ROOT, i ? ids[i - 1] : 0, b, 1, 0) == 1 && b[0] == ids[i]);
	CHECK_EQ(list(ROOT, ids[n - 1], b, 1, 0), 0);
	CHECK_EQ(list(ROOT, 0, again, 512, REVERSE), n);
	for (long i = 0; i < n; i++)
		CHECK_EQ(again[i], ids[n - 1 - i]);
	CHECK(list(ROOT, ids[1], b, 2, REVERSE) == 1 && b[0] == ids[0]);
	/* Below one: all of them, but not itself. */
	CHECK_EQ(list(here, 0, ids, 512, 0), 0);
	CHECK_OK(mkdir("one", 0755));
	CHECK_OK(mount("none", "one", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("one/two", 0755));
	CHECK_OK(mount("none", "one/two", "tmpfs", 0, NULL));
	CHECK_EQ(list(here, 0, ids, 512, 0), 2);
	CHECK(ids[0] == id_of("one", UNIQUE) && ids[1] == id_of("one/two", UNIQUE));
	CHECK_ERRNO(list(here, 0, ids, 512, 2), EINVAL);
	CHECK_ERRNO(list(here, 5, ids, 512, 0), EINVAL);
	CHECK_ERRNO(list(here, 0, ids, 1000001, 0), EOVERFLOW);
	CHECK_ERRNO(list(here, 0, (void *)8, 1, 0), EFAULT);
	CHECK_OK(umount("one/two"));
	CHECK_OK(umount("one"));
	CHECK_ERRNO(list(ids[1], 0, ids, 512, 0), ENOENT);
}

int main(void)
{
	const char *dir;

	mounts_unshare();
	dir = tap_tmpdir();
	mounts_enter_tmpfs(NULL);
	if (!tap_on_caelum() && list(ROOT, 0, NULL, 0, 0) == -1 && errno == ENOSYS)
		SKIP("no listmount before Linux 6.8");
	TAP_RUN(numbers);
	TAP_RUN(strings);
	TAP_RUN(trees);
	TAP_RUN(refused);
	TAP_RUN(lists);
	mounts_leave_tmpfs();
	tap_rmdir(dir);
	return tap_done();
}

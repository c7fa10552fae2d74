/* SPDX-License-Identifier: MIT */
/*
 * The files of /proc/PID about memory and what a process is doing: mem, maps, smaps, pagemap, syscall, io, timers, children; who may
 * look, and that a descriptor does not show what came after exec. Sources: proc(5) and the pages it names, process_vm_readv(2).
 */
#include "tap.h"

#include <grp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

static char text[1 << 20];

static long slurp(const char *path)
{
	long n = tap_read_file(path, text, sizeof(text));

	if (n < 0)
		tap_fail(__FILE__, __LINE__, "cannot read %s: %s", path, tap_errname(errno));
	if (n < 0)
		text[0] = '\0';
	return n;
}

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * 4096, prot, flags | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static void mem_file(void)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *rw = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE), buf[8192];
	char *ro = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *none = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);

	REQUIRE(fd >= 0);
	strcpy(rw, "hello");
	strcpy(ro, "read only");
	strcpy(none, "nobody");
	CHECK_OK(mprotect(ro, 4096, PROT_READ));
	CHECK_OK(mprotect(none, 4096, PROT_NONE));
	CHECK_OK(mprotect(shared, 4096, PROT_READ));
	CHECK_EQ(pread(fd, buf, 6, (off_t)rw), 6);
	CHECK_STR(buf, "hello");
	/* Rights do not matter to a tracer, and reach through to private memory ... */
	CHECK_EQ(pread(fd, buf, 7, (off_t)none), 7);
	CHECK_STR(buf, "nobody");
	CHECK_EQ(pwrite(fd, "forced", 7, (off_t)ro), 7);
	CHECK_STR(ro, "forced");
	/* ... but not to what others see. */
	CHECK_ERRNO(pwrite(fd, "forced", 7, (off_t)shared), EIO);
	CHECK_EQ(pread(fd, buf, 1, (off_t)shared), 1);
	/* Up to a hole. */
	CHECK_OK(munmap(rw + 8192, 4096));
	CHECK_EQ(pread(fd, buf, 8192, (off_t)rw + 4096), 4096);
	CHECK_ERRNO(pread(fd, buf, 1, (off_t)rw + 8192), EIO);
	CHECK_ERRNO(pwrite(fd, buf, 1, (off_t)rw + 8192), EIO);
	CHECK_ERRNO(pread(fd, buf, 1, 0), EIO);
	CHECK_ERRNO(pread(fd, (char *)8, 1, (off_t)rw), EFAULT);
	CHECK_EQ(pread(fd, buf, 0, (off_t)rw), 0);
	CHECK_EQ(lseek(fd, (off_t)rw, SEEK_SET), (off_t)rw);
	CHECK_EQ(read(fd, buf, 2), 2);
	CHECK_EQ(lseek(fd, 1, SEEK_CUR), (off_t)rw + 3);
	CHECK_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
	close(fd);
}

/* Memory of another process; a descriptor ends with the program that it was opened on. */
static void mem_of_others(void)
{
	char path[64], buf[16] = "";
	int ready[2], go[2], mem, maps;
	static char here[16] = "before";
	pid_t pid;
	char c;

	REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	pid = fork();
	if (!pid) {
		strcpy(here, "child");
		(void)!write(ready[1], "x", 1);
		(void)!read(go[0], &c, 1);
		execl("/proc/self/exe", "proc-mem", "sleep", NULL);
		_exit(1);
	}
	REQUIRE(read(ready[0], &c, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(mem >= 0 && maps >= 0);
	CHECK_EQ(pread(mem, buf, 6, (off_t)here), 6);
	CHECK_STR(buf, "child");
	CHECK_STR(here, "before");
	CHECK_EQ(pwrite(mem, "poked", 6, (off_t)here), 6);
	CHECK_STR(here, "before");
	CHECK_EQ(pread(mem, buf, 6, (off_t)here), 6);
	CHECK_STR(buf, "poked");
	(void)!write(go[1], "x", 1);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	CHECK(TAP_AWAIT((slurp(path), strlen(text) + 1 < sizeof(text) &&
					      !strcmp(text + strlen(text) + 1, "sleep"))));
	CHECK_EQ(pread(mem, buf, 6, (off_t)here), 0);
	CHECK_EQ(pwrite(mem, buf, 6, (off_t)here), 0);
	CHECK_EQ(read(maps, buf, 10), 0);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_EQ(pread(mem, buf, 6, (off_t)here), 0);
	close(mem);
	close(maps);
}

static void vm_calls(void)
{
	char a[64] = "", *remote = map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct iovec local[2] = { { a, 3 }, { a + 10, 5 } }, far[2];
	pid_t pid, me = getpid();

	strcpy(remote, "0123456789");
	strcpy(remote + 4094, "ab");
	CHECK_OK(munmap(remote + 8192, 4096));
	far[0] = (struct iovec){ remote, 4 };
	far[1] = (struct iovec){ remote + 8, 100 };
	CHECK_EQ(process_vm_readv(me, local, 2, far, 2, 0), 8);
	CHECK(!memcmp(a, "012", 3) && !memcmp(a + 10, "389\0\0", 5));
	far[0] = (struct iovec){ remote + 8190, 10 };
	local[0] = (struct iovec){ a, 10 };
	CHECK_EQ(process_vm_readv(me, local, 1, far, 1, 0), 2); /* up to the hole */
	far[0] = (struct iovec){ remote + 8192, 10 };
	CHECK_ERRNO(process_vm_readv(me, local, 1, far, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(me, local, 1, far, 1, 1), EINVAL);
	CHECK_ERRNO(process_vm_readv(me, local, -1UL, far, 1, 0), EINVAL);
	CHECK_ERRNO(process_vm_readv(30011, local, 1, far, 1, 0), ESRCH);
	CHECK_EQ(process_vm_readv(me, local, 0, far, 1, 0), 0);
	CHECK_EQ(process_vm_readv(me, local, 1, far, 0, 0), 0);
	/* Unlike /proc/PID/mem, it respects rights. */
	CHECK_OK(mprotect(remote, 4096, PROT_READ));
	far[0] = (struct iovec){ remote, 4 };
	CHECK_ERRNO(process_vm_writev(me, local, 1, far, 1, 0), EFAULT);
	CHECK_OK(mprotect(remote, 4096, PROT_NONE));
	CHECK_ERRNO(process_vm_readv(me, local, 1, far, 1, 0), EFAULT);
	far[0] = (struct iovec){ remote + 4094, 4 };
	CHECK_ERRNO(process_vm_readv(me, local, 1, far, 1, 0), EFAULT);
	if (getuid())
		return;
	pid = fork();
	if (!pid) {
		far[0] = (struct iovec){ remote + 4096, 4 };
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(process_vm_readv(getppid(), local, 1, far, 1, 0), EPERM);
		CHECK_EQ(process_vm_readv(getpid(), local, 1, far, 1, 0), 4);
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
}

/* The lines of one mapping in smaps, by its start. */
static long smaps_field(const void *start, const char *name)
{
	char head[32], *p, *end;
	long kb = -1;

	snprintf(head, sizeof(head), "%08lx-", (long)start);
	p = strstr(text, head);
	if (!p)
		return -1;
	end = strstr(p, "VmFlags:");
	p = strstr(p, name);
	if (!p || !end || p > end || sscanf(p + strlen(name), ": %ld kB", &kb) != 1)
		return -1;
	return kb;
}

static void smaps(void)
{
	char *gap = map(20, PROT_NONE, MAP_PRIVATE), *p = gap + 4096, *flags;
	pid_t pid;

	CHECK_OK(mprotect(p, 16 * 4096, PROT_READ | PROT_WRITE));
	memset(p, 1, 5 * 4096);
	REQUIRE(slurp("/proc/self/smaps") > 0);
	CHECK_EQ(smaps_field(p, "Size"), 64);
	CHECK_EQ(smaps_field(p, "Rss"), 20);
	CHECK_EQ(smaps_field(p, "Pss"), 20);
	CHECK_EQ(smaps_field(p, "Anonymous"), 20);
	CHECK_EQ(smaps_field(p, "Private_Dirty"), 20);
	CHECK_EQ(smaps_field(p, "Swap"), 0);
	CHECK_EQ(smaps_field(p, "KernelPageSize"), 4);
	flags = strstr(text, "VmFlags:");
	CHECK(flags && strstr(flags, "rd"));
	pid = fork(); /* shared by two now */
	if (!pid) {
		slurp("/proc/self/smaps");
		CHECK_EQ(smaps_field(p, "Rss"), 20);
		CHECK_EQ(smaps_field(p, "Pss"), 10);
		CHECK_EQ(smaps_field(p, "Shared_Dirty"), 20);
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
	REQUIRE(slurp("/proc/self/smaps_rollup") > 0);
	CHECK(strstr(text, "[rollup]\n") != NULL);
	CHECK(strstr(text, "\nRss:") != NULL);
}

#define PRESENT (1ULL << 63)

#define PIECES 3000

static size_t lines_of(const char *path, size_t at_once, const char *start)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0, lines = 0;
	char last = '\n';
	ssize_t r;

	REQUIRE(fd >= 0);
	while ((r = read(fd, text, at_once)) > 0)
		for (ssize_t i = 0; i < r; i++, n++) {
			if (last == '\n' && !strncmp(text + i, start, strlen(start)))
				lines++;
			last = text[i];
		}
	CHECK_EQ(r, 0);
	CHECK_EQ(last, '\n');
	CHECK_OK(close(fd));
	return lines;
}

/* More text than a kernel makes at once: every mapping is there once, whatever the size of the reads, and going back begins anew. */
static void many_mappings(void)
{
	char *p = map(2 * PIECES, PROT_READ, MAP_PRIVATE), first[64], again[64];
	unsigned long start, end, before = 0;
	size_t ours = 0;
	FILE *f;
	int fd;

	for (size_t i = 0; i < PIECES; i++)
		CHECK_OK(mprotect(p + i * 8192, 4096, PROT_NONE));
	f = fopen("/proc/self/maps", "re");
	REQUIRE(f);
	while (fgets(text, sizeof(text), f)) {
		REQUIRE(sscanf(text, "%lx-%lx ", &start, &end) == 2);
		CHECK(start >= before && end > start);
		before = end;
		ours += start >= (unsigned long)p && end <= (unsigned long)p + 8192ul * PIECES;
	}
	fclose(f);
	/* The last may have been merged with what lies behind. */
	CHECK(ours == 2 * PIECES || ours == 2 * PIECES - 1);
	CHECK(lines_of("/proc/self/smaps", sizeof(text), "VmFlags:") >= 2 * PIECES);
	CHECK_EQ(lines_of("/proc/self/maps", 1000, ""), lines_of("/proc/self/maps", 4096, ""));
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	CHECK_EQ(pread(fd, first, sizeof(first), 0), sizeof(first));
	CHECK(pread(fd, again, sizeof(again), 100000) > 0);
	CHECK_EQ(pread(fd, again, sizeof(again), 0), sizeof(again));
	CHECK(!memcmp(first, again, sizeof(first)));
	CHECK_EQ(pread(fd, again, sizeof(again), 1 << 30), 0);
	CHECK_OK(close(fd));
	CHECK_OK(munmap(p, 8192ul * PIECES));
}

static void pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char *p = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned long long e[4];
	off_t at = (off_t)((uintptr_t)p / 4096 * 8);

	REQUIRE(fd >= 0);
	p[4096] = 1;
	CHECK_EQ(pread(fd, e, sizeof(e), at), sizeof(e));
	CHECK(!(e[0] & PRESENT) && (e[1] & PRESENT) && !(e[2] & PRESENT) && !(e[3] & PRESENT));
	CHECK(getuid() || (e[1] & ((1ULL << 55) - 1)));
	CHECK_ERRNO(pread(fd, e, 7, at), EINVAL);
	CHECK_ERRNO(pread(fd, e, 8, at + 1), EINVAL);
	CHECK_EQ(pread(fd, e, 8, (off_t)1 << 60), 0);
	close(fd);
}

/* A stranger is not told; of the stack nobody is but who administers the machine. */
static void sleeper_seen_by_user(pid_t pid)
{
	char path[64];

	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(9);
	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	slurp(path);
	CHECK_STR(text, "0");
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	CHECK(open(path, O_RDONLY) == -1 && (errno == EACCES || errno == ENOENT));
	_exit(tap_nfailed != 0);
}

/* In which function of the kernel a task sleeps. */
static void where_it_sleeps(void)
{
	char path[64], name[64] = "", first[64] = "";
	unsigned long at, size;
	pid_t pid = tap_spawn((void (*)(void))pause), user;

	CHECK(tap_wait_state(pid, 'S'));
	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	slurp(path);
	CHECK_EQ(sscanf(text, "%63[A-Za-z0-9_.]", name), 1);
	CHECK_EQ(strlen(name), strlen(text));
	if (getuid() == 0) {
		CHECK(strcmp(name, "0") != 0);
		snprintf(path, sizeof(path), "/proc/%d/stack", pid);
		if (access(path, F_OK) == 0) { /* a matter of configuration on Linux */
			slurp(path);
			CHECK_EQ(sscanf(text, "[<0>] %63[A-Za-z0-9_.]+0x%lx/0x%lx", first, &at,
					&size),
				 3);
			CHECK(at < size);
		}
		user = fork();
		if (!user)
			sleeper_seen_by_user(pid);
		CHECK_EXIT(user, 0);
	}
	slurp("/proc/self/wchan");
	CHECK_STR(text, "0");
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void what_it_does(void)
{
	char path[64];
	int fds[2], nr;
	unsigned long fd, addr, n;
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	pid = fork();
	if (!pid)
		_exit(read(fds[0], text + 77, 3) != 3);
	CHECK(tap_wait_state(pid, 'S'));
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	slurp(path);
	CHECK_EQ(sscanf(text, "%d 0x%lx 0x%lx 0x%lx", &nr, &fd, &addr, &n), 4);
	CHECK_EQ(nr, SYS_read);
	CHECK_EQ(fd, fds[0]);
	CHECK_EQ(addr, (uintptr_t)text + 77);
	CHECK_EQ(n, 3);
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_EXIT(pid, 0);
	slurp("/proc/self/syscall");
	CHECK(sscanf(text, "%d", &nr) == 1 && nr == SYS_read);
	pid = fork();
	if (!pid)
		for (;;)
			;
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (int i = 0; i < 1000; i++) { /* until it has got as far as its loop */
		tap_sleep_ms(20);
		kill(pid, SIGSTOP);
		CHECK(tap_wait_state(pid, 'T'));
		slurp(path);
		if (text[0] == '-')
			break;
		kill(pid, SIGCONT);
	}
	CHECK(!strncmp(text, "-1 0x", 5));
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static unsigned long long io_field(const char *name)
{
	unsigned long long v = 0;
	char *p;

	slurp("/proc/self/io");
	p = strstr(text, name);
	CHECK(p && sscanf(p + strlen(name), ": %llu", &v) == 1);
	return v;
}

static void io_file(void)
{
	unsigned long long before = io_field("wchar"), calls = io_field("syscw");
	int fds[2];
	char c[100] = "";

	REQUIRE(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], c, 100), 100);
	CHECK_EQ(write(fds[1], c, 23), 23);
	CHECK_EQ(io_field("wchar") - before, 123);
	CHECK_EQ(io_field("syscw") - calls, 2);
	before = io_field("rchar");
	calls = io_field("rchar") - before; /* what reading the file itself counts */
	before = io_field("rchar");
	CHECK_EQ(read(fds[0], c, 50), 50);
	CHECK(io_field("rchar") - before >= 50 + calls - 2);
}

static void timers_file(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR2,
			       .sigev_value.sival_ptr = (void *)0xabcde };
	char want[128];
	timer_t t;

	if (!tap_on_caelum() && access("/proc/self/timers", F_OK)) {
		NOTE("no /proc/self/timers here");
		return;
	}
	slurp("/proc/self/timers");
	CHECK_STR(text, "");
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	slurp("/proc/self/timers");
	snprintf(want, sizeof(want),
		 "signal: 12/00000000000abcde\nnotify: signal/pid.%d\nClockID: 1\n", getpid());
	CHECK(strstr(text, want) != NULL);
}

static void children_file(void)
{
	char path[64], want[32];
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if (access(path, F_OK) == 0) {
		slurp(path);
		snprintf(want, sizeof(want), "%d ", pid);
		CHECK_STR(text, want);
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

/* What a stranger sees. */
static void strangers(void)
{
	static const char *const closed[] = { "maps", "smaps",	 "environ", "auxv",
					      "mem",  "pagemap", "io",	    "syscall" };
	static const char *const open_[] = {
		"stat", "status", "cmdline", "limits", "comm", "statm"
	};
	char path[64], *p;
	unsigned long field;
	pid_t pid = fork();
	int fd, n = 2;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	CHECK_OK(setuid(1000));
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, closed[i]);
		fd = open(path, O_RDONLY);
		CHECK(fd < 0 || read(fd, text, 100) < 0);
		CHECK(errno == EACCES || errno == EPERM);
		close(fd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(open_); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, open_[i]);
		CHECK(slurp(path) > 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	slurp(path);
	p = strrchr(text, ')') + 1;
	for (p = strtok(p, " "); p; p = strtok(NULL, " ")) {
		field = strtoul(p, NULL, 10);
		n++;
		CHECK(n != 28 || field == 0); /* the stack */
		CHECK(n != 26 || field <= 1); /* the code */
		CHECK(n < 45 || n > 51 || field == 0);
	}
	_exit(tap_nfailed != 0);
}

/* Time spent in user mode and in the kernel is told apart, for the machine as for a process. */
static void cpu_split(void)
{
	unsigned long long before[4], after[4];
	long long end = tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 300000000LL;

	slurp("/proc/stat");
	REQUIRE(sscanf(text, "cpu %llu %llu %llu %llu", &before[0], &before[1], &before[2],
		       &before[3]) == 4);
	while (tap_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 1000000; i++)
			;
	slurp("/proc/stat");
	REQUIRE(sscanf(text, "cpu %llu %llu %llu %llu", &after[0], &after[1], &after[2],
		       &after[3]) == 4);
	CHECK(after[0] + after[1] - before[0] - before[1] >= 20);
	CHECK(after[2] >= before[2]);
	CHECK(after[3] >= before[3]);
}

/* ---- PROCMAP_QUERY ---- */

#define PROCMAP 0xc0686611u

struct query {
	uint64_t size, flags, addr;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, build_id_size;
	uint64_t name, build_id;
	uint64_t beyond; /* of what is known */
};

static struct query ask(int fd, void *addr, uint64_t flags, int error)
{
	static char name[4096];
	struct query q = { .size = 104, .flags = flags, .addr = (uintptr_t)addr };

	q.name = (uintptr_t)name;
	q.name_size = sizeof(name);
	memset(name, 'x', sizeof(name));
	if (error)
		CHECK_ERRNO(ioctl(fd, PROCMAP, &q), error);
	else
		CHECK_OK(ioctl(fd, PROCMAP, &q));
	return q;
}

static void procmap_refused(int fd, char *p)
{
	struct query q = ask(fd, p, 0, 0);
	char small[2];

	q.size = 23;
	CHECK_ERRNO(ioctl(fd, PROCMAP, &q), EINVAL);
	q.size = 4097;
	CHECK_ERRNO(ioctl(fd, PROCMAP, &q), E2BIG);
	q.size = sizeof(q);
	q.beyond = 1;
	CHECK_ERRNO(ioctl(fd, PROCMAP, &q), E2BIG);
	q.beyond = 0;
	CHECK_OK(ioctl(fd, PROCMAP, &q));
	ask(fd, p, 0x40, EINVAL);
	q.name = 0;
	CHECK_ERRNO(ioctl(fd, PROCMAP, &q), EINVAL);
	q.name = (uintptr_t)small;
	q.name_size = sizeof(small);
	CHECK_ERRNO(ioctl(fd, PROCMAP, &q), ENAMETOOLONG);
	q.name = q.name_size = 0;
	CHECK_OK(ioctl(fd, PROCMAP, &q));
	CHECK_ERRNO(ioctl(fd, PROCMAP, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(fd, PROCMAP + 1, &q), ENOTTY);
	q.size = 24; /* the question alone: no answer, but is there one? */
	q.start = 7;
	CHECK_OK(ioctl(fd, PROCMAP, &q));
	CHECK_EQ(q.start, 7);
}

static void procmap(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *area = mmap(NULL, 8 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;
	int exe = open("/proc/self/exe", O_RDONLY), fd = open("/proc/self/maps", O_RDONLY);
	char path[4096];
	struct query q;
	struct stat st;
	ssize_t n;

	REQUIRE(area != MAP_FAILED && fstat(exe, &st) == 0);
	p = mmap(area + 2 * page, 2 * page, PROT_READ, MAP_PRIVATE | MAP_FIXED, exe, page);
	REQUIRE(p == area + 2 * page && munmap(area, page) == 0 && munmap(p + 2 * page, page) == 0);
	if (!tap_on_caelum() && ioctl(fd, PROCMAP, NULL) == -1 && errno == ENOTTY) {
		NOTE("no PROCMAP_QUERY before Linux 6.11");
		return;
	}
	q = ask(fd, p + page + 5, 0, 0);
	CHECK(q.start == (uintptr_t)p && q.end == (uintptr_t)p + 2 * (size_t)page);
	CHECK(q.vma_flags == 1 && q.page_size == (uint64_t)page && q.offset == (uint64_t)page);
	CHECK_EQ(q.inode, st.st_ino);
	CHECK_EQ(makedev(q.major, q.minor), st.st_dev);
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	CHECK_STR((char *)(uintptr_t)q.name, path);
	CHECK_EQ(q.name_size, strlen(path) + 1);
	/* Nothing there; the next one; the next one like that. */
	ask(fd, area, 0, ENOENT);
	q = ask(fd, area, 0x10, 0);
	CHECK(q.start == (uintptr_t)area + (size_t)page && q.vma_flags == 0 && q.inode == 0);
	CHECK_EQ(q.name_size, 0);
	q = ask(fd, area, 0x10 | 0x20, 0);
	CHECK_EQ(q.start, (uintptr_t)p);
	q = ask(fd, area, 0x10 | 1, 0);
	CHECK_EQ(q.start, (uintptr_t)p);
	ask(fd, p, 2, ENOENT);
	q = ask(fd, &q, 2, 0);
	CHECK_STR((char *)(uintptr_t)q.name, "[stack]");
	procmap_refused(fd, p);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		for (;;)
			pause();
	TAP_FORK(mem_file);
	TAP_FORK(mem_of_others);
	TAP_FORK(vm_calls);
	TAP_FORK(smaps);
	TAP_FORK(many_mappings);
	TAP_FORK(pagemap);
	TAP_FORK(what_it_does);
	TAP_FORK(where_it_sleeps);
	TAP_FORK(io_file);
	TAP_FORK(timers_file);
	TAP_FORK(children_file);
	TAP_FORK(procmap);
	if (!getuid())
		TAP_FORK(strangers);
	TAP_FORK(cpu_split);
	return tap_done();
}

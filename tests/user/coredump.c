/* SPDX-License-Identifier: MIT */
/*
 * Core dumps, as core(5) describes them: when there is one, where, and what is in it. Needs root: the pattern is changed and
 * put back.
 */
#include "tap.h"
#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#define PATTERN "/proc/sys/kernel/core_pattern"
#define USES_PID "/proc/sys/kernel/core_uses_pid"
#define SUID_DUMPABLE "/proc/sys/fs/suid_dumpable"
#define MAGIC "find me in the core file: "

#ifndef NT_SIGINFO
#define NT_SIGINFO 0x53494749
#define NT_FILE 0x46494c45
#endif

/* Number of the program counter in NT_PRSTATUS's registers, and how many there are. */
#if defined(__x86_64__)
#define PC_INDEX 16
#define NREGS 27
#elif defined(__riscv)
#define PC_INDEX 0
#define NREGS 32
#elif defined(__aarch64__)
#define PC_INDEX 32
#define NREGS 34
#else
#define PC_INDEX 33
#define NREGS 45
#endif

struct prstatus {
	int signo, code, err;
	short cursig;
	unsigned long sigpend, sighold;
	int pid, ppid, pgrp, sid;
	long times[8];
	unsigned long reg[NREGS];
	int fpvalid;
};

struct prpsinfo {
	char state, sname, zomb, nice;
	unsigned long flag;
	unsigned uid, gid;
	int pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};

static void set_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void limit_core(rlim_t n)
{
	struct rlimit r = { n, n };

	REQUIRE(setrlimit(RLIMIT_CORE, &r) == 0);
}

/* ---- reading a core ---- */

static char *core;
static size_t core_size;

static int load(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	REQUIRE(fstat(fd, &st) == 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	core_size = (size_t)st.st_size;
	core = mmap(NULL, core_size ? core_size : 1, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(core != MAP_FAILED);
	close(fd);
	return 1;
}

static void unload(const char *path)
{
	munmap(core, core_size);
	unlink(path);
}

static const Elf64_Phdr *segment(int i)
{
	return (const Elf64_Phdr *)(core + ((Elf64_Ehdr *)core)->e_phoff) + i;
}

static void check_headers(void)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)core;

	REQUIRE(core_size > sizeof(*h));
	CHECK(!memcmp(h->e_ident, ELFMAG, SELFMAG));
	CHECK_EQ(h->e_type, ET_CORE);
	REQUIRE(h->e_phnum > 2);
	CHECK_EQ(segment(0)->p_type, PT_NOTE);
	for (int i = 1; i < h->e_phnum; i++) {
		const Elf64_Phdr *p = segment(i);

		CHECK_EQ(p->p_type, PT_LOAD);
		CHECK(p->p_filesz <= p->p_memsz);
		CHECK(p->p_offset + p->p_filesz <= core_size);
		CHECK_EQ(p->p_offset % 4096, 0);
		CHECK(i < 2 || p->p_vaddr >= segment(i - 1)->p_vaddr + segment(i - 1)->p_memsz);
	}
}

/* What the core says is at an address; NULL: not in the file. */
static const char *memory(const void *addr)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)core;
	uintptr_t a = (uintptr_t)addr;

	for (int i = 1; i < h->e_phnum; i++) {
		const Elf64_Phdr *p = segment(i);

		if (a >= p->p_vaddr && a < p->p_vaddr + p->p_filesz)
			return core + p->p_offset + (a - p->p_vaddr);
	}
	return NULL;
}

/* The @n-th note of a type, NULL if there are fewer. */
static const void *find_note(unsigned type, int n, size_t *size)
{
	const char *p = core + segment(0)->p_offset, *end = p + segment(0)->p_filesz;

	while (p + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *h = (const Elf64_Nhdr *)p;
		const char *name = p + sizeof(*h), *desc = name + ((h->n_namesz + 3) & ~3u);

		REQUIRE(desc + h->n_descsz <= end);
		if (h->n_type == type && !n--) {
			CHECK_EQ(strnlen(name, h->n_namesz), h->n_namesz - 1);
			*size = h->n_descsz;
			return desc;
		}
		p = desc + ((h->n_descsz + 3) & ~3u);
	}
	CHECK(p == end);
	return NULL;
}

/* ---- dying ---- */

static char *anon, *dontdump, *shared_mem, *untouched;
static char data[64] = MAGIC "data";

static void make_memory(void)
{
	anon = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	dontdump = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	untouched = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared_mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(anon != MAP_FAILED && dontdump != MAP_FAILED && shared_mem != MAP_FAILED);
	strcpy(anon + 4096, MAGIC "anon");
	REQUIRE(mprotect(anon, 8192, PROT_NONE) == 0); /* in the core all the same */
	strcpy(dontdump, MAGIC "dontdump");
	REQUIRE(madvise(dontdump, 4096, MADV_DONTDUMP) == 0);
	strcpy(shared_mem, MAGIC "shared");
	strcpy(data, MAGIC "changed");
}

__attribute__((noinline)) static void crash(void)
{
	*(volatile int *)16 = 1;
}

/* Die in a child as @die does, from directory . ; return the wait status. */
static int status_of(void (*die)(void))
{
	pid_t pid = fork();

	if (!pid) {
		die();
		_exit(99);
	}
	return tap_wait(pid);
}

#define CHECK_CORE(status, sig, dumped)                                                            \
	do {                                                                                       \
		int s_ = (status);                                                                 \
		if (!WIFSIGNALED(s_) || WTERMSIG(s_) != (sig) || !!WCOREDUMP(s_) != (dumped))      \
			tap_fail(__FILE__, __LINE__, "wait status %#x, wanted signal %d%s", s_,    \
				 (sig), (dumped) ? " with core" : "");                             \
	} while (0)

static void die_segv(void)
{
	crash();
}

/* ---- tests ---- */

/* Notes and memory of a process with one thread. */
static void contents(void)
{
	const struct prstatus *status;
	const struct prpsinfo *info;
	const siginfo_t *si;
	const unsigned long *words;
	const char *text;
	size_t size;
	int seen = 0;

	make_memory(); /* the child's are at the same addresses, or near: it makes its own */
	CHECK_CORE(status_of(die_segv), SIGSEGV, 1);
	REQUIRE(load("core"));
	check_headers();
	status = find_note(NT_PRSTATUS, 0, &size);
	REQUIRE(status != NULL);
	CHECK_EQ(size, sizeof(struct prstatus));
	CHECK_EQ(status->signo, SIGSEGV);
	CHECK_EQ(status->cursig, SIGSEGV);
	CHECK_EQ(status->code, 0);
	CHECK_EQ(status->ppid, getpid());
	CHECK_EQ(status->pgrp, getpgrp());
	CHECK_EQ(status->sid, getsid(0));
	CHECK_EQ(status->fpvalid, 1);
	CHECK(status->reg[PC_INDEX] - (unsigned long)crash < 64);
	CHECK(find_note(NT_PRSTATUS, 1, &size) == NULL);
	CHECK(find_note(NT_PRFPREG, 0, &size) != NULL);
	info = find_note(NT_PRPSINFO, 0, &size);
	REQUIRE(info != NULL);
	CHECK_EQ(size, sizeof(struct prpsinfo));
	CHECK_EQ(info->pid, status->pid);
	CHECK_EQ(info->uid, getuid());
	CHECK_EQ(info->sname, 'R');
	CHECK(strstr(info->psargs, "coredump") != NULL);
	si = find_note(NT_SIGINFO, 0, &size);
	REQUIRE(si != NULL);
	CHECK_EQ(size, 128);
	CHECK_EQ(si->si_signo, SIGSEGV);
	CHECK_EQ(si->si_code, SEGV_MAPERR);
	CHECK(si->si_addr == (void *)16);
	words = find_note(NT_AUXV, 0, &size);
	REQUIRE(words != NULL);
	for (size_t i = 0; i + 1 < size / 8; i += 2)
		seen |= words[i] == AT_PAGESZ && words[i + 1] == 4096;
	CHECK(seen);
	words = find_note(NT_FILE, 0, &size);
	REQUIRE(words != NULL);
	CHECK(words[0] >= 1 && words[0] < 1000);
	CHECK_EQ(words[1], 4096);
	for (size_t i = 0, k = 2; i < words[0]; i++, k += 3)
		seen |= words[k] <= (uintptr_t)crash && (uintptr_t)crash < words[k + 1] ? 2 : 0;
	CHECK(seen & 2);
	text = memory(data);
	CHECK(text && !strcmp(text, MAGIC "changed"));
	text = memory(anon + 4096);
	CHECK(text && !strcmp(text, MAGIC "anon"));
	text = memory(shared_mem);
	CHECK(text && !strcmp(text, MAGIC "shared"));
	CHECK(memory(dontdump) == NULL);
	CHECK(memory(untouched) == NULL);
	unload("core");
}

/* The other threads: blocked in a call, spinning, and one that waits to be cancelled. */
static int tids[4];
static volatile int go;

static void *thread(void *arg)
{
	int i = (int)(intptr_t)arg, fds[2];
	char c;

	__atomic_store_n(&tids[i], (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (i == 0)
		for (;;)
			go++;
	if (i == 1 && !pipe(fds))
		(void)!read(fds[0], &c, 1);
	for (;;)
		pause();
	return NULL;
}

static void die_with_threads(void)
{
	int fd = open("tids", O_RDWR | O_CREAT | O_TRUNC, 0600), all[5];
	pthread_t t;

	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&t, NULL, thread, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < 4; i++)
		while (!__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE))
			tap_sleep_ms(1);
	memcpy(all + 1, tids, sizeof(tids));
	all[0] = getpid();
	REQUIRE(write(fd, all, sizeof(all)) == sizeof(all));
	crash();
}

static void threads(void)
{
	int all[5], found = 0, fd;
	size_t size;

	CHECK_CORE(status_of(die_with_threads), SIGSEGV, 1);
	fd = open("tids", O_RDONLY);
	REQUIRE(read(fd, all, sizeof(all)) == sizeof(all));
	close(fd);
	REQUIRE(load("core"));
	check_headers();
	for (int i = 0; i < 5; i++) {
		const struct prstatus *s = find_note(NT_PRSTATUS, i, &size);

		REQUIRE(s != NULL);
		CHECK(i || s->pid == all[0]);
		for (int k = 0; k < 5; k++)
			found += s->pid == all[k];
		CHECK_EQ(s->cursig, SIGSEGV);
		CHECK(find_note(NT_PRFPREG, i, &size) != NULL);
		CHECK(s->reg[PC_INDEX] != 0);
	}
	CHECK_EQ(found, 5);
	CHECK(find_note(NT_PRSTATUS, 5, &size) == NULL);
	unload("core");
}

static int the_signal;

static void die_by(void)
{
	raise(the_signal);
}

/* Which signals leave a core; and that a limit of 0 and PR_SET_DUMPABLE prevent it. */
static void signals(void)
{
	static const int with[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE,
				    SIGSEGV, SIGBUS, SIGSYS,  SIGXCPU, SIGXFSZ };
	static const int without[] = { SIGTERM, SIGHUP, SIGALRM, SIGKILL, 40, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		the_signal = with[i];
		CHECK_CORE(status_of(die_by), with[i], 1);
		CHECK_OK(unlink("core"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		the_signal = without[i];
		CHECK_CORE(status_of(die_by), without[i], 0);
		CHECK_ERRNO(unlink("core"), ENOENT);
	}
}

static void die_undumpable(void)
{
	CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
	raise(SIGQUIT);
}

static void die_unlimited(void)
{
	limit_core(0);
	crash();
}

static void die_short(void)
{
	limit_core(20000);
	memset(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
	       1 << 20);
	crash();
}

static void die_other_user(void)
{
	CHECK_OK(chmod(".", 0777));
	CHECK_OK(setuid(1000));
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	crash();
}

static void die_other_user_dumpable(void)
{
	CHECK_OK(setuid(1000));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	crash();
}

static void limits(void)
{
	struct stat st;

	CHECK_CORE(status_of(die_undumpable), SIGQUIT, 0);
	CHECK_CORE(status_of(die_unlimited), SIGSEGV, 0);
	CHECK_CORE(status_of(die_other_user), SIGSEGV, 0);
	CHECK_ERRNO(stat("core", &st), ENOENT);
	CHECK_CORE(status_of(die_other_user_dumpable), SIGSEGV, 1);
	CHECK_OK(stat("core", &st));
	CHECK_EQ(st.st_uid, 1000);
	CHECK_CORE(status_of(die_short), SIGSEGV, 1);
	CHECK_OK(stat("core", &st));
	CHECK_EQ(st.st_uid, 0);
	CHECK(st.st_size <= 20000 + 4096);
	CHECK_OK(unlink("core"));
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
}

/* With fs.suid_dumpable=2, root gets a core of what changed its user, by an absolute name only. */
static void for_root(void)
{
	char dir[128], text[256];
	struct stat st;

	REQUIRE(getcwd(dir, sizeof(dir)) != NULL);
	set_file(SUID_DUMPABLE, "2");
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	snprintf(text, sizeof(text), "%s/root-%%d", dir);
	set_file(PATTERN, text);
	pid_t pid = fork();

	if (!pid) {
		CHECK_OK(setuid(1000));
		CHECK_EQ(prctl(PR_GET_DUMPABLE), 2);
		crash();
	}
	CHECK_CORE(tap_wait(pid), SIGSEGV, 1);
	CHECK_OK(stat("root-2", &st));
	CHECK_EQ(st.st_uid, 0);
	/* One that is there already is left alone. */
	pid = fork();
	if (!pid) {
		CHECK_OK(setuid(1000));
		crash();
	}
	CHECK_CORE(tap_wait(pid), SIGSEGV, 0);
	set_file(PATTERN, "relative");
	pid = fork();
	if (!pid) {
		CHECK_OK(setuid(1000));
		crash();
	}
	CHECK_CORE(tap_wait(pid), SIGSEGV, 0);
	set_file(SUID_DUMPABLE, "0");
	set_file(PATTERN, "core");
}

static void die_named(void)
{
	prctl(PR_SET_NAME, "a/b");
	raise(SIGABRT);
}

static void patterns(void)
{
	char want[256], host[65], text[256];
	pid_t pid;

	set_file(PATTERN, "x.%p.%e.%s.%u.%g.%h.%P.%i.%I.%f.%%.%Z.%d%");
	pid = fork();
	if (!pid)
		die_named();
	CHECK_CORE(tap_wait(pid), SIGABRT, 1);
	REQUIRE(gethostname(host, sizeof(host)) == 0);
	snprintf(want, sizeof(want), "x.%d.a!b.6.0.0.%s.%d.%d.%d.coredump.%%..1", pid, host, pid,
		 pid, pid);
	CHECK_OK(unlink(want));
	set_file(PATTERN, "plain");
	set_file(USES_PID, "1");
	pid = fork();
	if (!pid)
		die_named();
	CHECK_CORE(tap_wait(pid), SIGABRT, 1);
	snprintf(want, sizeof(want), "plain.%d", pid);
	CHECK_OK(unlink(want));
	set_file(USES_PID, "0");
	set_file(PATTERN, "no/such/directory");
	CHECK_CORE(status_of(die_named), SIGABRT, 0);
	memset(text, 'y', 200);
	text[200] = '\0';
	set_file(PATTERN, text);
	CHECK(tap_read_file(PATTERN, text, sizeof(text)) <= 128);
	set_file(PATTERN, "core");
	CHECK_EQ(tap_read_file(PATTERN, text, sizeof(text)), 5);
}

/* What is there under the name: a link is replaced, not followed. */
static void replaced(void)
{
	struct stat st;

	REQUIRE(tap_write_file("victim", "precious", 8, 0600) == 0);
	REQUIRE(symlink("victim", "core") == 0);
	CHECK_CORE(status_of(die_named), SIGABRT, 1);
	CHECK_OK(lstat("core", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_OK(stat("victim", &st));
	CHECK_EQ(st.st_size, 8);
	REQUIRE(link("core", "second") == 0);
	CHECK_CORE(status_of(die_named), SIGABRT, 1);
	CHECK_OK(stat("core", &st));
	CHECK_EQ(st.st_nlink, 1);
	CHECK_OK(unlink("core"));
	REQUIRE(mkdir("core", 0700) == 0);
	CHECK_CORE(status_of(die_named), SIGABRT, 0);
	CHECK_OK(rmdir("core"));
}

static void die_filtered(void)
{
	char text[32];

	set_file("/proc/self/coredump_filter", "0x0\n");
	tap_read_file("/proc/self/coredump_filter", text, sizeof(text));
	CHECK_STR(text, "00000000\n");
	pid_t pid = fork();

	if (!pid) {
		text[0] = '\0';
		tap_read_file("/proc/self/coredump_filter", text, sizeof(text));
		CHECK_STR(text, "00000000\n"); /* inherited */
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
	if (tap_nfailed)
		_exit(1);
	crash();
}

static void filter(void)
{
	char text[32];
	size_t size;

	tap_read_file("/proc/self/coredump_filter", text, sizeof(text));
	CHECK_STR(text, "00000033\n");
	make_memory();
	CHECK_CORE(status_of(die_filtered), SIGSEGV, 1);
	REQUIRE(load("core"));
	check_headers();
	CHECK(memory(anon) == NULL);
	CHECK(memory(data) == NULL);
	CHECK(memory(shared_mem) == NULL);
	CHECK(memory(&size) == NULL);
	CHECK(find_note(NT_PRSTATUS, 0, &size) != NULL);
	unload("core");
}

static void die_sparse(void)
{
	size_t size = 4UL << 30;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[1 << 20] = 'a';
	p[size / 2] = 'b';
	raise(SIGABRT);
}

/* Memory that was never touched takes no room in the file. */
static void sparse(void)
{
	struct stat st;

	CHECK_CORE(status_of(die_sparse), SIGABRT, 1);
	CHECK_OK(stat("core", &st));
	CHECK(st.st_size > 4LL << 30);
	CHECK(st.st_blocks < 16 * 2048);
	CHECK_OK(unlink("core"));
}

static void die_large(void)
{
	memset(mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
	       4 << 20);
	crash();
}

/* A full file system cuts the core short. */
static void no_space(void)
{
	struct stat st;

	REQUIRE(mkdir("small", 0755) == 0);
	REQUIRE(mount("none", "small", "tmpfs", 0, "size=1m") == 0);
	REQUIRE(chdir("small") == 0);
	CHECK_CORE(status_of(die_large), SIGSEGV, 1);
	CHECK_OK(stat("core", &st));
	CHECK(st.st_size > 0);
	REQUIRE(chdir("..") == 0);
	CHECK_OK(umount("small"));
	CHECK_OK(rmdir("small"));
}

/* SIGKILL while a core is written: the process ends at once. */
static void killed(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			die_large();
		for (int k = 0; k < 200 && tap_proc_state(pid) != 'Z' && access("core", F_OK); k++)
			tap_sleep_ms(1);
		if (i & 1)
			usleep((useconds_t)(i * 50));
		kill(pid, SIGKILL);
		status = tap_wait(pid);
		CHECK(WIFSIGNALED(status) &&
		      (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGKILL));
		unlink("core");
	}
}

/* For a debugger outside: crash with threads, and write the core to standard output. */
static int print_core(void)
{
	char buf[65536];
	ssize_t n;
	int fd;

	tap_tmpdir();
	limit_core(RLIM_INFINITY);
	status_of(die_with_threads);
	fd = open("core", O_RDONLY);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) != n)
			return 1;
	return n != 0;
}

int main(int argc, char **argv)
{
	static char pattern[200];
	const char *dir;

	if (argc > 1)
		return print_core();
	if (getuid())
		SKIP("needs root");
	REQUIRE(tap_read_file(PATTERN, pattern, sizeof(pattern)) > 0);
	dir = tap_tmpdir();
	limit_core(RLIM_INFINITY);
	set_file(USES_PID, "0");
	set_file(PATTERN, "core");
	TAP_FORK(contents);
	TAP_FORK(threads);
	TAP_FORK(signals);
	TAP_FORK(limits);
	TAP_FORK(for_root);
	TAP_FORK(patterns);
	TAP_FORK(replaced);
	TAP_FORK(filter);
	TAP_FORK(sparse);
	TAP_FORK(no_space);
	TAP_FORK(killed);
	set_file(PATTERN, pattern);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * A core_pattern that names a program, as core(5) describes it: how the program is started, what it reads, who waits for whom.
 * The program is this one, called with a word that says what to do. Needs root: settings of the whole machine are changed and put back. On
 * a Linux that others use they are not to be touched: there it runs only with CORE_PIPE_TEST in its environment.
 */
#include "tap.h"
#include <elf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define PATTERN	      "/proc/sys/kernel/core_pattern"
#define USES_PID      "/proc/sys/kernel/core_uses_pid"
#define PIPE_LIMIT    "/proc/sys/kernel/core_pipe_limit"
#define SUID_DUMPABLE "/proc/sys/fs/suid_dumpable"
#define MAGIC	      "find me in the core: "

static void set_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* ---- the program ---- */

static FILE *report;

static void say_signals(void)
{
	struct sigaction sa;
	sigset_t mask;
	int odd = 0;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig < 32; sig++) {
		sigaction(sig, NULL, &sa);
		odd += sa.sa_handler != SIG_DFL || sigismember(&mask, sig);
	}
	fprintf(report, "signals %d\n", odd);
}

static void say_who_we_are(char **argv)
{
	struct rlimit core;
	char cwd[256];
	int fds = 0;
	mode_t mask = umask(0);
	extern char **environ;

	for (char **a = argv; *a; a++)
		fprintf(report, "arg <%s>\n", *a);
	for (char **e = environ; *e; e++)
		fprintf(report, "env <%s>\n", *e);
	for (int fd = 0; fd < 256; fd++)
		fds += fcntl(fd, F_GETFD) >= 0 && fd != fileno(report);
	getrlimit(RLIMIT_CORE, &core);
	fprintf(report, "ids %d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	fprintf(report, "family %d %d %d\n", getppid() < 3, getpgrp(), getsid(0));
	fprintf(report, "fds %d umask %o cwd %s limit %d\n", fds, mask, getcwd(cwd, sizeof(cwd)),
		core.rlim_cur == 1 && core.rlim_max == 1);
	say_signals();
}

static void copy_core(void)
{
	static char buf[65536];
	int fd = open("core", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	while ((n = read(0, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			break;
	fprintf(report, "end %zd\n", n);
	close(fd);
}

/* The process that crashed is there as long as we want it to be. */
static void look_at(const char *pid)
{
	char path[64], text[4096], *state;

	for (int i = 0; i < 20; i++) {
		usleep(5000);
		snprintf(path, sizeof(path), "/proc/%s/status", pid);
		if (tap_read_file(path, text, sizeof(text)) <= 0 ||
		    !strstr(text, "CoreDumping:\t1\n"))
			break;
		state = strstr(text, "State:\t");
		if (!state || state[7] == 'Z' || state[7] == 'X')
			break;
		fprintf(report, "dumping\n");
	}
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	fprintf(report, "maps %d\n",
		tap_read_file(path, text, sizeof(text)) > 0 && strstr(text, "[stack]") != NULL);
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	fprintf(report, "exe %d\n", readlink(path, text, sizeof(text)) > 0);
	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fprintf(report, "mem %d\n", open(path, O_RDONLY | O_CLOEXEC) >= 0);
}

/* MODE is argv[1], the process argv[2]; we stand in the directory that argv[0] is in. */
static int helper(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/');
	char dir[128];

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - argv[0]), argv[0]);
	if (!strcmp(argv[1], "busy")) /* nothing but the dump itself */
		return 0;
	snprintf(dir + strlen(dir), 32, "/r%d", getpid());
	report = fopen(dir, "w");
	fprintf(report, "pid %d\n", getpid());
	if (!strcmp(argv[1], "who"))
		say_who_we_are(argv);
	*strrchr(dir, '/') = '\0';
	if (chdir(dir))
		return 1;
	if (!strcmp(argv[1], "close"))
		close(0);
	else if (strcmp(argv[1], "block"))
		copy_core();
	if (!strcmp(argv[1], "proc") && argc > 2)
		look_at(argv[2]);
	fclose(report);
	snprintf(dir, sizeof(dir), "r%d", getpid());
	rename(dir, "report");
	while (!strcmp(argv[1], "block"))
		pause();
	return 0;
}

/* ---- the other side ---- */

static char dir[128], text[16384];

/* What the program has to say, in text; its pid. */
static pid_t read_report(void)
{
	text[0] = '\0';
	CHECK(TAP_AWAIT(access("report", F_OK) == 0));
	REQUIRE(tap_read_file("report", text, sizeof(text)) > 0);
	unlink("report");
	return atoi(text + 4);
}

#define CHECK_SAYS(what)                                                                           \
	do {                                                                                       \
		if (!strstr(text, (what)))                                                         \
			tap_fail(__FILE__, __LINE__, "no \"%s\" in:\n%s", (what), text);           \
	} while (0)

static void set_pattern(const char *args)
{
	char pattern[256];

	snprintf(pattern, sizeof(pattern), "|%s/h %s", dir, args);
	REQUIRE(strlen(pattern) < 128);
	set_file(PATTERN, pattern);
}

static void limit_core(rlim_t n)
{
	struct rlimit r = { n, RLIM_INFINITY };

	REQUIRE(setrlimit(RLIMIT_CORE, &r) == 0);
}

static volatile char *memory;

static void crash(void)
{
	*(volatile int *)16 = 1;
}

static pid_t start(void (*die)(void))
{
	pid_t pid = fork();

	if (!pid) {
		die();
		_exit(99);
	}
	return pid;
}

#define CHECK_CORE(pid, sig, dumped)                                                               \
	do {                                                                                       \
		int s_ = tap_wait(pid);                                                            \
		if (!WIFSIGNALED(s_) || WTERMSIG(s_) != (sig) || !!WCOREDUMP(s_) != (dumped))      \
			tap_fail(__FILE__, __LINE__, "wait status %#x, wanted signal %d%s", s_,    \
				 (sig), (dumped) ? " with core" : "");                             \
	} while (0)

/* ---- tests ---- */

static void die_named(void)
{
	sigset_t all;

	signal(SIGUSR1, SIG_IGN);
	sigfillset(&all);
	sigdelset(&all, SIGABRT);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(077);
	setenv("SECRET", "1", 1);
	prctl(PR_SET_NAME, "a b/c");
	raise(SIGABRT);
}

/* Words are told apart before %e is replaced; ids, descriptors, signals are not those of who crashed. */
static void how_it_is_started(void)
{
	char want[512];
	pid_t pid;

	set_pattern(" who  %p\t%e x%s%%%Zy %c %");
	set_file(USES_PID, "1"); /* files only */
	pid = start(die_named);
	CHECK_CORE(pid, SIGABRT, 1);
	CHECK(read_report() > 0);
	snprintf(want, sizeof(want),
		 "arg <%s/h>\narg <who>\narg <%d>\narg <a b!c>\narg <x6%%y>\narg <0>\n", dir, pid);
	CHECK_SAYS(want);
	CHECK(!strstr(text, "env "));
	CHECK_SAYS("ids 0 0 0 0\n");
	CHECK_SAYS("family 1 0 0\n");
	CHECK_SAYS("fds 1 umask 22 cwd /");
	CHECK_SAYS("limit 1\n");
	CHECK_SAYS("signals 0\n");
	CHECK_SAYS("end 0\n");
	set_file(USES_PID, "0");
}

/* What comes through the pipe is the file it would have been, with zeros for holes. */
static void contents(void)
{
	const Elf64_Ehdr *h;
	const Elf64_Phdr *ph;
	struct stat st;
	int found = 0, fd;
	char *core;

	set_pattern("copy %p");
	memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	strcpy((char *)memory + (1 << 19), MAGIC);
	CHECK_CORE(start(crash), SIGSEGV, 1);
	read_report();
	fd = open("core", O_RDONLY);
	REQUIRE(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 1 << 20);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(core != MAP_FAILED);
	close(fd);
	h = (const Elf64_Ehdr *)core;
	CHECK(!memcmp(h->e_ident, ELFMAG, SELFMAG));
	CHECK_EQ(h->e_type, ET_CORE);
	ph = (const Elf64_Phdr *)(core + h->e_phoff);
	CHECK_EQ(ph[h->e_phnum - 1].p_offset + ph[h->e_phnum - 1].p_filesz, st.st_size);
	for (int i = 1; i < h->e_phnum; i++) {
		size_t at = (uintptr_t)memory - ph[i].p_vaddr;
		const char *there = core + ph[i].p_offset + at;

		if ((uintptr_t)memory < ph[i].p_vaddr || at + (1 << 20) > ph[i].p_filesz)
			continue;
		found++;
		CHECK(!strcmp(there + (1 << 19), MAGIC));
		for (int k = 0; k < 1 << 19; k++)
			if (there[k]) {
				CHECK(!there[k]);
				break;
			}
	}
	CHECK_EQ(found, 1);
	munmap(core, (size_t)st.st_size);
	munmap((void *)memory, 1 << 20);
	CHECK_OK(unlink("core"));
}

/* RLIMIT_CORE does not matter, but for 1; PR_SET_DUMPABLE does. */
static void die_limit_1(void)
{
	limit_core(1);
	crash();
}

static void die_limit_2(void)
{
	limit_core(2);
	crash();
}

static void die_undumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	crash();
}

static void die_other_user(void)
{
	CHECK_OK(setuid(1000));
	crash();
}

static void limits(void)
{
	set_pattern("copy %p %d");
	CHECK_CORE(start(die_limit_2), SIGSEGV, 1);
	read_report();
	CHECK_CORE(start(die_limit_1), SIGSEGV, 0);
	CHECK_CORE(start(die_undumpable), SIGSEGV, 0);
	CHECK_CORE(start(die_other_user), SIGSEGV, 0);
	tap_sleep_ms(20);
	CHECK_ERRNO(access("report", F_OK), ENOENT);
	set_file(SUID_DUMPABLE, "2");
	CHECK_CORE(start(die_other_user), SIGSEGV, 1);
	read_report();
	set_file(SUID_DUMPABLE, "0");
}

/* Programs that are not there, or none. */
static void no_program(void)
{
	static const char *const pattern[] = { "|/no/such/program %p", "|", "|  ", "|/",
					       "|/proc/version" };

	for (size_t i = 0; i < ARRAY_SIZE(pattern); i++) {
		set_file(PATTERN, pattern[i]);
		CHECK_CORE(start(crash), SIGSEGV, 0);
		text[0] = '\0';
		tap_read_file(PATTERN, text, sizeof(text));
		CHECK(!strncmp(text, pattern[i], strlen(pattern[i])));
	}
}

/* With a limit the process waits for its reader, which may look at it meanwhile. */
static void reader_looks(void)
{
	const char *at = text;
	pid_t pid, reader;
	int n = 0;

	set_file(PIPE_LIMIT, "3");
	set_pattern("proc %p");
	pid = start(crash);
	CHECK_CORE(pid, SIGSEGV, 1);
	/* The crashed process ends after its reader has closed the pipe, so the report is there. */
	CHECK_OK(access("report", F_OK));
	reader = read_report();
	while ((at = strstr(at, "dumping\n"))) {
		n++;
		at++;
	}
	CHECK_EQ(n, 20);
	CHECK_SAYS("end 0\n");
	CHECK_SAYS("maps 1\n");
	CHECK_SAYS("exe 1\n");
	CHECK_SAYS("mem 1\n");
	/* Nobody has to wait for the reader. */
	CHECK(TAP_AWAIT(kill(reader, 0) == -1 && errno == ESRCH));
	set_file(PIPE_LIMIT, "0");
}

static void die_large(void)
{
	size_t size = 8 << 20;

	memset(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
	       size);
	crash();
}

/* A reader that closes the pipe unread: the dump ends, nobody gets SIGPIPE. */
static void reader_closes(void)
{
	for (int i = 0; i < 2; i++) {
		set_file(PIPE_LIMIT, i ? "4" : "0");
		set_pattern("close %p");
		CHECK_CORE(start(die_large), SIGSEGV, 1);
		read_report();
	}
	set_file(PIPE_LIMIT, "0");
}

/* A reader that does not read: SIGKILL ends who crashed; others over the limit are not dumped. */
static void reader_blocks(void)
{
	pid_t pid, reader;

	for (int limit = 0; limit < 2; limit++) {
		set_file(PIPE_LIMIT, limit ? "1" : "0");
		set_pattern("block %p");
		pid = start(die_large);
		reader = read_report();
		tap_sleep_ms(20);
		CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
		CHECK_OK(kill(pid, SIGTERM)); /* is dying already */
		tap_sleep_ms(20);
		CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
		if (limit)
			CHECK_CORE(start(crash), SIGSEGV, 0);
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_CORE(pid, SIGKILL, 0);
		CHECK_OK(kill(reader, SIGKILL));
	}
	set_file(PIPE_LIMIT, "0");
}

/* The reader dies while the process waits for it, or is killed itself: both end. */
static void reader_killed(void)
{
	pid_t pid, reader;

	set_file(PIPE_LIMIT, "2");
	for (int i = 0; i < 2; i++) {
		set_pattern("block %p");
		pid = start(die_large);
		reader = read_report();
		tap_sleep_ms(10);
		CHECK_OK(kill(reader, SIGKILL));
		CHECK_CORE(pid, SIGSEGV, 1);
	}
	set_file(PIPE_LIMIT, "0");
}

/* Many at a time. */
static void many(void)
{
	pid_t pid[16];

	set_pattern("busy");
	for (int round = 0; round < 4; round++) {
		set_file(PIPE_LIMIT, round & 1 ? "100" : "0");
		for (size_t i = 0; i < ARRAY_SIZE(pid); i++)
			pid[i] = start(crash);
		for (size_t i = 0; i < ARRAY_SIZE(pid); i++)
			CHECK_CORE(pid[i], SIGSEGV, 1);
	}
	set_file(PIPE_LIMIT, "0");
}

static void die_chrooted(void)
{
	REQUIRE(mkdir("jail", 0755) == 0);
	REQUIRE(chroot("jail") == 0);
	REQUIRE(chdir("/") == 0);
	crash();
}

/* The program is looked for where process 1 looks. */
static void chrooted(void)
{
	set_pattern("copy");
	CHECK_CORE(start(die_chrooted), SIGSEGV, 1);
	CHECK(read_report() > 0);
	CHECK_OK(rmdir("jail"));
}

int main(int argc, char **argv)
{
	static char pattern[200], limit[32];
	const char *tmp;
	char exe[256];
	ssize_t n;

	if (argc > 1 && strrchr(argv[0], '/') && !strcmp(strrchr(argv[0], '/'), "/h"))
		return helper(argc, argv);
	if (getuid())
		SKIP("needs root");
	if (!tap_on_caelum() && !getenv("CORE_PIPE_TEST"))
		SKIP("changes core_pattern of the whole machine: CORE_PIPE_TEST is not set");
	REQUIRE(tap_read_file(PATTERN, pattern, sizeof(pattern)) > 0);
	REQUIRE(tap_read_file(PIPE_LIMIT, limit, sizeof(limit)) > 0);
	tmp = tap_tmpdir();
	REQUIRE(getcwd(dir, sizeof(dir)) != NULL);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	REQUIRE(n > 0);
	exe[n] = '\0';
	REQUIRE(symlink(exe, "h") == 0);
	limit_core(0);
	set_file(USES_PID, "0");
	set_file(PIPE_LIMIT, "0");
	TAP_FORK(how_it_is_started);
	TAP_FORK(contents);
	TAP_FORK(limits);
	TAP_FORK(no_program);
	TAP_FORK(reader_looks);
	TAP_FORK(reader_closes);
	TAP_FORK(reader_blocks);
	TAP_FORK(reader_killed);
	TAP_FORK(many);
	TAP_FORK(chrooted);
	set_file(PATTERN, pattern);
	set_file(PIPE_LIMIT, limit);
	tap_rmdir(tmp);
	return tap_done();
}

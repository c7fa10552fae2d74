/* SPDX-License-Identifier: MIT */
/*
 * execve: what a new program keeps and loses, scripts, limits on arguments, permissions, and some
 * twenty shapes of damaged ELF file with the exact error each gives. Semantics: execve(2); for ELF
 * files Linux's fs/binfmt_elf.c as documented in elf(5).
 */
#include "tap.h"
#include <elf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static char self[256];
static char *const no_env[] = { NULL };
static void *volatile bad = (void *)1;

/* Roles of the executed copy: it reports through its exit status. */
static int role_check(int argc, char **argv)
{
	if (strcmp(argv[1], "ok") == 0)
		return 40;
	if (strcmp(argv[1], "argc") == 0)
		return argc;
	if (strcmp(argv[1], "fds") == 0)
		return (fcntl(50, F_GETFD) != -1) * 2 + (fcntl(51, F_GETFD) != -1);
	if (strcmp(argv[1], "signals") == 0) {
		struct sigaction usr1, usr2;
		sigset_t mask, pending;

		sigaction(SIGUSR1, NULL, &usr1);
		sigaction(SIGUSR2, NULL, &usr2);
		sigprocmask(SIG_BLOCK, NULL, &mask);
		sigpending(&pending);
		return (usr1.sa_handler == SIG_DFL) + 2 * (usr2.sa_handler == SIG_IGN) +
		       4 * sigismember(&mask, SIGHUP) + 8 * sigismember(&pending, SIGHUP);
	}
	if (strcmp(argv[1], "comm") == 0) {
		char comm[17] = "";

		prctl(PR_GET_NAME, comm);
		return strcmp(comm, "a-long-name-of-") == 0 ? 41 : 1;
	}
	return 2;
}

/* Run the program at @path with these arguments; return its wait status, or -errno when refused. */
static int run(const char *path, char *const argv[])
{
	int fds[2], error = 0, status;
	pid_t pid;

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		execve(path, argv, no_env);
		error = errno;
		_exit(write(fds[1], &error, sizeof(error)) == sizeof(error) ? 0 : 1);
	}
	close(fds[1]);
	if (read(fds[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(fds[0]);
	status = tap_wait(pid);
	return error ? -error : status;
}

static int run1(const char *path, const char *arg)
{
	char *argv[] = { (char *)"exec-child", (char *)arg, NULL };

	return run(path, argv);
}

#define CHECK_RUN(path, arg, code) CHECK_EQ(run1(path, arg), (code) << 8)
#define CHECK_REFUSED(path, error)                                                                 \
	do {                                                                                       \
		int r_ = run1(path, "ok");                                                         \
		if (r_ != -(error))                                                                \
			tap_fail(__FILE__, __LINE__, "exec %s: %s (%#x), wanted %s", path,         \
				 r_ < 0 ? tap_errname(-r_) : "ran", (unsigned)r_, #error);         \
	} while (0)

static void put(const char *path, const char *text, mode_t mode)
{
	unlink(path);
	REQUIRE(tap_write_file(path, text, strlen(text), mode) == 0);
	chmod(path, mode);
}

static void plain(void)
{
	CHECK_RUN(self, "ok", 40);
	CHECK_REFUSED("missing", ENOENT);
	CHECK_REFUSED("", ENOENT);
	CHECK_REFUSED("/tmp", EACCES);
	put("noexec", "#!/bin/sh\n", 0644);
	CHECK_REFUSED("noexec", EACCES);
	CHECK_REFUSED("noexec/x", ENOTDIR);
	put("text", "hello\n", 0755);
	CHECK_REFUSED("text", ENOEXEC);
	put("empty", "", 0755);
	CHECK_REFUSED("empty", ENOEXEC);
	CHECK_OK(symlink("loop", "loop"));
	CHECK_REFUSED("loop", ELOOP);
	CHECK_OK(symlink(self, "link"));
	CHECK_RUN("link", "ok", 40);
	CHECK_ERRNO(execve(bad, no_env, no_env), EFAULT);
	CHECK_ERRNO(execve(self, bad, no_env), EFAULT);
	CHECK_ERRNO(execve(self, (char *[]){ bad, NULL }, no_env), EFAULT);
}

static void limits(void)
{
	size_t big = 131072; /* MAX_ARG_STRLEN */
	char *arg = malloc(big + 1);
	char *argv[200];

	memset(arg, 'a', big);
	arg[big] = '\0';
	CHECK_EQ(run(self, (char *[]){ "x", "argc", arg, NULL }), -E2BIG);
	arg[big - 1] = '\0';
	CHECK_EQ(run(self, (char *[]){ "x", "argc", arg, NULL }), 3 << 8);
	argv[0] = "x";
	argv[1] = "argc";
	for (int i = 2; i < 199; i++)
		argv[i] = arg;
	argv[199] = NULL;
	CHECK_EQ(run(self, argv), -E2BIG);
	arg[1000] = '\0';
	CHECK_EQ(run(self, argv), 199 << 8);
	free(arg);
}

static void scripts(void)
{
	char text[600];

	snprintf(text, sizeof(text), "#!%s\n", self);
	put("s1", text, 0755);
	/* interpreter, script: argv[1] is the script's own name, which is no role */
	CHECK_RUN("./s1", "ok", 2);
	snprintf(text, sizeof(text), "#!%s argc\n", self);
	put("s2", text, 0755);
	CHECK_RUN("./s2", "ok", 4);
	snprintf(text, sizeof(text), "#! \t %s\t argc and more words \t\n", self);
	put("s3", text, 0755);
	CHECK_RUN("./s3", "ok", 2); /* one argument: "argc and more words" */
	snprintf(text, sizeof(text), "#!%s argc", self);
	put("s4", text, 0755);
	CHECK_RUN("./s4", "ok", 4);
	put("s5", "#!\n", 0755);
	CHECK_REFUSED("./s5", ENOEXEC);
	put("s6", "#!   \n", 0755);
	CHECK_REFUSED("./s6", ENOEXEC);
	put("s7", "#!/no/such/interpreter\n", 0755);
	CHECK_REFUSED("./s7", ENOENT);
	put("s8", "#!/tmp\n", 0755);
	CHECK_REFUSED("./s8", EACCES);
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	text[599] = '\0';
	put("s9", text, 0755);
	CHECK_REFUSED("./s9", ENOEXEC); /* the interpreter's name does not end in 256 bytes */
}

static void nested_scripts(void)
{
	char text[300], name[16];

	snprintf(text, sizeof(text), "#!%s argc\n", self);
	put("n0", text, 0755);
	for (int i = 1; i < 7; i++) {
		snprintf(text, sizeof(text), "#!./n%d\n", i - 1);
		snprintf(name, sizeof(name), "n%d", i);
		put(name, text, 0755);
	}
	CHECK_RUN("./n1", "ok", 5);
	CHECK_RUN("./n4", "ok", 8);
	CHECK_REFUSED("./n6", ELOOP);
	put("selfish", "#!./selfish\n", 0755);
	CHECK_REFUSED("./selfish", ELOOP);
}

/* Read this program; the tests below damage copies of it. */
static unsigned char *image;
static size_t image_size;

static void load_self(void)
{
	struct stat st;
	int fd = open(self, O_RDONLY);

	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	image_size = (size_t)st.st_size;
	image = malloc(image_size);
	REQUIRE(image && read(fd, image, image_size) == st.st_size);
	close(fd);
}

static void text_busy(void)
{
	struct stat st;
	int fd, want;

	unlink("copy");
	REQUIRE(tap_write_file("copy", image, image_size, 0755) == 0);
	CHECK_RUN("./copy", "ok", 40);
	fd = (int)CHECK_OK(open("copy", O_WRONLY));
	CHECK_REFUSED("./copy", ETXTBSY);
	close(fd);
	CHECK_RUN("./copy", "ok", 40);
	REQUIRE(stat(self, &st) == 0);
	want = geteuid() && geteuid() != st.st_uid ? EACCES : ETXTBSY;
	CHECK_ERRNO(open(self, O_WRONLY), want);
	CHECK_ERRNO(truncate(self, 5), want);
}

static void descriptors(void)
{
	REQUIRE(dup2(0, 50) == 50 || dup2(2, 50) == 50);
	REQUIRE(dup3(50, 51, O_CLOEXEC) == 51);
	CHECK_RUN(self, "fds", 2);
	CHECK_OK(fcntl(51, F_SETFD, 0));
	CHECK_RUN(self, "fds", 3);
	close(50);
	close(51);
}

static void handler(int sig)
{
}

static void signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGHUP);
	fflush(NULL);
	execl(self, "exec-child", "signals", (char *)NULL);
}

static void name(void)
{
	CHECK_OK(link("copy", "a-long-name-of-a-program"));
	CHECK_RUN("./a-long-name-of-a-program", "comm", 41);
}

static void by_descriptor(void)
{
	char *argv[] = { "exec-child", "ok", NULL };
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, no_env, AT_EMPTY_PATH);
		_exit(1);
	}
	CHECK_EXIT(pid, 40);
	pid = fork();
	if (pid == 0) {
		fexecve(fd, argv, no_env);
		_exit(1);
	}
	CHECK_EXIT(pid, 40);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "", argv, no_env, 0), ENOENT);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "x", argv, no_env, 0), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_execveat, -1, "x", argv, no_env, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "x", argv, no_env, 0x8000), EINVAL);
	CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "link", argv, no_env, AT_SYMLINK_NOFOLLOW),
		    ELOOP);
	close(fd);
	/* a script whose descriptor closes on exec has no name for its interpreter */
	fd = open("s2", O_RDONLY | O_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "", argv, no_env, AT_EMPTY_PATH), ENOENT);
	close(fd);
}

static void not_permitted(void)
{
	put("only-owner", "#!/bin/sh\n", 0700);
	if (geteuid() != 0 || setresuid(12345, 12345, 12345) != 0)
		return;
	CHECK_ERRNO(execl("./only-owner", "x", (char *)NULL), EACCES);
}

/* Damaged files. Each case edits a copy of a minimal program made here. */
static unsigned char tiny[8192];

static Elf64_Ehdr *ehdr(void)
{
	return (Elf64_Ehdr *)tiny;
}

static Elf64_Phdr *phdr(int i)
{
	return (Elf64_Phdr *)(tiny + sizeof(Elf64_Ehdr)) + i;
}

/* A valid header of this machine with one executable segment and room for a second entry. */
static void make_tiny(void)
{
	memset(tiny, 0, sizeof(tiny));
	memcpy(ehdr(), image, sizeof(Elf64_Ehdr));
	ehdr()->e_type = ET_EXEC;
	ehdr()->e_phoff = sizeof(Elf64_Ehdr);
	ehdr()->e_phnum = 1;
	ehdr()->e_shnum = 0;
	ehdr()->e_entry = 0x10001000;
	*phdr(0) = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_vaddr = 0x10000000,
				 .p_filesz = sizeof(tiny),
				 .p_memsz = sizeof(tiny),
				 .p_align = 0x10000 };
}

static void write_tiny(size_t len)
{
	unlink("tiny");
	REQUIRE(tap_write_file("tiny", tiny, len, 0755) == 0);
}

static const struct shape {
	const char *what;
	size_t offset;
	uint64_t value;
	int width;
	int error;
} shapes[] = {
#define E(field, value, width, error)                                                              \
	{ "e_" #field "=" #value, offsetof(Elf64_Ehdr, e_##field), value, width, error }
#define P(field, value, width, error)                                                              \
	{ "p_" #field "=" #value, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_##field), value,     \
	  width, error }
	E(ident[0], 0, 1, ENOEXEC),	E(ident[3], 'G', 1, ENOEXEC),
	E(type, ET_REL, 2, ENOEXEC),	E(type, ET_CORE, 2, ENOEXEC),
	E(type, 0, 2, ENOEXEC),		E(machine, EM_SPARC, 2, ENOEXEC),
	E(machine, 0xffff, 2, ENOEXEC), E(phentsize, 55, 2, ENOEXEC),
	E(phentsize, 0, 2, ENOEXEC),	E(phnum, 0, 2, ENOEXEC),
	E(phnum, 2000, 2, ENOEXEC),	E(phnum, 1000, 2, ENOEXEC),
	E(phoff, 0x100000, 8, ENOEXEC), E(phoff, 0x7fffffffffffff00, 8, ENOEXEC),
	E(phoff, -8, 8, ENOEXEC),
};

static void damaged_headers(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *s = &shapes[i];
		int result;

		make_tiny();
		memcpy(tiny + s->offset, &s->value, (size_t)s->width);
		write_tiny(sizeof(tiny));
		result = run1("./tiny", "ok");
		if (result != -s->error)
			tap_fail(__FILE__, __LINE__, "ELF with %s: %s (%#x), wanted %s", s->what,
				 result < 0 ? tap_errname(-result) : "ran", (unsigned)result,
				 tap_errname(s->error));
	}
}

static void truncated(void)
{
	const struct {
		size_t len;
		int error;
	} cases[] = { { 1, ENOEXEC },  { 4, ENOEXEC },	 { 16, ENOEXEC }, { 63, ENOEXEC },
		      { 64, ENOEXEC }, { 100, ENOEXEC }, { 119, ENOEXEC } };

	make_tiny();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int result;

		write_tiny(cases[i].len);
		result = run1("./tiny", "ok");
		if (result != -cases[i].error)
			tap_fail(__FILE__, __LINE__, "ELF cut to %zu bytes: %s (%#x), wanted %s",
				 cases[i].len, result < 0 ? tap_errname(-result) : "ran",
				 (unsigned)result, tap_errname(cases[i].error));
	}
}

/* Make entry 1 a PT_INTERP that names @path, and see what exec says. */
static int with_interpreter(const char *path, size_t len)
{
	make_tiny();
	*phdr(1) = *phdr(0);
	*phdr(0) = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0x800, .p_filesz = len };
	ehdr()->e_phnum = 2;
	memcpy(tiny + 0x800, path, strlen(path) + 1);
	write_tiny(sizeof(tiny));
	return run1("./tiny", "ok");
}

static void interpreters(void)
{
	char dir[128], path[300];

	REQUIRE(getcwd(dir, sizeof(dir)) != NULL);
	CHECK_EQ(with_interpreter("/no/such/ld.so", 15), -ENOENT);
	CHECK_EQ(with_interpreter("/no/such/ld.so", 14), -ENOEXEC); /* not terminated */
	CHECK_EQ(with_interpreter("", 1), -ENOEXEC);
	CHECK_EQ(with_interpreter("/tmp", 5000), -ENOEXEC);
	CHECK_EQ(with_interpreter("/tmp", 5), -EACCES);
	put("text", "not an ELF file, but long enough to hold a header of one: 0123456789\n", 0755);
	snprintf(path, sizeof(path), "%s/text", dir);
	CHECK_EQ(with_interpreter(path, strlen(path) + 1), -ELIBBAD);
	put("short", "\177ELF", 0755);
	snprintf(path, sizeof(path), "%s/short", dir);
	CHECK_EQ(with_interpreter(path, strlen(path) + 1), -EIO);
}

/* Past the point of no return there is nobody to tell: the process dies by a signal. */
static void killed_later(void)
{
	make_tiny();
	phdr(0)->p_vaddr = 0xffff800000000000;
	write_tiny(sizeof(tiny));
	int status = run1("./tiny", "ok");
	CHECK(status > 0 && WIFSIGNALED(status));
	make_tiny();
	phdr(0)->p_filesz = phdr(0)->p_memsz + 1;
	write_tiny(sizeof(tiny));
	status = run1("./tiny", "ok");
	CHECK(status > 0 && WIFSIGNALED(status));
	make_tiny();
	ehdr()->e_entry = 0x20000000; /* valid file, nothing at its entry */
	write_tiny(sizeof(tiny));
	status = run1("./tiny", "ok");
	CHECK(status > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(int argc, char **argv)
{
	const char *dir;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 1 && strstr(argv[0], "runner") == NULL)
		return role_check(argc, argv);
	REQUIRE(len > 0);
	dir = tap_tmpdir();
	load_self();
	TAP_RUN(plain);
	TAP_RUN(limits);
	TAP_RUN(scripts);
	TAP_RUN(nested_scripts);
	TAP_RUN(text_busy);
	TAP_RUN(descriptors);
	tap_current = "signals";
	CHECK_EXIT(tap_spawn(signals), 15);
	TAP_RUN(name);
	TAP_RUN(by_descriptor);
	TAP_FORK(not_permitted);
	TAP_RUN(damaged_headers);
	TAP_RUN(truncated);
	TAP_RUN(interpreters);
	TAP_RUN(killed_later);
	tap_rmdir(dir);
	return tap_done();
}

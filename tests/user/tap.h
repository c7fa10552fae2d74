/* SPDX-License-Identifier: MIT */
/*
 * What every program in tests/user shares: checks that say where they failed.
 *
 * Use: write `static void name(void)` functions full of CHECKs, call each from main() with TAP_RUN
 * (in this process) or TAP_FORK (in a child, when it changes signals, descriptors, ids), and end
 * with `return tap_done();`. The program then exits 0 (all passed), 1 (something failed, printed
 * with file:line) or 77 (SKIP). A failing check does not stop the test; REQUIRE does.
 *
 * Only POSIX and Linux calls that musl has are used, so that one source builds with any libc.
 */
#ifndef TESTS_USER_TAP_H
#define TESTS_USER_TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAP_SKIP_STATUS 77
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC 1000000000LL

static const char *tap_current = "main";
static int tap_nfailed;

/* Report one failed check. Async-signal-safe enough for handlers: one write(2). */
__attribute__((format(printf, 3, 4), unused)) static void tap_fail(const char *file, int line,
								   const char *fmt, ...)
{
	char text[512];
	va_list args;
	int saved = errno;
	int len;

	__atomic_add_fetch(&tap_nfailed, 1, __ATOMIC_RELAXED);
	len = snprintf(text, sizeof(text), "# %s:%d: %s: ", file, line, tap_current);
	va_start(args, fmt);
	len += vsnprintf(text + len, sizeof(text) - (size_t)len - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';
	if (write(2, text, (size_t)len) < 0)
		_exit(1);
	errno = saved;
}

/* The name of an error number, for messages; strerror() when it is a rare one. */
__attribute__((unused)) static const char *tap_errname(int error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
#define N(e) { e, #e }
		N(EPERM),    N(ENOENT),	   N(ESRCH),	  N(EINTR),
		N(EIO),	     N(ENXIO),	   N(E2BIG),	  N(ENOEXEC),
		N(EBADF),    N(ECHILD),	   N(EAGAIN),	  N(ENOMEM),
		N(EACCES),   N(EFAULT),	   N(ENOTBLK),	  N(EBUSY),
		N(EEXIST),   N(EXDEV),	   N(ENODEV),	  N(ENOTDIR),
		N(EISDIR),   N(EINVAL),	   N(ENFILE),	  N(EMFILE),
		N(ENOTTY),   N(ETXTBSY),   N(EFBIG),	  N(ENOSPC),
		N(ESPIPE),   N(EROFS),	   N(EMLINK),	  N(EPIPE),
		N(EDOM),     N(ERANGE),	   N(EDEADLK),	  N(ENAMETOOLONG),
		N(ENOLCK),   N(ENOSYS),	   N(ENOTEMPTY),  N(ELOOP),
		N(ENODATA),  N(EOVERFLOW), N(ELIBBAD),	  N(EOPNOTSUPP),
		N(ENOTSOCK), N(ETIMEDOUT), N(EOWNERDEAD), N(ENOTRECOVERABLE),
#undef N
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == error)
			return names[i].name;
	return error ? strerror(error) : "0";
}

/* CHECK(cond): cond holds. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			tap_fail(__FILE__, __LINE__, "CHECK(%s) failed (errno %s)", #cond,         \
				 tap_errname(errno));                                              \
	} while (0)

/* REQUIRE(cond): cond holds, or the program cannot go on and ends here with status 1. */
#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			tap_fail(__FILE__, __LINE__, "REQUIRE(%s) failed (errno %s)", #cond,       \
				 tap_errname(errno));                                              \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* CHECK_EQ(got, want): two integers are equal; both are printed when not. */
#define CHECK_EQ(got, want)                                                                        \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_)                                                                 \
			tap_fail(__FILE__, __LINE__, "%s is %lld (%#llx), not %lld (%#llx)", #got, \
				 got_, got_, want_, want_);                                        \
	} while (0)

/* CHECK_STR(got, want): two strings are equal. */
#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (strcmp(got_, want_) != 0)                                                      \
			tap_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, got_,       \
				 want_);                                                           \
	} while (0)

/* CHECK_OK(expr): a call that returns -1 on failure succeeds. Its value is the result. */
#define CHECK_OK(expr)                                                                             \
	({                                                                                         \
		long r_ = (long)(expr);                                                            \
		if (r_ == -1)                                                                      \
			tap_fail(__FILE__, __LINE__, "%s: %s", #expr, tap_errname(errno));         \
		r_;                                                                                \
	})

/* CHECK_ERRNO(expr, e): a call returns -1 with errno e. */
#define CHECK_ERRNO(expr, e)                                                                       \
	do {                                                                                       \
		errno = 0;                                                                         \
		long r_ = (long)(expr);                                                            \
		int e_ = errno;                                                                    \
		if (r_ != -1)                                                                      \
			tap_fail(__FILE__, __LINE__, "%s returned %ld, wanted %s", #expr, r_, #e); \
		else if (e_ != (e))                                                                \
			tap_fail(__FILE__, __LINE__, "%s: %s, wanted %s", #expr, tap_errname(e_),  \
				 #e);                                                              \
	} while (0)

/* SKIP(reason): this program cannot say anything on this system. Not after a failure. */
#define SKIP(...)                                                                                  \
	do {                                                                                       \
		printf("# SKIP ");                                                                 \
		printf(__VA_ARGS__);                                                               \
		putchar('\n');                                                                     \
		fflush(stdout);                                                                    \
		_exit(tap_nfailed ? 1 : TAP_SKIP_STATUS);                                          \
	} while (0)

/* NOTE(text): say that a part was left out, and why; the rest of the program goes on. */
#define NOTE(...)                                                                                  \
	do {                                                                                       \
		printf("# %s: ", tap_current);                                                     \
		printf(__VA_ARGS__);                                                               \
		putchar('\n');                                                                     \
		fflush(stdout);                                                                    \
	} while (0)

/* Wait for @pid and return its wait status, retrying EINTR. */
__attribute__((unused)) static int tap_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

/* Fork; in the child run @fn, and exit with what its checks said. Return the child's id. */
__attribute__((unused)) static pid_t tap_spawn(void (*fn)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		tap_nfailed = 0;
		fn();
		_exit(tap_nfailed ? 1 : 0);
	}
	return pid;
}

/* CHECK_EXIT(pid, code): the child ends by exiting with @code. */
#define CHECK_EXIT(pid, code)                                                                      \
	do {                                                                                       \
		int status_ = tap_wait(pid);                                                       \
		if (status_ == -1 || !WIFEXITED(status_) || WEXITSTATUS(status_) != (code))        \
			tap_fail(__FILE__, __LINE__, "%s: wait status %#x, wanted exit %d", #pid,  \
				 (unsigned)status_, (code));                                       \
	} while (0)

/* CHECK_KILLED(pid, sig): the child ends by signal @sig. */
#define CHECK_KILLED(pid, sig)                                                                     \
	do {                                                                                       \
		int status_ = tap_wait(pid);                                                       \
		if (status_ == -1 || !WIFSIGNALED(status_) || WTERMSIG(status_) != (sig))          \
			tap_fail(__FILE__, __LINE__, "%s: wait status %#x, wanted %s", #pid,       \
				 (unsigned)status_, #sig);                                         \
	} while (0)

/* TAP_RUN(fn): run a sub-test here. TAP_FORK(fn): run it in a child of its own. */
#define TAP_RUN(fn)                                                                                \
	do {                                                                                       \
		tap_current = #fn;                                                                 \
		fn();                                                                              \
		tap_current = "main";                                                              \
	} while (0)
#define TAP_FORK(fn)                                                                               \
	do {                                                                                       \
		tap_current = #fn;                                                                 \
		pid_t child_ = tap_spawn(fn);                                                      \
		CHECK(child_ > 0);                                                                 \
		if (child_ > 0)                                                                    \
			CHECK_EXIT(child_, 0);                                                     \
		tap_current = "main";                                                              \
	} while (0)

/* The program's exit status. */
__attribute__((unused)) static int tap_done(void)
{
	fflush(NULL);
	return tap_nfailed ? 1 : 0;
}

/* Is this Caelum's kernel, which has all that is tested, and not a Linux of any age? */
__attribute__((unused)) static int tap_on_caelum(void)
{
	struct utsname name;

	return uname(&name) == 0 && strstr(name.version, "Caelum") != NULL;
}

/* Nanoseconds of @clock. */
__attribute__((unused)) static long long tap_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Monotonic nanoseconds. */
__attribute__((unused)) static long long tap_now_ns(void)
{
	return tap_clock_ns(CLOCK_MONOTONIC);
}

/* Sleep @ms milliseconds in all, whatever signals come. */
__attribute__((unused)) static void tap_sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

/* How long a test waits for what must come. Long, because the machine may be slow, and busy with other things. */
#define TAP_LIMIT_MS 120000L

/* TAP_AWAIT(cond): look for the condition, with the effects it has, until it holds; at most TAP_LIMIT_MS. Whether it does. */
#define TAP_AWAIT(cond)                                                                            \
	({                                                                                         \
		long long give_up_ = tap_now_ns() + TAP_LIMIT_MS * 1000000;                        \
		int met_;                                                                          \
		while (!(met_ = (cond) != 0) && tap_now_ns() < give_up_)                           \
			tap_sleep_ms(1);                                                           \
		met_;                                                                              \
	})

/* SIGALRM every @ms milliseconds, 0: no more. One alone might come before what it is to interrupt. */
__attribute__((unused)) static void tap_tick(long ms)
{
	struct timeval every = { ms / 1000, ms % 1000 * 1000 };
	struct itimerval it = { every, every };

	REQUIRE(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

/* The state letter of @pid (or thread id) in /proc/PID/stat, 0 when it is gone. */
__attribute__((unused)) static char tap_proc_state(pid_t pid)
{
	char path[64], text[256], *paren;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	paren = strrchr(text, ')');
	return paren && paren[1] ? paren[2] : 0;
}

/* Wait until @pid is in state @letter: 'S' says that it has gone to sleep. Whether it is. */
__attribute__((unused)) static int tap_wait_state(pid_t pid, char letter)
{
	return TAP_AWAIT(tap_proc_state(pid) == letter);
}

/* Make an empty directory of this test's own under /tmp, and make it the current one. */
__attribute__((unused)) static const char *tap_tmpdir(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/t.XXXXXX");
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(path) != NULL);
	REQUIRE(chmod(path, 0755) == 0);
	REQUIRE(chdir(path) == 0);
	return path;
}

/* Remove what tap_tmpdir() made, with everything in it. */
__attribute__((unused)) static void tap_rmdir(const char *path)
{
	char *argv[] = { "rm", "-rf", (char *)path, NULL };
	pid_t pid;

	if (chdir("/") != 0)
		return;
	pid = fork();
	if (pid == 0) {
		execv("/bin/rm", argv);
		_exit(0);
	}
	tap_wait(pid);
}

/* Write a whole file, replacing what was there. Return 0, or -1 with errno. */
__attribute__((unused)) static int tap_write_file(const char *path, const void *data, size_t len,
						  mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, data, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

/* Read a (possibly /proc) file as text. Return its length, or -1. */
__attribute__((unused)) static ssize_t tap_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return (ssize_t)len;
}

#endif

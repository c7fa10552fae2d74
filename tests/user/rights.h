/* SPDX-License-Identifier: MIT */
/* What tests of programs that gain rights share: a copy of the test's own program, and an ordinary user to run it. Included after tap.h. */
#ifndef TESTS_USER_RIGHTS_H
#define TESTS_USER_RIGHTS_H

#include <grp.h>
#include <sys/wait.h>

#define USER 54000 /* who runs programs */

/* A set of capabilities from /proc/self/status, "CapEff:" and so on. */
static unsigned long capabilities(const char *which)
{
	char text[4096], *p;

	if (tap_read_file("/proc/self/status", text, sizeof(text)) < 0)
		return ~0UL;
	p = strstr(text, which);
	return p ? strtoul(p + strlen(which), NULL, 16) : ~0UL;
}

/* USER for good, with no other groups. */
static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		_exit(98);
}

/* The running program's file, as @to. 0 or -1. */
static int copy_self(const char *to)
{
	static char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY), fd = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n = -1;

	while (from >= 0 && fd >= 0 && (n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return -1;
	close(from);
	close(fd);
	return (int)n;
}

/* The first line that @program says when it is told @word, with @before (may be NULL) done last; or the error of exec. */
static const char *run_program(const char *program, const char *word, void (*before)(void))
{
	static char text[256];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		if (before)
			before();
		execl(program, program, word, (char *)NULL);
		dprintf(1, "%s", tap_errname(errno));
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

#endif

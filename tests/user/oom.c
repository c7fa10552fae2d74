/* SPDX-License-Identifier: MIT */
/*
 * Out of memory: /proc/PID/oom_score_adj, oom_adj and oom_score; and, in a small machine without a distribution on it, that a child that takes all
 * memory is killed while others live, or the one that was chosen for it. Also where a sleeping process is (wchan, stack).
 */
#include "tap.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>

static long number_in(const char *name)
{
	char buf[64];

	if (tap_read_file(name, buf, sizeof(buf)) < 0)
		return -99999;
	return atol(buf);
}

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC), saved;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

#define ADJ "/proc/self/oom_score_adj"
#define OLD "/proc/self/oom_adj"

static int may_lower(void)
{
	char text[4096], *at;

	if (tap_read_file("/proc/self/status", text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "CapEff:");
	return at && (strtoull(at + 7, NULL, 16) >> 24 & 1);
}

static void adjustment(void)
{
	long score;
	pid_t pid;

	CHECK_OK(put(ADJ, "0"));
	score = number_in("/proc/self/oom_score");
	CHECK(score >= 0 && score <= 1000);
	CHECK_OK(put(ADJ, " 500\n"));
	CHECK_EQ(number_in(ADJ), 500);
	CHECK(number_in("/proc/self/oom_score") > score);
	CHECK_EQ(number_in(OLD), 8);
	CHECK_ERRNO(put(ADJ, "1001"), EINVAL);
	CHECK_ERRNO(put(ADJ, "-1001"), EINVAL);
	CHECK_ERRNO(put(ADJ, "x"), EINVAL);
	CHECK_ERRNO(put(ADJ, "5x"), EINVAL);
	CHECK_ERRNO(put(OLD, "16"), EINVAL);
	CHECK_ERRNO(put(OLD, "-18"), EINVAL);
	CHECK_OK(put(OLD, "15"));
	CHECK_EQ(number_in(ADJ), 1000);
	CHECK_EQ(number_in(OLD), 15);
	pid = fork();
	if (pid == 0)
		_exit(number_in(ADJ) == 1000 ? 0 : 1);
	CHECK_EXIT(pid, 0);
	if (!may_lower()) {
		NOTE("left out: lowering needs CAP_SYS_RESOURCE");
		return;
	}
	CHECK_OK(put(ADJ, "-1000"));
	CHECK_EQ(number_in(OLD), -17);
	CHECK_EQ(number_in("/proc/self/oom_score"), 0);
	CHECK_OK(put(ADJ, "0"));
	pid = fork();
	if (pid == 0) {
		int r;

		if (setuid(1000))
			_exit(9);
		prctl(PR_SET_DUMPABLE, 1);
		r = put(ADJ, "10") ? 1 : 0;
		r |= put(ADJ, "0") ? 2 : 0; /* the least that was set with the capability */
		r |= put(ADJ, "-1") != -1 || errno != EACCES ? 4 : 0;
		_exit(r);
	}
	CHECK_EXIT(pid, 0);
}

static void touch_all(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			_exit(3);
		for (int i = 0; i < 1 << 20; i += 4096)
			p[i] = 1;
	}
}

static void greedy_child(void)
{
	struct sysinfo si;
	pid_t pid, bystander;
	int status;

	REQUIRE(sysinfo(&si) == 0);
	if (geteuid() != 0 || (unsigned long long)si.totalram * si.mem_unit > 4ULL << 30 ||
	    access("/sys/firmware/dmi", F_OK) == 0 || access("/etc/os-release", F_OK) == 0) {
		NOTE("left out: this machine's memory is not ours to fill");
		return;
	}
	bystander = fork();
	if (bystander == 0) {
		for (;;)
			pause();
	}
	pid = fork();
	if (pid == 0)
		touch_all();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(waitpid(bystander, &status, WNOHANG), 0);
	kill(bystander, SIGKILL);
	waitpid(bystander, &status, 0);
}

/* Another one than the greediest dies if it is adjusted so. */
static void chosen_child(void)
{
	struct sysinfo si;
	pid_t pid, chosen;
	int status, ready[2];
	char c;

	REQUIRE(sysinfo(&si) == 0);
	if (geteuid() != 0 || (unsigned long long)si.totalram * si.mem_unit > 4ULL << 30 ||
	    access("/etc/os-release", F_OK) == 0)
		return;
	REQUIRE(pipe(ready) == 0);
	chosen = fork();
	if (chosen == 0) {
		put(ADJ, "1000");
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	pid = fork();
	if (pid == 0)
		touch_all();
	CHECK(waitpid(chosen, &status, 0) == chosen);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void sleeping_place(void)
{
	char name[64], text[256];
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK(tap_wait_state(pid, 'S'));
	snprintf(name, sizeof(name), "/proc/%d/wchan", pid);
	REQUIRE(tap_read_file(name, text, sizeof(text)) > 0);
	if (geteuid() == 0)
		CHECK(strcmp(text, "0") != 0);
	snprintf(name, sizeof(name), "/proc/%d/stack", pid);
	if (geteuid() == 0 && tap_read_file(name, text, sizeof(text)) >= 0)
		CHECK(strncmp(text, "[<0>] ", 6) == 0 && strstr(text, "+0x"));
	REQUIRE(tap_read_file("/proc/self/wchan", text, sizeof(text)) > 0);
	CHECK_STR(text, "0");
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

int main(void)
{
	TAP_FORK(adjustment);
	TAP_RUN(sleeping_place);
	TAP_RUN(greedy_child);
	TAP_RUN(chosen_child);
	return tap_done();
}

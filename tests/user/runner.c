/* SPDX-License-Identifier: MIT */
/*
 * Run many test programs in one boot and print TAP.
 *
 *   runner [-d DIR] [-T SECONDS] [-t] [NAME...]
 *
 * Every executable in DIR (default /tests) is run in name order, or only those named. A program
 * passes with exit status 0 and is skipped with 77. NAME.sh is run by /bin/sh, and when there is
 * NAME.expected (or NAME.sh.expected) its output must be exactly that. After SECONDS (default 300)
 * a test is killed with its process group and has failed. -t adds each test's time.
 *
 * It works as init (pid 1: it mounts what is missing of /proc /dev /sys /tmp, kills and reaps what
 * a test leaves behind) and as an ordinary program (then it is a child subreaper).
 * The last line is `N passed, N failed, N skipped`; the status is 1 when one failed, else 0.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_TESTS 512
#define SKIP_STATUS 77
#define SWEEP_MS	60000

static const char *test_dir = "/tests";
static unsigned timeout_s = 300;
static int show_times;
static volatile sig_atomic_t timed_out;
static volatile pid_t current_test;
static char *names[MAX_TESTS];
static int nnames;
static char output_path[64];

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* A test that runs too long: its whole process group dies, and waitpid() below sees it. */
static void handle_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
	if (current_test > 0) {
		kill(-current_test, SIGKILL);
		kill(current_test, SIGKILL);
	}
}

static int has_suffix(const char *name, const char *suffix)
{
	size_t nlen = strlen(name), slen = strlen(suffix);

	return nlen > slen && strcmp(name + nlen - slen, suffix) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A regular executable file that is not the runner and not an expected output. */
static int is_test(const char *name)
{
	char path[512];
	struct stat st;

	if (name[0] == '.' || has_suffix(name, ".expected") || strcmp(name, "runner") == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", test_dir, name);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	return has_suffix(name, ".sh") || (st.st_mode & 0111) != 0;
}

/* Fill names[] from the directory. Return 0, or -1 when it cannot be read. */
static int collect_names(void)
{
	DIR *dir = opendir(test_dir);
	struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) != NULL && nnames < MAX_TESTS)
		if (is_test(entry->d_name))
			names[nnames++] = strdup(entry->d_name);
	closedir(dir);
	qsort(names, (size_t)nnames, sizeof(names[0]), compare_names);
	return 0;
}

/* The child's side: a session of its own, default signals, and the program. */
static void exec_test(const char *name)
{
	int script = has_suffix(name, ".sh");
	char path[512];
	sigset_t none;
	int fd;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A shell ignores some for what it puts in the background, nohup another. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	snprintf(path, sizeof(path), "%s/%s", test_dir, name);
	if (script) {
		fd = open(output_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, 1) < 0)
			_exit(126);
		close(fd);
		execl("/bin/sh", "sh", path, (char *)NULL);
	} else {
		execl(path, path, (char *)NULL);
	}
	fprintf(stderr, "# cannot execute %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Read a file whole into memory; NULL when it cannot be had. The caller frees. */
static char *read_whole(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !(data = malloc((size_t)st.st_size + 1))) {
		close(fd);
		return NULL;
	}
	*len = 0;
	while (*len < (size_t)st.st_size &&
	       (n = read(fd, data + *len, (size_t)st.st_size - *len)) > 0)
		*len += (size_t)n;
	data[*len] = '\0';
	close(fd);
	return data;
}

/* Print the first line in which two texts differ. */
static void print_difference(const char *got, const char *want)
{
	int line = 1;

	while (*got && *got == *want) {
		line += *got == '\n';
		got++;
		want++;
	}
	printf("# first difference in line %d: got `%.*s', expected `%.*s'\n", line,
	       (int)strcspn(got, "\n"), got, (int)strcspn(want, "\n"), want);
}

/* Compare a script's output with what is expected, if something is. Return 0 when it is right. */
static int check_output(const char *name)
{
	size_t want_len = 0, got_len = 0;
	char path[512], *want, *got;
	int wrong;

	snprintf(path, sizeof(path), "%s/%s.expected", test_dir, name);
	want = read_whole(path, &want_len);
	if (!want) {
		snprintf(path, sizeof(path), "%s/%.*s.expected", test_dir, (int)strlen(name) - 3,
			 name);
		want = read_whole(path, &want_len);
	}
	got = read_whole(output_path, &got_len);
	wrong = want && (!got || got_len != want_len || memcmp(got, want, want_len) != 0);
	if (wrong)
		print_difference(got ? got : "", want);
	free(want);
	free(got);
	return wrong;
}

/* Show a failing script's output, each line as a TAP comment. */
static void show_output(void)
{
	size_t len = 0;
	char *text = read_whole(output_path, &len), *line = text;

	while (line && *line) {
		int n = (int)strcspn(line, "\n");

		printf("# | %.*s\n", n, line);
		line += n + (line[n] == '\n');
	}
	free(text);
}

/* Kill and reap whatever the test has left behind. */
static void sweep(pid_t group)
{
	kill(-group, SIGKILL);
	if (getpid() == 1)
		kill(-1, SIGKILL);
	for (long long end = now_ms() + SWEEP_MS; now_ms() < end;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid == -1 && errno == ECHILD)
			return;
		if (pid == 0)
			nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
}

/* Wait for the test, reaping orphans meanwhile. Return its wait status, -1 when lost. */
static int await_test(pid_t test)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid == test)
			return status;
		if (pid == -1 && errno != EINTR)
			return -1;
	}
}

/* Start one test, wait for it under the alarm, and return its wait status. */
static int execute(const char *name)
{
	int status;
	pid_t pid;

	fflush(stdout);
	timed_out = 0;
	pid = fork();
	if (pid == -1)
		return -1;
	if (pid == 0)
		exec_test(name);
	current_test = pid;
	alarm(timeout_s);
	status = await_test(pid);
	alarm(0);
	current_test = 0;
	sweep(pid);
	return status;
}

/* Say in @reason why a wait status is a failure. Return 0 pass, 1 fail, 2 skip. */
static int judge(const char *name, int status, char *reason, size_t size)
{
	int script = has_suffix(name, ".sh");

	if (timed_out)
		snprintf(reason, size, "timed out after %u s", timeout_s);
	else if (status == -1)
		snprintf(reason, size, "could not be started or waited for");
	else if (WIFSIGNALED(status))
		snprintf(reason, size, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == SKIP_STATUS)
		return 2;
	else if (WEXITSTATUS(status) != 0)
		snprintf(reason, size, "exit status %d", WEXITSTATUS(status));
	else if (script && check_output(name))
		snprintf(reason, size, "wrong output");
	else
		return 0;
	if (script)
		show_output();
	return 1;
}

/* Run test number @number and print its line. Return 0 pass, 1 fail, 2 skip. */
static int run_one(int number, const char *name)
{
	long long start = now_ms();
	char reason[128] = "", time_text[32] = "";
	int verdict = judge(name, execute(name), reason, sizeof(reason));

	if (show_times)
		snprintf(time_text, sizeof(time_text), " # %lld ms", now_ms() - start);
	if (verdict == 1)
		printf("not ok %d - %s # %s\n", number, name, reason);
	else
		printf("ok %d - %s%s%s\n", number, name, verdict == 2 ? " # SKIP" : "", time_text);
	fflush(stdout);
	unlink(output_path);
	return verdict;
}

/* As init: mount what tests look at. What is mounted already stays as it is. */
static void mount_basics(void)
{
	static const struct {
		const char *type, *where, *probe;
	} mounts[] = {
		{ "proc", "/proc", "/proc/self" },
		{ "devtmpfs", "/dev", "/dev/null" },
		{ "sysfs", "/sys", "/sys/kernel" },
		{ "tmpfs", "/tmp", NULL },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (!mounts[i].probe || access(mounts[i].probe, F_OK) != 0)
			mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	mkdir("/dev/pts", 0755);
	if (access("/dev/pts/ptmx", F_OK) != 0)
		mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
	chmod("/tmp", 01777);
}

static void usage(void)
{
	fprintf(stderr, "usage: runner [-d DIR] [-T SECONDS] [-t] [NAME...]\n");
	exit(2);
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:T:t")) != -1) {
		if (c == 'd')
			test_dir = optarg;
		else if (c == 'T' && atoi(optarg) > 0)
			timeout_s = (unsigned)atoi(optarg);
		else if (c == 't')
			show_times = 1;
		else
			usage();
	}
	for (int i = optind; i < argc && nnames < MAX_TESTS; i++)
		names[nnames++] = argv[i];
}

static void prepare(void)
{
	struct sigaction sa = { .sa_handler = handle_alarm };

	if (getpid() == 1)
		mount_basics();
	else
		prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
	sigaction(SIGALRM, &sa, NULL);
	if (!getenv("PATH"))
		setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	snprintf(output_path, sizeof(output_path), "/tmp/runner.%d.out", getpid());
}

int main(int argc, char **argv)
{
	int counts[3] = { 0, 0, 0 };

	parse_options(argc, argv);
	prepare();
	if (nnames == 0 && collect_names() != 0) {
		fprintf(stderr, "runner: cannot read %s: %s\n", test_dir, strerror(errno));
		return 2;
	}
	printf("TAP version 13\n1..%d\n", nnames);
	for (int i = 0; i < nnames; i++)
		counts[run_one(i + 1, names[i])]++;
	printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
	return counts[1] != 0;
}

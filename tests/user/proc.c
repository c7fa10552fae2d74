/* SPDX-License-Identifier: MIT */
/*
 * The files of /proc that programs read: those of a process agree with what the process knows about
 * itself, the system-wide ones parse. Format: proc(5) and the pages it names.
 */
#include "tap.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char text[65536];

static long slurp(const char *path)
{
	long n = tap_read_file(path, text, sizeof(text));

	if (n < 0)
		tap_fail(__FILE__, __LINE__, "cannot read %s: %s", path, tap_errname(errno));
	if (n < 0)
		text[0] = '\0';
	return n;
}

/* The text after "@key:" and white space in a status-like file, up to the line's end. */
static const char *field(const char *key)
{
	static char value[256];
	size_t len = strlen(key);

	for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ':') {
			const char *p = line + len + 1 + strspn(line + len + 1, " \t");

			snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\n"), p);
			return value;
		}
	tap_fail(__FILE__, __LINE__, "no field %s", key);
	return "";
}

static void stat_file(void)
{
	char comm[32], state;
	int pid, ppid, pgrp, session, tty, tpgid, fields = 0;
	char *p;

	CHECK_OK(prctl(PR_SET_NAME, "odd) name (x"));
	slurp("/proc/self/stat");
	p = strrchr(text, ')');
	REQUIRE(p != NULL);
	CHECK_EQ(sscanf(text, "%d (%31[^)]", &pid, comm), 2);
	CHECK_EQ(pid, getpid());
	CHECK(strstr(text, "(odd) name (x) ") != NULL);
	CHECK_EQ(sscanf(p + 1, " %c %d %d %d %d %d", &state, &ppid, &pgrp, &session, &tty, &tpgid),
		 6);
	CHECK_EQ(state, 'R');
	CHECK_EQ(ppid, getppid());
	CHECK_EQ(pgrp, getpgrp());
	CHECK_EQ(session, getsid(0));
	for (p = strtok(p + 1, " \n"); p; p = strtok(NULL, " \n"))
		fields++;
	CHECK_EQ(fields, 50); /* with pid and comm, 52 */
}

static void status_file(void)
{
	char want[64];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	CHECK_OK(prctl(PR_SET_NAME, "status-test"));
	slurp("/proc/self/status");
	CHECK_STR(field("Name"), "status-test");
	CHECK_EQ(atoi(field("Pid")), getpid());
	CHECK_EQ(atoi(field("Tgid")), getpid());
	CHECK_EQ(atoi(field("PPid")), getppid());
	CHECK_STR(field("State"), "R (running)");
	snprintf(want, sizeof(want), "%d\t%d\t%d\t%d", getuid(), geteuid(), geteuid(), geteuid());
	CHECK_STR(field("Uid"), want);
	CHECK_EQ(atoi(field("Threads")), 1);
	CHECK_EQ(strtoull(field("SigBlk"), NULL, 16), 1ULL << (SIGUSR1 - 1));
	CHECK_EQ(strtoull(field("SigPnd"), NULL, 16) | strtoull(field("ShdPnd"), NULL, 16),
		 1ULL << (SIGUSR1 - 1));
	CHECK(strtoull(field("SigIgn"), NULL, 16) & (1ULL << (SIGUSR2 - 1)));
	CHECK(atol(field("VmRSS")) > 0);
	CHECK(atol(field("VmSize")) >= atol(field("VmRSS")));
}

static void strings(void)
{
	char self[256], buf[256];
	ssize_t n;

	slurp("/proc/self/cmdline");
	CHECK(strlen(text) > 0);
	slurp("/proc/self/comm");
	CHECK(strchr(text, '\n') != NULL);
	CHECK_OK(tap_write_file("/proc/self/comm", "renamed", 7, 0));
	prctl(PR_GET_NAME, buf);
	CHECK_STR(buf, "renamed");
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	CHECK(n > 0);
	self[n > 0 ? n : 0] = '\0';
	CHECK_EQ(self[0], '/');
	n = readlink("/proc/self", buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	CHECK_EQ(atoi(buf), getpid());
	REQUIRE(chdir("/tmp") == 0);
	n = readlink("/proc/self/cwd", buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	CHECK_STR(buf, "/tmp");
	n = readlink("/proc/self/root", buf, sizeof(buf) - 1);
	CHECK(n == 1 && buf[0] == '/');
}

static void command_line_of_child(void)
{
	char *argv[] = { "proc", "sleep-role", "", "b c", NULL }, *envp[] = { "K=V", "L=W", NULL };
	char path[64];
	pid_t pid = fork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	CHECK(TAP_AWAIT(slurp(path) == 21));
	CHECK(memcmp(text, "proc\0sleep-role\0\0b c\0", 21) == 0);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	CHECK_EQ(slurp(path), 8);
	CHECK(memcmp(text, "K=V\0L=W\0", 8) == 0);
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGKILL);
	CHECK(tap_wait_state(pid, 'Z'));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	CHECK_EQ(slurp(path), 0); /* a zombie has none */
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
}

static void descriptors(void)
{
	char path[64], buf[256];
	int fds[2], seen = 0;
	struct dirent *d;
	struct stat st;
	ssize_t n;
	DIR *dir;

	REQUIRE(pipe(fds) == 0);
	fstat(fds[0], &st);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "pipe:[%lu]", (unsigned long)st.st_ino);
	CHECK_STR(buf, path);
	dir = opendir("/proc/self/fd");
	REQUIRE(dir != NULL);
	while ((d = readdir(dir)) != NULL)
		seen += d->d_name[0] != '.' &&
			(atoi(d->d_name) == fds[0] || atoi(d->d_name) == fds[1]);
	closedir(dir);
	CHECK_EQ(seen, 2);
	close(fds[0]);
	close(fds[1]);
	CHECK_ERRNO(readlink("/proc/self/fd/999", buf, sizeof(buf)), ENOENT);
}

static void maps(void)
{
	void *p = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char want[64], exe[256] = "";

	CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	munmap((char *)p + 4096, 8192);
	slurp("/proc/self/maps");
	snprintf(want, sizeof(want), "%lx-%lx r--p 00000000 00:00 0", (unsigned long)p,
		 (unsigned long)p + 4096);
	CHECK(strstr(text, want) != NULL);
	CHECK(strstr(text, "[stack]") != NULL);
	CHECK(strstr(text, " r-xp ") != NULL);
	CHECK(strstr(text, exe) != NULL);
}

static void *sit(void *arg)
{
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	return NULL;
}

static void threads(void)
{
	pthread_barrier_t barrier;
	pthread_t thread[3];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&thread[i], NULL, sit, &barrier) == 0);
	pthread_barrier_wait(&barrier);
	dir = opendir("/proc/self/task");
	REQUIRE(dir != NULL);
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	closedir(dir);
	CHECK_EQ(n, 4);
	slurp("/proc/self/status");
	CHECK_EQ(atoi(field("Threads")), 4);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

static void limits(void)
{
	struct rlimit limit;
	unsigned long soft, hard;
	char *line;

	getrlimit(RLIMIT_NOFILE, &limit);
	slurp("/proc/self/limits");
	CHECK(strncmp(text, "Limit                     Soft Limit           Hard Limit ", 58) == 0);
	line = strstr(text, "Max open files");
	REQUIRE(line != NULL);
	CHECK_EQ(sscanf(line, "Max open files %lu %lu files", &soft, &hard), 2);
	CHECK_EQ(soft, limit.rlim_cur);
	CHECK_EQ(hard, limit.rlim_max);
}

static void mounts(void)
{
	int id, parent, major, minor;
	char root[64], where[64];

	slurp("/proc/self/mountinfo");
	CHECK_EQ(sscanf(text, "%d %d %d:%d %63s %63s", &id, &parent, &major, &minor, root, where),
		 6);
	CHECK(strstr(text, " - proc proc ") != NULL || strstr(text, " - proc ") != NULL);
	slurp("/proc/mounts");
	CHECK(strstr(text, " /proc proc rw") != NULL);
	CHECK(strstr(text, " / ") != NULL);
}

static void memory(void)
{
	struct sysinfo si;

	sysinfo(&si);
	slurp("/proc/meminfo");
	CHECK(strncmp(text, "MemTotal:       ", 16) == 0);
	CHECK_EQ(strtoul(field("MemTotal"), NULL, 10), si.totalram * si.mem_unit / 1024);
	CHECK(atol(field("MemFree")) > 0 && atol(field("MemFree")) < atol(field("MemTotal")) + 1);
	CHECK(atol(field("MemAvailable")) > 0);
	CHECK(atol(field("Cached")) >= 0);
	CHECK(atol(field("SwapTotal")) >= 0);
}

static volatile int in_data = 1;

/* Field @n of /proc/self/stat, counted from 1 as in proc(5). */
static unsigned long stat_field(int n)
{
	char *p;

	slurp("/proc/self/stat");
	p = strrchr(text, ')');
	for (int i = 2; p && i < n; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoul(p + 1, NULL, 10) : 0;
}

/* Where code and data are, and the sizes made of it. */
static void segments(void)
{
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), code = stat_field(26),
		      code_end = stat_field(27), data = stat_field(45), data_end = stat_field(46),
		      pages = (code_end + page - 1) / page - code / page, lib;
	void *p;

	CHECK((unsigned long)segments >= code && (unsigned long)segments < code_end);
	CHECK((unsigned long)&in_data >= data && (unsigned long)&in_data < data_end);
	CHECK(code_end <= data || data_end <= code);
	slurp("/proc/self/statm");
	CHECK_EQ(sscanf(text, "%*u %*u %*u %lu", &lib), 1);
	CHECK_EQ(lib, pages);
	slurp("/proc/self/status");
	CHECK_EQ(strtoul(field("VmExe"), NULL, 10), pages * page / 1024);
	lib = strtoul(field("VmLib"), NULL, 10);
	p = mmap(NULL, 16 * page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED);
	slurp("/proc/self/status");
	CHECK_EQ(strtoul(field("VmExe"), NULL, 10), pages * page / 1024);
	CHECK_EQ(strtoul(field("VmLib"), NULL, 10), lib + 16 * page / 1024);
	CHECK_OK(mprotect(p, 8 * page, PROT_READ));
	slurp("/proc/self/status");
	CHECK_EQ(strtoul(field("VmLib"), NULL, 10), lib + 8 * page / 1024);
	CHECK_OK(munmap(p, 16 * page));
	slurp("/proc/self/status");
	CHECK_EQ(strtoul(field("VmLib"), NULL, 10), lib);
}

static void machine(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), n = 0;
	double up, idle, load[3];
	struct utsname u;
	char want[300];
	int running, total, last;

	slurp("/proc/cpuinfo");
	for (char *p = text; (p = strstr(p, "processor")) != NULL; p++)
		n += p == text || p[-1] == '\n';
	CHECK_EQ(n, cpus);
	slurp("/proc/stat");
	CHECK(strncmp(text, "cpu  ", 5) == 0);
	for (n = 0; n < cpus; n++) {
		snprintf(want, sizeof(want), "\ncpu%ld ", n);
		CHECK(strstr(text, want) != NULL);
	}
	CHECK(strstr(text, "\nctxt ") && strstr(text, "\nbtime ") && strstr(text, "\nprocesses "));
	CHECK(strstr(text, "\nprocs_running ") != NULL);
	slurp("/proc/uptime");
	CHECK_EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
	CHECK(up > 0 && up < 1e9 && up <= (double)tap_clock_ns(CLOCK_BOOTTIME) / 1e9 + 0.1);
	slurp("/proc/loadavg");
	CHECK_EQ(sscanf(text, "%lf %lf %lf %d/%d %d", &load[0], &load[1], &load[2], &running,
			&total, &last),
		 6);
	CHECK(running >= 1 && total >= running);
	uname(&u);
	slurp("/proc/version");
	snprintf(want, sizeof(want), "Linux version %s ", u.release);
	CHECK(strncmp(text, want, strlen(want)) == 0);
	slurp("/proc/filesystems");
	CHECK(strstr(text, "nodev\ttmpfs\n") && strstr(text, "nodev\tproc\n"));
	slurp("/proc/sys/kernel/osrelease");
	CHECK(strncmp(text, u.release, strlen(u.release)) == 0);
	slurp("/proc/sys/kernel/ostype");
	CHECK_STR(text, "Linux\n");
	slurp("/proc/sys/kernel/hostname");
	CHECK(strncmp(text, u.nodename, strlen(u.nodename)) == 0);
	slurp("/proc/sys/kernel/pid_max");
	CHECK(atoi(text) >= 4096);
	slurp("/proc/cmdline");
}

/* Reading in pieces gives the same text as reading at once. */
static void pieces(void)
{
	char a[4096] = "", b[4096] = "";
	int fd = (int)CHECK_OK(open("/proc/version", O_RDONLY));
	size_t len = 0;
	ssize_t n;

	tap_read_file("/proc/version", a, sizeof(a));
	while ((n = read(fd, b + len, 3)) > 0)
		len += (size_t)n;
	CHECK_STR(b, a);
	CHECK_EQ(pread(fd, b, 5, 2), 5);
	CHECK(memcmp(b, a + 2, 5) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, b, 5), 5);
	CHECK(memcmp(b, a, 5) == 0);
	close(fd);
}

static int write_slack(const char *text)
{
	int fd = open("/proc/self/timerslack_ns", O_WRONLY);
	int r = (int)write(fd, text, strlen(text));

	close(fd);
	return r;
}

static void timer_slack(void)
{
	CHECK_OK(prctl(PR_SET_TIMERSLACK, 777));
	CHECK_EQ(slurp("/proc/self/timerslack_ns"), 4);
	CHECK_STR(text, "777\n");
	CHECK_EQ(write_slack("9000000000\n"), 11);
	CHECK_EQ(syscall(SYS_prctl, PR_GET_TIMERSLACK), 9000000000);
	CHECK_ERRNO(write_slack("x"), EINVAL);
	CHECK_EQ(write_slack("0"), 1); /* as it was at the start */
	CHECK(syscall(SYS_prctl, PR_GET_TIMERSLACK) != 9000000000);
}

static long write_sysctl(const char *name, const char *value)
{
	char path[64];
	int fd;
	long r;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	r = write(fd, value, strlen(value) + 1);
	close(fd);
	return r;
}

/* What is no value is refused; the present one is not. */
static void settings(void)
{
	static const struct {
		const char *name, *bad;
	} files[] = {
		{ "kernel/sched_rt_period_us", "0" },
		{ "kernel/sched_rt_period_us", "-1" },
		{ "kernel/sched_rt_runtime_us", "-2" },
		{ "kernel/sched_rt_runtime_us", "2147483647" },
		{ "kernel/sched_rr_timeslice_ms", "x" },
		{ "vm/overcommit_memory", "7" },
		{ "vm/max_map_count", "-1" },
		{ "fs/pipe-max-size", "-1" },
	};
	char path[64], kept[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CHECK_ERRNO(write_sysctl(files[i].name, files[i].bad), EINVAL);
		snprintf(path, sizeof(path), "/proc/sys/%s", files[i].name);
		CHECK(slurp(path) > 0);
		snprintf(kept, sizeof(kept), "%s", text);
		CHECK(write_sysctl(files[i].name, kept) > 0);
		slurp(path);
		CHECK_STR(text, kept);
	}
	CHECK_ERRNO(write_sysctl("vm/drop_caches", "9"), EINVAL);
	if (tap_on_caelum()) /* elsewhere it is others' caches */
		CHECK(write_sysctl("vm/drop_caches", "3") > 0);
	CHECK_EQ(slurp("/proc/sys/kernel/tainted") > 0, 1);
}

static void refused(void)
{
	CHECK_ERRNO(chmod("/proc/self/comm", 0666), EPERM);
	CHECK_ERRNO(open("/proc/missing", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/new", O_WRONLY | O_CREAT, 0600), ENOENT);
	CHECK_ERRNO(mkdir("/proc/d", 0700), ENOENT);
	CHECK_ERRNO(unlink("/proc/version"), geteuid() ? EACCES : EPERM);
	CHECK_ERRNO(open("/proc/4194305", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/0123", O_RDONLY), ENOENT);
	CHECK_ERRNO(rmdir("/proc/self"), geteuid() ? EACCES : ENOTDIR);
}

/* Each line is an address, a letter, a name; addresses are not for everybody. Return: how many are not 0. */
static long known_addresses(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], name[256], type;
	unsigned long long addr;
	long known = 0, n = 0;

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &addr, &type, name) != 3)
			tap_fail(__FILE__, __LINE__, "odd line: %s", line);
		known += addr != 0;
		n++;
	}
	fclose(f);
	CHECK(n > 1000);
	return known;
}

static long setting(const char *path, long otherwise)
{
	return tap_read_file(path, text, sizeof(text)) > 0 ? atol(text) : otherwise;
}

static void kernel_symbols(void)
{
	long restricted = setting("/proc/sys/kernel/kptr_restrict", 0);

	if (geteuid() != 0)
		NOTE("only root is shown the kernel's addresses");
	CHECK(restricted == 2 || known_addresses() > 1000);
	CHECK_OK(setuid(1000));
	/* Linux shows them to everybody who may trace the kernel. */
	if (restricted != 0 || setting("/proc/sys/kernel/perf_event_paranoid", 2) > 1)
		CHECK_EQ(known_addresses(), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		for (;;)
			pause();
	if (access("/proc/self/stat", R_OK) != 0)
		SKIP("/proc is not mounted");
	TAP_FORK(stat_file);
	TAP_FORK(status_file);
	TAP_FORK(strings);
	TAP_RUN(command_line_of_child);
	TAP_RUN(descriptors);
	TAP_RUN(maps);
	TAP_RUN(threads);
	TAP_RUN(limits);
	TAP_RUN(mounts);
	TAP_RUN(memory);
	TAP_RUN(segments);
	TAP_RUN(machine);
	TAP_FORK(kernel_symbols);
	TAP_RUN(pieces);
	TAP_FORK(timer_slack);
	if (geteuid() == 0)
		TAP_RUN(settings);
	TAP_RUN(refused);
	return tap_done();
}

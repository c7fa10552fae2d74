/* SPDX-License-Identifier: MIT */
/*
 * tracefs: markers, the text of trace and trace_pipe, switching events in all the ways there are, filters, formats, buffers that
 * overflow, clocks, options, one CPU's files; what system calls, processes, signals and faults leave behind.
 * On Linux an instance of its own is used, so that nothing else on the machine is in the way; without the rights it is skipped.
 */
#include "tap.h"
#include "tracefs.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>

/* ---- the tree ---- */

static void tree(void)
{
	struct statfs fs;
	struct stat st;

	CHECK_OK(statfs(top, &fs));
	CHECK_EQ(fs.f_type, TRACEFS_MAGIC);
	CHECK_OK(stat("trace", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_OK(stat("trace_pipe", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0440);
	CHECK_OK(stat("events/sched/sched_switch", &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK_ERRNO(open("events/sched/no_such", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("events/no_such", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("per_cpu/cpu4096", O_RDONLY), ENOENT);
	CHECK(open("new", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK(unlink("trace") == -1);
	CHECK_STR(get("current_tracer"), "nop\n");
	CHECK_OK(put("current_tracer", "nop"));
	CHECK_ERRNO(put("current_tracer", "no_such"), EINVAL);
	CHECK(strstr(get("available_tracers"), "nop") != NULL);
	snprintf(text, sizeof(text), "%s/available_events", top);
	CHECK(strstr(get(strdup(text)), "sched:sched_switch\n") != NULL);
}

/* ---- markers and the text of trace ---- */

static void marker(void)
{
	char want[64], *line, *at;
	int pid = 0, cpu = -1, n = 0;
	unsigned long sec = 0, usec = 0;
	char flags[8];

	reset();
	CHECK_OK(put("trace_marker", "hello world\n"));
	get("trace");
	CHECK(!strncmp(text,
		       "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:", 62));
	CHECK(strstr(text, "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
			   "#              | |         |   |||||     |         |\n") != NULL);
	CHECK(strstr(text, "#                                _-----=> irqs-off/BH-disabled\n") !=
	      NULL);
	line = strstr(text, "         |\n");
	REQUIRE(line != NULL);
	line += 11;
	at = strchr(line, '\n');
	REQUIRE(at != NULL);
	CHECK_STR(at + 1, "");
	*at = '\0';
	/* The name may be an earlier process's of that number, on Linux, and then hold anything. */
	REQUIRE(strlen(line) > 16);
	line += 16;
	CHECK_EQ(sscanf(line, "-%d [%d] %7s %lu.%6lu: tracing_mark_write: hello world%n", &pid,
			&cpu, flags, &sec, &usec, &n),
		 5);
	CHECK(n > 0 && !line[n]);
	CHECK_EQ(pid, getpid());
	CHECK(cpu >= 0 && strlen(flags) == 5);
	snprintf(want, sizeof(want), "-%-7d [%03d] %s ", pid, cpu, flags);
	CHECK(strstr(line, want) == line);
	/* The clock is the monotonic one, near enough. */
	CHECK(llabs((long long)sec - tap_now_ns() / NSEC_PER_SEC) <= 60);
	clear();
	CHECK_EQ(count("hello"), 0);
	CHECK_OK(put("trace_marker", "no newline"));
	CHECK_EQ(count("tracing_mark_write: no newline"), 1);
}

static void switched_off(void)
{
	reset();
	CHECK_STR(get("tracing_on"), "1\n");
	CHECK_OK(put("tracing_on", "0"));
	CHECK_STR(get("tracing_on"), "0\n");
	CHECK_ERRNO(put("trace_marker", "lost"), EBADF);
	CHECK_OK(put("tracing_on", "1"));
	CHECK_OK(put("trace_marker", "kept"));
	CHECK_EQ(count("lost"), 0);
	CHECK_EQ(count("kept"), 1);
	CHECK_ERRNO(put("tracing_on", "x"), EINVAL);
	CHECK_OK(put("options/markers", "0"));
	CHECK_ERRNO(put("trace_marker", "none"), EINVAL);
	CHECK_OK(put("trace_options", "markers"));
	CHECK_OK(put("trace_marker", "again"));
}

static void seeking(void)
{
	char part[64];
	int fd;

	reset();
	for (int i = 0; i < 300; i++) {
		snprintf(part, sizeof(part), "line number %d", i);
		CHECK_OK(put("trace_marker", part));
	}
	fd = (int)CHECK_OK(open("trace", O_RDONLY));
	CHECK_EQ(read(fd, part, 8), 8);
	CHECK(!memcmp(part, "# tracer", 8));
	CHECK_EQ(read(fd, part, 5), 5);
	CHECK(!memcmp(part, ": nop", 5));
	CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
	CHECK_EQ(read(fd, part, 6), 6);
	CHECK(!memcmp(part, "tracer", 6));
	CHECK_EQ(read(fd, (void *)1, 100), -1);
	CHECK_EQ(errno, EFAULT);
	close(fd);
	get("trace");
	CHECK(strstr(text, "line number 0\n") && strstr(text, "line number 299\n"));
}

/* ---- trace_pipe ---- */

static void *mark_later(void *arg)
{
	tap_sleep_ms(100);
	CHECK_OK(put("trace_marker", arg));
	return NULL;
}

static void pipe_reads(void)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t thread;
	char buf[512];
	ssize_t n;
	int fd;

	reset();
	fd = (int)CHECK_OK(open("trace_pipe", O_RDONLY | O_NONBLOCK));
	CHECK_ERRNO(open("trace_pipe", O_RDONLY), EBUSY);
	CHECK_ERRNO(open("per_cpu/cpu0/trace_pipe", O_RDONLY), EBUSY);
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EAGAIN);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_OK(put("trace_marker", "first"));
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK(p.revents & POLLIN);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n > 0 ? n : 0] = '\0';
	CHECK(strstr(buf, ": tracing_mark_write: first\n") && buf[0] != '#');
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EAGAIN);
	/* What was taken out is not in trace any more. */
	CHECK_EQ(count("first"), 0);
	pthread_create(&thread, NULL, mark_later, "second");
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	pthread_join(thread, NULL);
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	fcntl(fd, F_SETFL, 0);
	pthread_create(&thread, NULL, mark_later, "third");
	n = read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	CHECK(strstr(buf, "third") != NULL);
	pthread_join(thread, NULL);
	close(fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void pipe_interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	char buf[64];
	int fd;

	reset();
	fd = (int)CHECK_OK(open("trace_pipe", O_RDONLY));
	sigaction(SIGALRM, &sa, NULL);
	tap_tick(50);
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EINTR);
	tap_tick(0);
	close(fd);
}

/* ---- events ---- */

static void enabling(void)
{
	reset();
	CHECK_STR(get("events/syscalls/sys_enter_getppid/enable"), "0\n");
	CHECK_OK(put("events/syscalls/sys_enter_getppid/enable", "1"));
	CHECK_STR(get("events/syscalls/sys_enter_getppid/enable"), "1\n");
	CHECK_STR(get("events/syscalls/enable"), "X\n");
	CHECK_STR(get("set_event"), "syscalls:sys_enter_getppid\n");
	for (int i = 0; i < 5; i++)
		syscall(SYS_getppid);
	CHECK_EQ(count(": sys_getppid()"), 5);
	CHECK_OK(put("set_event", "syscalls:sys_exit_getppid"));
	syscall(SYS_getppid);
	CHECK_EQ(count(": sys_getppid()"), 6);
	CHECK_EQ(count(": sys_getppid -> 0x"), 1);
	CHECK_OK(put("set_event", "!syscalls:sys_enter_getppid"));
	syscall(SYS_getppid);
	CHECK_EQ(count(": sys_getppid()"), 6);
	CHECK_EQ(count(": sys_getppid -> 0x"), 2);
	CHECK_OK(put("events/syscalls/enable", "0"));
	syscall(SYS_getppid);
	CHECK_EQ(count(": sys_getppid -> 0x"), 2);
	CHECK_OK(put("set_event", "signal:signal_deliver exceptions:*\n"));
	get("set_event");
	CHECK(strstr(text, "signal:signal_deliver\n") &&
	      strstr(text, "exceptions:page_fault_user\n") &&
	      strstr(text, "exceptions:page_fault_kernel\n"));
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	CHECK_STR(get("set_event"), "");
	CHECK_ERRNO(put("set_event", "no_such:event"), EINVAL);
	CHECK_ERRNO(put("set_event", "sched:no_such"), EINVAL);
	CHECK_ERRNO(put("events/sched/enable", "2"), EINVAL);
}

static void raw_syscalls(void)
{
	char want[96];

	reset();
	CHECK_OK(put("set_event", "raw_syscalls:sys_enter raw_syscalls:sys_exit"));
	syscall(SYS_getpid);
	syscall(SYS_close, -7L);
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	snprintf(want, sizeof(want), ": sys_enter: NR %d (", SYS_getpid);
	CHECK_EQ(count(want), 1);
	snprintf(want, sizeof(want), ": sys_exit: NR %d = %d\n", SYS_getpid, getpid());
	CHECK(strstr(get("trace"), want) != NULL);
	snprintf(want, sizeof(want), ": sys_enter: NR %d (fffffffffffffff9, ", SYS_close);
	CHECK_EQ(count(want), 1);
	snprintf(want, sizeof(want), ": sys_exit: NR %d = -9", SYS_close);
	CHECK_EQ(count(want), 1);
}

static void filters(void)
{
	const char *file = "events/raw_syscalls/sys_enter/filter";
	char want[64];

	reset();
	CHECK_STR(get(file), "none\n");
	snprintf(want, sizeof(want), "id == %d && common_pid == %d", SYS_getppid, getpid());
	CHECK_OK(put(file, want));
	strcat(want, "\n");
	CHECK_STR(get(file), want);
	CHECK_OK(put("events/raw_syscalls/sys_enter/enable", "1"));
	syscall(SYS_getppid);
	syscall(SYS_getuid);
	CHECK_EQ(count("sys_enter"), 1);
	snprintf(want, sizeof(want), "id != %d || common_pid != %d", SYS_getppid, getpid());
	CHECK_OK(put(file, want));
	clear();
	syscall(SYS_getppid);
	syscall(SYS_getuid);
	snprintf(want, sizeof(want), "NR %d (", SYS_getppid);
	CHECK_EQ(count(want), 0);
	snprintf(want, sizeof(want), "NR %d (", SYS_getuid);
	CHECK_EQ(count(want), 1);
	CHECK_OK(put(file, "comm == \"nobody\""));
	clear();
	syscall(SYS_getppid);
	CHECK_EQ(count("sys_enter"), 0);
	CHECK_ERRNO(put(file, "nonsense == 3"), EINVAL);
	CHECK(strstr(get(file), "nonsense == 3\n") &&
	      strstr(text, "^\nparse_error: Field not found\n"));
	CHECK_ERRNO(put(file, "id = 3"), EINVAL);
	CHECK(put(file, "(id == 3") == -1);
	CHECK(put(file, "id == 3)") == -1);
	CHECK_OK(put(file, "0"));
	CHECK_STR(get(file), "none\n");
	CHECK_OK(put("events/raw_syscalls/sys_enter/enable", "0"));
}

static void string_filters(void)
{
	const char *file = "events/sched/sched_process_exec/filter";
	char *argv[] = { "true", NULL };
	pid_t pid;

	reset();
	CHECK_OK(put("events/sched/sched_process_exec/enable", "1"));
	for (int i = 0; i < 2; i++) {
		CHECK_OK(put(file, i ? "filename ~ \"*/nobody\"" : "filename ~ \"*/tr[u]?\""));
		clear();
		pid = fork();
		if (pid == 0) {
			execv("/bin/true", argv);
			_exit(0);
		}
		tap_wait(pid);
		if (access("/bin/true", X_OK) == 0)
			CHECK_EQ(count_of(pid, ": sched_process_exec: filename=/bin/true pid="),
				 !i);
	}
	CHECK_OK(put(file, "0"));
}

static void formats(void)
{
	char want[128], *id;

	CHECK(strstr(get("events/sched/sched_wakeup/format"),
		     "\nformat:\n"
		     "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		     "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		     "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		     "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
		     "\n"
		     "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		     "\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		     "\tfield:int prio;\toffset:28;\tsize:4;\tsigned:1;\n"
		     "\tfield:int target_cpu;\toffset:32;\tsize:4;\tsigned:1;\n"
		     "\n"
		     "print fmt: \"comm=%s pid=%d prio=%d target_cpu=%03d\", REC->comm, REC->pid, "
		     "REC->prio, "
		     "REC->target_cpu\n"));
	CHECK(!strncmp(text, "name: sched_wakeup\nID: ", 23));
	id = strndup(text + 23, strcspn(text + 23, "\n") + 1);
	CHECK_STR(get("events/sched/sched_wakeup/id"), id);
	free(id);
	get("events/raw_syscalls/sys_enter/format");
	CHECK(strstr(text, "\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
			   "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n"));
	get("events/syscalls/sys_enter_write/format");
	CHECK(strstr(text, "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
			   "\tfield:unsigned int fd;\toffset:16;\tsize:8;\tsigned:0;\n"
			   "\tfield:const char * buf;\toffset:24;\tsize:8;\tsigned:0;\n"
			   "\tfield:size_t count;\toffset:32;\tsize:8;\tsigned:0;\n"));
	get("events/sched/sched_process_fork/format");
	CHECK(strstr(text, "__data_loc char[] parent_comm;\toffset:8;\tsize:4;"));
	snprintf(want, sizeof(want), "%s/events/ftrace/print/format", top);
	CHECK(!strncmp(get(want), "name: print\nID: 5\nformat:\n", 26));
}

/* ---- what happens ---- */

static void *nothing(void *arg)
{
	return arg;
}

static void processes(void)
{
	char want[96];
	pthread_t thread;
	pid_t pid;

	reset();
	CHECK_OK(put("set_event",
		     "sched:sched_process_fork sched:sched_process_exit sched:sched_wakeup_new "
		     "syscalls:sys_enter_getppid"));
	pid = fork();
	if (pid == 0) {
		syscall(SYS_getppid);
		_exit(0);
	}
	tap_wait(pid);
	snprintf(want, sizeof(want), " pid=%d child_comm=tracefs child_pid=%d", getpid(), pid);
	CHECK_EQ(count(want), 1);
	snprintf(want, sizeof(want), ": sched_process_exit: comm=tracefs pid=%d prio=", pid);
	CHECK_EQ(count_of(pid, want), 1);
	/* A task that is born while calls are traced is traced, too. */
	CHECK_EQ(count_of(pid, ": sys_getppid()"), 1);
	snprintf(want, sizeof(want), ": sched_wakeup_new: comm=tracefs pid=%d prio=", pid);
	CHECK_EQ(count(want), 1);
	clear();
	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
	CHECK_EQ(count(": sched_process_fork: "), 1);
}

static void switches(void)
{
	char want[64];

	reset();
	CHECK_OK(put("events/sched/sched_switch/enable", "1"));
	tap_sleep_ms(20);
	CHECK_OK(put("events/sched/sched_switch/enable", "0"));
	snprintf(want, sizeof(want),
		 ": sched_switch: prev_comm=tracefs prev_pid=%d prev_prio=", getpid());
	CHECK(count(want) >= 1);
	CHECK(count(" prev_state=S ==> next_comm=") >= 1);
	snprintf(want, sizeof(want), " next_comm=tracefs next_pid=%d next_prio=", getpid());
	CHECK(strstr(get("trace"), want) != NULL);
}

static void one_process(void)
{
	char self[16];
	pid_t pid;

	reset();
	snprintf(self, sizeof(self), "%d\n", getpid());
	CHECK_OK(put("set_event_pid", self));
	CHECK_STR(get("set_event_pid"), self);
	CHECK_OK(put("events/raw_syscalls/sys_enter/enable", "1"));
	CHECK_OK(put("events/sched/sched_switch/enable", "1"));
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 100; i++)
			syscall(SYS_getppid);
		_exit(0);
	}
	tap_wait(pid);
	tap_sleep_ms(20);
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	CHECK(count(": sys_enter: ") > 0);
	CHECK(count(": sched_switch: ") > 0);
	CHECK_EQ(count_of(pid, ": sys_enter: "), 0);
	CHECK_ERRNO(put("set_event_pid", "nobody"), EINVAL);
	CHECK_OK(put_flags("set_event_pid", "", O_TRUNC));
	CHECK(!strstr(get("set_event_pid"), self));
}

static void waking(void)
{
	char want[64];
	pid_t pid;

	reset();
	CHECK_OK(put("set_event", "sched:sched_waking sched:sched_process_wait"));
	pid = fork();
	if (pid == 0) {
		tap_wait_state(getppid(), 'S'); /* it waits for us */
		_exit(0);
	}
	tap_wait(pid);
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	snprintf(want, sizeof(want), ": sched_waking: comm=tracefs pid=%d prio=", getpid());
	CHECK(count_of(pid, want) >= 1);
	snprintf(want, sizeof(want), ": sched_process_wait: comm=tracefs pid=%d prio=", pid);
	CHECK_EQ(count(want), 1);
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	char want[128];

	reset();
	sigaction(SIGUSR1, &sa, NULL);
	CHECK_OK(put("set_event", "signal:*"));
	kill(getpid(), SIGUSR1);
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	snprintf(want, sizeof(want),
		 ": signal_generate: sig=%d errno=0 code=0 comm=tracefs pid=%d grp=1 res=0",
		 SIGUSR1, getpid());
	CHECK_EQ(count(want), 1);
	snprintf(want, sizeof(want),
		 ": signal_deliver: sig=%d errno=0 code=0 sa_handler=%lx sa_flags=", SIGUSR1,
		 (unsigned long)on_alarm);
	CHECK_EQ(count(want), 1);
	CHECK_OK(put("events/signal/signal_generate/enable", "1"));
	signal(SIGUSR1, SIG_IGN);
	kill(getpid(), SIGUSR1);
	CHECK_OK(put("events/signal/signal_generate/enable", "0"));
	snprintf(want, sizeof(want), "pid=%d grp=1 res=1", getpid());
	CHECK_EQ(count(want), 1);
}

static void faults(void)
{
	volatile char *p =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char want[96];

	reset();
	if (put("events/exceptions/page_fault_user/enable", "1")) {
		NOTE("no such event on this machine");
		return;
	}
	*p = 1;
	CHECK_OK(put("events/exceptions/enable", "0"));
	snprintf(want, sizeof(want), ": page_fault_user: address=0x%lx ip=0x", (unsigned long)p);
	CHECK_EQ(count(want), 1);
	CHECK(count("error_code=0x6") >= 1);
}

/* ---- buffers ---- */

static void overflow(bool overwrite)
{
	char line[128];
	int fd, failed = 0;

	reset();
	CHECK_OK(put("trace_options", overwrite ? "overwrite" : "nooverwrite"));
	CHECK_OK(put("buffer_size_kb", "16"));
	CHECK(atoi(get("buffer_size_kb")) >= 16 && atoi(text) < 32);
	clear();
	fd = (int)CHECK_OK(open("trace_marker", O_WRONLY));
	for (int i = 0; i < 3000; i++) {
		snprintf(line, sizeof(line), "number %d and some more text so that it fills", i);
		failed += write(fd, line, strlen(line)) < 0;
	}
	close(fd);
	CHECK_EQ(count("number 0 and"), !overwrite);
	CHECK_EQ(count("number 2999 and"), overwrite);
	CHECK(overwrite || failed > 0 || count("number") < 3000);
	CHECK_OK(put("trace_options", "overwrite"));
	CHECK_OK(put("buffer_size_kb", "1408"));
}

static void overflows(void)
{
	overflow(true);
	overflow(false);
	CHECK_ERRNO(put("buffer_size_kb", "0"), EINVAL);
	CHECK_ERRNO(put("buffer_size_kb", "many"), EINVAL);
}

static void one_cpu(void)
{
	cpu_set_t old, set;
	int cpu;

	reset();
	sched_getaffinity(0, sizeof(old), &old);
	for (cpu = 0; cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &old); cpu++)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
	CHECK_OK(put("trace_marker", "here"));
	sched_setaffinity(0, sizeof(old), &old);
	snprintf(text, sizeof(text), "per_cpu/cpu%d", cpu);
	CHECK_OK(chdir(text));
	CHECK(strstr(get("trace"), "tracing_mark_write: here\n") != NULL);
	CHECK(!strncmp(get("stats"), "entries: 1\noverrun: 0\n", 22));
	CHECK_OK(chdir("../.."));
	CHECK_OK(put("buffer_size_kb", "1408"));
}

static void clocks(void)
{
	char *at;

	reset();
	CHECK(!strncmp(get("trace_clock"), "[local] global counter ", 23));
	CHECK_OK(put("trace_clock", "counter"));
	CHECK(strstr(get("trace_clock"), " [counter] ") != NULL);
	CHECK_OK(put("trace_marker", "tick"));
	get("trace");
	at = strstr(text, ": tracing_mark_write: tick");
	REQUIRE(at != NULL);
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	CHECK(at[-1] == ' ');
	CHECK_ERRNO(put("trace_clock", "sundial"), EINVAL);
	CHECK_OK(put("trace_clock", "local"));
}

static void options(void)
{
	reset();
	CHECK_STR(get("options/context-info"), "1\n");
	CHECK_OK(put("trace_marker", "bare"));
	CHECK_OK(put("trace_options", "nocontext-info"));
	CHECK(strstr(get("trace_options"), "nocontext-info\n") != NULL);
	CHECK(strstr(get("trace"), "\ntracing_mark_write: bare\n") != NULL);
	CHECK_OK(put("options/context-info", "1"));
	CHECK_ERRNO(put("options/context-info", "2"), EINVAL);
	CHECK_ERRNO(put("trace_options", "no_such_option"), EINVAL);
	CHECK_OK(put("options/record-tgid", "1"));
	CHECK_OK(put("trace_marker", "with process"));
	CHECK_EQ(count(strncmp(get("trace"), "#", 1) ? "" : ") [0"), 2);
	CHECK(strstr(get("trace"), "   TGID   ") != NULL);
	CHECK_OK(put("options/record-tgid", "0"));
}

/* ---- many at once ---- */

#define WRITERS 4
#define EACH	2000

static void *write_many(void *arg)
{
	int fd = open("trace_marker", O_WRONLY);
	char line[64];

	for (int i = 0; i < EACH; i++) {
		snprintf(line, sizeof(line), "w%ld %d end", (long)arg, i);
		CHECK(write(fd, line, strlen(line)) > 0);
	}
	close(fd);
	return NULL;
}

/* Each writer's lines come in order and whole; what is missing is announced as lost. */
static void concurrent(void)
{
	int fd, last[WRITERS] = { -1, -1, -1, -1 }, seen = 0, lost = 0, n;
	pthread_t thread[WRITERS];
	char line[512];
	FILE *f;

	reset();
	fd = (int)CHECK_OK(open("trace_pipe", O_RDONLY));
	f = fdopen(fd, "r");
	for (long i = 0; i < WRITERS; i++)
		pthread_create(&thread[i], NULL, write_many, (void *)i);
	while (seen + lost < WRITERS * EACH && fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "tracing_mark_write: w");
		int w = -1, i = -1, end = 0;

		if (sscanf(line, "CPU:%*d [LOST %d EVENTS]", &n) == 1) {
			lost += n;
			continue;
		}
		if (!at)
			continue;
		sscanf(at, "tracing_mark_write: w%d %d end\n%n", &w, &i, &end);
		CHECK(end > 0 && w >= 0 && w < WRITERS);
		if (end == 0 || w < 0 || w >= WRITERS)
			break;
		CHECK(i > last[w]);
		last[w] = i;
		seen++;
	}
	CHECK_EQ(seen + lost, WRITERS * EACH);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
	fclose(f);
}

static void bad_input(void)
{
	static char big[200000];
	int fd;

	reset();
	fd = (int)CHECK_OK(open("set_event", O_WRONLY));
	CHECK_ERRNO(write(fd, (void *)8, 16), EFAULT);
	CHECK_EQ(write(fd, "", 0), 0);
	memset(big, 'a', sizeof(big));
	CHECK(write(fd, big, sizeof(big)) == -1);
	close(fd);
	fd = (int)CHECK_OK(open("trace_marker", O_WRONLY));
	CHECK_ERRNO(write(fd, (void *)8, 16), EFAULT);
	CHECK(write(fd, big, sizeof(big)) > 0);
	close(fd);
	fd = (int)CHECK_OK(open("events/sched/sched_switch/filter", O_WRONLY));
	for (size_t i = 0; i < 3000; i++)
		big[i] = '(';
	big[3000] = '\0';
	CHECK(write(fd, big, 3000) == -1);
	close(fd);
	CHECK_OK(put("events/sched/sched_switch/filter", "0"));
}

int main(void)
{
	tracefs_enter();
	TAP_RUN(tree);
	TAP_RUN(marker);
	TAP_RUN(switched_off);
	TAP_RUN(seeking);
	TAP_RUN(pipe_reads);
	TAP_RUN(pipe_interrupted);
	TAP_RUN(enabling);
	TAP_RUN(raw_syscalls);
	TAP_RUN(filters);
	TAP_RUN(string_filters);
	TAP_RUN(formats);
	TAP_RUN(processes);
	TAP_RUN(switches);
	TAP_RUN(one_process);
	TAP_RUN(waking);
	TAP_RUN(signals);
	TAP_RUN(faults);
	TAP_RUN(overflows);
	TAP_RUN(one_cpu);
	TAP_RUN(clocks);
	TAP_RUN(options);
	TAP_RUN(concurrent);
	TAP_RUN(bad_input);
	reset();
	tracefs_leave();
	return tap_done();
}

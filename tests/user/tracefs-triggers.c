/* SPDX-License-Identifier: MIT */
/*
 * tracefs: triggers, snapshots, instances that are apart, threads that are not recorded, children that are, CPUs that are not,
 * markers of bytes, stacks. In an instance of its own; without the rights it is skipped.
 */
#include "tap.h"
#include "tracefs.h"
#include <sched.h>

#define GETPPID "events/syscalls/sys_enter_getppid"
#define GETPGID "events/syscalls/sys_enter_getpgid"

static void start(void)
{
	CHECK_OK(put("tracing_on", "1"));
	CHECK_OK(put_flags("set_event", "", O_TRUNC));
	clear();
}

static void call(int n)
{
	for (int i = 0; i < n; i++)
		syscall(SYS_getppid);
}

/* ---- triggers ---- */

static void trigger_text(void)
{
	CHECK(strstr(get(GETPPID "/trigger"), "# Available triggers:\n#") == text);
	CHECK(strstr(text, " traceon traceoff") != NULL);
	CHECK_OK(put(GETPPID "/trigger", "traceoff:3 if common_pid == 1\n"));
	CHECK_STR(get(GETPPID "/trigger"), "traceoff:count=3 if common_pid == 1\n");
	CHECK_ERRNO(put(GETPPID "/trigger", "traceoff"), EEXIST);
	CHECK_ERRNO(put(GETPPID "/trigger", "traceon"), EEXIST); /* of the same kind */
	CHECK_OK(put(GETPPID "/trigger", "stacktrace"));
	CHECK(strstr(get(GETPPID "/trigger"), "stacktrace:unlimited\n") != NULL);
	CHECK_OK(put(GETPPID "/trigger", "!traceoff:3 if common_pid == 1"));
	CHECK_STR(get(GETPPID "/trigger"), "stacktrace:unlimited\n");
	CHECK_OK(put_flags(GETPPID "/trigger", "", O_TRUNC));
	CHECK_STR(get(GETPPID "/trigger"), "stacktrace:unlimited\n");
	CHECK_OK(put(GETPPID "/trigger", "!stacktrace"));
	CHECK(strstr(get(GETPPID "/trigger"), "# Available") == text);
	CHECK_OK(put(GETPPID "/trigger", "traceoff:0"));
	CHECK_STR(get(GETPPID "/trigger"), "traceoff:count=0\n");
	CHECK_OK(put(GETPPID "/trigger", "!traceon"));
	CHECK(strstr(get(GETPPID "/trigger"), "# Available") == text);
	CHECK_ERRNO(put(GETPPID "/trigger", "no_such"), EINVAL);
	CHECK_ERRNO(put(GETPPID "/trigger", "traceoff:x"), EINVAL);
	CHECK_ERRNO(put(GETPPID "/trigger", "traceoff if no_such == 1"), EINVAL);
	CHECK_ERRNO(put(GETPPID "/trigger", "traceoff when 1"), EINVAL);
	CHECK_ERRNO(put(GETPPID "/trigger", "enable_event:syscalls"), EINVAL);
	CHECK_ERRNO(put(GETPPID "/trigger", "enable_event:no:such"), EINVAL);
	CHECK_OK(put(GETPPID "/trigger", "!stacktrace")); /* there is none */
}

static void on_and_off(void)
{
	char own[64];

	start();
	CHECK_OK(put(GETPPID "/enable", "1"));
	snprintf(own, sizeof(own), "traceoff:1 if common_pid == %d", getpid());
	CHECK_OK(put(GETPGID "/trigger", own));
	CHECK_STR(get(GETPGID "/enable"), "0*\n");
	call(2);
	syscall(SYS_getpgid, 0);
	call(3);
	CHECK_STR(get("tracing_on"), "0\n");
	CHECK_EQ(count("sys_getppid("), 2);
	CHECK_EQ(count("sys_getpgid("), 0); /* its event is off */
	CHECK_OK(put("tracing_on", "1"));
	syscall(SYS_getpgid, 0); /* there was one time */
	CHECK_STR(get("tracing_on"), "1\n");
	CHECK_OK(put(GETPGID "/trigger", "!traceoff"));
	CHECK_STR(get(GETPGID "/enable"), "0\n");
	snprintf(own, sizeof(own), "traceon if common_pid == %d", getpid());
	CHECK_OK(put(GETPGID "/trigger", own));
	CHECK_OK(put("tracing_on", "0"));
	call(1);
	syscall(SYS_getpgid, 0);
	call(1);
	CHECK_EQ(count("sys_getppid("), 3);
	CHECK_OK(put(GETPGID "/trigger", "!traceoff"));
}

static void switching_events(void)
{
	start();
	CHECK_OK(put(GETPGID "/trigger", "enable_event:syscalls:sys_enter_getppid"));
	CHECK_STR(get(GETPGID "/trigger"), "enable_event:syscalls:sys_enter_getppid:unlimited\n");
	CHECK_STR(get(GETPPID "/enable"), "0*\n");
	call(2);
	CHECK_EQ(count("sys_getppid("), 0);
	syscall(SYS_getpgid, 0);
	CHECK_STR(get(GETPPID "/enable"), "1*\n");
	call(2);
	CHECK_EQ(count("sys_getppid("), 2);
	CHECK_OK(put(GETPGID "/trigger", "!enable_event:syscalls:sys_enter_getppid"));
	CHECK_STR(get(GETPPID "/enable"), "1\n"); /* as the trigger left it */
	CHECK_OK(put(GETPPID "/enable", "0"));
	call(2);
	CHECK_EQ(count("sys_getppid("), 2);
	CHECK_OK(put(GETPPID "/enable", "1"));
	CHECK_OK(put(GETPGID "/trigger", "disable_event:syscalls:sys_enter_getppid:1"));
	CHECK_STR(get(GETPPID "/enable"), "1*\n");
	syscall(SYS_getpgid, 0);
	call(2);
	CHECK_EQ(count("sys_getppid("), 2);
	CHECK_OK(put(GETPGID "/trigger", "!disable_event:syscalls:sys_enter_getppid:1"));
	CHECK_STR(get(GETPPID "/enable"), "0\n");
}

static void stacks(void)
{
	start();
	CHECK_OK(put(GETPPID "/trigger", "stacktrace:2"));
	call(4);
	CHECK_EQ(count("<stack trace>"), 2);
	CHECK(strstr(get("trace"), "\n => ") != NULL);
	CHECK_OK(put(GETPPID "/trigger", "!stacktrace:2"));
	clear();
	CHECK_OK(put("trace_options", "stacktrace"));
	CHECK_OK(put(GETPPID "/enable", "1"));
	call(3);
	CHECK_OK(put("trace_options", "nostacktrace"));
	CHECK_OK(put(GETPPID "/enable", "0"));
	CHECK_EQ(count("sys_getppid("), 3);
	CHECK(count("<stack trace>") >= 3);
}

/* ---- snapshots ---- */

static int in_snapshot(const char *what)
{
	int n = 0;

	get("snapshot");
	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void snapshots(void)
{
	start();
	CHECK_OK(put("snapshot", "0"));
	CHECK_EQ(in_snapshot("is freed"), 1);
	CHECK_OK(put("trace_marker", "one"));
	CHECK_OK(put("snapshot", "1"));
	CHECK_EQ(in_snapshot(": one\n"), 1);
	CHECK_EQ(count(": one"), 0);
	CHECK_OK(put("trace_marker", "two"));
	CHECK_EQ(in_snapshot(": two\n"), 0);
	CHECK_EQ(count(": two"), 1);
	CHECK_OK(put("snapshot", "2"));
	CHECK_EQ(in_snapshot(": one\n"), 0);
	CHECK_EQ(count(": two"), 1);
	CHECK_OK(put(GETPPID "/trigger", "snapshot:1"));
	call(1);
	CHECK_EQ(in_snapshot(": two\n"), 1);
	call(1);
	CHECK_EQ(in_snapshot(": two\n"), 1);
	CHECK_OK(put(GETPPID "/trigger", "!snapshot:1"));
	CHECK_OK(put("snapshot", "0"));
	CHECK_EQ(in_snapshot("is freed"), 1);
	CHECK_ERRNO(put("snapshot", "x"), EINVAL);
}

/* ---- instances ---- */

static void instances(void)
{
	char other[160], name[256], *mine;

	snprintf(other, sizeof(other), "%s/instances/other%d", top, getpid());
	CHECK_OK(mkdir(other, 0700));
	CHECK_ERRNO(mkdir(other, 0700), EEXIST);
	start();
	CHECK_OK(put(GETPPID "/enable", "1"));
	snprintf(name, sizeof(name), "%s/" GETPPID "/enable", other);
	CHECK_STR(get(name), "0\n");
	call(3);
	snprintf(name, sizeof(name), "%s/trace", other);
	CHECK(strstr(get(name), "sys_getppid(") == NULL);
	CHECK_EQ(count("sys_getppid("), 3);
	snprintf(name, sizeof(name), "%s/" GETPPID "/enable", other);
	CHECK_OK(put(name, "1"));
	snprintf(name, sizeof(name), "%s/" GETPPID "/filter", other);
	CHECK_OK(put(name, "common_pid == 1"));
	CHECK_STR(get(GETPPID "/filter"), "none\n");
	call(1);
	CHECK_EQ(count("sys_getppid("), 4);
	CHECK_OK(put(name, "0"));
	CHECK_OK(put("tracing_on", "0"));
	call(1);
	CHECK_EQ(count("sys_getppid("), 4);
	snprintf(name, sizeof(name), "%s/trace", other);
	mine = strstr(get(name), "sys_getppid(");
	CHECK(mine != NULL && strstr(mine + 1, "sys_getppid(") == NULL);
	snprintf(name, sizeof(name), "%s/trace_pipe", other);
	int fd = (int)CHECK_OK(open(name, O_RDONLY | O_NONBLOCK));

	CHECK_ERRNO(rmdir(other), EBUSY);
	CHECK(read(fd, text, sizeof(text)) > 0);
	close(fd);
	CHECK_OK(rmdir(other));
	CHECK_ERRNO(access(other, F_OK), ENOENT);
	CHECK_ERRNO(access("uprobe_events", F_OK), ENOENT);
	CHECK_OK(put(GETPPID "/enable", "0"));
	CHECK_OK(put("tracing_on", "1"));
}

/* ---- of whom ---- */

static void put_pid(const char *name, pid_t pid)
{
	char s[16];

	snprintf(s, sizeof(s), "%d", pid);
	CHECK_OK(put(name, s));
}

static pid_t child_calls(void)
{
	pid_t pid = fork();

	if (!pid) {
		call(2);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	return pid;
}

static void not_these(void)
{
	pid_t pid;

	start();
	put_pid("set_event_notrace_pid", getpid());
	CHECK_EQ(atoi(get("set_event_notrace_pid")), getpid());
	CHECK_OK(put(GETPPID "/enable", "1"));
	call(2);
	pid = child_calls();
	CHECK_EQ(count("sys_getppid("), 0);
	CHECK_EQ(count_of(pid, "sys_getppid("), 2);
	CHECK_OK(put_flags("set_event_notrace_pid", "", O_TRUNC));
	CHECK_STR(get("set_event_notrace_pid"), "");
	call(1);
	CHECK_EQ(count("sys_getppid("), 1);
}

static void with_children(void)
{
	pid_t pid;

	start();
	CHECK_OK(put(GETPPID "/enable", "1"));
	put_pid("set_event_pid", getpid());
	pid = child_calls();
	CHECK_EQ(count_of(pid, "sys_getppid("), 0);
	CHECK_OK(put("options/event-fork", "1"));
	pid = child_calls();
	CHECK_EQ(count_of(pid, "sys_getppid("), 2);
	/* Who has ended is out again. */
	CHECK(TAP_AWAIT(atoi(get("set_event_pid")) == getpid() &&
			!strstr(strchr(text, '\n') + 1, "\n")));
	CHECK_OK(put("options/event-fork", "0"));
	pid = child_calls();
	CHECK_EQ(count_of(pid, "sys_getppid("), 0);
	CHECK_OK(put_flags("set_event_pid", "", O_TRUNC));
	CHECK_OK(put(GETPPID "/enable", "0"));
}

/* ---- of which CPUs ---- */

static void cpus(void)
{
	char all[64], mask[16];
	cpu_set_t set, before;
	int cpu = 0;

	start();
	CHECK_OK(sched_getaffinity(0, sizeof(before), &before));
	while (cpu < 8 && !CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
	snprintf(all, sizeof(all), "%s", get("tracing_cpumask"));
	CHECK(strtoul(all, NULL, 16) >> cpu & 1);
	CHECK_OK(put("trace_marker", "seen"));
	snprintf(mask, sizeof(mask), "%lx", strtoul(all, NULL, 16) & ~(1ul << cpu));
	CHECK_OK(put("tracing_cpumask", mask));
	CHECK_EQ(strtoul(get("tracing_cpumask"), NULL, 16), strtoul(mask, NULL, 16));
	CHECK_OK(put(GETPPID "/enable", "1"));
	call(2);
	CHECK_OK(put("tracing_cpumask", all));
	CHECK_STR(get("tracing_cpumask"), all);
	call(1);
	CHECK_OK(put(GETPPID "/enable", "0"));
	CHECK_EQ(count(": seen"), 1);
	CHECK_EQ(count("sys_getppid("), 1);
	CHECK_ERRNO(put("tracing_cpumask", "xyz"), EINVAL);
	CHECK_OK(sched_setaffinity(0, sizeof(before), &before));
}

/* ---- the rest ---- */

static void raw_marker(void)
{
	static const unsigned char bytes[] = { 0x34, 0x12, 0, 0, 0xab, 0xcd, 0xef, 0x01 };
	int fd;

	start();
	fd = (int)CHECK_OK(open("trace_marker_raw", O_WRONLY));
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	CHECK_ERRNO(write(fd, bytes, 3), EINVAL);
	close(fd);
	CHECK_EQ(count("# 1234 buf: ab cd ef 01"), 1);
}

static void names_of_threads(void)
{
	char line[64], file[128];

	snprintf(file, sizeof(file), "%s/saved_cmdlines", top);
	snprintf(line, sizeof(line), "%d ", getpid());
	start();
	CHECK_OK(put("trace_marker", "known"));
	CHECK_EQ(count(": known"), 1);
	CHECK(strstr(get(file), line) != NULL);
}

int main(void)
{
	tracefs_enter();
	if (!instance[0])
		SKIP("no instances");
	TAP_RUN(trigger_text);
	TAP_RUN(on_and_off);
	TAP_RUN(switching_events);
	TAP_RUN(stacks);
	if (tap_on_caelum() || !access("snapshot", F_OK))
		TAP_RUN(snapshots);
	TAP_RUN(instances);
	TAP_RUN(not_these);
	TAP_RUN(with_children);
	TAP_RUN(cpus);
	TAP_RUN(raw_marker);
	TAP_RUN(names_of_threads);
	start();
	tracefs_leave();
	return tap_done();
}

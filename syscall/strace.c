/* SPDX-License-Identifier: MIT */
/* See strace.h. Strings are cut at 32 bytes, as strace cuts them. */
#include <kernel/console.h>
#include <kernel/process.h>
#include <lib/errno_name.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/strace.h>
#include <uapi/socket.h>

#define SHOWN 32

static __printf(2, 3) void add(struct strace_line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line->len +=
		(size_t)vscnprintf(line->text + line->len, sizeof(line->text) - line->len, fmt, ap);
	va_end(ap);
}

static void add_quoted(struct strace_line *line, const char *s, size_t n, bool cut)
{
	add(line, "\"");
	for (size_t i = 0; i < n; i++) {
		u8 c = (u8)s[i];

		if (c == '"' || c == '\\')
			add(line, "\\%c", c);
		else if (c == '\n')
			add(line, "\\n");
		else if (c == '\t')
			add(line, "\\t");
		else if (c >= ' ' && c < 127)
			add(line, "%c", c);
		else
			add(line, "\\%o", c);
	}
	add(line, cut ? "\"..." : "\"");
}

static void add_string(struct strace_line *line, uaddr_t s)
{
	char text[SHOWN + 1];
	long n = hal_strncpy_from_user(text, s, sizeof(text));

	if (n < 0)
		add(line, s ? "%#lx" : "NULL", s);
	else
		add_quoted(line, text, min_t(size_t, (size_t)n, SHOWN), n > SHOWN);
}

static void add_bytes(struct strace_line *line, uaddr_t buf, size_t n)
{
	char text[SHOWN];
	size_t shown = min_t(size_t, n, SHOWN);

	if (hal_copy_from_user(text, buf, shown))
		add(line, "%#lx", buf);
	else
		add_quoted(line, text, shown, n > SHOWN);
}

/* A socket's address of @n bytes as it is before the call. */
static void add_sockaddr(struct strace_line *line, uaddr_t addr, size_t n)
{
	struct sockaddr_un a = { AF_UNSPEC };
	size_t path = n > 2 ? n - 2 : 0;

	if (!addr) {
		add(line, "NULL");
	} else if (n < 2 || n > sizeof(a) || hal_copy_from_user(&a, addr, n)) {
		add(line, "%#lx", addr);
	} else if (a.family != AF_UNIX) {
		add(line, "{sa_family=%u}", a.family);
	} else if (!path) {
		add(line, "{sa_family=AF_UNIX}");
	} else {
		bool abstract = !a.path[0];
		const char *name = a.path + abstract;
		size_t len = abstract ? path - 1 : strnlen(name, path);

		add(line, "{sa_family=AF_UNIX, sun_path=%s", abstract ? "@" : "");
		add_quoted(line, name, min_t(size_t, len, SHOWN), len > SHOWN);
		add(line, "}");
	}
}

static void add_family(struct strace_line *line, int family)
{
	if (family == AF_UNIX)
		add(line, "AF_UNIX");
	else
		add(line, "%d", family);
}

static void add_socket_type(struct strace_line *line, unsigned int type)
{
	static const char *const names[] = { [SOCK_STREAM] = "SOCK_STREAM",
					     [SOCK_DGRAM] = "SOCK_DGRAM",
					     [SOCK_RAW] = "SOCK_RAW",
					     [SOCK_SEQPACKET] = "SOCK_SEQPACKET" };
	unsigned int kind = type & SOCK_TYPE_MASK,
		     rest = type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (kind < ARRAY_SIZE(names) && names[kind])
		add(line, "%s", names[kind]);
	else
		add(line, "%u", kind);
	add(line, "%s%s", type & SOCK_CLOEXEC ? "|SOCK_CLOEXEC" : "",
	    type & SOCK_NONBLOCK ? "|SOCK_NONBLOCK" : "");
	if (rest)
		add(line, "|%#x", rest);
}

static void add_arg(struct strace_line *line, char format, unsigned long v, size_t nbytes)
{
	switch (format) {
	case 'i':
		add(line, (int)v == -100 ? "AT_FDCWD" : "%d", (int)v);
		break;
	case 'u':
		add(line, "%lu", v);
		break;
	case 'l':
		add(line, "%ld", (long)v);
		break;
	case 'o':
		add(line, "%#lo", v & 07777777);
		break;
	case 's':
		add_string(line, v);
		break;
	case 'b':
		add_bytes(line, v, nbytes);
		break;
	case 'a':
		add_sockaddr(line, v, nbytes);
		break;
	case 'f':
		add_family(line, (int)v);
		break;
	case 't':
		add_socket_type(line, (unsigned int)v);
		break;
	default:
		add(line, v ? "%#lx" : "NULL", v);
		break;
	}
}

/* Does the call read its bytes (write) or fill them (read)? Only the former are there at entry. */
static bool fills_bytes(const struct syscall_desc *desc)
{
	return !strstr(desc->name, "write") && !strstr(desc->name, "send");
}

#define ENTERING LONG_MAX /* in place of a result: the call has not been made yet */

/* All arguments. Bytes number what the next argument says, at exit no more than the result; after an error they mean nothing. */
static void add_args(struct strace_line *line, const char *format, long result)
{
	for (unsigned int i = 0; format[i]; i++) {
		size_t n = i < 5 ? line->arg[i + 1] : 0;
		char f = format[i];

		if (f == 'b' && result < 0)
			f = 'p';
		add(line, i ? ", " : "");
		add_arg(line, f, line->arg[i],
			f == 'a' ? (u32)n : min_t(size_t, n, (size_t)result));
	}
}

void strace_enter(struct strace_line *line, const struct syscall_desc *desc, long nr,
		  const struct uctx *u)
{
	line->len = 0;
	for (unsigned int i = 0; i < 6; i++)
		line->arg[i] = uctx_arg(u, i);
	if (task_count() > init_process->nthreads)
		add(line, "[pid %5d] ", task_tid(current));
	if (!desc) {
		add(line, "syscall_%ld(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)", nr, line->arg[0],
		    line->arg[1], line->arg[2], line->arg[3], line->arg[4], line->arg[5]);
		return;
	}
	add(line, "%s(", desc->name);
	if (!fills_bytes(desc) || !strchr(desc->format, 'b'))
		add_args(line, desc->format, ENTERING);
	if (!strncmp(desc->name, "exit", 4)) {
		add(line, ") = ?\n");
		console_write(CONSOLE_LOG, line->text, line->len);
	}
}

void strace_exit(struct strace_line *line, const struct syscall_desc *desc, const struct uctx *u,
		 long result)
{
	(void)u;
	if (desc && fills_bytes(desc) && strchr(desc->format, 'b'))
		add_args(line, desc->format, result);
	if (desc)
		add(line, ")");
	if (result < 0 && result > -4096)
		add(line, " = -1 %s (%s)\n", errno_name((int)-result), errno_text((int)-result));
	else if (result > 65536 || result < 0)
		add(line, " = %#lx\n", (unsigned long)result);
	else
		add(line, " = %ld\n", result);
	console_write(CONSOLE_LOG, line->text, line->len);
}

/* SPDX-License-Identifier: MIT */
/*
 * Terminals: termios, the line discipline in canonical and raw mode, VMIN and VTIME, window size,
 * signal characters, and job control. Runs on a pseudo-terminal; without one, the parts that need
 * no typed input run on /dev/console; without that it is skipped. termios(3), tty_ioctl(4).
 */
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master = -1, slave = -1;
static char slave_name[64];

static int open_pty(void)
{
	int unlock = 0, number = -1;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCGPTN, &number))
		return -1;
	snprintf(slave_name, sizeof(slave_name), "/dev/pts/%d", number);
	slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slave < 0 ? -1 : 0;
}

static struct termios get(void)
{
	struct termios t;

	memset(&t, 0, sizeof(t));
	CHECK_OK(tcgetattr(slave, &t));
	return t;
}

static void set_mode(int canonical, int echo, int min, int time)
{
	struct termios t = get();

	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_lflag |= (canonical ? ICANON : 0) | (echo ? ECHO : 0);
	t.c_cc[VMIN] = (cc_t)min;
	t.c_cc[VTIME] = (cc_t)time;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void type(const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), strlen(text));
}

/* Read what is there, waiting for the first of it. */
static const char *read_text(int fd)
{
	static char buf[256];
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n = poll(&p, 1, TAP_LIMIT_MS) == 1 ? read(fd, buf, sizeof(buf) - 1) : 0;

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* What has come out at the master's side when it is as much as @want: it may come in pieces. */
static const char *read_echo(const char *want)
{
	static char all[256];

	for (all[0] = '\0'; strlen(all) < strlen(want);) {
		const char *more = read_text(master);

		if (!*more || strlen(all) + strlen(more) >= sizeof(all))
			break;
		strcat(all, more);
	}
	return all;
}

#define CHECK_ECHO(want) CHECK_STR(read_echo(want), want)

static int readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

/* What is typed may arrive a little later: wait until @n bytes can be read. */
static void await_input(int n)
{
	int waiting = -1;

	(void)TAP_AWAIT(ioctl(slave, FIONREAD, &waiting) != 0 || waiting == n);
	CHECK_EQ(waiting, n);
}

static void attributes(void)
{
	struct termios t = get();

	CHECK(t.c_lflag & ICANON);
	CHECK(t.c_lflag & ISIG);
	CHECK(t.c_lflag & ECHO);
	CHECK(t.c_iflag & ICRNL);
	CHECK(t.c_oflag & OPOST);
	CHECK_EQ(t.c_cc[VINTR], 3);
	CHECK_EQ(t.c_cc[VEOF], 4);
	CHECK_EQ(t.c_cc[VSUSP], 26);
	CHECK_EQ(t.c_cc[VERASE], 127);
	CHECK_EQ(t.c_cc[VKILL], 21);
	t.c_lflag &= ~(tcflag_t)ECHO;
	CHECK_OK(tcsetattr(slave, TCSADRAIN, &t));
	CHECK(!(get().c_lflag & ECHO));
	t.c_lflag |= ECHO;
	CHECK_OK(tcsetattr(slave, TCSAFLUSH, &t));
	CHECK_EQ(isatty(slave), 1);
	CHECK_ERRNO(ioctl(slave, TCGETS, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(slave, 0x54ff, 0), ENOTTY);
}

static void window(void)
{
	struct winsize ws = { .ws_row = 43, .ws_col = 132 }, got = { 0 };

	CHECK_OK(ioctl(slave, TIOCSWINSZ, &ws));
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &got));
	CHECK(got.ws_row == 43 && got.ws_col == 132);
	CHECK_ERRNO(ioctl(slave, TIOCGWINSZ, (void *)8), EFAULT);
}

static void canonical(void)
{
	set_mode(1, 0, 1, 0);
	type("incomplete");
	CHECK_EQ(readable(slave), 0);
	type(" line\nnext\n");
	await_input(21); /* both lines: FIONREAD counts what is committed */
	CHECK_STR(read_text(slave), "incomplete line\n");
	CHECK_STR(read_text(slave), "next\n");
	type("abx\177c\n"); /* erase */
	CHECK_STR(read_text(slave), "abc\n");
	type("all gone\025kept\n"); /* kill the line */
	CHECK_STR(read_text(slave), "kept\n");
	type("one two \027three\n"); /* erase a word */
	CHECK_STR(read_text(slave), "one three\n");
	type("return\r"); /* ICRNL */
	CHECK_STR(read_text(slave), "return\n");
	type("lit\026\003eral\n"); /* quoted ^C */
	CHECK_STR(read_text(slave), "lit\003eral\n");
}

static void end_of_file(void)
{
	char buf[16];

	set_mode(1, 0, 1, 0);
	type("part\004");
	CHECK_EQ(read(slave, buf, 16), 4);
	type("\004");
	CHECK_EQ(read(slave, buf, 16), 0);
	type("after\n");
	CHECK_EQ(read(slave, buf, 3), 3); /* a line in pieces */
	CHECK_EQ(read(slave, buf, 16), 3);
}

static void echo(void)
{
	set_mode(1, 1, 1, 0);
	type("ab\n");
	CHECK_ECHO("ab\r\n");
	CHECK_STR(read_text(slave), "ab\n");
	type("x\177\n");
	CHECK_ECHO("x\b \b\r\n");
	read_text(slave);
	type("\002\n");
	CHECK_ECHO("^B\r\n");
	read_text(slave);
	set_mode(1, 0, 1, 0);
	type("silent\n");
	CHECK_STR(read_text(slave), "silent\n");
	CHECK_EQ(readable(master), 0);
	CHECK_EQ(write(slave, "out\n", 4), 4);
	CHECK_ECHO("out\r\n"); /* ONLCR */
}

static void raw(void)
{
	char buf[16];
	long long start;

	set_mode(0, 0, 1, 0);
	type("x");
	CHECK_EQ(read(slave, buf, 16), 1);
	set_mode(0, 0, 0, 0);
	CHECK_EQ(read(slave, buf, 16), 0);
	type("yz");
	await_input(2);
	CHECK_EQ(read(slave, buf, 16), 2);
	set_mode(0, 0, 0, 1); /* a tenth of a second */
	start = tap_now_ns();
	CHECK_EQ(read(slave, buf, 16), 0);
	CHECK(tap_now_ns() - start >= 90000000);
	set_mode(0, 0, 3, 0);
	type("ab");
	CHECK_EQ(readable(slave), 0);
	type("c");
	CHECK_EQ(read(slave, buf, 16), 3);
	CHECK_OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_ERRNO(read(slave, buf, 16), EAGAIN);
	CHECK_OK(fcntl(slave, F_SETFL, O_RDWR));
	type("discarded");
	await_input(9);
	CHECK_OK(tcflush(slave, TCIFLUSH));
	CHECK_EQ(readable(slave), 0);
	set_mode(1, 0, 1, 0);
}

static volatile sig_atomic_t hits[65];

static void count(int sig)
{
	hits[sig]++;
}

static void await_hit(int sig)
{
	(void)TAP_AWAIT(hits[sig]);
	CHECK_EQ(hits[sig], 1);
}

static void signal_characters(void)
{
	struct winsize ws = { .ws_row = 10, .ws_col = 20 };

	REQUIRE(open_pty() == 0); /* one whose master nobody else holds */
	set_mode(1, 0, 1, 0);
	REQUIRE(setsid() == getpid());
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
	CHECK_OK(close(open("/dev/tty", O_RDWR)));
	CHECK_EQ(tcgetpgrp(slave), getpgrp());
	CHECK_EQ(tcgetsid(slave), getsid(0));
	signal(SIGINT, count);
	signal(SIGQUIT, count);
	signal(SIGTSTP, count);
	signal(SIGWINCH, count);
	type("lost\003");
	await_hit(SIGINT);
	type("\034");
	await_hit(SIGQUIT);
	type("\032");
	await_hit(SIGTSTP);
	CHECK_EQ(readable(slave), 0); /* the line was flushed */
	CHECK_OK(ioctl(slave, TIOCSWINSZ, &ws));
	await_hit(SIGWINCH);
	signal(SIGHUP, count);
	signal(SIGCONT, count);
	close(master);
	await_hit(SIGHUP); /* hang-up reaches the session leader */
	await_hit(SIGCONT);
	CHECK_EQ(read(slave, &ws, 1), 0);
	CHECK_ERRNO(write(slave, "x", 1), EIO);
}

static pid_t background_child(int op)
{
	pid_t pid = fork();
	char c;

	if (pid == 0) {
		signal(SIGTTIN, op == 2 ? SIG_IGN : SIG_DFL);
		setpgid(0, 0);
		if (op == 1)
			_exit(tcsetpgrp(slave, getpgrp()) == 0 ? 0 : 3);
		_exit(read(slave, &c, 1) == -1 && errno == EIO ? 4 : 5);
	}
	setpgid(pid, pid);
	return pid;
}

/* What the slave wrote is the master's input, which TCFLSH on the master throws away. */
static void flush(void)
{
	set_mode(1, 0, 1, 0);
	CHECK_OK(ioctl(slave, TCFLSH, TCIOFLUSH));
	CHECK_EQ(write(slave, "abcdef", 6), 6);
	CHECK_EQ(read(master, (char[8]){ 0 }, 2), 2);
	CHECK_OK(ioctl(master, TCFLSH, TCOFLUSH));
	CHECK_EQ(read(master, (char[8]){ 0 }, 2), 2);
	CHECK_OK(ioctl(master, TCFLSH, TCIFLUSH));
	CHECK(!readable(master));
	CHECK_EQ(write(slave, "ABC", 3), 3);
	CHECK_STR(read_text(master), "ABC");
	CHECK_ERRNO(ioctl(master, TCFLSH, 7), EINVAL);
	type("line\n");
	await_input(5);
	CHECK_OK(ioctl(slave, TCFLSH, TCIFLUSH));
	await_input(0);
}

/* What TIOCSLCKTRMIOS locks stays when the rest is changed. */
static void locked_settings(void)
{
	struct termios lock, none, t = get();

	memset(&lock, 0, sizeof(lock));
	CHECK_OK(ioctl(slave, TIOCGLCKTRMIOS, &none));
	CHECK_EQ(none.c_lflag, 0);
	CHECK_ERRNO(ioctl(slave, TIOCGLCKTRMIOS, (void *)8), EFAULT);
	lock.c_lflag = ECHO;
	lock.c_cc[VINTR] = 1;
	if (ioctl(slave, TIOCSLCKTRMIOS, &lock) != 0) {
		CHECK_EQ(errno, EPERM); /* an ordinary user */
		return;
	}
	set_mode(1, 0, 1, 0);
	CHECK_EQ(get().c_lflag & ECHO, t.c_lflag & ECHO);
	t.c_lflag ^= ECHO | ICANON;
	t.c_cc[VINTR] ^= 1;
	t.c_cc[VQUIT] ^= 1;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ((get().c_lflag ^ t.c_lflag) & (ECHO | ICANON), ECHO);
	CHECK_EQ(get().c_cc[VINTR], t.c_cc[VINTR] ^ 1);
	CHECK_EQ(get().c_cc[VQUIT], t.c_cc[VQUIT]);
	CHECK_OK(ioctl(master, TIOCGLCKTRMIOS, &none)); /* the same from the master's side */
	CHECK_EQ(none.c_lflag, ECHO);
	CHECK_EQ(none.c_cc[VINTR], 1);
	memset(&lock, 0, sizeof(lock));
	CHECK_OK(ioctl(slave, TIOCSLCKTRMIOS, &lock));
	t.c_cc[VQUIT] ^= 1;
	t.c_cc[VINTR] ^= 1;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ((get().c_lflag ^ t.c_lflag) & (ECHO | ICANON), 0);
}

/* The next thing a master in packet mode reads. */
static int packet_status(void)
{
	struct pollfd p = { master, POLLIN | POLLPRI, 0 };
	unsigned char b[64] = { 255 };

	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK(read(master, b, sizeof(b)) >= 1);
	CHECK_EQ(!!(p.revents & POLLPRI), b[0] != 0);
	return b[0];
}

static void packets(void)
{
	struct termios t;
	int one = 1, zero = 0;

	set_mode(1, 0, 1, 0);
	CHECK_OK(ioctl(master, TIOCPKT, &one));
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_EQ(packet_status(), 0);
	CHECK_OK(ioctl(slave, TCFLSH, TCIFLUSH));
	CHECK_EQ(packet_status(), TIOCPKT_FLUSHREAD);
	CHECK_OK(ioctl(slave, TCFLSH, TCOFLUSH));
	CHECK_EQ(packet_status(), TIOCPKT_FLUSHWRITE);
	CHECK_OK(ioctl(slave, TCXONC, TCOOFF));
	CHECK_EQ(packet_status(), TIOCPKT_STOP);
	CHECK_OK(ioctl(slave, TCXONC, TCOON));
	CHECK_EQ(packet_status(), TIOCPKT_START);
	CHECK_OK(ioctl(slave, TCXONC, TCOOFF));
	CHECK_OK(ioctl(slave, TCXONC, TCOON));
	CHECK_EQ(packet_status(), TIOCPKT_START); /* the later one only */
	t = get();
	t.c_iflag &= ~(tcflag_t)IXON;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(packet_status(), TIOCPKT_NOSTOP);
	t.c_iflag |= IXON;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(packet_status(), TIOCPKT_DOSTOP);
	type("\003"); /* no process group hears it, the queues are emptied all the same */
	CHECK_EQ(packet_status(), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
	CHECK_OK(ioctl(slave, TCFLSH, TCIFLUSH));
	CHECK_OK(ioctl(master, TIOCPKT, &zero)); /* what was not read is forgotten */
	CHECK(!readable(master));
}

/* Descriptors from before are dead, and the session has no terminal any more. */
static void hung_up(void)
{
	char c;

	REQUIRE(setsid() == getpid());
	CHECK_OK(syscall(SYS_vhangup)); /* of no terminal */
	REQUIRE(open_pty() == 0);
	CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
	signal(SIGHUP, count);
	CHECK_OK(syscall(SYS_vhangup));
	await_hit(SIGHUP);
	CHECK_EQ(read(slave, &c, 1), 0);
	CHECK_ERRNO(write(slave, "x", 1), EIO);
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	CHECK_OK(setuid(1000));
	CHECK_ERRNO(syscall(SYS_vhangup), EPERM);
}

static void job_control(void)
{
	int status;
	pid_t pid;

	set_mode(1, 0, 1, 0);
	REQUIRE(setsid() == getpid());
	CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
	signal(SIGTTOU, SIG_IGN);
	pid = background_child(0); /* reading in the background stops */
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	CHECK_OK(tcsetpgrp(slave, pid));
	CHECK_EQ(tcgetpgrp(slave), pid);
	kill(pid, SIGCONT);
	type("line\n");
	CHECK_EXIT(pid, 5); /* in the foreground it reads */
	CHECK_OK(tcsetpgrp(slave, getpgrp()));
	pid = background_child(2); /* with SIGTTIN ignored: EIO */
	CHECK_EXIT(pid, 4);
	signal(SIGTTOU, SIG_DFL);
	pid = background_child(1); /* changing the terminal in the background stops */
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERRNO(tcsetpgrp(slave, 0x3ffffff), ESRCH);
	CHECK_ERRNO(ioctl(slave, TIOCSPGRP, &(pid_t){ -5 }), EINVAL);
	signal(SIGHUP, SIG_IGN);
	CHECK_OK(ioctl(slave, TIOCNOTTY));
	CHECK_ERRNO(tcgetpgrp(slave), ENOTTY);
}

int main(void)
{
	struct termios saved;
	struct winsize ws;

	signal(SIGHUP, SIG_IGN);
	if (open_pty() == 0) {
		TAP_RUN(attributes);
		TAP_RUN(window);
		TAP_RUN(canonical);
		TAP_RUN(end_of_file);
		TAP_RUN(echo);
		TAP_RUN(raw);
		TAP_RUN(flush);
		TAP_RUN(packets);
		TAP_RUN(locked_settings);
		TAP_FORK(job_control);
		if (geteuid() == 0)
			TAP_FORK(hung_up);
		TAP_FORK(signal_characters);
		return tap_done();
	}
	slave = open("/dev/console", O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &saved) != 0)
		SKIP("neither a pseudo-terminal nor a terminal on /dev/console");
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &ws));
	TAP_RUN(attributes);
	TAP_RUN(window);
	CHECK_OK(ioctl(slave, TIOCSWINSZ, &ws));
	CHECK_OK(tcsetattr(slave, TCSANOW, &saved));
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what happens to bytes between a terminal and its programs (Linux's N_TTY).
 *
 * Input: tty_receive() takes bytes from the line, edits lines in canonical mode, echoes, makes signals, and stores the rest
 * in tty->buf, a ring. ldisc_read() takes it out by the rules of canonical mode or of VMIN and VTIME. Output: ldisc_write()
 * does the c_oflag processing.
 * Locking: tty->lock, a mutex; signals are sent with it held.
 * Source: termios(3), and the behaviour of Linux where that is silent.
 */
#include <fs/internal.h>
#include <fs/tty/tty.h>
#include <kernel/time.h>
#include <lib/ctype.h>

#define IFLAG(t, f) ((t)->termios.c_iflag & (f))
#define OFLAG(t, f) ((t)->termios.c_oflag & (f))
#define LFLAG(t, f) ((t)->termios.c_lflag & (f))
#define CC(t, i)    ((t)->termios.c_cc[i])

static u8 at(const struct tty *t, u32 pos)
{
	return t->buf[pos % TTY_BUF];
}
static bool ends_line(const struct tty *t, u32 pos)
{
	pos %= TTY_BUF;
	return t->line_end[pos / 64] >> (pos % 64) & 1;
}
static void set_line_end(struct tty *t, u32 pos, bool on)
{
	u64 bit = 1ULL << (pos % 64);

	pos = pos % TTY_BUF / 64;
	t->line_end[pos] = on ? t->line_end[pos] | bit : t->line_end[pos] & ~bit;
}
/* A control character that is set: 0 is "disabled". */
static bool is_cc(const struct tty *t, u8 c, int which)
{
	return c && c == CC(t, which);
}

/* ---- output ---- */

/* The text for one byte of output into @out (at most 8 bytes); tracks the column. */
static size_t output_char(struct tty *t, u8 c, char *out)
{
	size_t n = 0;

	switch (c) {
	case '\n':
		if (OFLAG(t, ONLRET | ONLCR))
			t->column = 0;
		if (OFLAG(t, ONLCR))
			out[n++] = '\r';
		t->canon_column = t->column;
		break;
	case '\r':
		if (OFLAG(t, ONOCR) && t->column == 0)
			return 0;
		if (OFLAG(t, OCRNL)) {
			c = '\n';
			if (OFLAG(t, ONLRET))
				t->column = 0;
		} else {
			t->column = 0;
		}
		t->canon_column = t->column;
		break;
	case '\t': {
		u32 spaces = 8 - (t->column & 7);

		t->column += spaces;
		if (OFLAG(t, TABDLY) == XTABS) {
			memset(out, ' ', spaces);
			return spaces;
		}
		break;
	}
	case '\b':
		if (t->column)
			t->column--;
		break;
	default:
		if (iscntrl(c))
			break;
		if (OFLAG(t, OLCUC))
			c = (u8)toupper(c);
		if (!IFLAG(t, IUTF8) || (c & 0xc0) != 0x80)
			t->column++;
	}
	out[n++] = (char)c;
	return n;
}

size_t ldisc_write(struct tty *t, const char *buf, size_t n)
{
	size_t done = 0;

	if (!OFLAG(t, OPOST))
		return t->ops->write(t, buf, n);
	while (done < n) {
		char out[256];
		size_t used = 0, room = min(t->ops->room(t), sizeof(out));

		if (room < 8)
			break;
		while (done < n && used + 8 <= room)
			used += output_char(t, (u8)buf[done++], out + used);
		if (used)
			t->ops->write(t, out, used);
	}
	return done;
}

/* ---- echo ---- */

static void echo_raw(struct tty *t, const char *s, size_t n)
{
	ldisc_write(t, s, n);
}

static void echo_char(struct tty *t, u8 c)
{
	char text[2] = { '^', (char)(c ^ 0x40) };

	if (LFLAG(t, ECHOCTL) && iscntrl(c) && c != '\t' && c != '\n')
		echo_raw(t, text, 2);
	else
		echo_raw(t, (char *)&c, 1);
}

/* ---- the ring ---- */

static u32 used(const struct tty *t)
{
	return t->head - t->tail;
}

static void put_char(struct tty *t, u8 c)
{
	if (used(t) >= TTY_BUF - 1)
		return;
	t->buf[t->head % TTY_BUF] = c;
	set_line_end(t, t->head, false);
	t->head++;
}

static void finish_line(struct tty *t, u8 c)
{
	t->buf[t->head % TTY_BUF] = c;
	set_line_end(t, t->head, true);
	t->head++;
	WRITE_ONCE(t->canon_head, t->head);
	waitq_wake_poll(&t->rd_wait, EPOLLIN_MASK);
}

void ldisc_flush_input(struct tty *t)
{
	t->head = t->canon_head = t->tail = 0;
	memset(t->line_end, 0, sizeof(t->line_end));
	t->lnext = false;
}

/* ---- editing ---- */

static bool continuation(struct tty *t, u8 c)
{
	return IFLAG(t, IUTF8) && (c & 0xc0) == 0x80;
}

/* Columns the tab at @pos takes on the screen, from where the line began. */
static u32 tab_width(struct tty *t, u32 pos)
{
	u32 chars = 0;

	for (u32 i = pos; i != t->canon_head;) {
		u8 c = at(t, --i);

		if (c == '\t')
			break;
		if (iscntrl(c))
			chars += LFLAG(t, ECHOCTL) ? 2 : 0;
		else if (!continuation(t, c))
			chars++;
		if (i == t->canon_head)
			chars += t->canon_column;
	}
	if (pos == t->canon_head)
		chars = t->canon_column;
	return 8 - (chars & 7);
}

/* Take @c, which was at position @pos and is gone, off the screen. */
static void echo_erase(struct tty *t, u8 c, u32 pos)
{
	if (c == '\t') {
		for (u32 w = tab_width(t, pos); w; w--)
			echo_raw(t, "\b", 1);
		return;
	}
	if (iscntrl(c) && LFLAG(t, ECHOCTL))
		echo_raw(t, "\b \b", 3);
	if (!iscntrl(c) || LFLAG(t, ECHOCTL))
		echo_raw(t, "\b \b", 3);
}

/* Remove the last character of the line being typed (all bytes of it). Returns its first byte. */
static u8 drop_char(struct tty *t)
{
	u8 c;

	do {
		c = at(t, --t->head);
	} while (t->head != t->canon_head && continuation(t, c));
	return c;
}

static void erase_word(struct tty *t)
{
	bool seen_alnum = false;

	while (t->head != t->canon_head) {
		u32 before = t->head;
		u8 c = drop_char(t);
		bool alnum = isalnum(c) || c == '_' || c >= 0x80;

		if (seen_alnum && !alnum) {
			t->head = before;
			break;
		}
		seen_alnum |= alnum;
		if (LFLAG(t, ECHO))
			echo_erase(t, c, t->head);
	}
}

static void erase_line(struct tty *t)
{
	if (!LFLAG(t, ECHO)) {
		t->head = t->canon_head;
		return;
	}
	if ((t->termios.c_lflag & (ECHOK | ECHOKE | ECHOE)) != (ECHOK | ECHOKE | ECHOE)) {
		t->head = t->canon_head;
		echo_char(t, CC(t, VKILL));
		if (LFLAG(t, ECHOK))
			echo_raw(t, "\n", 1);
		return;
	}
	while (t->head != t->canon_head) {
		u8 c = drop_char(t);

		echo_erase(t, c, t->head);
	}
}

static void erase_one(struct tty *t)
{
	u8 c;

	if (t->head == t->canon_head)
		return;
	c = drop_char(t);
	if (!LFLAG(t, ECHO))
		return;
	if (LFLAG(t, ECHOE))
		echo_erase(t, c, t->head);
	else
		echo_char(t, CC(t, VERASE));
}

static void reprint(struct tty *t)
{
	echo_char(t, CC(t, VREPRINT));
	echo_raw(t, "\n", 1);
	for (u32 i = t->canon_head; i != t->head; i++)
		echo_char(t, at(t, i));
}

/* ---- receiving ---- */

void ldisc_set_stopped(struct tty *t, bool stop)
{
	if (t->stopped == stop)
		return;
	t->stopped = stop;
	tty_packet_event(t, stop ? TIOCPKT_STOP : TIOCPKT_START, TIOCPKT_STOP | TIOCPKT_START);
	if (!stop)
		tty_wake_writers(t);
}

static void signal_char(struct tty *t, int sig, u8 c)
{
	unsigned long flags;
	struct pid *pgrp;

	if (!LFLAG(t, NOFLSH)) {
		ldisc_flush_input(t);
		tty_packet_event(t, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE, 0);
	}
	if (IFLAG(t, IXON))
		ldisc_set_stopped(t, false);
	if (LFLAG(t, ECHO))
		echo_char(t, c);
	flags = spin_lock_irqsave(&tasklist_lock);
	pgrp = t->pgrp;
	if (pgrp)
		pid_get(pgrp);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (pgrp) {
		sig_send_pgrp(pgrp, sig, NULL);
		pid_put(pgrp);
	}
}

/* An ordinary character. */
static void data_char(struct tty *t, u8 c)
{
	if (LFLAG(t, ICANON) && used(t) >= TTY_BUF - 2) { /* room is kept for the end of the line */
		if (IFLAG(t, IMAXBEL))
			echo_raw(t, "\a", 1);
		return;
	}
	if (LFLAG(t, ECHO)) {
		if (t->head == t->canon_head)
			t->canon_column = t->column;
		echo_char(t, c);
	}
	if (c == 0xff && IFLAG(t, PARMRK))
		put_char(t, c);
	put_char(t, c);
}

/* Line editing. True if @c was used up. */
static bool canon_char(struct tty *t, u8 c)
{
	bool exten = LFLAG(t, IEXTEN);

	if (is_cc(t, c, VERASE)) {
		erase_one(t);
	} else if (is_cc(t, c, VKILL)) {
		erase_line(t);
	} else if (exten && is_cc(t, c, VWERASE)) {
		erase_word(t);
	} else if (exten && is_cc(t, c, VLNEXT)) {
		t->lnext = true;
		if (LFLAG(t, ECHO) && LFLAG(t, ECHOCTL))
			echo_raw(t, "^\b", 2);
	} else if (exten && is_cc(t, c, VREPRINT) && LFLAG(t, ECHO)) {
		reprint(t);
	} else if (c == '\n') {
		if (LFLAG(t, ECHO | ECHONL))
			echo_raw(t, "\n", 1);
		finish_line(t, c);
	} else if (is_cc(t, c, VEOF)) {
		finish_line(t, 0);
	} else if (is_cc(t, c, VEOL) || (exten && is_cc(t, c, VEOL2))) {
		if (LFLAG(t, ECHO))
			echo_char(t, c);
		finish_line(t, c);
	} else {
		return false;
	}
	return true;
}

/* Flow control and signals. True if @c was used up. */
static bool special_char(struct tty *t, u8 c)
{
	if (IFLAG(t, IXON)) {
		if (is_cc(t, c, VSTART)) {
			ldisc_set_stopped(t, false);
			return true;
		}
		if (is_cc(t, c, VSTOP)) {
			ldisc_set_stopped(t, true);
			return true;
		}
	}
	if (LFLAG(t, ISIG)) {
		int sig = is_cc(t, c, VINTR)   ? SIGINT
			  : is_cc(t, c, VQUIT) ? SIGQUIT
			  : is_cc(t, c, VSUSP) ? SIGTSTP
					       : 0;

		if (sig) {
			signal_char(t, sig, c);
			return true;
		}
	}
	return false;
}

static void receive_char(struct tty *t, u8 c)
{
	if (IFLAG(t, ISTRIP))
		c &= 0x7f;
	if (IFLAG(t, IUCLC) && LFLAG(t, IEXTEN))
		c = (u8)tolower(c);
	if (t->lnext) {
		t->lnext = false;
		data_char(t, c);
		return;
	}
	if (t->stopped && IFLAG(t, IXON) && IFLAG(t, IXANY) && !is_cc(t, c, VSTOP))
		ldisc_set_stopped(t, false);
	if (special_char(t, c))
		return;
	if (c == '\r') {
		if (IFLAG(t, IGNCR))
			return;
		if (IFLAG(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && IFLAG(t, INLCR)) {
		c = '\r';
	}
	if (!LFLAG(t, ICANON) || !canon_char(t, c))
		data_char(t, c);
}

/* In canonical mode an overlong line loses characters; otherwise, and behind complete lines, the line waits. */
bool tty_has_room(struct tty *t)
{
	if (used(t) < TTY_BUF - 4)
		return true;
	return LFLAG(t, ICANON) && t->canon_head == t->tail;
}

size_t tty_receive(struct tty *t, const u8 *buf, size_t n)
{
	size_t i;

	mutex_lock(&t->lock);
	for (i = 0; i < n && tty_has_room(t); i++)
		receive_char(t, buf[i]);
	if (!LFLAG(t, ICANON) && t->head != t->tail)
		waitq_wake_poll(&t->rd_wait, EPOLLIN_MASK);
	mutex_unlock(&t->lock);
	return i;
}

/* ---- reading ---- */

bool ldisc_readable(struct tty *t)
{
	if (LFLAG(t, ICANON))
		return READ_ONCE(t->canon_head) != t->tail;
	return used(t) >= (CC(t, VTIME) == 0 && CC(t, VMIN) ? CC(t, VMIN) : 1);
}

int ldisc_inq(struct tty *t)
{
	u32 n = LFLAG(t, ICANON) ? t->canon_head - t->tail : used(t);

	if (LFLAG(t, ICANON)) /* an end-of-file mark is no byte */
		for (u32 i = t->tail; i != t->canon_head; i++)
			n -= ends_line(t, i) && at(t, i) == 0;
	return (int)n;
}

/* One line, or what of it fits. lock held, a line is there. */
static ssize_t take_line(struct tty *t, struct iov_iter *to)
{
	ssize_t done = 0;
	bool end = false;

	while (!end && t->tail != t->canon_head && to->count) {
		char chunk[128];
		size_t n = 0;

		while (!end && n < min(to->count, sizeof(chunk)) && t->tail != t->canon_head) {
			u8 c = at(t, t->tail);

			end = ends_line(t, t->tail);
			if (!(end && c == 0))
				chunk[n++] = (char)c;
			t->tail++;
		}
		if (n && iov_iter_to(to, chunk, n) != n)
			return done ? done : -EFAULT;
		done += (ssize_t)n;
	}
	/* The buffer was filled to just before an end-of-file mark: that belongs to this read. */
	if (!end && done && t->tail != t->canon_head && ends_line(t, t->tail) &&
	    at(t, t->tail) == 0)
		t->tail++;
	return done;
}

static ssize_t take_raw(struct tty *t, struct iov_iter *to)
{
	ssize_t done = 0;

	while (to->count && used(t)) {
		u32 off = t->tail % TTY_BUF;
		size_t n = min_t(size_t, min_t(size_t, used(t), TTY_BUF - off), to->count);

		if (iov_iter_to(to, &t->buf[off], n) != n)
			return done ? done : -EFAULT;
		t->tail += (u32)n;
		done += (ssize_t)n;
	}
	if (t->canon_head - t->tail > TTY_BUF)
		t->canon_head = t->tail;
	return done;
}

static bool dead(struct tty *t, struct file *f)
{
	return READ_ONCE(t->hangups) != f->owner_seen;
}

/* Sleep until there is a byte (or a line), the terminal is gone, or @deadline. Lock dropped meanwhile. */
static int wait_input(struct tty *t, struct file *f, bool canon, u64 deadline, u32 seen)
{
	int r;

	mutex_unlock(&t->lock);
	r = wait_event_interruptible_until(
		&t->rd_wait,
		dead(t, f) || !!LFLAG(t, ICANON) != canon ||
			(canon ? READ_ONCE(t->canon_head) != READ_ONCE(t->tail)
			       : READ_ONCE(t->head) - READ_ONCE(t->tail) != seen),
		deadline);
	mutex_lock(&t->lock);
	return r;
}

/* Noncanonical mode: the four cases of VMIN and VTIME. */
static ssize_t read_raw(struct tty *t, struct file *f, struct iov_iter *to)
{
	u32 min_bytes = min_t(u32, CC(t, VMIN), to->count);
	u64 interval = CC(t, VTIME) * 100 * NSEC_PER_MSEC, deadline = U64_MAX;
	int r = 0;

	if (!CC(t, VMIN))
		deadline = hal_clock_ns() + interval;
	while (!r && !dead(t, f) && used(t) < max(min_bytes, 1u) && !LFLAG(t, ICANON)) {
		u32 seen = used(t);

		if (f->flags & O_NONBLOCK) {
			r = -EAGAIN;
			break;
		}
		if (CC(t, VMIN) && interval && seen)
			deadline = hal_clock_ns() + interval;
		r = wait_input(t, f, false, deadline, seen);
	}
	if (used(t))
		return take_raw(t, to);
	return dead(t, f) || r == -ETIMEDOUT ? 0 : r;
}

ssize_t ldisc_read(struct tty *t, struct file *f, struct iov_iter *to)
{
	int r;

	while (LFLAG(t, ICANON)) {
		if (t->canon_head != t->tail)
			return take_line(t, to);
		if (dead(t, f))
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_input(t, f, true, U64_MAX, 0);
		if (r)
			return r;
	}
	return read_raw(t, f, to);
}

/* From canonical to raw mode what was typed becomes readable at once; the other way it is an unfinished line. */
/* Does output stop at ^S and resume at ^Q, so that the other side may do that itself? */
static bool usual_flow(const struct termios2 *s)
{
	return (s->c_iflag & IXON) && s->c_cc[VSTOP] == 023 && s->c_cc[VSTART] == 021;
}

void ldisc_termios_changed(struct tty *t, const struct termios2 *old)
{
	if ((old->c_lflag ^ t->termios.c_lflag) & ICANON) {
		memset(t->line_end, 0, sizeof(t->line_end));
		if (LFLAG(t, ICANON) && t->head != t->tail) {
			set_line_end(t, t->head - 1, true);
			t->canon_head = t->head;
		} else {
			t->canon_head = t->tail;
		}
		t->lnext = false;
	}
	if (!IFLAG(t, IXON) && (old->c_iflag & IXON))
		ldisc_set_stopped(t, false);
	if (usual_flow(old) != usual_flow(&t->termios))
		tty_packet_event(t, usual_flow(old) ? TIOCPKT_NOSTOP : TIOCPKT_DOSTOP,
				 TIOCPKT_NOSTOP | TIOCPKT_DOSTOP);
	waitq_wake_poll(&t->rd_wait, EPOLLIN_MASK);
}

/* SPDX-License-Identifier: MIT */
/*
 * Terminals: struct tty is one terminal with its line discipline; drivers give it an output.
 *
 * Input comes through tty_receive(), in task context; output of programs goes through the discipline to ops->write.
 * Locking: tty->lock (mutex) for everything in it but the session fields (tasklist_lock).
 */
#ifndef FS_TTY_H
#define FS_TTY_H

#include <fs/file.h>
#include <uapi/poll.h>
#include <uapi/termios.h>

#define EPOLLIN_MASK (POLLIN | POLLRDNORM)

#define TTY_BUF 4096u

struct tty;
struct tty_ops {
	/* Emit processed bytes. Returns how many were taken; fewer than @n when the other side is full. lock held. */
	size_t (*write)(struct tty *t, const char *buf, size_t n);
	size_t (*room)(struct tty *t); /* how many bytes write() would take now */
	void (*close)(struct tty *t);  /* last file gone */
	void (*packet)(struct tty *t); /* pkt_status has news for the other side. lock held */
};

struct tty {
	refcount_t refs; /* files, sessions */
	const struct tty_ops *ops;
	u64 rdev;
	char name[16];	    /* "console", "pts/0" */
	unsigned int opens; /* lock: open files */
	struct mutex lock;
	struct termios2 termios;
	struct termios locked; /* lock: bits and characters that are set here do not change */
	struct winsize winsize;
	/* Input after the discipline; positions run freely. */
	u32 head, canon_head, tail; /* lock: written, complete lines, read */
	u8 buf[TTY_BUF];
	u64 line_end[TTY_BUF / 64]; /* bit: this position ends a line */
	bool lnext, stopped, packet, exclusive;
	u32 hangups; /* files opened before the last one are dead */
	u8 pkt_status;
	u32 column, canon_column; /* of the output, and where the line being typed began */
	struct waitq rd_wait, wr_wait;
	struct pid *pgrp, *session; /* tasklist_lock; references */
	void *priv;
};

extern const struct termios2 tty_default_termios;
extern const struct file_ops tty_file_ops; /* f->priv: struct tty */

void tty_setup(struct tty *t, const struct tty_ops *ops, const char *name, u64 rdev);
static inline struct tty *tty_get(struct tty *t)
{
	refcount_inc(&t->refs);
	return t;
}
void tty_put(struct tty *t);
/** tty_open_file() - what every open of a terminal does; may become the controlling terminal. 0, -EIO, -EBUSY. */
int tty_open_file(struct tty *t, struct file *f, bool noctty);
/** tty_receive() - input from the line. Returns how many bytes were taken; fewer when programs do not read. Task context. */
size_t tty_receive(struct tty *t, const u8 *buf, size_t n);
bool tty_has_room(struct tty *t);
void tty_hangup(struct tty *t);
void tty_set_winsize(struct tty *t, const struct winsize *ws);
long tty_ioctl(struct tty *t, struct file *f, unsigned int cmd, unsigned long arg);
/** tty_packet_event() - in packet mode, tell the other side: TIOCPKT_ bits, and those they take the place of. lock held. */
void tty_packet_event(struct tty *t, u8 set, u8 clear);
/** tty_wake_writers() - there is room for output again. */
void tty_wake_writers(struct tty *t);
/** tty_disassociate() - current's session gives up its terminal (TIOCNOTTY, exit of a session leader). */
void tty_disassociate(bool on_exit);
/** tty_vhangup() - the terminal of current's session hangs up, if it has one. */
void tty_vhangup(void);
/* The controlling terminal of current's session with a reference, or NULL. */
struct tty *tty_of_current(void);
/* ldisc.c */
size_t ldisc_write(struct tty *t, const char *buf, size_t n);
void ldisc_flush_input(struct tty *t);
/* Stop or resume output. lock held. */
void ldisc_set_stopped(struct tty *t, bool stop);
bool ldisc_readable(struct tty *t);
ssize_t ldisc_read(struct tty *t, struct file *f, struct iov_iter *to);
void ldisc_termios_changed(struct tty *t, const struct termios2 *old);
int ldisc_inq(struct tty *t);

/* Room for input again: console_tty.c and pty.c. */
void tty_input_room(struct tty *t);
void pty_input_room(struct tty *t);
void console_tty_init(void);

/* The console line's receive side (interrupt context). */
bool stream_rx_byte(u8 byte);
void stream_rx_eof(void);

#endif

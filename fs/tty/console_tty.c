/* SPDX-License-Identifier: MIT */
/*
 * The console terminal, /dev/console: the line discipline on top of the console line (kernel/console.h).
 *
 * The receive interrupt puts bytes into a ring; deferred work takes them through the discipline, because echo, signals and
 * wake-ups of that kind want task context. When programs do not read, the ring fills, and the line is held.
 * Locking: the ring's own, `lock` (interrupts off) for the pending window size.
 */
#include <fs/internal.h>
#include <fs/tty/rx_ring.h>
#include <fs/tty/tty.h>
#include <kernel/defer.h>

#define RING_SIZE 4096u

static struct tty console_tty;
static struct spinlock lock = SPINLOCK_INIT(RANK_ANY);
static u8 ring_bytes[RING_SIZE];
static struct rx_ring ring = { .lock = SPINLOCK_INIT(RANK_ANY),
			       .buf = ring_bytes,
			       .size = RING_SIZE };
static bool resized;		    /* lock */
static struct winsize pending_size; /* lock */
static bool waits_for_room;	    /* take_input() alone writes it */

static void take_input(struct deferred *d);
static struct deferred input = DEFERRED_INIT(input, take_input);

static bool rx_byte(u8 byte)
{
	bool room = rx_ring_put(&ring, byte);

	defer(&input);
	return room;
}

static void rx_winsize(u16 cols, u16 rows)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	pending_size = (struct winsize){ .ws_row = rows, .ws_col = cols };
	resized = true;
	spin_unlock_irqrestore(&lock, flags);
	defer(&input);
}

static const struct console_input_ops input_ops = { rx_byte, stream_rx_byte, stream_rx_eof,
						    rx_winsize };

static void take_winsize(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	struct winsize ws = pending_size;
	bool news = resized;

	resized = false;
	spin_unlock_irqrestore(&lock, flags);
	if (news)
		tty_set_winsize(&console_tty, &ws);
}

/*
 * Whether there is room for more; if not, input goes on with tty_input_room():
 *
 *	take_input()			a reader
 *	waits_for_room = true		makes room
 *	is there room?			does it wait for room?
 */
static bool has_room(void)
{
	bool room = tty_has_room(&console_tty);

	if (!room) {
		WRITE_ONCE(waits_for_room, true);
		smp_mb();
		room = tty_has_room(&console_tty);
	}
	return room;
}

static void take_input(struct deferred *d)
{
	static u8 buf[256];
	static size_t n, done; /* what did not find room is tried first */

	(void)d;
	WRITE_ONCE(waits_for_room, false);
	take_winsize();
	do {
		if (done == n) {
			n = rx_ring_take(&ring, buf, sizeof(buf));
			done = 0;
		}
		done += tty_receive(&console_tty, buf + done, n - done);
	} while (n && (done == n || has_room()));
}

static void input_room(void)
{
	smp_mb();
	if (READ_ONCE(waits_for_room))
		defer(&input);
}

/* A program has read from @t: whoever waits to give it input may go on. */
void tty_input_room(struct tty *t)
{
	if (t == &console_tty)
		input_room();
	else
		pty_input_room(t);
}

static size_t console_tty_write(struct tty *t, const char *buf, size_t n)
{
	console_write(CONSOLE_TTY, buf, n);
	return n;
}

static size_t console_tty_room(struct tty *t)
{
	return 4096;
}

static const struct tty_ops console_ops = { .write = console_tty_write, .room = console_tty_room };

/* As on Linux, opening the console makes it nobody's controlling terminal: but init's, when the kernel opens it for it. */
static int console_open(struct inode *inode, struct file *f)
{
	return tty_open_file(&console_tty, f, task_pid(current) != 1);
}

static const struct file_ops console_file_ops = { .open = console_open };
static struct chrdev console_dev = { "console", 0, 0600, &console_file_ops };

void console_tty_init(void)
{
	console_dev.rdev = mkdev(5, 1);
	tty_setup(&console_tty, &console_ops, "console", console_dev.rdev);
	console_tty.termios.c_iflag |= IUTF8;
	chrdev_register(&console_dev);
	console_set_input(&input_ops);
}

/* SPDX-License-Identifier: MIT */
/*
 * /dev/stdin-stream, stdout-stream, stderr-stream: the command's own standard streams over the console line
 * (docs/console-frames.md). Bytes pass untouched; end of file comes as a frame.
 *
 * Locking: the ring's own.
 */
#include <fs/devfs/devfs.h>
#include <fs/internal.h>
#include <fs/tty/rx_ring.h>
#include <fs/tty/tty.h>
#include <uapi/poll.h>

#define RING_SIZE 16384u

static struct waitq readers;
static struct rx_ring ring = { .lock = SPINLOCK_INIT(RANK_ANY), .size = RING_SIZE };
static bool eof;

bool stream_rx_byte(u8 byte)
{
	bool room = rx_ring_put(&ring, byte);

	waitq_wake_poll(&readers, POLLIN | POLLRDNORM);
	return room;
}

void stream_rx_eof(void)
{
	WRITE_ONCE(eof, true);
	waitq_wake_poll(&readers, POLLIN | POLLRDNORM | POLLHUP);
}

static bool stream_ready(void)
{
	return rx_ring_used(&ring) || READ_ONCE(eof);
}

static ssize_t stdin_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	u8 buf[512];
	ssize_t done = 0;
	size_t n;
	int r;

	if (!to->count)
		return 0;
	if (!stream_ready()) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&readers, stream_ready());
		if (r)
			return r;
	}
	while (to->count && (n = rx_ring_take(&ring, buf, min(to->count, sizeof(buf)))) != 0) {
		if (iov_iter_to(to, buf, n) != n)
			return done ? done : -EFAULT;
		done += (ssize_t)n;
	}
	return done;
}

static u32 stdin_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(f, &readers, pt);
	return stream_ready() ? POLLIN | POLLRDNORM : 0;
}

static long stdin_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	int n = (int)rx_ring_used(&ring);

	return cmd == FIONREAD ? put_user_obj((uaddr_t)arg, &n) : -ENOTTY;
}

static ssize_t stream_write(struct iov_iter *from, enum console_channel ch)
{
	char buf[512];
	ssize_t done = 0;

	while (from->count) {
		size_t n = min(from->count, sizeof(buf)), got = iov_iter_from(from, buf, n);

		console_write(ch, buf, got);
		done += (ssize_t)got;
		if (got < n)
			return done ? done : -EFAULT;
		if (from->count && signal_pending())
			break;
		cond_resched();
	}
	return done;
}

static ssize_t stdout_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return stream_write(from, CONSOLE_TTY);
}

static ssize_t stderr_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return stream_write(from, CONSOLE_STDERR);
}

static u32 out_poll(struct file *f, struct poll_table *pt)
{
	return POLLOUT | POLLWRNORM;
}

static const struct file_ops stdin_ops = { .async = true,
					   .open = stream_open,
					   .read = stdin_read,
					   .poll = stdin_poll,
					   .ioctl = stdin_ioctl };
static const struct file_ops stdout_ops = { .open = stream_open,
					    .write = stdout_write,
					    .poll = out_poll };
static const struct file_ops stderr_ops = { .open = stream_open,
					    .write = stderr_write,
					    .poll = out_poll };

static struct chrdev devices[] = {
	{ "stdin-stream", 0, 0666, &stdin_ops },
	{ "stdout-stream", 0, 0666, &stdout_ops },
	{ "stderr-stream", 0, 0666, &stderr_ops },
};

void stream_devices_init(void)
{
	waitq_init(&readers);
	ring.buf = kmalloc(RING_SIZE, GFP_KERNEL);
	if (!ring.buf)
		panic("stdin stream: no memory");
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		devices[i].rdev = mkdev(240, i);
		chrdev_register(&devices[i]);
	}
}

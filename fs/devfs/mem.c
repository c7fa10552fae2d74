/* SPDX-License-Identifier: MIT */
/*
 * /dev/null, zero, full, random, urandom, kmsg. Source: null(4), full(4), random(4), dev-kmsg of Linux's ABI documents.
 */
#include <fs/devfs/devfs.h>
#include <fs/internal.h>
#include <kernel/random.h>
#include <mm/vm.h>
#include <uapi/poll.h>

#define CHUNK (256 * 1024u) /* between looks at signals and the scheduler */

static int mem_open(struct inode *inode, struct file *f)
{
	f->mode |= FMODE_NOPOS;
	return 0;
}

static loff_t null_llseek(struct file *f, loff_t off, int whence)
{
	return f->pos = 0;
}

static ssize_t null_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	return 0;
}

static ssize_t null_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	size_t n = from->count;

	iov_iter_advance(from, n);
	return (ssize_t)n;
}

static ssize_t zero_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	ssize_t done = 0;

	while (to->count) {
		size_t n = min_t(size_t, to->count, CHUNK);
		size_t got = iov_iter_zero(to, n);

		done += (ssize_t)got;
		if (unlikely(got < n))
			return done ? done : -EFAULT;
		if (likely(!to->count))
			break;
		if (signal_pending())
			break;
		cond_resched();
	}
	return done;
}

/* No object: the mapping is anonymous memory. */
static int zero_mmap(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
		     struct vm_object **obj, unsigned int *maxflags)
{
	*obj = NULL;
	return 0;
}

static ssize_t full_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return -ENOSPC;
}

static ssize_t random_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	u8 block[512];
	ssize_t done = 0;

	while (to->count) {
		size_t n = min(to->count, sizeof(block)), got;

		random_bytes(block, n);
		got = iov_iter_to(to, block, n);
		done += (ssize_t)got;
		if (got < n) {
			done = done ? done : -EFAULT;
			break;
		}
		if (to->count && (done & (CHUNK - 1)) < (ssize_t)n) {
			if (signal_pending())
				break;
			cond_resched();
		}
	}
	memzero_explicit(block, sizeof(block));
	return done;
}

static ssize_t random_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	u8 block[256];
	ssize_t done = 0;

	while (from->count) {
		size_t n = min(from->count, sizeof(block)), got = iov_iter_from(from, block, n);

		random_mix(block, got);
		done += (ssize_t)got;
		if (got < n)
			return done ? done : -EFAULT;
		cond_resched();
	}
	return done;
}

/* Bytes with what they are worth, in bits; that is not counted, but it must make sense. */
static long add_entropy(uaddr_t arg)
{
	s32 head[2];
	u8 block[256];

	if (get_user_obj(&head, arg))
		return -EFAULT;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	arg += sizeof(head);
	for (size_t left = (size_t)head[1], n; left; left -= n, arg += n) {
		n = min(left, sizeof(block));
		if (copy_from_user(block, arg, n))
			return -EFAULT;
		random_mix(block, n);
		if (fatal_signal_pending())
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* The generator is never short of entropy: there is nothing to clear or to renew. Source: random(4). */
static long random_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	int bits = 256;

	if (cmd == RNDGETENTCNT)
		return put_user_obj((uaddr_t)arg, &bits);
	if (cmd != RNDADDTOENTCNT && cmd != RNDADDENTROPY && cmd != RNDZAPENTCNT &&
	    cmd != RNDCLEARPOOL && cmd != RNDRESEEDCRNG)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (cmd == RNDADDENTROPY)
		return add_entropy(arg);
	if (cmd == RNDADDTOENTCNT && get_user_obj(&bits, (uaddr_t)arg))
		return -EFAULT;
	return bits < 0 ? -EINVAL : 0;
}

/* Each read gives text as far as it has come; blocking for more is poll's business with the log's own reader (dmesg). */
static ssize_t kmsg_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	char text[512];
	u64 at = (u64)(unsigned long)f->priv;
	size_t n = klog_read(&at, text, min(to->count, sizeof(text)));

	if (!n)
		return f->flags & O_NONBLOCK ? -EAGAIN : 0;
	if (iov_iter_to(to, text, n) != n)
		return -EFAULT;
	f->priv = (void *)(unsigned long)at;
	return (ssize_t)n;
}

static ssize_t kmsg_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	char text[512], *s = text;
	size_t n = min(from->count, sizeof(text) - 1), all = from->count;
	int level = LOG_INFO;

	if (iov_iter_from(from, text, n) != n)
		return -EFAULT;
	text[n] = '\0';
	if (text[0] == '<') {
		const char *end;
		u64 v = strtou64(text + 1, &end, 10);

		if (*end == '>' && end != text + 1) {
			level = (int)(v & 7);
			s = (char *)end + 1;
		}
	}
	n = strlen(s);
	klog(level, "%s%s", s, n && s[n - 1] == '\n' ? "" : "\n");
	return (ssize_t)all;
}

static const struct file_ops null_ops = {
	.open = mem_open, .read = null_read, .write = null_write, .llseek = null_llseek
};
static const struct file_ops zero_ops = {
	.open = mem_open,
	.read = zero_read,
	.write = null_write,
	.llseek = null_llseek,
	.mmap = zero_mmap,
};
static const struct file_ops full_ops = {
	.open = mem_open, .read = zero_read, .write = full_write, .llseek = null_llseek
};
static const struct file_ops random_ops = {
	.open = mem_open,
	.read = random_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.llseek = null_llseek,
};
static const struct file_ops kmsg_ops = {
	.open = mem_open, .read = kmsg_read, .write = kmsg_write, .llseek = null_llseek
};

static struct chrdev devices[] = {
	{ "null", 0, 0666, &null_ops },	     { "zero", 0, 0666, &zero_ops },
	{ "full", 0, 0666, &full_ops },	     { "random", 0, 0666, &random_ops },
	{ "urandom", 0, 0666, &random_ops }, { "kmsg", 0, 0644, &kmsg_ops },
};

void mem_devices_init(void)
{
	static const u8 minors[] = { 3, 5, 7, 8, 9, 11 };

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		devices[i].rdev = mkdev(1, minors[i]);
		chrdev_register(&devices[i]);
	}
}

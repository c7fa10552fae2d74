/* SPDX-License-Identifier: MIT */
/* The listener of a seccomp filter as a file: its ioctls, and what it polls as. Source: seccomp_unotify(2), ioctl(2). */
#include <fs/internal.h>
#include <kernel/files.h>
#include <kernel/seccomp_notify.h>
#include <uapi/ioctl.h>
#include <uapi/poll.h>

#define NOTIF_RECV	   _IOWR('!', 0, struct seccomp_notif)
#define NOTIF_SEND	   _IOWR('!', 1, struct seccomp_notif_resp)
#define NOTIF_ID_VALID	   _IOW('!', 2, u64)
#define NOTIF_ID_VALID_OLD _IOR('!', 2, u64)
#define NOTIF_ADDFD	   _IOW('!', 3, struct seccomp_notif_addfd)
#define NOTIF_SET_FLAGS	   _IOW('!', 4, u64)
#define FD_SYNC_WAKE_UP	   1ul /* a hint: the one that is woken may run here */

#define IOC_SIZE(cmd)	     ((cmd) >> 16 & 0x3fffu)
#define IOC_NUMBER(cmd)	     ((cmd)&0xffffu)

static long receive(struct seccomp_notify *n, uaddr_t arg)
{
	static const struct seccomp_notif zero;
	struct seccomp_notif notif;
	int r;

	/* Room for what later versions may ask. */
	if (get_user_obj(&notif, arg))
		return -EFAULT;
	if (memcmp(&notif, &zero, sizeof(notif)))
		return -EINVAL;
	r = seccomp_notify_recv(n, &notif);
	if (r)
		return r;
	if (!put_user_obj(arg, &notif))
		return 0;
	seccomp_notify_unreceive(n, notif.id);
	return -EFAULT;
}

static long answer(struct seccomp_notify *n, uaddr_t arg)
{
	struct seccomp_notif_resp resp;

	if (get_user_obj(&resp, arg))
		return -EFAULT;
	if (resp.flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return -EINVAL;
	if (resp.flags && (resp.error || resp.val))
		return -EINVAL;
	return seccomp_notify_send(n, &resp);
}

static long id_valid(struct seccomp_notify *n, uaddr_t arg)
{
	u64 id;

	return get_user_obj(&id, arg) ? -EFAULT : seccomp_notify_valid(n, id);
}

static bool addfd_valid(const struct seccomp_notif_addfd *req)
{
	if (req->newfd_flags & ~(u32)O_CLOEXEC)
		return false;
	if (req->flags & ~(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND))
		return false;
	return !req->newfd || (req->flags & SECCOMP_ADDFD_FLAG_SETFD);
}

static long add_fd(struct seccomp_notify *n, uaddr_t arg, size_t size)
{
	struct seccomp_notif_addfd req;
	struct fd f;
	long r;

	if (size < sizeof(req) || size >= PAGE_SIZE)
		return -EINVAL;
	r = copy_struct_from_user(&req, sizeof(req), arg, size);
	if (r)
		return r;
	if (!addfd_valid(&req))
		return -EINVAL;
	f = fdget((int)req.srcfd);
	if (!f.file)
		return -EBADF;
	r = seccomp_notify_addfd(n, f.file, &req);
	fdput(f);
	return r;
}

static long seccomp_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct seccomp_notify *n = f->priv;

	switch (cmd) {
	case NOTIF_RECV:
		return receive(n, arg);
	case NOTIF_SEND:
		return answer(n, arg);
	case NOTIF_ID_VALID:
	case NOTIF_ID_VALID_OLD:
		return id_valid(n, arg);
	case NOTIF_SET_FLAGS:
		return arg & ~FD_SYNC_WAKE_UP ? -EINVAL : 0;
	}
	/* Of whatever size and direction: the structure may grow. */
	if (IOC_NUMBER(cmd) == IOC_NUMBER(NOTIF_ADDFD))
		return add_fd(n, arg, IOC_SIZE(cmd));
	return -EINVAL;
}

static u32 seccomp_poll(struct file *f, struct poll_table *pt)
{
	struct seccomp_notify *n = f->priv;

	poll_wait(f, seccomp_notify_waitq(n), pt);
	return seccomp_notify_events(n);
}

static void seccomp_release_file(struct file *f)
{
	seccomp_notify_close(f->priv);
	seccomp_notify_put(f->priv);
}

static const struct file_ops seccomp_ops = { .poll = seccomp_poll,
					     .ioctl = seccomp_ioctl,
					     .release = seccomp_release_file };

int files_reserve_listener(struct seccomp_notify *n, struct file **out)
{
	int fd = fd_reserve(0, true);

	if (fd < 0)
		return fd;
	*out = anon_file_create("anon_inode:seccomp notify", &seccomp_ops, n, O_RDWR);
	if (IS_ERR(*out)) {
		fd_unreserve(fd);
		return (int)PTR_ERR(*out);
	}
	seccomp_notify_get(n);
	return fd;
}

int files_receive(struct file *f, int fd, bool cloexec)
{
	if (fd >= 0)
		return fd_dup_to(f, fd, cloexec);
	fd = fd_reserve(0, cloexec);
	if (fd >= 0)
		fd_install(fd, file_get(f));
	return fd;
}

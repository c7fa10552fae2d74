/* SPDX-License-Identifier: MIT */
/* System V IPC: msgget(2) and relatives, semget(2) ..., shmget(2) ...; POSIX message queues: mq_open(2) ... */
#include <fs/ipc/mqueue.h>
#include <fs/ipc/sysv.h>
#include <fs/vfs.h>
#include <kernel/posix_timer.h>
#include <kernel/time.h>
#include <syscall/proto.h>

long sys_msgget(int key, int flags)
{
	return ipc_msgget(key, flags);
}

long sys_msgsnd(int id, uaddr_t msg, size_t size, int flags)
{
	return ipc_msgsnd(id, msg, size, flags);
}

long sys_msgrcv(int id, uaddr_t msg, size_t size, long type, int flags)
{
	return ipc_msgrcv(id, msg, size, type, flags);
}

long sys_msgctl(int id, int cmd, uaddr_t buf)
{
	return ipc_msgctl(id, cmd, buf);
}

long sys_semget(int key, int nsems, int flags)
{
	return ipc_semget(key, nsems, flags);
}

long sys_semop(int id, uaddr_t ops, uint nops)
{
	return ipc_semop(id, ops, nops, ~0ULL);
}

long sys_semtimedop(int id, uaddr_t ops, uint nops, uaddr_t timeout)
{
	u64 deadline;
	int r = deadline_from_user(timeout, &deadline);

	return r ? r : ipc_semop(id, ops, nops, deadline);
}

long sys_semctl(int id, int num, int cmd, ulong arg)
{
	return ipc_semctl(id, num, cmd, arg);
}

long sys_shmget(int key, size_t size, int flags)
{
	return ipc_shmget(key, size, flags);
}

long sys_shmat(int id, uaddr_t addr, int flags)
{
	return ipc_shmat(id, addr, flags);
}

long sys_shmdt(uaddr_t addr)
{
	return ipc_shmdt(addr);
}

long sys_shmctl(int id, int cmd, uaddr_t buf)
{
	return ipc_shmctl(id, cmd, buf);
}

/* ---- POSIX message queues: mq_open(2) ... ---- */

long sys_mq_open(path_t uname, int flags, uint mode, uaddr_t uattr)
{
	struct mq_attr_abi attr;
	char *name;
	long r;

	if (uattr && get_user_obj(&attr, uattr))
		return -EFAULT;
	name = getname(uname);
	if (IS_ERR(name))
		return PTR_ERR(name);
	r = mq_open_queue(name, flags, mode, uattr ? &attr : NULL);
	putname(name);
	return r;
}

long sys_mq_unlink(path_t uname)
{
	char *name = getname(uname);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = mq_unlink_queue(name);
	putname(name);
	return r;
}

/* Absolute, by CLOCK_REALTIME; 0: none. 0, -EFAULT, -EINVAL. */
static int mq_deadline(uaddr_t utime, u64 *deadline_ns)
{
	struct timespec64 ts;
	u64 ns;
	int r;

	*deadline_ns = U64_MAX;
	if (!utime)
		return 0;
	if (get_user_obj(&ts, utime))
		return -EFAULT;
	r = timespec_to_ns(&ts, &ns);
	if (!r)
		*deadline_ns = ktime_real_to_mono(ns);
	return r;
}

long sys_mq_timedsend(fd_t fd, uaddr_t text, size_t len, uint prio, uaddr_t utime)
{
	u64 deadline_ns;
	int r;

	if (prio >= MQ_PRIO_MAX)
		return -EINVAL;
	r = mq_deadline(utime, &deadline_ns);
	return r ? r : mq_send(fd, text, len, prio, deadline_ns);
}

long sys_mq_timedreceive(fd_t fd, uaddr_t text, size_t len, uaddr_t uprio, uaddr_t utime)
{
	u64 deadline_ns;
	uint prio;
	long r = mq_deadline(utime, &deadline_ns);

	if (r)
		return r;
	r = mq_receive(fd, text, len, &prio, deadline_ns);
	return r >= 0 && uprio && put_user_obj(uprio, &prio) ? -EFAULT : r;
}

/* SIGEV_THREAD means a socket to send to, and there are none: the descriptor is none of a socket. */
long sys_mq_notify(fd_t fd, uaddr_t uevent)
{
	struct mq_notification n;
	struct sigevent_abi ev;

	if (!uevent)
		return mq_set_notification(fd, NULL);
	if (get_user_obj(&ev, uevent))
		return -EFAULT;
	if (ev.notify != SIGEV_NONE && ev.notify != SIGEV_SIGNAL && ev.notify != SIGEV_THREAD)
		return -EINVAL;
	if (ev.notify == SIGEV_SIGNAL && (ev.signo < 0 || ev.signo > NSIG))
		return -EINVAL;
	if (ev.notify == SIGEV_THREAD)
		return -EBADF;
	n = (struct mq_notification){ ev.notify, ev.signo, ev.value };
	return mq_set_notification(fd, &n);
}

long sys_mq_getsetattr(fd_t fd, uaddr_t unew, uaddr_t uold)
{
	struct mq_attr_abi new, old;
	long r;

	if (unew && get_user_obj(&new, unew))
		return -EFAULT;
	if (unew && (new.flags & ~(long)O_NONBLOCK))
		return -EINVAL;
	r = mq_attributes(fd, unew ? &new : NULL, &old);
	return !r && uold ? put_user_obj(uold, &old) : r;
}

/* SPDX-License-Identifier: MIT */
/* POSIX message queues: the calls, for syscall/sys_ipc.c. Source: mq_overview(7). */
#ifndef FS_IPC_MQUEUE_H
#define FS_IPC_MQUEUE_H

#include <types.h>

struct mq_attr_abi {
	long flags, maxmsg, msgsize, curmsgs;
	long reserved[4];
};
#define MQ_PRIO_MAX 32768

/* What mq_notify asks for. */
struct mq_notification {
	int notify, sig; /* SIGEV_* */
	u64 value;
};

/** mq_open_queue() - a descriptor for the queue @name (kernel memory, without a slash). @attr NULL: default sizes. */
long mq_open_queue(const char *name, int flags, u32 mode, const struct mq_attr_abi *attr);
/** mq_unlink_queue() - take its name away: 0, -ENOENT, -EPERM, -EACCES. */
long mq_unlink_queue(const char *name);
/** mq_send() / mq_receive() - @deadline_ns of hal_clock_ns(), U64_MAX: wait for ever. Receive: length; *@prio is its priority. */
long mq_send(int fd, uaddr_t text, size_t len, unsigned int prio, u64 deadline_ns);
long mq_receive(int fd, uaddr_t text, size_t len, unsigned int *prio, u64 deadline_ns);
/** mq_set_notification() - @n NULL: take back one's own. 0, -EBADF, -EBUSY. */
long mq_set_notification(int fd, const struct mq_notification *n);
/** mq_attributes() - fill @old; then, with @new, set O_NONBLOCK as it says. 0, -EBADF, -EINVAL. */
long mq_attributes(int fd, const struct mq_attr_abi *new, struct mq_attr_abi *old);

/* Limits, in /proc/sys/fs/mqueue. */
extern unsigned int mq_msg_default, mq_msg_max, mq_msgsize_default, mq_msgsize_max, mq_queues_max;
#define MQ_HARD_MSGMAX	   65536
#define MQ_HARD_MSGSIZEMAX (16 << 20)

void mqueue_init(void);

#endif

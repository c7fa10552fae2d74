/* SPDX-License-Identifier: MIT */
/* Entries of /proc/sys/kernel, /proc/sys/fs/mqueue and /proc/sysvipc about IPC; for fs/procfs/system.c. */
#ifndef FS_IPC_SYSCTL_H
#define FS_IPC_SYSCTL_H

#include <types.h>

struct printbuf;
struct task;

#define IPC_SYSCTL(name)                                      \
	int name##_show(struct printbuf *pb, struct task *t); \
	ssize_t name##_write(struct task *t, const char *text, size_t n)
IPC_SYSCTL(shmmax);
IPC_SYSCTL(shmall);
IPC_SYSCTL(shmmni);
IPC_SYSCTL(msgmax);
IPC_SYSCTL(msgmnb);
IPC_SYSCTL(msgmni);
IPC_SYSCTL(sem_limits);
IPC_SYSCTL(mq_msg_default);
IPC_SYSCTL(mq_msg_max);
IPC_SYSCTL(mq_msgsize_default);
IPC_SYSCTL(mq_msgsize_max);
IPC_SYSCTL(mq_queues_max);
int shm_show(struct printbuf *pb, struct task *t);
int sem_show(struct printbuf *pb, struct task *t);
int msg_show(struct printbuf *pb, struct task *t);

#endif

/* SPDX-License-Identifier: MIT */
/* The System V IPC calls, user addresses and all. Results as the man pages say. Task context, may sleep. */
#ifndef FS_IPC_SYSV_H
#define FS_IPC_SYSV_H

#include <types.h>

struct process;

long ipc_msgget(s32 key, int flags);
long ipc_msgsnd(int id, uaddr_t msg, size_t size, int flags);
long ipc_msgrcv(int id, uaddr_t msg, size_t size, s64 type, int flags);
long ipc_msgctl(int id, int cmd, uaddr_t buf);

long ipc_semget(s32 key, int nsems, int flags);
/** ipc_semop() - @deadline_ns: of hal_clock_ns(), U64_MAX: none. */
long ipc_semop(int id, uaddr_t ops, unsigned int nops, u64 deadline_ns);
long ipc_semctl(int id, int num, int cmd, unsigned long arg);

long ipc_shmget(s32 key, size_t size, int flags);
long ipc_shmat(int id, uaddr_t addr, int flags);
long ipc_shmdt(uaddr_t addr);
long ipc_shmctl(int id, int cmd, uaddr_t buf);

#endif

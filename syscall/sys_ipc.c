/* SPDX-License-Identifier: MIT */
/* System V IPC: msgget(2) and relatives, semget(2) ..., shmget(2) ... */
#include <fs/ipc/sysv.h>
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

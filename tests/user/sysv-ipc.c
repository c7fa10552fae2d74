/* SPDX-License-Identifier: MIT */
/*
 * System V message queues, semaphores and shared memory: keys and rights, blocking, order, undo, removal under waiters.
 * msgget(2), msgop(2), semop(2), semctl(2), shmop(2), shmctl(2).
 */
#include "tap.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif

union semun_arg {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

struct message {
	long type;
	char text[64];
};

static key_t a_key(void)
{
	return (key_t)(0x43000000 | (getpid() & 0xffff) << 8 | 7);
}

static int send(int q, long type, const char *text, int flags)
{
	struct message m = { .type = type };

	strcpy(m.text, text);
	return msgsnd(q, &m, strlen(text) + 1, flags);
}

/* ---- queues ---- */

static void msg_keys(void)
{
	int q = msgget(a_key(), IPC_CREAT | IPC_EXCL | 0600);

	CHECK(q >= 0);
	CHECK_ERRNO(msgget(a_key(), IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK_EQ(msgget(a_key(), 0600), q);
	CHECK_OK(msgctl(q, IPC_RMID, NULL));
	CHECK_ERRNO(msgget(a_key(), 0600), ENOENT);
	CHECK_ERRNO(msgctl(q, IPC_RMID, NULL), EINVAL);
}

static void msg_order(void)
{
	int q = msgget(IPC_PRIVATE, 0600);
	struct message m;
	struct msqid_ds ds;

	CHECK_OK(send(q, 3, "three", 0));
	CHECK_OK(send(q, 1, "one", 0));
	CHECK_OK(send(q, 2, "two", 0));
	CHECK_OK(send(q, 1, "uno", 0));
	CHECK_OK(msgctl(q, IPC_STAT, &ds));
	CHECK_EQ(ds.msg_qnum, 4);
	CHECK_EQ(ds.msg_lspid, getpid());
	CHECK_EQ(ds.msg_perm.mode & 0777, 0600);
	CHECK_EQ(msgrcv(q, &m, sizeof(m.text), 2, 0), 4);
	CHECK_STR(m.text, "two");
	CHECK_EQ(msgrcv(q, &m, sizeof(m.text), -2, 0), 4);
	CHECK_STR(m.text, "one");
	CHECK_EQ(m.type, 1);
	CHECK_EQ(msgrcv(q, &m, sizeof(m.text), 3, MSG_EXCEPT), 4);
	CHECK_STR(m.text, "uno");
	CHECK_ERRNO(msgrcv(q, &m, 2, 0, 0), E2BIG);
	CHECK_EQ(msgrcv(q, &m, 2, 0, MSG_NOERROR), 2);
	CHECK(!memcmp(m.text, "th", 2));
	CHECK_ERRNO(msgrcv(q, &m, 2, 0, IPC_NOWAIT), ENOMSG);
	CHECK_OK(msgctl(q, IPC_RMID, NULL));
}

static void msg_errors(void)
{
	int q = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;
	struct message m = { .type = 0 };

	CHECK_ERRNO(msgsnd(q, &m, 1, 0), EINVAL);
	m.type = 1;
	CHECK_ERRNO(msgsnd(q, &m, 9000, 0), EINVAL);
	CHECK_ERRNO(msgsnd(q, (void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(msgsnd(-1, &m, 1, 0), EINVAL);
	CHECK_ERRNO(msgrcv(q, &m, (size_t)-1, 0, 0), EINVAL);
	CHECK_ERRNO(msgctl(q, 99, NULL), EINVAL);
	CHECK_ERRNO(msgctl(q, IPC_STAT, (void *)8), EFAULT);
	CHECK_OK(msgctl(q, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	CHECK_OK(msgctl(q, IPC_SET, &ds));
	CHECK_OK(msgsnd(q, &m, 60, 0));
	CHECK_ERRNO(msgsnd(q, &m, 60, IPC_NOWAIT), EAGAIN);
	CHECK_OK(msgctl(q, IPC_RMID, NULL));
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void msg_blocking(void)
{
	int q = msgget(IPC_PRIVATE, 0600);
	struct message m;
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		tap_wait_state(parent, 'S');
		_exit(send(q, 9, "late", 0) != 0);
	}
	CHECK_EQ(msgrcv(q, &m, sizeof(m.text), 9, 0), 5);
	CHECK_EXIT(pid, 0);
	pid = fork();
	if (!pid) {
		tap_wait_state(parent, 'S');
		_exit(msgctl(q, IPC_RMID, NULL) != 0);
	}
	CHECK_ERRNO(msgrcv(q, &m, sizeof(m.text), 0, 0), EIDRM);
	CHECK_EXIT(pid, 0);
	q = msgget(IPC_PRIVATE, 0600);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm, .sa_flags = SA_RESTART },
		  NULL);
	tap_tick(20);
	CHECK_ERRNO(msgrcv(q, &m, sizeof(m.text), 0, 0), EINTR); /* whatever SA_RESTART says */
	tap_tick(0);
	CHECK_OK(msgctl(q, IPC_RMID, NULL));
}

/* What IPC_SET does not take leaves all as it was. */
static void no_owner(void)
{
	struct msqid_ds q;
	struct semid_ds s;
	struct shmid_ds m;
	int qid = msgget(IPC_PRIVATE, 0600), sid = semget(IPC_PRIVATE, 1, 0600),
	    mid = shmget(IPC_PRIVATE, 4096, 0600);

	CHECK_OK(msgctl(qid, IPC_STAT, &q));
	q.msg_perm.uid = (uid_t)-1;
	q.msg_qbytes = 100;
	CHECK_ERRNO(msgctl(qid, IPC_SET, &q), EINVAL);
	CHECK_OK(msgctl(qid, IPC_STAT, &q));
	CHECK(q.msg_qbytes != 100 && q.msg_perm.uid == geteuid());
	CHECK_OK(semctl(sid, 0, IPC_STAT, &s));
	s.sem_perm.gid = (gid_t)-1;
	CHECK_ERRNO(semctl(sid, 0, IPC_SET, &s), EINVAL);
	CHECK_OK(shmctl(mid, IPC_STAT, &m));
	m.shm_perm.uid = (uid_t)-1;
	CHECK_ERRNO(shmctl(mid, IPC_SET, &m), EINVAL);
	CHECK_OK(msgctl(qid, IPC_RMID, NULL));
	CHECK_OK(semctl(sid, 0, IPC_RMID));
	CHECK_OK(shmctl(mid, IPC_RMID, NULL));
}

static void rights(void)
{
	int q = msgget(IPC_PRIVATE, 0600), s = semget(IPC_PRIVATE, 1, 0400),
	    m = shmget(IPC_PRIVATE, 4096, 0600);
	struct sembuf op = { 0, 1, 0 };
	pid_t pid = fork();

	if (!pid) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(0);
		CHECK_ERRNO(send(q, 1, "x", 0), EACCES);
		CHECK_ERRNO(msgctl(q, IPC_RMID, NULL), EPERM);
		CHECK_ERRNO(semop(s, &op, 1), EACCES);
		CHECK_ERRNO(semctl(s, 0, IPC_RMID), EPERM);
		CHECK(shmat(m, NULL, 0) == (void *)-1 && errno == EACCES);
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
	msgctl(q, IPC_RMID, NULL);
	semctl(s, 0, IPC_RMID);
	shmctl(m, IPC_RMID, NULL);
}

/* ---- semaphores ---- */

static void sem_values(void)
{
	int s = semget(IPC_PRIVATE, 3, 0600);
	unsigned short v[3] = { 1, 2, 3 };
	struct semid_ds ds;

	CHECK_OK(semctl(s, 0, SETALL, (union semun_arg){ .array = v }));
	CHECK_EQ(semctl(s, 1, GETVAL), 2);
	CHECK_OK(semctl(s, 1, SETVAL, (union semun_arg){ .val = 7 }));
	CHECK_EQ(semctl(s, 1, GETPID), getpid());
	memset(v, 0, sizeof(v));
	CHECK_OK(semctl(s, 0, GETALL, (union semun_arg){ .array = v }));
	CHECK_EQ(v[0] * 100 + v[1] * 10 + v[2], 173);
	CHECK_ERRNO(semctl(s, 3, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(s, 0, SETVAL, (union semun_arg){ .val = 32768 }), ERANGE);
	CHECK_OK(semctl(s, 0, IPC_STAT, (union semun_arg){ .buf = &ds }));
	CHECK_EQ(ds.sem_nsems, 3);
	CHECK(ds.sem_ctime > 0);
	CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_OK(semctl(s, 0, IPC_RMID));
	CHECK_ERRNO(semctl(s, 0, GETVAL), EINVAL);
}

static void sem_atomic(void)
{
	int s = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf both[2] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT } };

	CHECK_ERRNO(semop(s, both, 2), EAGAIN);
	CHECK_EQ(semctl(s, 0, GETVAL), 0); /* taken back */
	both[0].sem_num = 5;
	CHECK_ERRNO(semop(s, both, 2), EFBIG);
	CHECK_ERRNO(semop(s, both, 0), EINVAL);
	CHECK_ERRNO(semop(s, both, 100000), E2BIG);
	both[0] = (struct sembuf){ 0, 32767, 0 };
	CHECK_OK(semop(s, both, 1));
	both[0].sem_op = 1;
	CHECK_ERRNO(semop(s, both, 1), ERANGE);
	CHECK_OK(semctl(s, 0, IPC_RMID));
}

static void sem_waits(void)
{
	int s = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf down = { 0, -2, 0 }, up = { 0, 1, 0 }, zero = { 0, 0, 0 };
	struct timespec ts = { 0, 20000000 };
	pid_t waiter, second;

	CHECK_ERRNO(semtimedop(s, &down, 1, &ts), EAGAIN);
	waiter = fork();
	if (!waiter)
		_exit(semop(s, &down, 1) != 0);
	CHECK(TAP_AWAIT(semctl(s, 0, GETNCNT) == 1));
	CHECK_OK(semop(s, &up, 1));
	CHECK_EQ(waitpid(waiter, NULL, WNOHANG), 0);
	CHECK_OK(semop(s, &up, 1));
	CHECK_EXIT(waiter, 0);
	CHECK_EQ(semctl(s, 0, GETVAL), 0);
	CHECK_OK(semop(s, &up, 1));
	waiter = fork();
	if (!waiter)
		_exit(semop(s, &zero, 1) != 0);
	second = fork();
	if (!second)
		_exit(semop(s, &down, 1) == 0 || errno != EIDRM);
	CHECK(TAP_AWAIT(semctl(s, 0, GETZCNT) == 1 && semctl(s, 0, GETNCNT) == 1));
	CHECK_OK(semctl(s, 0, SETVAL, (union semun_arg){ .val = 0 }));
	CHECK_EXIT(waiter, 0);
	CHECK_OK(semctl(s, 0, IPC_RMID));
	CHECK_EXIT(second, 0);
}

static void sem_undo(void)
{
	int s = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = { 0, 5, SEM_UNDO }, down = { 0, -2, SEM_UNDO };
	pid_t pid = fork();

	if (!pid) {
		semop(s, &up, 1);
		semop(s, &down, 1);
		_exit(semctl(s, 0, GETVAL) != 3);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(semctl(s, 0, GETVAL), 0);
	CHECK_OK(semctl(s, 0, IPC_RMID));
}

/* Four processes, one semaphore as a lock, a counter in shared memory. */
static void contended(void)
{
	int s = semget(IPC_PRIVATE, 1, 0600), m = shmget(IPC_PRIVATE, 4096, 0600);
	struct sembuf lock = { 0, -1, SEM_UNDO }, unlock = { 0, 1, SEM_UNDO };
	volatile int *count = shmat(m, NULL, 0);
	pid_t pid[4];

	REQUIRE(count != (void *)-1);
	CHECK_OK(semctl(s, 0, SETVAL, (union semun_arg){ .val = 1 }));
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (int n = 0; n < 500; n++) {
			semop(s, &lock, 1);
			(*count)++;
			semop(s, &unlock, 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pid[i], 0);
	CHECK_EQ(*count, 2000);
	semctl(s, 0, IPC_RMID);
	shmctl(m, IPC_RMID, NULL);
}

/* ---- shared memory ---- */

static void shm_rules(void)
{
	int m = shmget(a_key(), 10000, IPC_CREAT | 0600);
	char *p, *q, *fixed;
	struct shmid_ds ds;

	REQUIRE(m >= 0);
	CHECK_ERRNO(shmget(a_key(), 20000, 0600), EINVAL);
	CHECK_EQ(shmget(a_key(), 0, 0600), m);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	p = shmat(m, NULL, 0);
	q = shmat(m, NULL, SHM_RDONLY);
	REQUIRE(p != (void *)-1 && q != (void *)-1);
	strcpy(p + 9000, "shared");
	CHECK_STR(q + 9000, "shared");
	CHECK_OK(shmctl(m, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK_EQ(ds.shm_segsz, 10000);
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_ERRNO(mprotect(q, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK(shmat(m, p, 0) == (void *)-1 && errno == EINVAL); /* taken */
	CHECK(shmat(m, p + 1, 0) == (void *)-1 && errno == EINVAL);
	CHECK_OK(shmdt(q));
	CHECK_ERRNO(shmdt(q), EINVAL);
	CHECK_ERRNO(shmdt(p + 1), EINVAL);
	fixed = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(shmat(m, fixed + 123, SHM_RND | SHM_REMAP) == fixed);
	CHECK_STR(fixed + 9000, "shared");
	CHECK_OK(shmdt(fixed));
	CHECK_OK(shmctl(m, IPC_RMID, NULL));
	CHECK_ERRNO(shmget(a_key(), 0, 0600), ENOENT);
	CHECK_OK(shmctl(m, IPC_STAT, &ds)); /* still attached, so still there */
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_STR(p + 9000, "shared");
	CHECK_OK(shmdt(p));
	CHECK_ERRNO(shmctl(m, IPC_STAT, &ds), EINVAL);
}

static void shm_fork(void)
{
	int m = shmget(IPC_PRIVATE, 4096, 0600);
	int *p = shmat(m, NULL, 0);
	struct shmid_ds ds;
	pid_t pid = fork();

	if (!pid) {
		shmctl(m, IPC_STAT, &ds);
		*p = (int)ds.shm_nattch;
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(*p, 2);
	CHECK_OK(shmctl(m, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_OK(shmctl(m, IPC_RMID, NULL));
}

static void listing(void)
{
	int m = shmget(IPC_PRIVATE, 4096, 0600);
	struct shmid_ds ds;
	FILE *f = fopen("/proc/sysvipc/shm", "r");
	int found = 0, last = shmctl(0, SHM_INFO, &ds);
	char line[512], want[32];

	snprintf(want, sizeof(want), " %d ", m);
	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, want) != NULL;
	CHECK(found);
	found = 0;
	for (int i = 0; i <= last; i++)
		found |= shmctl(i, SHM_STAT, &ds) == m;
	CHECK(found);
	CHECK_OK(shmctl(m, IPC_RMID, NULL));
}

int main(void)
{
	TAP_FORK(msg_keys);
	TAP_FORK(msg_order);
	TAP_FORK(msg_errors);
	TAP_FORK(msg_blocking);
	if (geteuid() == 0)
		TAP_FORK(rights);
	else
		NOTE("rights: not root");
	TAP_FORK(no_owner);
	TAP_FORK(sem_values);
	TAP_FORK(sem_atomic);
	TAP_FORK(sem_waits);
	TAP_FORK(sem_undo);
	TAP_FORK(contended);
	TAP_FORK(shm_rules);
	TAP_FORK(shm_fork);
	TAP_FORK(listing);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* What /proc shows of System V IPC: the limits in /proc/sys/kernel. Source: proc(5), sysvipc(7). */
#include <fs/ipc/ipc.h>
#include <fs/ipc/mqueue.h>
#include <fs/ipc/sysctl.h>

#define SHOW(name, value)                                            \
	int name##_show(struct printbuf *pb, struct task *t)         \
	{                                                            \
		(void)t;                                             \
		printbuf_printf(pb, "%lu\n", (unsigned long)(value)); \
		return 0;                                            \
	}

SHOW(shmmax, shm_max_bytes)
SHOW(shmall, shm_all_pages)
SHOW(shmmni, shm_kind.max)
SHOW(msgmax, msg_max_bytes)
SHOW(msgmnb, msg_queue_bytes)
SHOW(msgmni, msg_kind.max)

int sem_limits_show(struct printbuf *pb, struct task *t)
{
	(void)t;
	printbuf_printf(pb, "%u\t%u\t%u\t%u\n", sem_limits[0], sem_limits[1], sem_limits[2],
			sem_limits[3]);
	return 0;
}

/* Numbers separated by blanks, each at most @max. All @n of them, or -EINVAL. */
static int parse_numbers(const char *text, size_t size, u64 *out, unsigned int n, u64 max)
{
	size_t i = 0;

	for (unsigned int k = 0; k < n; k++) {
		u64 v = 0;
		size_t digits = 0;

		while (i < size && (text[i] == ' ' || text[i] == '\t'))
			i++;
		for (; i < size && text[i] >= '0' && text[i] <= '9'; i++, digits++) {
			if (mul_overflow(v, 10ULL, &v) ||
			    add_overflow(v, (u64)(text[i] - '0'), &v) || v > max)
				return -EINVAL;
		}
		if (!digits)
			return -EINVAL;
		out[k] = v;
	}
	while (i < size && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n'))
		i++;
	return i == size ? 0 : -EINVAL;
}

#define WRITE(name, where, max)                                                   \
	ssize_t name##_write(struct task *t, const char *text, size_t n)          \
	{                                                                         \
		u64 v;                                                            \
		int r = parse_numbers(text, n, &v, 1, max);                       \
                                                                                  \
		(void)t;                                                          \
		if (r)                                                            \
			return r;                                                 \
		where = (__typeof__(where))v;                                     \
		return (ssize_t)n;                                                \
	}

WRITE(shmmax, shm_max_bytes, ULONG_MAX)
WRITE(shmall, shm_all_pages, ULONG_MAX)
WRITE(shmmni, shm_kind.max, 32768)
WRITE(msgmax, msg_max_bytes, S32_MAX)
WRITE(msgmnb, msg_queue_bytes, S32_MAX)
WRITE(msgmni, msg_kind.max, 32768)

ssize_t sem_limits_write(struct task *t, const char *text, size_t n)
{
	u64 v[4];
	int r = parse_numbers(text, n, v, 4, S32_MAX);

	(void)t;
	if (r)
		return r;
	for (int i = 0; i < 4; i++)
		sem_limits[i] = (unsigned int)v[i];
	sem_kind.max = min(sem_limits[3], 32768u);
	return (ssize_t)n;
}

#define MQ_LIMIT(name, least, most)                                              \
	SHOW(name, name)                                                         \
	ssize_t name##_write(struct task *t, const char *text, size_t n)         \
	{                                                                        \
		u64 v;                                                           \
		int r = parse_numbers(text, n, &v, 1, most);                     \
                                                                                 \
		(void)t;                                                         \
		if (r || v + 1 < (least) + 1u)                                            \
			return -EINVAL;                                          \
		name = (unsigned int)v;                                          \
		return (ssize_t)n;                                               \
	}

MQ_LIMIT(mq_msg_default, 1, MQ_HARD_MSGMAX)
MQ_LIMIT(mq_msg_max, 1, MQ_HARD_MSGMAX)
MQ_LIMIT(mq_msgsize_default, 128, MQ_HARD_MSGSIZEMAX)
MQ_LIMIT(mq_msgsize_max, 128, MQ_HARD_MSGSIZEMAX)
MQ_LIMIT(mq_queues_max, 0, S32_MAX)

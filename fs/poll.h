/* SPDX-License-Identifier: MIT */
/* Waiting for several files: the machinery of poll and select. */
#ifndef FS_POLL_H
#define FS_POLL_H

#include <fs/file.h>
#include <kernel/wait.h>
#include <uapi/poll.h>

struct poll_entry {
	struct waiter w;
	struct waitq *q;
	struct file *file; /* a reference: the queue lives in it */
	u32 wanted;
	struct poll_wait_state *state;
};
#define POLL_INLINE 8
struct poll_chunk {
	struct poll_chunk *next;
	unsigned int n;
	struct poll_entry entry[30];
};
struct poll_wait_state {
	struct poll_table pt;
	struct task *task;
	bool triggered; /* a waker was here since the last look */
	int error;	/* no memory for an entry */
	unsigned int n;
	struct poll_entry inline_entry[POLL_INLINE];
	struct poll_chunk *chunks;
};

void poll_state_init(struct poll_wait_state *s);
void poll_state_free(struct poll_wait_state *s);
/** poll_sleep() - until triggered, a signal, or @deadline_ns; true when the deadline passed. */
bool poll_sleep(struct poll_wait_state *s, u64 deadline_ns);

/** do_poll() - poll(2) on kernel memory. Ready descriptors, 0 after the deadline, -EINTR, -ENOMEM. */
int do_poll(struct pollfd *fds, unsigned int n, u64 deadline_ns);
/** do_select() - on bit maps in @in[3] (read, write, except), results in @out[3]. @words u64 each. */
int do_select(int n, u64 *const in[3], u64 *const out[3], u64 deadline_ns);

#endif

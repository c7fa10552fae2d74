/* SPDX-License-Identifier: MIT */
/* Pipes inside: what splice needs to know of the ring. */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <fs/file.h>
#include <uapi/uio.h>

struct pipe_buf {
	struct page *page; /* a reference */
	u32 off, len;
	u32 flags;
};
#define PIPE_BUF_PACKET 1u /* a message of its own (O_DIRECT) */
#define PIPE_BUF_SHARED 2u /* the page belongs to a file or to another pipe, too: do not write into it */

struct pipe {
	struct mutex lock;
	u32 head, tail;			/* lock: free running */
	u32 nbufs;			/* lock: a power of two */
	u32 readers, writers;		/* lock: open files */
	u32 reader_opens, writer_opens; /* lock: ever */
	struct page *spare;		/* lock */
	bool polled; /* someone polls: every write is news (edge-triggered epoll) */
	bool named;  /* a FIFO: opening it waits for the other side; fixed before it is used */
	struct pipe_buf *bufs;
	struct waitq rd_wait, wr_wait;
	struct pipe_buf inline_bufs[16];
};

static inline struct pipe_buf *pipe_buf_at(struct pipe *p, u32 i)
{
	return &p->bufs[i & (p->nbufs - 1)];
}
struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p);
void pipe_pop(struct pipe *p);
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
/* Sleep until there is something to read (or no writer), room to write. 0, -EAGAIN, -EINTR; writable: -EPIPE with SIGPIPE. */
int pipe_wait_readable(struct pipe *p, bool nonblock);
int pipe_wait_writable(struct pipe *p, bool nonblock);
/** pipe_push() - append a buffer, whose reference the pipe takes over; false if there is no room or no reader. */
bool pipe_push(struct pipe *p, const struct pipe_buf *b);
/** pipe_wait_unread() - for the only writer, who has written all: let readers see the end, and sleep until there are none. May end early: signals. */
void pipe_wait_unread(struct pipe *p);
/** pipe_of() - the pipe behind a file, NULL if it is none. */
struct pipe *pipe_of(struct file *f);
int pipe_create(struct file *out[2], unsigned int flags);
extern unsigned int pipe_max_size;
/** pipe_round_size() - the smallest size of a pipe that is no less than @size. */
size_t pipe_round_size(size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* Contexts of io_setup(2) and what has been completed in them (fs/aio.c). Task context; may sleep. */
#ifndef FS_AIO_H
#define FS_AIO_H

#include <fs/file.h>

/* struct io_event. */
struct aio_event {
	u64 data, obj;
	s64 res, res2;
};

struct aio_ctx;
extern u32 aio_max;  /* /proc/sys/fs/aio-max-nr */
u64 aio_count(void); /* events that all contexts together have room for */

/** aio_create() - a context of current's address space with room for @n events. Its name, an address in it, is in *@id. 0, -EAGAIN, -ENOMEM. */
int aio_create(unsigned int n, u64 *id);
/** aio_find() - with a reference; NULL: current's address space has none of that name. */
struct aio_ctx *aio_find(u64 id);
void aio_put(struct aio_ctx *ctx);
/** aio_destroy() - who waits is woken. 0, -EINVAL: there is none. */
int aio_destroy(u64 id);
/** aio_reserve() - keep room for one event: true, then aio_complete() or aio_unreserve(). */
bool aio_reserve(struct aio_ctx *ctx);
void aio_unreserve(struct aio_ctx *ctx);
void aio_complete(struct aio_ctx *ctx, const struct aio_event *e);
/** aio_get() - take the oldest event, false: there is none. Its room is kept until aio_unreserve(), or aio_put_back(), to be the oldest again. */
bool aio_get(struct aio_ctx *ctx, struct aio_event *e);
void aio_put_back(struct aio_ctx *ctx, const struct aio_event *e);
/** aio_wait() - until there is an event, or @deadline_ns. 0, -EINTR, -EINVAL: the context has gone, -ETIMEDOUT. */
int aio_wait(struct aio_ctx *ctx, u64 deadline_ns);

#endif

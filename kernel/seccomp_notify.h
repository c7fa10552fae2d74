/* SPDX-License-Identifier: MIT */
/*
 * Filters that ask another process: SECCOMP_RET_USER_NOTIF. Source: seccomp_unotify(2).
 *
 * A filter with a listener shares a struct seccomp_notify with the listener's file (fs/seccomp_fd.c). A task whose call the filter
 * gave the answer USER_NOTIF for waits in seccomp_notify_ask() until somebody with the file says what the call's result is, or that it is
 * to be made. All in task context, may sleep, but where said.
 */
#ifndef KERNEL_SECCOMP_NOTIFY_H
#define KERNEL_SECCOMP_NOTIFY_H

#include <kernel/task.h>
#include <uapi/seccomp.h>

struct file;
struct seccomp_notify;

/** seccomp_notify_create() - with one reference. @killable: once received, only fatal signals end a request. NULL: no memory. */
struct seccomp_notify *seccomp_notify_create(bool killable);
void seccomp_notify_get(struct seccomp_notify *n);
void seccomp_notify_put(struct seccomp_notify *n); /* any context */
/** seccomp_notify_orphan() - the filter's last user is gone: nobody will ask any more. Any context. */
void seccomp_notify_orphan(struct seccomp_notify *n);
/** seccomp_notify_listening() - is the listener's file still open? */
bool seccomp_notify_listening(const struct seccomp_notify *n);
/** seccomp_notify_ask() - about current's call. True: it is to be made; else *@result is its result. */
bool seccomp_notify_ask(struct seccomp_notify *n, const struct seccomp_data *data, long *result);

/* ---- the listener's side ---- */

/** seccomp_notify_recv() - wait for a request. 0, -EINTR, -ENOENT (there is none any more). */
int seccomp_notify_recv(struct seccomp_notify *n, struct seccomp_notif *out);
/** seccomp_notify_unreceive() - request @id is to be received again. */
void seccomp_notify_unreceive(struct seccomp_notify *n, u64 id);
/** seccomp_notify_send() - answer. 0, -ENOENT: no such request; -EINPROGRESS: not received, or answered already. */
int seccomp_notify_send(struct seccomp_notify *n, const struct seccomp_notif_resp *resp);
/** seccomp_notify_valid() - 0 while request @id waits for its answer, else -ENOENT. */
int seccomp_notify_valid(struct seccomp_notify *n, u64 id);
/** seccomp_notify_addfd() - make @f a descriptor of the task that asks. Its number there, or -ENOENT, -EINPROGRESS, -EBUSY, -EINTR, -ESRCH, -EMFILE, -EBADF. */
long seccomp_notify_addfd(struct seccomp_notify *n, struct file *f,
			  const struct seccomp_notif_addfd *req);
/** seccomp_notify_events() - POLL* bits. seccomp_notify_waitq(): woken when they change. */
u32 seccomp_notify_events(const struct seccomp_notify *n);
struct waitq *seccomp_notify_waitq(struct seccomp_notify *n);
/** seccomp_notify_close() - the listener is gone: who waits gets ENOSYS, and so does who asks from now on. */
void seccomp_notify_close(struct seccomp_notify *n);

#endif

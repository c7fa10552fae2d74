/* SPDX-License-Identifier: MIT */
/*
 * fanotify's descriptor: events are read, answers written, marks shown in /proc. See fanotify.h. Source: fanotify(7), proc_pid_fdinfo(5).
 */
#include <fs/fanotify.h>
#include <fs/internal.h>
#include <kernel/files.h>
#include <uapi/poll.h>

#define FID_RECORD_SIZE	 32 /* header, fsid, handle; a name may follow */
#define PIDFD_RECORD_SIZE 8

static const struct file_ops fanotify_ops;

/* ---- what an event looks like ---- */

struct fid_record {
	struct fanotify_event_info_header hdr;
	s32 fsid[2];
	u32 handle_bytes;
	struct file_fid fid;
};
static_assert(sizeof(struct fid_record) == FID_RECORD_SIZE);

/* The records of an event in their order. */
struct record {
	u8 type;
	u8 which; /* of e->fid */
	u16 len;
	const char *name; /* NULL: none */
};

/* A single id: what it is of depends on what the group asked for. */
static void describe_object(const struct fan_group *g, const struct fan_event *e, bool alone,
			    struct record *r)
{
	*r = (struct record){ FAN_EVENT_INFO_TYPE_FID, FAN_FID_OBJECT };
	if (!alone || (g->flags & FAN_FID_BITS) == FAN_REPORT_FID)
		return;
	if ((g->flags & FAN_REPORT_NAME) && (e->mask & FAN_ONDIR)) {
		r->type = FAN_EVENT_INFO_TYPE_DFID_NAME;
		r->name = ".";
		r->len = 1;
	} else if (e->mask & (FAN_DIRENT_EVENTS | FAN_ONDIR)) {
		r->type = FAN_EVENT_INFO_TYPE_DFID;
	}
}

static int records_of(const struct fan_group *g, const struct fan_event *e, struct record r[3])
{
	int n = 0;

	if (e->fids & 1u << FAN_FID_DIR)
		r[n++] = (struct record){ e->mask & FAN_RENAME ? FAN_EVENT_INFO_TYPE_OLD_DFID_NAME
					  : e->name_len	       ? FAN_EVENT_INFO_TYPE_DFID_NAME
							       : FAN_EVENT_INFO_TYPE_DFID,
					  FAN_FID_DIR, e->name_len, e->name_len ? e->names : NULL };
	if (e->fids & 1u << FAN_FID_NEW_DIR)
		r[n++] = (struct record){ FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, FAN_FID_NEW_DIR,
					  e->new_len, e->names + e->name_len };
	if (e->fids & 1u << FAN_FID_OBJECT) {
		describe_object(g, e, !n, &r[n]);
		n++;
	}
	return n;
}

static u32 record_size(const struct record *r)
{
	return FID_RECORD_SIZE + (r->name ? ALIGN_UP(r->len + 1u, 4u) : 0);
}

static u32 event_size(const struct fan_group *g, const struct fan_event *e)
{
	u32 size = sizeof(struct fanotify_event_metadata);
	struct record r[3];

	for (int i = records_of(g, e, r); i-- > 0;)
		size += record_size(&r[i]);
	return size + (g->flags & FAN_REPORT_PIDFD ? PIDFD_RECORD_SIZE : 0);
}

static bool put(struct iov_iter *to, const void *data, size_t n)
{
	return iov_iter_to(to, data, n) == n;
}

static bool put_record(struct iov_iter *to, const struct fan_event *e, const struct record *r)
{
	struct fid_record out = { { r->type, 0, (u16)record_size(r) },
				  { (s32)e->dev, 0 },
				  sizeof(e->fid[0].id),
				  e->fid[r->which] };
	size_t pad = out.hdr.len - sizeof(out) - r->len;

	return put(to, &out, sizeof(out)) &&
	       (!r->name || (put(to, r->name, r->len) && iov_iter_zero(to, pad) == pad));
}

/* ---- reading ---- */

/* Take the first event if it fits. NULL: there is none; ERR_PTR(-EINVAL): it does not fit. */
static struct fan_event *take(struct fan_group *g, size_t room)
{
	struct fan_event *e;

	mutex_lock(&fanotify_mutex);
	e = list_first_entry_or_null(&g->events, struct fan_event, link);
	if (e && event_size(g, e) > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del(&e->link);
		g->nevents--;
		if (e->mask & FAN_Q_OVERFLOW)
			g->overflowed = false;
		/* From here on who asked cannot take it away. */
		if (fan_is_question(e)) {
			e->state = FAN_ASKED;
			e->fd = FAN_NOFD;
			list_add_tail(&e->link, &g->asked);
		}
	}
	mutex_unlock(&fanotify_mutex);
	return e;
}

/* A question that could not be told. */
static void refuse(struct fan_event *e)
{
	mutex_lock(&fanotify_mutex);
	list_del(&e->link);
	if (e->state == FAN_CANCELLED)
		fan_event_free(e);
	else
		fan_answer(e, FAN_DENY);
	mutex_unlock(&fanotify_mutex);
}

/* Numbers and files that are given with an event. */
struct gift {
	int fd;
	struct file *file;
};

static void gift_done(struct gift *gift, bool ok)
{
	if (!gift->file)
		return;
	if (ok) {
		fd_install(gift->fd, gift->file);
	} else {
		fd_unreserve(gift->fd);
		file_put(gift->file);
	}
}

static int open_object(const struct fan_group *g, const struct fan_event *e, struct gift *gift)
{
	*gift = (struct gift){ FAN_NOFD };
	if (!e->path.mnt || g->unprivileged)
		return 0;
	gift->fd = fd_reserve(0, g->event_flags & O_CLOEXEC);
	if (gift->fd < 0)
		return gift->fd;
	gift->file = file_open_unnoticed(&e->path, (int)g->event_flags);
	if (IS_ERR(gift->file)) {
		fd_unreserve(gift->fd);
		return (int)PTR_ERR(gift->file);
	}
	return 0;
}

static void open_process(const struct fan_event *e, struct gift *gift)
{
	struct process *p = e->process;

	*gift = (struct gift){ FAN_NOPIDFD };
	if (!p || READ_ONCE(p->pid->process) != p)
		return;
	gift->fd = pidfd_reserve(p, NULL, 0, &gift->file);
	if (gift->fd < 0)
		*gift = (struct gift){ FAN_EPIDFD };
}

static bool put_event(struct iov_iter *to, const struct fan_group *g, const struct fan_event *e,
		      int fd, int pidfd)
{
	bool hide = g->unprivileged && e->pid != current->process->pid->nr;
	struct fanotify_event_metadata meta = { event_size(g, e), FANOTIFY_METADATA_VERSION,	 0,
						sizeof(meta),	  e->mask & ~FAN_EVENT_ON_CHILD, fd,
						hide ? 0 : e->pid };
	struct {
		struct fanotify_event_info_header hdr;
		s32 pidfd;
	} last = { { FAN_EVENT_INFO_TYPE_PIDFD, 0, PIDFD_RECORD_SIZE }, pidfd };
	struct record r[3];
	int n = records_of(g, e, r);

	if (!put(to, &meta, sizeof(meta)))
		return false;
	for (int i = 0; i < n; i++)
		if (!put_record(to, e, &r[i]))
			return false;
	return !(g->flags & FAN_REPORT_PIDFD) || put(to, &last, sizeof(last));
}

/* Bytes, or -Exxx. The event is used up, or waits for its answer. */
static ssize_t give(struct fan_group *g, struct fan_event *e, struct iov_iter *to)
{
	bool question = fan_is_question(e), ok;
	struct gift object, process = { FAN_NOPIDFD };
	ssize_t size = event_size(g, e);
	int r = open_object(g, e, &object);

	if (!r) {
		if (g->flags & FAN_REPORT_PIDFD)
			open_process(e, &process);
		ok = put_event(to, g, e, object.fd, process.fd);
		if (ok && question)
			WRITE_ONCE(e->fd, object.fd);
		gift_done(&object, ok);
		gift_done(&process, ok);
		r = ok ? 0 : -EFAULT;
	}
	if (!question)
		fan_event_free(e);
	else if (r)
		refuse(e);
	return r ? r : size;
}

static ssize_t fanotify_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct fan_group *g = f->priv;
	ssize_t done = 0, r;

	for (;;) {
		struct fan_event *e = take(g, to->count);

		if (IS_ERR(e))
			return done ? done : PTR_ERR(e);
		if (e) {
			r = give(g, e, to);
			if (r < 0)
				return done && r != -EFAULT ? done : r;
			done += r;
			continue;
		}
		if (done)
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&g->wait, READ_ONCE(g->nevents) != 0);
		if (r)
			return r;
	}
}

/* ---- answers ---- */

static int check_response(const struct fanotify_response *r)
{
	/* FAN_AUDIT is for groups that were made for it; there is no audit here. */
	if (r->response & ~(FAN_ALLOW | FAN_DENY | FAN_INFO))
		return -EINVAL;
	return !(r->response & FAN_ALLOW) == !(r->response & FAN_DENY) ? -EINVAL : 0;
}

static ssize_t check_info(struct iov_iter *from)
{
	struct fanotify_response_info_audit_rule info;

	if (from->count != sizeof(info))
		return -EINVAL;
	if (iov_iter_from(from, &info, sizeof(info)) != sizeof(info))
		return -EFAULT;
	if (info.hdr.info_type != FAN_RESPONSE_INFO_AUDIT_RULE || info.hdr.pad ||
	    info.hdr.len != sizeof(info))
		return -EINVAL;
	return sizeof(info);
}

static int answer(struct fan_group *g, const struct fanotify_response *r)
{
	struct fan_event *e, *found = NULL;

	mutex_lock(&fanotify_mutex);
	list_for_each_entry(e, &g->asked, link)
		if (e->fd == r->fd) {
			found = e;
			break;
		}
	if (found) {
		list_del(&found->link);
		if (found->state != FAN_CANCELLED) {
			fan_answer(found, r->response);
			mutex_unlock(&fanotify_mutex);
			return 0;
		}
	}
	mutex_unlock(&fanotify_mutex);
	if (found)
		fan_event_free(found);
	return found ? 0 : -ENOENT;
}

static ssize_t fanotify_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct fanotify_response response;
	ssize_t info = 0;
	int r;

	if (from->count < sizeof(response))
		return -EINVAL;
	if (iov_iter_from(from, &response, sizeof(response)) != sizeof(response))
		return -EFAULT;
	r = check_response(&response);
	if (r)
		return r;
	if (response.response & FAN_INFO) {
		info = check_info(from);
		/* Without a file this only asks whether it would be understood. */
		if (info < 0 || response.fd == FAN_NOFD)
			return info < 0 ? info : info + (ssize_t)sizeof(response);
	}
	r = response.fd < 0 ? -EINVAL : answer(f->priv, &response);
	return r ? r : info + (ssize_t)sizeof(response);
}

/* ---- the rest ---- */

static u32 fanotify_poll(struct file *f, struct poll_table *pt)
{
	struct fan_group *g = f->priv;

	poll_wait(f, &g->wait, pt);
	return READ_ONCE(g->nevents) ? POLLIN | POLLRDNORM : 0;
}

static long fanotify_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct fan_group *g = f->priv;
	int n = (int)(READ_ONCE(g->nevents) * sizeof(struct fanotify_event_metadata));

	return cmd == FIONREAD ? put_user_obj(arg, &n) : -ENOTTY;
}

static void fanotify_release(struct file *f)
{
	fan_group_gone(f->priv);
}

static void fanotify_show(struct file *f, struct printbuf *pb)
{
	struct fan_group *g = f->priv;

	printbuf_printf(pb, "fanotify flags:%x event-flags:%x\n", g->flags, g->event_flags);
	fanotify_show_marks(g, pb);
}

static const struct file_ops fanotify_ops = {
	.llseek = noop_llseek,
	.read = fanotify_read,
	.write = fanotify_write,
	.poll = fanotify_poll,
	.ioctl = fanotify_ioctl,
	.release = fanotify_release,
	.show_fdinfo = fanotify_show,
};

struct fan_group *fanotify_group(const struct file *f)
{
	return f->ops == &fanotify_ops ? f->priv : NULL;
}

struct file *fanotify_create(u32 flags, u32 event_flags, bool unprivileged)
{
	struct fan_group *g = kzalloc(sizeof(*g), GFP_KERNEL);
	struct file *f;
	int r;

	if (!g)
		return ERR_PTR(-ENOMEM);
	g->flags = flags;
	g->event_flags = event_flags | O_LARGEFILE;
	g->unprivileged = unprivileged;
	g->user = current->creds->euid;
	g->max_events = flags & FAN_UNLIMITED_QUEUE ? U32_MAX : fanotify_max_queued;
	list_init(&g->events);
	list_init(&g->asked);
	list_init(&g->marks);
	waitq_init(&g->wait);
	r = fan_group_add(g);
	if (r) {
		kfree(g);
		return ERR_PTR(r);
	}
	f = anon_file_create("anon_inode:[fanotify]", &fanotify_ops, g,
			     O_RDWR | (flags & FAN_NONBLOCK ? O_NONBLOCK : 0));
	if (IS_ERR(f))
		fan_group_gone(g);
	return f;
}

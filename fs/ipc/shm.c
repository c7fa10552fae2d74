/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory. Source: shmget(2), shmop(2), shmctl(2).
 *
 * A segment is a file without a name on tmpfs. Every mapping of it holds a reference on the file, and the segment one more: so the
 * references say how often it is attached, and the file's release that the last attachment of a removed segment has gone.
 * Locking: ipc_mutex; not held while the address space is worked on.
 */
#include <fs/ipc/ipc.h>
#include <fs/ipc/sysv.h>
#include <fs/tmpfs/tmpfs.h>
#include <uapi/capability.h>
#include <uapi/mman.h>

struct shm_segment {
	struct ipc_object o; /* must be first */
	struct file *file;   /* a reference of the segment's own, until it is removed */
	u64 size;
	s64 atime, dtime, ctime;
	pid_t cpid, lpid;
};

unsigned long shm_max_bytes = ULONG_MAX - (1UL << 24), shm_all_pages = ULONG_MAX - (1UL << 24);
static u64 total_pages; /* ipc_mutex */
static struct file_ops shm_file_ops;

static void destroy(struct ipc_object *o)
{
	kfree(o);
}

struct ipc_kind shm_kind = { .max = 4096, .destroy = destroy };

static struct shm_segment *find_segment(int id)
{
	return (struct shm_segment *)ipc_find(&shm_kind, id);
}

static u64 pages_of(const struct shm_segment *s)
{
	return ALIGN_UP(s->size, PAGE_SIZE) >> PAGE_SHIFT;
}

static u32 attachments(const struct shm_segment *s)
{
	return refcount_read(&s->file->refs) - !(s->o.mode & SHM_DEST);
}

/* The last reference on a segment's file: it was removed, and nobody shows it any more. */
static void shm_release(struct file *f)
{
	struct shm_segment *s = f->priv;

	if (!s)
		return;
	mutex_lock(&ipc_mutex);
	total_pages -= pages_of(s);
	ipc_remove(&shm_kind, &s->o);
	mutex_unlock(&ipc_mutex);
}

/* ---- shmget ---- */

static struct file *make_file(const struct shm_segment *s, s32 key)
{
	char name[32];
	struct file *f;
	int r;

	shm_file_ops = tmpfs_file_ops;
	shm_file_ops.release = shm_release;
	snprintf(name, sizeof(name), "SYSV%08x", (u32)key);
	f = tmpfs_anon_file(name, 0777, &shm_file_ops);
	if (IS_ERR(f))
		return f;
	r = file_truncate(f, s->size);
	if (r) {
		file_put(f);
		return ERR_PTR(r);
	}
	return f;
}

static long make_segment(s32 key, size_t size, int flags)
{
	struct shm_segment *s;
	int r;

	if (size < 1 || size > shm_max_bytes || size > S64_MAX - PAGE_SIZE)
		return -EINVAL;
	if (flags & SHM_HUGETLB)
		return -ENOMEM; /* no huge page is ever in the pool */
	if (total_pages + (ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT) > shm_all_pages)
		return -ENOSPC;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->size = size;
	s->cpid = task_pid(current);
	s->ctime = ipc_now();
	s->file = make_file(s, key);
	if (IS_ERR(s->file)) {
		r = (int)PTR_ERR(s->file);
		kfree(s);
		return r;
	}
	r = ipc_add(&shm_kind, &s->o, key, (unsigned int)flags);
	if (r < 0) {
		file_put(s->file); /* has no priv yet: release() leaves the tables alone */
		kfree(s);
		return r;
	}
	s->file->priv = s;
	s->file->inode->ino = (u64)s->o.id; /* what /proc/PID/maps shows */
	total_pages += pages_of(s);
	return r;
}

long ipc_shmget(s32 key, size_t size, int flags)
{
	struct ipc_object *o = NULL;
	long r;

	mutex_lock(&ipc_mutex);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&shm_kind, key);
	if (o) {
		r = ipc_get_existing(o, flags);
		if (r >= 0 && size > ((struct shm_segment *)o)->size)
			r = -EINVAL;
	} else if (key != IPC_PRIVATE && !(flags & IPC_CREAT)) {
		r = -ENOENT;
	} else {
		r = make_segment(key, size, flags);
	}
	mutex_unlock(&ipc_mutex);
	return r;
}

/* ---- attaching ---- */

/* The file of a segment that may be attached this way, with a reference. ERR_PTR. */
static struct file *open_segment(int id, int flags, u64 *size)
{
	struct shm_segment *s;
	struct file *f;
	int r;

	mutex_lock(&ipc_mutex);
	s = find_segment(id);
	r = IS_ERR(s) ? (int)PTR_ERR(s)
		      : ipc_permitted(&s->o, (flags & SHM_RDONLY ? 4u : 6u) |
						     (flags & SHM_EXEC ? 1u : 0u));
	if (!r && !refcount_inc_not_zero(&s->file->refs))
		r = -EIDRM;
	f = r ? ERR_PTR(r) : s->file;
	*size = r ? 0 : s->size;
	mutex_unlock(&ipc_mutex);
	return f;
}

static void note_attach(struct file *f)
{
	struct shm_segment *s = f->priv;

	mutex_lock(&ipc_mutex);
	s->atime = ipc_now();
	s->lpid = task_pid(current);
	mutex_unlock(&ipc_mutex);
}

/* Where to attach: 0, or -EINVAL. */
static int choose_address(uaddr_t *addr, int flags)
{
	if (*addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*addr &= PAGE_MASK;
		if (!*addr && (flags & SHM_REMAP))
			return -EINVAL;
	}
	return !*addr && (flags & SHM_REMAP) ? -EINVAL : 0;
}

static long map_segment(struct file *f, uaddr_t addr, u64 size, int flags)
{
	unsigned int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
			    (flags & SHM_EXEC ? PROT_EXEC : 0);
	unsigned int max = VM_MAYREAD | VM_MAYEXEC | (flags & SHM_RDONLY ? 0 : VM_MAYWRITE);
	unsigned int mflags = MAP_SHARED;
	long r;

	if (addr)
		mflags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	r = vm_map(current->vm, addr, size, prot, mflags, &f->inode->object, f, 0, max, 0);
	return r == -EEXIST ? -EINVAL : r;
}

long ipc_shmat(int id, uaddr_t addr, int flags)
{
	struct file *f;
	u64 size;
	long r;

	if (id < 0)
		return -EINVAL;
	r = choose_address(&addr, flags);
	if (r)
		return r;
	f = open_segment(id, flags, &size);
	if (IS_ERR(f))
		return PTR_ERR(f);
	r = map_segment(f, addr, size, flags);
	if (r > 0 || (r == 0 && addr))
		note_attach(f);
	file_put(f);
	return r;
}

/* The next piece of the attachment of @f (NULL: any) that begins at @addr, from @*at on; false: there is none. */
static bool next_piece(uaddr_t addr, uaddr_t *at, uaddr_t *end, struct file **f)
{
	struct vm *vm = current->vm;
	struct vma *vma;
	bool found = false;

	rwsem_down_read(&vm->lock);
	for (vma = vm_find_from(vm, *at); vma && !found; vma = vm_next(vm, vma)) {
		struct file *owner = vma->object ? vma->owner : NULL;

		if (vma->start - (vma->pgoff << PAGE_SHIFT) != addr || !owner ||
		    owner->ops != &shm_file_ops || (*f && owner != *f))
			continue;
		if (!*f)
			*f = file_get(owner);
		*at = vma->start;
		*end = vma->end;
		found = true;
	}
	rwsem_up_read(&vm->lock);
	return found;
}

long ipc_shmdt(uaddr_t addr)
{
	struct file *f = NULL;
	uaddr_t at = addr, end;
	struct shm_segment *s;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	while (next_piece(addr, &at, &end, &f)) {
		int r = vm_unmap(current->vm, at, end - at);

		if (r) {
			file_put(f);
			return r;
		}
		at = end;
	}
	if (!f)
		return -EINVAL;
	s = f->priv;
	mutex_lock(&ipc_mutex);
	s->dtime = ipc_now();
	s->lpid = task_pid(current);
	mutex_unlock(&ipc_mutex);
	file_put(f);
	return 0;
}

/* ---- shmctl ---- */

static void fill(const struct shm_segment *s, struct shmid_abi *out)
{
	*out = (struct shmid_abi){ .segsz = s->size,
				   .atime = s->atime,
				   .dtime = s->dtime,
				   .ctime = s->ctime,
				   .cpid = s->cpid,
				   .lpid = s->lpid,
				   .nattch = attachments(s) };
	ipc_fill(&s->o, &out->perm);
}

static long stat_locked(int id, int cmd, struct shmid_abi *out)
{
	struct ipc_object *o =
		cmd == IPC_STAT ? ipc_find(&shm_kind, id) : ipc_find_place(&shm_kind, id);
	int r;

	if (IS_ERR(o))
		return PTR_ERR(o);
	r = cmd == SHM_STAT_ANY ? 0 : ipc_permitted(o, 4);
	if (r)
		return r;
	fill((struct shm_segment *)o, out);
	return cmd == IPC_STAT ? 0 : o->id;
}

static long lock_segment(struct shm_segment *s, bool lock)
{
	if (!capable(CAP_IPC_LOCK)) {
		uid_t euid = current->creds->euid;

		if (euid != s->o.uid && euid != s->o.cuid)
			return -EPERM;
		if (lock && !task_rlimit(RLIMIT_MEMLOCK))
			return -EPERM;
	}
	/* Nothing is ever paged out: only the mark remains to be made. */
	s->o.mode = lock ? s->o.mode | SHM_LOCKED : s->o.mode & ~(u32)SHM_LOCKED;
	return 0;
}

/* IPC_RMID: nobody finds it by its key any more. *@drop: the segment's own reference, for the caller to put. */
static void remove_segment(struct shm_segment *s, struct file **drop)
{
	if (s->o.mode & SHM_DEST)
		return;
	s->o.mode |= SHM_DEST;
	s->o.key = IPC_PRIVATE;
	*drop = s->file;
}

static long change_locked(int id, int cmd, const struct shmid_abi *in, struct file **drop)
{
	struct shm_segment *s = find_segment(id);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (cmd == SHM_LOCK || cmd == SHM_UNLOCK)
		return lock_segment(s, cmd == SHM_LOCK);
	r = ipc_owned(&s->o);
	if (r)
		return r;
	if (cmd == IPC_RMID) {
		remove_segment(s, drop);
		return 0;
	}
	r = ipc_set_owner(&s->o, &in->perm);
	if (!r)
		s->ctime = ipc_now();
	return r;
}

static long show_limits(uaddr_t ubuf)
{
	struct shminfo_abi si = { .shmmax = shm_max_bytes,
				  .shmmin = 1,
				  .shmmni = shm_kind.max,
				  .shmseg = shm_kind.max,
				  .shmall = shm_all_pages };
	long r;

	mutex_lock(&ipc_mutex);
	r = ipc_last_place(&shm_kind);
	mutex_unlock(&ipc_mutex);
	return put_user_obj(ubuf, &si) ? -EFAULT : r;
}

static long show_usage(uaddr_t ubuf)
{
	struct shm_info_abi si = { 0 };
	long r;

	mutex_lock(&ipc_mutex);
	si.used_ids = (s32)shm_kind.nused;
	si.shm_tot = total_pages;
	for (u32 i = 0; i < shm_kind.nplaces; i++) {
		struct shm_segment *s = (struct shm_segment *)shm_kind.place[i];

		if (s)
			si.shm_rss += tmpfs_resident_pages(s->file->inode);
	}
	r = ipc_last_place(&shm_kind);
	mutex_unlock(&ipc_mutex);
	return put_user_obj(ubuf, &si) ? -EFAULT : r;
}

long ipc_shmctl(int id, int cmd, uaddr_t ubuf)
{
	struct file *drop = NULL;
	struct shmid_abi ds;
	long r;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return show_limits(ubuf);
	case SHM_INFO:
		return show_usage(ubuf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		mutex_lock(&ipc_mutex);
		r = stat_locked(id, cmd, &ds);
		mutex_unlock(&ipc_mutex);
		return r >= 0 && put_user_obj(ubuf, &ds) ? -EFAULT : r;
	case IPC_SET:
		if (get_user_obj(&ds, ubuf))
			return -EFAULT;
		break;
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		break;
	default:
		return -EINVAL;
	}
	mutex_lock(&ipc_mutex);
	r = change_locked(id, cmd, &ds, &drop);
	mutex_unlock(&ipc_mutex);
	if (drop)
		file_put(drop);
	return r;
}

int shm_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(
		pb,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   "
		"gid  cuid  cgid      atime      dtime      ctime                   rss         "
		"         swap\n");
	mutex_lock(&ipc_mutex);
	for (u32 i = 0; i < shm_kind.nplaces; i++) {
		struct shm_segment *s = (struct shm_segment *)shm_kind.place[i];

		if (s && !ipc_permitted(&s->o, 4))
			printbuf_printf(pb,
					"%10d %10d  %4o %21llu %5d %5d  %5u %5u %5u %5u %5u %10lld "
					"%10lld %10lld %21llu %21d\n",
					s->o.key, s->o.id, s->o.mode, s->size, s->cpid, s->lpid,
					attachments(s), s->o.uid, s->o.gid, s->o.cuid, s->o.cgid,
					s->atime, s->dtime, s->ctime,
					tmpfs_resident_pages(s->file->inode) << PAGE_SHIFT, 0);
	}
	mutex_unlock(&ipc_mutex);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Memory: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mlock(2), mincore(2), cachestat(2). */
#include <fs/file.h>
#include <fs/vfs.h>
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/ptrace.h>
#include <kernel/signal.h>
#include <kernel/task.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <syscall/proto.h>
#include <uapi/mman.h>
#include <uapi/personality.h>

/* What MAP_SHARED_VALIDATE lets pass: Linux's flags of old, bits of a huge page's size among them, but not MAP_FIXED_NOREPLACE. */
#define MAP_KNOWN                                                                                                         \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_ABOVE4G | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_HUGE_MASK)

/* How much current may lock, in bytes. */
static u64 lock_limit(void)
{
	return capable(CAP_IPC_LOCK) ? U64_MAX : task_rlimit(RLIMIT_MEMLOCK);
}

/* A mapping that will be locked, because it says so or all are: is there room for it? */
static long check_locked(size_t len, uint flags)
{
	u64 limit = lock_limit();

	if ((flags & MAP_LOCKED) && !limit)
		return -EPERM;
	return current->vm->locked_pages + (ALIGN_UP(len, PAGE_SIZE) >> PAGE_SHIFT) > limit >>
			       PAGE_SHIFT
		       ? -EAGAIN
		       : 0;
}

/* For programs from before there was a separate right to execute. */
static int implied_exec(void)
{
	return unlikely(current->personality & READ_IMPLIES_EXEC) ? PROT_EXEC : 0;
}

static long map_anonymous(uaddr_t addr, size_t len, uint prot, uint flags)
{
	unsigned int type = flags & MAP_TYPE, extra = 0;

	if (type == MAP_DROPPABLE) {
		/* Not to be kept: neither by locks, nor for children, nor in a core. There is never a need to drop it. */
		if (flags & (MAP_LOCKED | MAP_GROWSDOWN))
			return -EINVAL;
		extra = VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
	} else if (type != MAP_PRIVATE && (type != MAP_SHARED || (flags & MAP_GROWSDOWN))) {
		return -EINVAL;
	}
	if (prot & PROT_READ)
		prot |= implied_exec();
	return vm_map(current->vm, addr, len, prot, flags & ~(extra ? MAP_TYPE : 0u), NULL, NULL, 0,
		      VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, extra);
}

/* Ask the file, then map what it gives. */
static long map_object(struct file *f, uaddr_t addr, size_t len, uint prot, uint flags, u64 pgoff,
		       unsigned int max)
{
	struct vm_object *obj;
	int r = f->ops->mmap(f, pgoff, len, prot, flags, &obj, &max);

	if (r)
		return r;
	if (prot & ~(max >> 4) & (PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EPERM;
	return vm_map(current->vm, addr, len, prot, flags, obj, obj ? f : NULL, pgoff, max, 0);
}

/* Would the mapping reach past the largest offset that a file of this kind can have? */
static bool beyond_file(const struct file *f, size_t len, u64 pgoff)
{
	u64 most = S_ISREG(f->inode->mode) ? f->inode->sb->max_bytes : U64_MAX;

	len = ALIGN_UP(len, PAGE_SIZE);
	return len > most || pgoff > (most - len) >> PAGE_SHIFT;
}

static long map_file(struct file *f, uaddr_t addr, size_t len, uint prot, uint flags, u64 pgoff)
{
	unsigned int type = flags & MAP_TYPE, max = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	long r;

	if (flags & MAP_HUGETLB)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE) {
		if (flags & ~MAP_KNOWN)
			return -EOPNOTSUPP;
		flags = (flags & ~(uint)MAP_TYPE) | MAP_SHARED;
	} else if (type != MAP_SHARED && type != MAP_PRIVATE) {
		return -EINVAL;
	}
	if (beyond_file(f, len, pgoff))
		return -EOVERFLOW;
	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	if ((flags & MAP_SHARED) && !(f->mode & FMODE_WRITE)) {
		if (prot & PROT_WRITE)
			return -EACCES;
		max &= ~VM_MAYWRITE;
	}
	if (path_noexec(&f->path)) {
		if (prot & PROT_EXEC)
			return -EPERM;
		max &= ~VM_MAYEXEC;
	} else if (prot & PROT_READ) {
		prot |= implied_exec();
	}
	if (!f->ops->mmap)
		return -ENODEV;
	if (!(flags & MAP_SHARED))
		return map_object(f, addr, len, prot, flags, pgoff, max);
	/* A seal that forbids writing comes before both, the check and the mapping, or after both. */
	rwsem_down_read(&f->inode->lock);
	r = map_object(f, addr, len, prot, flags, pgoff, max);
	rwsem_up_read(&f->inode->lock);
	return r;
}

long sys_mmap(uaddr_t addr, size_t len, int prot, int flags, fd_t fd, ulong off)
{
	struct fd f;
	long r;

	if (off & ~PAGE_MASK)
		return -EINVAL;
	if (!len)
		return -EINVAL;
	if (ALIGN_UP(len, PAGE_SIZE) < len ||
	    (off >> PAGE_SHIFT) + (len >> PAGE_SHIFT) < off >> PAGE_SHIFT)
		return (flags & MAP_ANONYMOUS) ? -ENOMEM : -EOVERFLOW;
	/* No huge page is ever in the pool: the answer of a Linux whose pool is empty. */
	if ((flags & MAP_HUGETLB) && (flags & MAP_ANONYMOUS))
		return -ENOMEM;
	if (unlikely((flags & MAP_LOCKED) || current->vm->lock_future)) {
		r = check_locked(len, (uint)flags);
		if (r)
			return r;
	}
	if (flags & MAP_ANONYMOUS)
		return map_anonymous(addr, len, (uint)prot, (uint)flags);
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = map_file(f.file, addr, len, (uint)prot, (uint)flags, off >> PAGE_SHIFT);
	fdput(f);
	return r;
}

long sys_munmap(uaddr_t addr, size_t len)
{
	return vm_unmap(current->vm, addr, len);
}

long sys_mprotect(uaddr_t addr, size_t len, int prot)
{
	if (prot & PROT_READ)
		prot |= implied_exec();
	return vm_protect(current->vm, addr, len, (uint)prot);
}

long sys_mremap(uaddr_t addr, size_t old_len, size_t new_len, uint flags, uaddr_t new_addr)
{
	return vm_remap(current->vm, addr, old_len, new_len, flags, new_addr, lock_limit());
}

/* Other pages of the file that a shared mapping shows, in its place. Source: remap_file_pages(2). */
long sys_remap_file_pages(uaddr_t addr, size_t len, ulong prot, ulong pgoff, ulong flags)
{
	uaddr_t start = addr & PAGE_MASK;

	len &= PAGE_MASK;
	if (prot || start + len <= start || pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	return vm_remap_file(current->vm, start, len, pgoff, !(flags & MAP_NONBLOCK));
}

long sys_brk(uaddr_t brk)
{
	return vm_brk(current->vm, brk, lock_limit());
}

long sys_madvise(uaddr_t addr, size_t len, int advice)
{
	return vm_advise(current->vm, addr, len, advice);
}

long sys_mseal(uaddr_t addr, size_t len, ulong flags)
{
	return flags ? -EINVAL : vm_seal(current->vm, addr, len);
}

long sys_msync(uaddr_t addr, size_t len, int flags)
{
	return vm_sync(current->vm, addr, len, (uint)flags);
}

long sys_mlock2(uaddr_t addr, size_t len, uint flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	if (!lock_limit())
		return -EPERM;
	return vm_lock_range(current->vm, addr, len,
			     flags & MLOCK_ONFAULT ? VM_LOCK_MASK : VM_LOCKED, lock_limit());
}

long sys_mlock(uaddr_t addr, size_t len)
{
	return sys_mlock2(addr, len, 0);
}

long sys_munlock(uaddr_t addr, size_t len)
{
	return vm_lock_range(current->vm, addr, len, 0, 0);
}

long sys_mlockall(int flags)
{
	uint lock = flags & MCL_ONFAULT ? VM_LOCK_MASK : VM_LOCKED;

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!lock_limit())
		return -EPERM;
	return vm_lock_all(current->vm, flags & MCL_CURRENT ? lock : 0,
			   flags & MCL_FUTURE ? lock : 0, lock_limit());
}

long sys_munlockall(void)
{
	vm_unlock_all(current->vm);
	return 0;
}

long sys_mincore(uaddr_t addr, size_t len, uaddr_t uvec)
{
	size_t npages = ALIGN_UP(len, PAGE_SIZE) >> PAGE_SHIFT;
	u8 vec[256];

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (len > USER_END || addr > USER_END - len)
		return -ENOMEM;
	if (npages > USER_END || uvec > USER_END - npages)
		return -EFAULT;
	while (npages) {
		size_t n = min(npages, sizeof(vec));
		int r = vm_mincore(current->vm, addr, n, vec);

		if (r)
			return r;
		if (copy_to_user(uvec, vec, n))
			return -EFAULT;
		npages -= n;
		addr += n << PAGE_SHIFT;
		uvec += n;
	}
	return 0;
}

struct cachestat_range {
	u64 off, len;
};
struct cachestat {
	u64 nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted;
};

static void count_pages(struct vm_object *obj, const struct cachestat_range *range,
			struct cachestat *st)
{
	u64 last = range->len ? (range->off + range->len - 1) >> PAGE_SHIFT : U64_MAX;
	u64 first = range->off >> PAGE_SHIFT;

	while (vm_object_count(obj, &first, last, &st->nr_cache, &st->nr_dirty) &&
	       !fatal_signal_pending())
		cond_resched();
}

/* Nothing is ever written back unseen or evicted with a trace: those numbers are 0. */
long sys_cachestat(fd_t fd, uaddr_t urange, uaddr_t buf, uint flags)
{
	struct cachestat st = { 0 };
	struct cachestat_range range;
	struct fd f = fdget(fd);
	long r = 0;

	if (!f.file)
		return -EBADF;
	if (get_user_obj(&range, urange))
		r = -EFAULT;
	else if (flags)
		r = -EINVAL;
	if (!r && S_ISREG(f.file->inode->mode) && f.file->inode->object.ops)
		count_pages(&f.file->inode->object, &range, &st);
	fdput(f);
	return r ? r : put_user_obj(buf, &st);
}

/* ---- another process's memory ---- */

#define UIO_MAX 1024
#define CHUNK	1024

/* Move bytes between a local and a remote piece through a kernel buffer; returns bytes moved. */
static size_t copy_remote(struct vm *vm, uaddr_t remote, struct iov_iter *local, size_t n,
			  bool write)
{
	char buf[CHUNK];
	size_t done = 0;

	while (done < n) {
		size_t part = min(n - done, sizeof(buf));
		ssize_t got;

		if (write) {
			part = iov_iter_from(local, buf, part);
			got = part ? vm_access(vm, remote + done, buf, part, true, false) : 0;
		} else {
			got = vm_access(vm, remote + done, buf, part, false, false);
			if (got > 0)
				got = (ssize_t)iov_iter_to(local, buf, (size_t)got);
		}
		if (got <= 0)
			break;
		done += (size_t)got;
		if ((size_t)got < part || fatal_signal_pending())
			break;
		cond_resched();
	}
	return done;
}

static int read_iov(uaddr_t uiov, ulong n, struct iovec_u *iov, size_t *total)
{
	if (n > UIO_MAX)
		return -EINVAL;
	if (copy_from_user(iov, uiov, n * sizeof(*iov)))
		return -EFAULT;
	*total = 0;
	for (ulong i = 0; i < n; i++) {
		if ((s64)iov[i].len < 0)
			return -EINVAL;
		*total += iov[i].len;
	}
	return 0;
}

static long process_vm_rw(struct vm *vm, struct iovec_u *local, ulong nlocal, size_t llen,
			  const struct iovec_u *remote, ulong nremote, bool write)
{
	struct iov_iter it;
	size_t done = 0;

	iov_iter_init(&it, local, (uint)nlocal, llen);
	for (ulong i = 0; i < nremote && it.count; i++) {
		size_t want = min(remote[i].len, it.count),
		       got = copy_remote(vm, remote[i].base, &it, want, write);

		done += got;
		if (got < want)
			break;
	}
	return done || !llen ? (long)done : -EFAULT;
}

/* The memory of @pid, if current may look into it: one's own always. ERR_PTR(-ESRCH, -EPERM). */
static struct vm *traced_vm(pid_t pid)
{
	struct task *t = task_find_get(pid);
	struct vm *vm;

	if (!t)
		return ERR_PTR(-ESRCH);
	vm = t->vm == current->vm ? task_vm_get(current)
				  : ptrace_vm_get(t, PTRACE_MODE_ATTACH_REALCREDS);
	task_put(t);
	return vm ? vm : ERR_PTR(-ESRCH);
}

static long process_vm(pid_t pid, uaddr_t ulocal, ulong nlocal, uaddr_t uremote, ulong nremote,
		       ulong flags, bool write)
{
	struct iovec_u *iov;
	size_t llen, rlen;
	struct vm *vm;
	long r;

	if (flags || nlocal > UIO_MAX || nremote > UIO_MAX)
		return -EINVAL;
	iov = kmalloc(max((nlocal + nremote) * sizeof(*iov), sizeof(*iov)), 0);
	if (!iov)
		return -ENOMEM;
	r = read_iov(ulocal, nlocal, iov, &llen);
	if (r || !llen)
		goto out;
	r = read_iov(uremote, nremote, iov + nlocal, &rlen);
	if (r || !rlen)
		goto out;
	vm = traced_vm(pid);
	r = PTR_ERR(vm);
	if (IS_ERR(vm))
		goto out;
	r = process_vm_rw(vm, iov, nlocal, llen, iov + nlocal, nremote, write);
	vm_put(vm);
out:
	kfree(iov);
	return r;
}

long sys_process_vm_readv(pid_t pid, uaddr_t local, ulong nlocal, uaddr_t remote, ulong nremote,
			  ulong flags)
{
	return process_vm(pid, local, nlocal, remote, nremote, flags, false);
}

long sys_process_vm_writev(pid_t pid, uaddr_t local, ulong nlocal, uaddr_t remote, ulong nremote,
			   ulong flags)
{
	return process_vm(pid, local, nlocal, remote, nremote, flags, true);
}

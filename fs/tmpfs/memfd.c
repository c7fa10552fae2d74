/* SPDX-License-Identifier: MIT */
/*
 * memfd_create(2) and seals.
 *
 * Seals live on the inode. Every operation that a seal forbids checks it under the inode's lock (write), and F_ADD_SEALS
 * adds under the same lock: when it has returned, no write, truncation or allocation it forbids is under way. Whether a
 * shared mapping exists that may become writable is read off the list of the object's mappings; mmap
 * checks and maps under the same lock (syscall/sys_mm.c).
 * Source: memfd_create(2), fcntl(2) "File Sealing".
 */
#include <fs/internal.h>
#include <fs/tmpfs/tmpfs.h>
#include <mm/vm.h>
#include <uapi/mman.h>

#define MFD_NAME_MAX 249

static struct super *memfd_super;

/* Does a shared mapping exist that is or may become writable? */
static bool has_writable_maps(struct inode *inode)
{
	struct vma *vma;
	bool yes = false;

	spin_lock(&inode->object.lock);
	list_for_each_entry(vma, &inode->object.maps, object_link)
		yes |= (vma->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
	spin_unlock(&inode->object.lock);
	return yes;
}

int memfd_check_mmap(struct file *f, unsigned int prot, unsigned int flags, unsigned int *maxflags)
{
	u32 seals = READ_ONCE(f->inode->seals);
	bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;

	if (!shared || !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return 0;
	if (prot & PROT_WRITE)
		return -EPERM;
	*maxflags &= ~VM_MAYWRITE;
	return 0;
}

static long add_seals(struct file *f, u32 seals)
{
	struct inode *inode = f->inode;
	long r = 0;

	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if (seals & ~F_SEAL_ALL)
		return -EINVAL;
	rwsem_down_write(&inode->lock);
	if (inode->seals & F_SEAL_SEAL)
		r = -EPERM;
	else if ((seals & F_SEAL_WRITE) && !(inode->seals & F_SEAL_WRITE) &&
		 has_writable_maps(inode))
		r = -EBUSY;
	else
		inode->seals |= seals;
	/* An executable whose x bits are frozen is not to be changed either. */
	if (!r && (seals & F_SEAL_EXEC) && (inode->mode & S_IXUGO))
		inode->seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	rwsem_up_write(&inode->lock);
	return r;
}

int memfd_fcntl(struct file *f, unsigned int cmd, unsigned long arg, long *ret)
{
	if (cmd == F_ADD_SEALS)
		*ret = add_seals(f, (u32)arg);
	else if (cmd == F_GET_SEALS)
		*ret = READ_ONCE(f->inode->seals);
	else
		return -ENOTTY;
	return 0;
}

static int memfd_fill(struct super *sb, const char *source, const char *data)
{
	return tmpfs_fill(sb, source, "size=0,nr_inodes=0");
}

static struct fs_type memfd_type = { .name = "tmpfs", .nodev = true, .fill = memfd_fill };

static struct super *anon_super(void)
{
	struct super *sb, *none = NULL;

	if (memfd_super)
		return memfd_super;
	sb = super_create(&memfd_type, NULL, NULL);
	if (IS_ERR(sb))
		return sb;
	if (!__atomic_compare_exchange_n(&memfd_super, &none, sb, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		super_put(sb);
	return memfd_super;
}

struct file *tmpfs_anon_file(const char *name, u32 mode, const struct file_ops *ops)
{
	struct super *sb = anon_super();
	struct inode *inode;
	struct file *f;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	inode = tmpfs_new_inode(sb, NULL, S_IFREG | mode, 0);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	inode->nlink = 0;
	f = anon_inode_file(inode, name, ops, NULL, O_RDWR | O_LARGEFILE);
	/* As on Linux, this descriptor is no writer that would keep fexecve() out; one opened through /proc/PID/fd is. */
	if (!IS_ERR(f))
		f->mode = (f->mode & ~FMODE_NOPOS) | FMODE_LSEEK | FMODE_PREAD;
	return f;
}

struct file *memfd_create(const char *name, unsigned int flags)
{
	char text[MFD_NAME_MAX + 24];
	struct file *f;

	if (flags & MFD_HUGETLB)
		flags &= ~MFD_HUGE_SIZE;
	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC))
		return ERR_PTR(-EINVAL);
	if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
		return ERR_PTR(-EINVAL);
	if (flags & MFD_HUGETLB)
		return ERR_PTR(-ENOSYS);
	if (strlen(name) > MFD_NAME_MAX)
		return ERR_PTR(-EINVAL);
	snprintf(text, sizeof(text), "/memfd:%s (deleted)", name);
	f = tmpfs_anon_file(text, flags & MFD_NOEXEC_SEAL ? 0666 : 0777, &tmpfs_file_ops);
	if (IS_ERR(f))
		return f;
	if (flags & MFD_NOEXEC_SEAL)
		f->inode->seals = F_SEAL_EXEC;
	else if (flags & MFD_ALLOW_SEALING)
		f->inode->seals = 0;
	return f;
}

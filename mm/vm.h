/* SPDX-License-Identifier: MIT */
/*
 * Address spaces.
 *
 * struct vm is what threads of a process share. Its mappings (struct vma) live in a red-black tree by address. A mapping
 * shows an object (struct vm_object: a file's pages, or shared anonymous memory) or is private anonymous (object NULL).
 *
 * Locking: vm->lock (sleeping rwlock): read for faults and look-ups, write for changes of the tree. vm->pt_lock (spin) for
 * page-table changes, inside vm->lock. object->lock (spin) inside both. Never touch user memory with vm->lock held.
 */
#ifndef MM_VM_H
#define MM_VM_H

#include <hal/paging.h>
#include <lock.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/xarray.h>
#include <mm/page.h>

/* vma->flags */
#define VM_READ	     0x1u
#define VM_WRITE     0x2u
#define VM_EXEC	     0x4u
#define VM_SHARED    0x8u
#define VM_MAYREAD   0x10u /* what mprotect may grant */
#define VM_MAYWRITE  0x20u
#define VM_MAYEXEC   0x40u
#define VM_GROWSDOWN 0x80u
#define VM_LOCKED    0x100u
#define VM_DONTFORK  0x200u
#define VM_WIPEONFORK 0x400u
#define VM_NORESERVE 0x800u
#define VM_HEAP	     0x1000u /* name in /proc/PID/maps */
#define VM_STACK     0x2000u
#define VM_VDSO	     0x4000u /* its code or its data: no file */
#define VM_DONTDUMP  0x8000u
#define VM_LOCKONFAULT 0x10000u /* with VM_LOCKED: pages are not brought in beforehand */
#define VM_SEALED    0x20000u /* mseal */
#define VM_DROPPABLE 0x40000u /* MAP_DROPPABLE */
#define VM_LOCK_MASK (VM_LOCKED | VM_LOCKONFAULT)
#define VM_PROBE_SLOTS 0x100000u /* [uprobes]: displaced instructions; the kernel alone writes there */

/* vm->dump_filter: which mappings go into a core file. Source: core(5). */
#define COREDUMP_ANON_PRIVATE	1u
#define COREDUMP_ANON_SHARED	2u
#define COREDUMP_MAPPED_PRIVATE 4u
#define COREDUMP_MAPPED_SHARED	8u
#define COREDUMP_ELF_HEADERS	16u
#define COREDUMP_DEFAULT	0x33u /* with the bit for huge pages, as Linux starts */
#define COREDUMP_ALL		0x1ffu

struct vm_object;

/** mm_register_shrinker() - @fn frees what it can and returns pages freed; called in task context when memory is short. */
void mm_register_shrinker(u64 (*fn)(void));
/** mm_shrink() - have what is only kept for later use given back, a part of it. May sleep. Return: something was. */
bool mm_shrink(void);

struct vm_object_ops {
	/*
	 * Find or make the page at @index; returned with a reference. @write: the page will be written through a
	 * shared mapping. -EFAULT: past the end of the file (SIGBUS, BUS_ADRERR); -ENOMEM; -EIO. May sleep.
	 */
	int (*get_page)(struct vm_object *obj, u64 index, bool write, struct page **out);
	/* After a page was entered writable into a shared mapping: it may differ from the disk's. NULL: there is no disk. */
	void (*page_dirty)(struct vm_object *obj, struct page *page);
	/* msync: write pages [first, last] back. No lock held. 0 or -EIO. NULL: as above. */
	int (*sync)(struct vm_object *obj, u64 first, u64 last);
	/* Reference on what keeps the object alive (struct file *); one per mapping. */
	void (*owner_get)(void *owner);
	void (*owner_put)(void *owner);
	/* For /proc/PID/maps: path (may end in " (deleted)"), device, inode. */
	void (*describe)(void *owner, char *buf, size_t size, u64 *dev, u64 *ino);
	/*
	 * Shared mappings that are or may become writable, counted exactly (memfd seals). get: a new one, may be refused
	 * (-EPERM); dup: a copy of one that exists (fork, split); put: one goes. All NULL: not counted.
	 */
	int (*writable_get)(struct vm_object *obj);
	void (*writable_dup)(struct vm_object *obj);
	void (*writable_put)(struct vm_object *obj);
	/* MADV_REMOVE: make @len bytes at @off a hole. 0 or -Exxx. NULL: cannot, unless sparse. May sleep. */
	int (*remove)(void *owner, u64 off, u64 len);
	/* mincore: may current know which pages are in memory? May sleep. NULL: yes. */
	bool (*may_probe)(void *owner);
	bool sparse; /* a page that is not in the object is all zeros */
};

struct vm_object {
	const struct vm_object_ops *ops;
	struct spinlock lock; /* pages, maps */
	struct xarray pages;  /* index -> struct page (one reference each) */
	u64 npages;	      /* in pages */
	struct list maps;     /* vma->object_link of all mappings */
};
extern const struct xa_ops kernel_xa_ops; /* xarray nodes from the slab, GFP_ATOMIC */
void vm_object_init(struct vm_object *obj, const struct vm_object_ops *ops);
/** vm_object_find() - the cached page with a reference, or NULL. */
struct page *vm_object_find(struct vm_object *obj, u64 index);
/** vm_object_insert() - add @page unless one is there; *out is the winner, with a reference for the caller. 0 or -ENOMEM. */
int vm_object_insert(struct vm_object *obj, u64 index, struct page *page, struct page **out);
/** vm_object_count() - add how many of the pages [*first, last] there are, and are dirty. Return: true: go on at the *first that is there now. */
bool vm_object_count(struct vm_object *obj, u64 *first, u64 last, u64 *npages, u64 *ndirty);
/** vm_object_truncate() - drop pages [first, last], unmapping them everywhere (private copies of shared-file pages too, as truncate does). May sleep. */
void vm_object_truncate(struct vm_object *obj, u64 first, u64 last);
/** vm_object_unmap_shared() - take pages [first, last] out of all shared mappings: the next access faults. May sleep. */
void vm_object_unmap_shared(struct vm_object *obj, u64 first, u64 last);

struct vma {
	struct rb_node node; /* w: vm->lock */
	struct vm *vm;
	uaddr_t start, end;	  /* w */
	unsigned int flags;	  /* w: VM_* */
	struct vm_object *object; /* NULL: private anonymous */
	void *owner;		  /* struct file * of ops */
	u64 pgoff;		 /* page index in object of start; anonymous: start >> PAGE_SHIFT */
	struct list object_link; /* object->lock */
	u64 zap_stamp;		 /* object->lock: truncation that visited it last */
};

/*
 * Breakpoints in program text (kernel/uprobe.c), told of what happens to mappings. vm->lock held for writing, but in gone().
 * mapped() is called only while vm_probes_wanted, the others only for an address space with vm->probes.
 */
struct vm_probes;
struct vm_probe_ops {
	void (*mapped)(struct vm *vm, uaddr_t start,
		       uaddr_t end); /* file pages came to [start, end) */
	void (*unmapped)(struct vm *vm, uaddr_t start, uaddr_t end);
	int (*forked)(struct vm *child, struct vm *parent); /* 0 or -ENOMEM */
	void (*gone)(struct vm *vm);
};
extern const struct vm_probe_ops *vm_probe_ops; /* set before the first probe, for good */
/* The last user of an address space with vm->aio goes. Set before the first has any, for good. */
extern void (*vm_aio_gone)(struct vm *vm);
/* vm.max_map_count; vm.overcommit_memory: 1: no mapping is refused for its size. */
extern u32 vm_max_maps, vm_overcommit;
extern u32 vm_probes_wanted; /* atomic: number of probes */

/* The auxiliary vector as the program found it. Constant; shared with children until they call exec. */
struct vm_auxv {
	refcount_t refs;
	unsigned int n; /* words */
	u64 word[48];
};

struct vm {
	refcount_t users;
	u64 id; /* no other address space ever had it; constant */
	struct rwsem lock;
	struct spinlock pt_lock;
	struct rwsem
		unmap_lock;    /* held for reading by munmap while it clears a table without lock */
	struct list unmapping; /* pt_lock: the ranges it clears; added with lock held for writing */
	struct hal_pt pt;
	struct rb_root vmas; /* lock */
	struct vma *cached;  /* last found; hint, lock */
	unsigned int nvmas;
	u64 total_pages, locked_pages, data_pages, stack_pages, exec_pages; /* lock */
	u64 rss_anon, rss_file;						    /* atomic */
	u64 rss_peak, total_peak;					    /* total_peak: lock */
	uaddr_t mmap_top; /* allocation goes down from here */
	uaddr_t gap_from; /* lock: no gap above this is larger than gap_above; 0: nothing known */
	size_t gap_above; /* lock */
	/* Room above the stack, in the same table of page-table entries, for small mappings. lock. */
	uaddr_t small_from, small_end; /* equal: there is none */
	size_t small_max;	       /* larger ones did not fit when last tried */
	uaddr_t brk_start, brk;
	uaddr_t code_start, code_end, data_start, data_end, stack_start;
	uaddr_t arg_start, arg_end, env_start, env_end;
	uaddr_t vdso;
	struct vm_auxv *auxv; /* NULL before exec has made it */
	void *exe; /* struct file * of the program, owned reference (fs puts it through vm_exe_put hook) */
	void (*exe_get)(void *exe);
	void (*exe_put)(void *exe);
	void *aio;		  /* contexts of asynchronous I/O: fs/aio.c's lock */
	struct vm_probes *probes; /* w: lock; read anywhere. NULL: has none and never had */
	u32 lock_future;	  /* mlockall(MCL_FUTURE): VM_LOCK_MASK of what will be mapped */
	bool has_seals;		  /* lock: some mapping is, or was, VM_SEALED */
	u64 cids[(CONFIG_NR_CPUS + 63) /
		 64]; /* atomic: mm_cids that threads on CPUs have (kernel/rseq.h) */
	u8 dumpable; /* DUMPABLE_* (kernel/coredump.h): whether a core is written, and who may look */
	u32 dump_filter;   /* atomic: COREDUMP_* of /proc/PID/coredump_filter */
	u8 mdwe;	   /* PR_MDWE_*: what is not executable stays so */
	bool thp_disabled; /* PR_SET_THP_DISABLE */
	u64 rlimit_as, rlimit_data, rlimit_stack,
		rlimit_memlock; /* mirrored from the process by exec/prlimit */
};

/** vm_create() - an empty address space with one user. NULL/ERR: -ENOMEM. */
struct vm *vm_create(void);
void vm_get(struct vm *vm);
/** vm_put() - drop a user; the last one unmaps everything. May sleep. */
void vm_put(struct vm *vm);
/** vm_fork() - a copy-on-write copy. ERR_PTR(-ENOMEM). */
struct vm *vm_fork(struct vm *vm);
/** vm_inherit_policy() - what fork and exec keep of PR_SET_MDWE and PR_SET_THP_DISABLE. */
void vm_inherit_policy(struct vm *to, const struct vm *from);
/** vm_activate() - make @vm (NULL: none) this CPU's address space. Interrupts off; scheduler and exec. */
void vm_activate(struct vm *vm);

/** vm_small_room() - [from, end) above the stack is for small mappings. Before the address space is used. */
void vm_small_room(struct vm *vm, uaddr_t from, uaddr_t end);
/**
 * vm_map() - mmap. @addr 0: choose; @flags: MAP_* of Linux, @prot PROT_*; @object NULL: anonymous. Takes its own owner reference.
 * @maxflags: VM_MAY* the owner allows. Return: address or -Exxx as mmap(2).
 */
long vm_map(struct vm *vm, uaddr_t addr, size_t len, unsigned int prot, unsigned int flags,
	    struct vm_object *object, void *owner, u64 pgoff, unsigned int maxflags,
	    unsigned int extra_vm_flags);
int vm_unmap(struct vm *vm, uaddr_t addr, size_t len);
int vm_protect(struct vm *vm, uaddr_t addr, size_t len, unsigned int prot);
long vm_remap(struct vm *vm, uaddr_t old, size_t old_len, size_t new_len, unsigned int flags,
	      uaddr_t new_addr, u64 lock_limit);
/** vm_remap_file() - replace [addr, addr + len), part of shared mappings of one object, by a mapping of its pages from @pgoff on. 0, -EINVAL, -ENOMEM, -EPERM. */
int vm_remap_file(struct vm *vm, uaddr_t addr, size_t len, u64 pgoff, bool populate_it);
long vm_brk(struct vm *vm, uaddr_t brk, u64 lock_limit);
int vm_advise(struct vm *vm, uaddr_t addr, size_t len, int advice);
/** vm_lock_range() - mlock, munlock; @lock: VM_LOCKED, perhaps VM_LOCKONFAULT; 0: unlock; @limit in bytes (U64_MAX: none). Return: 0, -ENOMEM (limit, or not all mapped), -EINVAL. */
int vm_lock_range(struct vm *vm, uaddr_t addr, size_t len, unsigned int lock, u64 limit);
/** vm_lock_all() - mlockall: flags for what is mapped now (0: leave it) and for what will be. vm_unlock_all() - munlockall. */
int vm_lock_all(struct vm *vm, unsigned int now, unsigned int future, u64 limit);
/** vm_seal() - mseal: no change of these mappings any more. 0, -ENOMEM (not all mapped), -EINVAL. */
int vm_seal(struct vm *vm, uaddr_t addr, size_t len);
void vm_unlock_all(struct vm *vm);
int vm_sync(struct vm *vm, uaddr_t addr, size_t len, unsigned int flags);
/** vm_mincore() - one byte per page into @vec (kernel memory). */
int vm_mincore(struct vm *vm, uaddr_t addr, size_t npages, u8 *vec);
/** vm_find() - the mapping that contains @addr, or NULL. vm->lock held (read). vm_next(): in address order; first with NULL. */
struct vma *vm_find(struct vm *vm, uaddr_t addr);
struct vma *vm_next(struct vm *vm, struct vma *prev);
/** vm_find_from() - the first mapping that ends above @addr. */
struct vma *vm_find_from(struct vm *vm, uaddr_t addr);

/* What became of a fault. */
enum vm_fault {
	VM_FAULT_OK,
	VM_FAULT_MAPERR, /* SIGSEGV, SEGV_MAPERR */
	VM_FAULT_ACCERR, /* SIGSEGV, SEGV_ACCERR */
	VM_FAULT_BUS,	 /* SIGBUS, BUS_ADRERR */
	VM_FAULT_OOM,	 /* the process must die */
};
/** vm_handle_fault() - resolve a fault of the current task at @addr. @access: UCTX_READ/WRITE/EXEC. @user_sp: for stack growth checks (unused: 0). May sleep. */
enum vm_fault vm_handle_fault(struct vm *vm, uaddr_t addr, unsigned int access);

/** vm_access() - read or write another address space (ptrace, /proc/PID/mem, process_vm_*). @force: ignore rights as ptrace does.
 *  Returns bytes done (may be short). Breaks COW for writes. May sleep. */
ssize_t vm_access(struct vm *vm, uaddr_t addr, void *buf, size_t len, bool write, bool force);

/* What a core file or a debugger wants to know of one mapping. */
struct vm_area {
	uaddr_t start, end;
	unsigned int flags; /* VM_* */
	bool mapped_file;   /* shows an object: a file, or shared anonymous memory */
	bool unlinked;	    /* ... that has no name in any directory */
	bool written;	    /* pages of its own (private) are present */
	u64 pgoff;
	size_t name; /* offset in the caller's buffer of names */
};
/**
 * vm_areas() - describe all mappings. @areas: room for @n; @names: their files' names, each with its NUL, in @size bytes.
 * Context: may sleep. Return: how many mappings there are (the caller tries again if more than @n), or -ENOSPC: @names is too small.
 */
long vm_areas(struct vm *vm, struct vm_area *areas, size_t n, char *names, size_t size);
/**
 * vm_dump_page() - the first page at or after *@addr, below @end (in one mapping), that is not known to be zero, with a reference; *@addr
 * becomes its address. Nothing is made for it: what was never touched is passed over. NULL: there is none. May sleep.
 */
struct page *vm_dump_page(struct vm *vm, uaddr_t *addr, uaddr_t end);

/* What the pages that a mapping has entered are; in pages, pss in 1/4096 page. */
struct vm_usage {
	u64 rss, pss, pss_dirty, anon, locked;
	u64 shared_clean, shared_dirty, private_clean, private_dirty;
};
/** vm_add_usage() - add those of @vma to @u. vm->lock held for reading. */
void vm_add_usage(struct vm *vm, struct vma *vma, struct vm_usage *u);
/**
 * vm_pagemap() - what is entered at @n pages from @addr on: entries of /proc/PID/pagemap, with page numbers if @pfns.
 * Context: may sleep. Source: Linux Documentation/admin-guide/mm/pagemap.rst.
 */
void vm_pagemap(struct vm *vm, uaddr_t addr, u64 *entries, size_t n, bool pfns);
/** vm_pin_page_locked() - the page of @vma at @addr, brought in and made @vma's own for @write, with a reference; NULL: cannot be. @force: as vm_access(). vm->lock held. */
struct page *vm_pin_page_locked(struct vm *vm, struct vma *vma, uaddr_t addr, bool write,
				bool force);
/**
 * vm_write_text() - replace @n bytes at @addr, on one page of the private mapping @vma, by @code, whatever the rights: a changed copy takes the
 * page's place, so that a CPU executes either what was there or all of the new. vm->lock held. 0 or -ENOMEM.
 */
int vm_write_text(struct vm *vm, struct vma *vma, uaddr_t addr, const void *code, size_t n);
/** vm_map_probe_slots() - room for @len bytes of displaced instructions, VM_PROBE_SLOTS. vm->lock held for writing. Return: address or -ENOMEM. */
long vm_map_probe_slots(struct vm *vm, size_t len);

/** vm_install_page() - enter an anonymous page at an empty address of a writable private mapping; takes a reference of its own. 0 or -ENOMEM. */
int vm_install_page(struct vm *vm, uaddr_t addr, struct page *page);

/** vm_pin_page() - the page at a user address, resident (and writable if @write), with a reference: futex keys, direct I/O. ERR_PTR(-EFAULT). */
struct page *vm_pin_page(struct vm *vm, uaddr_t addr, bool write);

/**
 * vm_futex_key() - what identifies the word at @addr: for a private mapping (vm, addr), for a shared one (object, index, offset).
 */
struct futex_key {
	const void *base;
	u64 offset;
};
int vm_futex_key(struct vm *vm, uaddr_t addr, bool shared, struct futex_key *key);

#endif

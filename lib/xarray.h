/* SPDX-License-Identifier: MIT */
/*
 * A sparse array from u64 index to pointer, as a radix tree of 64-way nodes.
 *
 * For page caches (index: page number in the file) and large tables (file descriptors, pids).
 * Lookup costs one step for each 6 bits of the largest index in use; dense ranges share nodes.
 *
 *	xa_init(&cache, &xa_slab_ops);
 *	err = xa_store(&cache, index, page);
 *	page = xa_load(&cache, index);
 *	xa_for_each(&cache, index, page)
 *		...
 *	xa_destroy(&cache);
 *
 * An entry may carry marks (dirty, under writeback): searching for marked entries skips whole
 * subtrees. Entries are never NULL: NULL is "nothing there".
 *
 * Memory: nodes come from the user's struct xa_ops, because lib/ cannot allocate.
 * Locking: none; whoever owns the array serialises. Readers take the lock too.
 */
#ifndef LIB_XARRAY_H
#define LIB_XARRAY_H

#include <compiler.h>
#include <types.h>

#define XA_SHIFT	6
#define XA_SLOTS	(1u << XA_SHIFT)
#define XA_MARKS	3

/* Where nodes come from. All nodes have the same size, sizeof(struct xa_node). */
struct xa_ops {
	void *(*alloc)(size_t size); /* memory of any content, 8-byte aligned, or NULL */
	void (*free)(void *node, size_t size);
};

struct xa_node {
	struct xa_node *parent; /* NULL: the root */
	u8 shift;		/* a slot stands for 1 << shift indices; 0: slots are entries */
	u8 offset;		/* which slot of the parent this is */
	u64 present;		/* slots that are not NULL */
	u64 full;		/* slots under which no index is free */
	u64 marked[XA_MARKS];	/* slots that are, or have below them, marked entries */
	void *slots[XA_SLOTS];
};

struct xarray {
	struct xa_node *root;
	const struct xa_ops *ops;
};

#define XARRAY_INIT(ops)	{ NULL, (ops) }

static inline void xa_init(struct xarray *xa, const struct xa_ops *ops)
{
	xa->root = NULL;
	xa->ops = ops;
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !xa->root;
}

/* The entry at @index, NULL when there is none. */
void *xa_load(const struct xarray *xa, u64 index);

/**
 * xa_store - put an entry at an index, over what was there
 * @xa: the array
 * @index: any value
 * @entry: the entry; NULL erases, which cannot fail
 *
 * The marks of an entry that is overwritten are kept.
 * Context: that of the xa_ops.
 * Return: 0, or -ENOMEM with the array unchanged.
 */
int __must_check xa_store(struct xarray *xa, u64 index, void *entry);

/* As xa_store, but -EBUSY when there is an entry already. */
int __must_check xa_insert(struct xarray *xa, u64 index, void *entry);

/**
 * xa_alloc - put an entry at the lowest free index of a range
 * @xa: the array
 * @index: where to store the index that was chosen
 * @entry: the entry, not NULL
 * @first: lowest index to choose
 * @last: highest index to choose
 *
 * Return: 0, -EBUSY when all are taken, -ENOMEM.
 */
int __must_check xa_alloc(struct xarray *xa, u64 *index, void *entry, u64 first, u64 last);

/* Take the entry at @index out, with its marks, and return it; NULL when there was none. */
void *xa_erase(struct xarray *xa, u64 index);

/* Free all nodes. The entries are not touched: visit them before. */
void xa_destroy(struct xarray *xa);

/* The first entry from *@index to @last; its index goes to *@index. NULL when there is none. */
void *xa_find(const struct xarray *xa, u64 *index, u64 last);

/* The same for entries that carry @mark. */
void *xa_find_marked(const struct xarray *xa, u64 *index, u64 last, unsigned int mark);

/* The first index from *@index to @last without an entry goes to *@index; false: all are taken. */
bool xa_find_free(const struct xarray *xa, u64 *index, u64 last);

/* Marks 0 to XA_MARKS - 1 of the entry at @index; without an entry nothing is set, false read. */
void xa_set_mark(struct xarray *xa, u64 index, unsigned int mark);
void xa_clear_mark(struct xarray *xa, u64 index, unsigned int mark);
bool xa_get_mark(const struct xarray *xa, u64 index, unsigned int mark);

/* Whether any entry carries @mark. */
static inline bool xa_marked(const struct xarray *xa, unsigned int mark)
{
	return xa->root && xa->root->marked[mark];
}

/*
 * Visit entries in the order of their index; @index is a u64 variable. The body may store and
 * erase: the next step searches again from the index.
 */
#define xa_for_each(xa, index, entry)	xa_for_each_range(xa, index, entry, 0, U64_MAX)

#define xa_for_each_range(xa, index, entry, first, last)				\
	for ((index) = (first), (entry) = xa_find(xa, &(index), last); (entry);		\
	     (entry) = (index) < (last) ? ((index)++, xa_find(xa, &(index), last)) : NULL)

#define xa_for_each_marked(xa, index, entry, first, last, mark)				\
	for ((index) = (first), (entry) = xa_find_marked(xa, &(index), last, mark); (entry); \
	     (entry) = (index) < (last) ?						\
		((index)++, xa_find_marked(xa, &(index), last, mark)) : NULL)

#endif /* LIB_XARRAY_H */

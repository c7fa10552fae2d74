/* SPDX-License-Identifier: MIT */
/*
 * Intrusive red-black trees: ordered sets with O(log n) insert, find and erase, and O(1) first.
 *
 * The element embeds a struct rb_node; the comparison is passed to the inline helpers and inlined:
 *
 *	static bool vma_less(const struct rb_node *a, const struct rb_node *b)
 *	{
 *		return rb_entry(a, struct vma, node)->start < rb_entry(b, struct vma, node)->start;
 *	}
 *	rb_add(&mm->vmas, &vma->node, vma_less);
 *
 * An augmented tree keeps in each element a summary of its subtree (say, the largest gap). Its
 * owner passes `update`, which recomputes one node's summary from the node itself and its two
 * children, to the _augmented functions; all changes to one tree then use the same `update`, and
 * rb_propagate() is called after a node's own contribution changed.
 *
 * Equal keys are allowed: a new node goes behind its equals.
 * Locking: none; whoever owns the tree serialises.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include <compiler.h>
#include <types.h>

struct rb_node {
	unsigned long parent_colour; /* parent's address; bit 0: the node is black */
	struct rb_node *left;
	struct rb_node *right;
};

struct rb_root {
	struct rb_node *node;
	struct rb_node *leftmost;
};

#define RB_ROOT_INIT		{ NULL, NULL }

#define rb_entry(ptr, type, member)	container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) ({					\
	struct rb_node *__rbn = (ptr);						\
	__rbn ? rb_entry(__rbn, type, member) : NULL; })

static inline void rb_root_init(struct rb_root *root)
{
	root->node = NULL;
	root->leftmost = NULL;
}

static inline bool rb_empty(const struct rb_root *root)
{
	return !root->node;
}

/* Mark @node as in no tree; rb_node_linked() tells. rb_erase() does not mark. */
static inline void rb_node_init(struct rb_node *node)
{
	node->parent_colour = (unsigned long)node;
}

static inline bool rb_node_linked(const struct rb_node *node)
{
	return node->parent_colour != (unsigned long)node;
}

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_colour & ~1UL);
}

/* Smallest and largest node; NULL in an empty tree. */
static inline struct rb_node *rb_first(const struct rb_root *root)
{
	return root->leftmost;
}

struct rb_node *rb_last(const struct rb_root *root);

/* In-order neighbours; NULL past the end. */
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/**
 * rb_insert_at - link a node at a place that a descent found, and rebalance
 * @root: the tree
 * @node: the new node, in no tree
 * @parent: the node to hang it under; NULL in an empty tree
 * @link: &@parent->left or &@parent->right, or &@root->node: the NULL pointer that @node replaces
 * @update: the tree's summary function, or NULL
 *
 * For callers whose descent is their own; others use rb_add().
 */
void rb_insert_at(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
		  struct rb_node **link, void (*update)(struct rb_node *));

/**
 * rb_erase_augmented - take a node out
 * @root: the tree that @node is in
 * @node: the node; its memory is the caller's again
 * @update: the tree's summary function, or NULL
 */
void rb_erase_augmented(struct rb_root *root, struct rb_node *node,
			void (*update)(struct rb_node *));

/* Put @new in the place of @old; both sort alike. Summaries are copied by the caller, if any. */
void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *new);

/* Recompute the summaries from @node up to the root, after @node's own contribution changed. */
static inline void rb_propagate(struct rb_node *node, void (*update)(struct rb_node *))
{
	for (; node; node = rb_parent(node))
		update(node);
}

static inline void rb_erase(struct rb_root *root, struct rb_node *node)
{
	rb_erase_augmented(root, node, NULL);
}

/* Insert @node in the order of @less(a, b): whether a sorts before b. */
static __always_inline void rb_add_augmented(struct rb_root *root, struct rb_node *node,
					     bool (*less)(const struct rb_node *,
							  const struct rb_node *),
					     void (*update)(struct rb_node *))
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->left : &parent->right;
	}
	rb_insert_at(root, node, parent, link, update);
}

static __always_inline void rb_add(struct rb_root *root, struct rb_node *node,
				   bool (*less)(const struct rb_node *, const struct rb_node *))
{
	rb_add_augmented(root, node, less, NULL);
}

/*
 * Searches. @cmp(key, node) is negative when the key sorts before the node, 0 when equal, positive
 * when after. All return NULL when there is none.
 */

/* A node equal to @key. */
static __always_inline struct rb_node *rb_find(const struct rb_root *root, const void *key,
					       int (*cmp)(const void *key, const struct rb_node *))
{
	struct rb_node *node = root->node;

	while (node) {
		int c = cmp(key, node);

		if (c == 0)
			return node;
		node = c < 0 ? node->left : node->right;
	}
	return NULL;
}

/* The first node that does not sort before @key: the first equal one, or the next after it. */
static __always_inline struct rb_node *rb_find_ge(const struct rb_root *root, const void *key,
						  int (*cmp)(const void *key,
							     const struct rb_node *))
{
	struct rb_node *node = root->node, *best = NULL;

	while (node) {
		if (cmp(key, node) <= 0) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

/* The last node that does not sort after @key: the last equal one, or the one before. */
static __always_inline struct rb_node *rb_find_le(const struct rb_root *root, const void *key,
						  int (*cmp)(const void *key,
							     const struct rb_node *))
{
	struct rb_node *node = root->node, *best = NULL;

	while (node) {
		if (cmp(key, node) >= 0) {
			best = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}

/* Visit the elements in order; the body may not change the tree. */
#define rb_for_each_entry(pos, root, member)						\
	for ((pos) = rb_entry_safe(rb_first(root), __typeof__(*(pos)), member); (pos);	\
	     (pos) = rb_entry_safe(rb_next(&(pos)->member), __typeof__(*(pos)), member))
/* The body may erase @pos; @n is a struct rb_node pointer. */
#define rb_for_each_entry_safe(pos, n, root, member)					\
	for ((pos) = rb_entry_safe(rb_first(root), __typeof__(*(pos)), member);		\
	     (pos) && ({ (n) = rb_next(&(pos)->member); 1; });				\
	     (pos) = rb_entry_safe(n, __typeof__(*(pos)), member))

#endif /* LIB_RBTREE_H */

/* SPDX-License-Identifier: MIT */
/*
 * Sparse arrays as radix trees. The interface is in lib/xarray.h.
 *
 * The tree is as high as its largest index needs: a node with `shift` s covers the indices that
 * agree above bit s + 6, the root those that are 0 there. No node is empty, and a root that is no
 * leaf has more than its first slot in use. For each slot a node keeps summary bits (present,
 * full, marked); those of an inner node are the summaries of its children.
 */
#include <err.h>
#include <lib/bitops.h>
#include <lib/xarray.h>

#define ALL_SLOTS	(~0ULL)
#define TOP_SHIFT	60	/* a root this high covers every u64, and has 16 slots only */

/* The index bits that the subtree of @node distinguishes. */
static u64 node_mask(const struct xa_node *node)
{
	return node->shift == TOP_SHIFT ? U64_MAX : BIT_ULL(node->shift + XA_SHIFT) - 1;
}

/* Whether @index can be in the tree under the root @node. */
static bool covers(const struct xa_node *node, u64 index)
{
	return (index & ~node_mask(node)) == 0;
}

static unsigned int slot_of(const struct xa_node *node, u64 index)
{
	return (unsigned int)(index >> node->shift) & (XA_SLOTS - 1);
}

/* The slots of @node that stand for any index. */
static u64 usable_slots(const struct xa_node *node)
{
	return node->shift == TOP_SHIFT ? 0xffff : ALL_SLOTS;
}

/* The leaf that @index would be in, NULL when there is none. */
static struct xa_node *find_leaf(const struct xarray *xa, u64 index)
{
	struct xa_node *node = xa->root;

	if (!node || !covers(node, index))
		return NULL;
	while (node && node->shift)
		node = node->slots[slot_of(node, index)];
	return node;
}

void *xa_load(const struct xarray *xa, u64 index)
{
	struct xa_node *leaf = find_leaf(xa, index);

	return leaf ? leaf->slots[slot_of(leaf, index)] : NULL;
}

/* ---- Shape: nodes come and go ---- */

static struct xa_node *node_alloc(struct xarray *xa, unsigned int shift)
{
	struct xa_node *node = xa->ops->alloc(sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct xa_node){ .shift = (u8)shift };
	return node;
}

static void node_free(struct xarray *xa, struct xa_node *node)
{
	xa->ops->free(node, sizeof(*node));
}

static void attach(struct xa_node *parent, unsigned int slot, struct xa_node *child)
{
	child->parent = parent;
	child->offset = (u8)slot;
	parent->slots[slot] = child;
	parent->present |= BIT_ULL(slot);
	if (child->full == ALL_SLOTS)
		parent->full |= BIT_ULL(slot);
	for (unsigned int m = 0; m < XA_MARKS; m++)
		if (child->marked[m])
			parent->marked[m] |= BIT_ULL(slot);
}

/* Remove inner levels at the root that have nothing but the first slot. */
static void shrink(struct xarray *xa)
{
	struct xa_node *root = xa->root;

	while (root && root->shift && root->present == 1) {
		xa->root = root->slots[0];
		xa->root->parent = NULL;
		node_free(xa, root);
		root = xa->root;
	}
}

/* Free @node and its ancestors as far as they are empty; the marks and full bits are clear. */
static void prune(struct xarray *xa, struct xa_node *node)
{
	while (node && !node->present) {
		struct xa_node *parent = node->parent;

		if (parent) {
			parent->slots[node->offset] = NULL;
			parent->present &= ~BIT_ULL(node->offset);
		} else {
			xa->root = NULL;
		}
		node_free(xa, node);
		node = parent;
	}
	shrink(xa);
}

/* Make the root high enough for @index. */
static int grow(struct xarray *xa, u64 index)
{
	unsigned int shift = 0;

	if (!xa->root) {
		while (shift < TOP_SHIFT && index >> (shift + XA_SHIFT))
			shift += XA_SHIFT;
		xa->root = node_alloc(xa, shift);
		return xa->root ? 0 : -ENOMEM;
	}
	while (!covers(xa->root, index)) {
		struct xa_node *root = node_alloc(xa, xa->root->shift + XA_SHIFT);

		if (!root) {
			shrink(xa);
			return -ENOMEM;
		}
		attach(root, 0, xa->root);
		xa->root = root;
	}
	return 0;
}

/* The leaf for @index, made if need be; NULL without memory, the tree being as before. */
static struct xa_node *make_leaf(struct xarray *xa, u64 index)
{
	struct xa_node *node, *child;

	if (grow(xa, index))
		return NULL;
	for (node = xa->root; node->shift; node = child) {
		unsigned int slot = slot_of(node, index);

		child = node->slots[slot];
		if (child)
			continue;
		child = node_alloc(xa, node->shift - XA_SHIFT);
		if (!child) {
			prune(xa, node);
			return NULL;
		}
		attach(node, slot, child);
	}
	return node;
}

/* ---- Entries ---- */

static void note_full(struct xa_node *node, unsigned int slot)
{
	node->full |= BIT_ULL(slot);
	while (node->full == ALL_SLOTS && node->parent) {
		node->parent->full |= BIT_ULL(node->offset);
		node = node->parent;
	}
}

static void note_free(struct xa_node *node, unsigned int slot)
{
	node->full &= ~BIT_ULL(slot);
	for (; node->parent; node = node->parent)
		node->parent->full &= ~BIT_ULL(node->offset);
}

static void clear_mark(struct xa_node *node, unsigned int slot, unsigned int mark)
{
	node->marked[mark] &= ~BIT_ULL(slot);
	while (!node->marked[mark] && node->parent) {
		node->parent->marked[mark] &= ~BIT_ULL(node->offset);
		node = node->parent;
	}
}

int xa_store(struct xarray *xa, u64 index, void *entry)
{
	struct xa_node *leaf;
	unsigned int slot;

	if (!entry) {
		xa_erase(xa, index);
		return 0;
	}
	leaf = make_leaf(xa, index);
	if (!leaf)
		return -ENOMEM;
	slot = slot_of(leaf, index);
	leaf->slots[slot] = entry;
	leaf->present |= BIT_ULL(slot);
	note_full(leaf, slot);
	return 0;
}

int xa_insert(struct xarray *xa, u64 index, void *entry)
{
	return xa_load(xa, index) ? -EBUSY : xa_store(xa, index, entry);
}

int xa_alloc(struct xarray *xa, u64 *index, void *entry, u64 first, u64 last)
{
	u64 i = first;
	int err;

	if (!xa_find_free(xa, &i, last))
		return -EBUSY;
	err = xa_store(xa, i, entry);
	if (!err)
		*index = i;
	return err;
}

void *xa_erase(struct xarray *xa, u64 index)
{
	struct xa_node *leaf = find_leaf(xa, index);
	unsigned int slot;
	void *entry;

	if (!leaf)
		return NULL;
	slot = slot_of(leaf, index);
	entry = leaf->slots[slot];
	if (!entry)
		return NULL;
	leaf->slots[slot] = NULL;
	leaf->present &= ~BIT_ULL(slot);
	note_free(leaf, slot);
	for (unsigned int m = 0; m < XA_MARKS; m++)
		clear_mark(leaf, slot, m);
	prune(xa, leaf);
	return entry;
}

void xa_destroy(struct xarray *xa)
{
	struct xa_node *node = xa->root, *parent;

	xa->root = NULL;
	while (node) {
		if (node->shift && node->present) {
			unsigned int slot = bit_lowest(node->present);

			node->present &= ~BIT_ULL(slot);
			node = node->slots[slot];
			continue;
		}
		parent = node->parent;
		node_free(xa, node);
		node = parent;
	}
}

/* ---- Marks ---- */

void xa_set_mark(struct xarray *xa, u64 index, unsigned int mark)
{
	struct xa_node *node = find_leaf(xa, index);

	if (!node || !node->slots[slot_of(node, index)])
		return;
	for (; node; node = node->parent)
		node->marked[mark] |= BIT_ULL(slot_of(node, index));
}

void xa_clear_mark(struct xarray *xa, u64 index, unsigned int mark)
{
	struct xa_node *leaf = find_leaf(xa, index);

	if (leaf)
		clear_mark(leaf, slot_of(leaf, index), mark);
}

bool xa_get_mark(const struct xarray *xa, u64 index, unsigned int mark)
{
	struct xa_node *leaf = find_leaf(xa, index);

	return leaf && (leaf->marked[mark] & BIT_ULL(slot_of(leaf, index)));
}

/* ---- Searching ---- */

enum want { WANT_PRESENT, WANT_FREE, WANT_MARK };

/* The slots of @node under which there is what is wanted. */
static u64 wanted(const struct xa_node *node, enum want want, unsigned int mark)
{
	switch (want) {
	case WANT_PRESENT:
		return node->present;
	case WANT_FREE:
		return ~node->full & usable_slots(node);
	default:
		return node->marked[mark];
	}
}

/*
 * One descent towards *@index, which moves on to the first wanted slot that the nodes on the way
 * name. Return the leaf it ends in, with *@index exact; or NULL with *@index at an empty subtree
 * (wanted when looking for a free index) or past the node where nothing was left (*@again), from
 * where the search goes on.
 */
static struct xa_node *descend(struct xa_node *node, u64 *index, enum want want, unsigned int mark,
			       bool *again)
{
	*again = false;
	while (node) {
		unsigned int slot = slot_of(node, *index);
		u64 bits = wanted(node, want, mark) & (ALL_SLOTS << slot);

		if (!bits) {
			*index = (*index | node_mask(node)) + 1;
			*again = true;
			return NULL;
		}
		if (bit_lowest(bits) != slot) {
			*index &= ~node_mask(node);
			*index |= (u64)bit_lowest(bits) << node->shift;
		}
		if (!node->shift)
			return node;
		node = node->slots[bit_lowest(bits)];
	}
	return NULL;
}

/* An index from *@index to @last under which there is what is wanted; the root covers *@index. */
static struct xa_node *search(const struct xarray *xa, u64 *index, u64 last, enum want want,
			      unsigned int mark)
{
	u64 i = *index;
	struct xa_node *leaf;
	bool again;

	while (i <= last && xa->root && covers(xa->root, i)) {
		leaf = descend(xa->root, &i, want, mark, &again);
		if (leaf || !again) {
			*index = i;
			return i <= last ? leaf : NULL;
		}
		if (i == 0) /* past the largest index */
			break;
	}
	*index = i;
	return NULL;
}

void *xa_find(const struct xarray *xa, u64 *index, u64 last)
{
	u64 i = *index;
	struct xa_node *leaf = search(xa, &i, last, WANT_PRESENT, 0);

	if (!leaf)
		return NULL;
	*index = i;
	return leaf->slots[slot_of(leaf, i)];
}

void *xa_find_marked(const struct xarray *xa, u64 *index, u64 last, unsigned int mark)
{
	u64 i = *index;
	struct xa_node *leaf = search(xa, &i, last, WANT_MARK, mark);

	if (!leaf)
		return NULL;
	*index = i;
	return leaf->slots[slot_of(leaf, i)];
}

bool xa_find_free(const struct xarray *xa, u64 *index, u64 last)
{
	u64 i = *index;

	/*
	 * Without a leaf the search ended where no node is, which is free, or beyond @last, or
	 * went round to 0.
	 */
	search(xa, &i, last, WANT_FREE, 0);
	if (i < *index || i > last)
		return false;
	*index = i;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees: linking, rebalancing, walking. The interface is in lib/rbtree.h.
 *
 * The rules that keep the height below 2 log2(n + 1):
 *	1. the root is black, and so is NULL;
 *	2. a red node has black children;
 *	3. every way from a node down to a NULL meets the same number of black nodes.
 *
 * A rotation keeps the set of nodes below it, so only the two nodes that it turns need a new
 * summary in an augmented tree.
 * Source: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 13.
 */
#include <lib/rbtree.h>

#define BLACK	1UL

static bool is_black(const struct rb_node *node)
{
	return !node || (node->parent_colour & BLACK);
}

static bool is_red(const struct rb_node *node)
{
	return !is_black(node);
}

static void set_black(struct rb_node *node)
{
	node->parent_colour |= BLACK;
}

static void set_red(struct rb_node *node)
{
	node->parent_colour &= ~BLACK;
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_colour = (unsigned long)parent | (node->parent_colour & BLACK);
}

/* Make the pointer that points at @old, in @parent or the root, point at @new. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *new)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

/* The right child of @node comes up in its place, @node becomes its left child. */
static void rotate_left(struct rb_root *root, struct rb_node *node,
			void (*update)(struct rb_node *))
{
	struct rb_node *up = node->right, *parent = rb_parent(node);

	node->right = up->left;
	if (node->right)
		set_parent(node->right, node);
	up->left = node;
	set_parent(node, up);
	set_parent(up, parent);
	replace_child(root, parent, node, up);
	if (update) {
		update(node);
		update(up);
	}
}

static void rotate_right(struct rb_root *root, struct rb_node *node,
			 void (*update)(struct rb_node *))
{
	struct rb_node *up = node->left, *parent = rb_parent(node);

	node->left = up->right;
	if (node->left)
		set_parent(node->left, node);
	up->right = node;
	set_parent(node, up);
	set_parent(up, parent);
	replace_child(root, parent, node, up);
	if (update) {
		update(node);
		update(up);
	}
}

/* Bring @node up in the place of its parent. */
static void rotate_up(struct rb_root *root, struct rb_node *node, void (*update)(struct rb_node *))
{
	struct rb_node *parent = rb_parent(node);

	if (node == parent->left)
		rotate_right(root, parent, update);
	else
		rotate_left(root, parent, update);
}

/* @node is red, and its parent may be too: restore rule 2. */
static void insert_fixup(struct rb_root *root, struct rb_node *node,
			 void (*update)(struct rb_node *))
{
	struct rb_node *parent, *grand, *uncle;

	while ((parent = rb_parent(node)) && is_red(parent)) {
		grand = rb_parent(parent); /* a red node is not the root */
		uncle = parent == grand->left ? grand->right : grand->left;
		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			continue;
		}
		/* An inner grandchild first becomes an outer one. */
		if ((node == parent->left) != (parent == grand->left)) {
			rotate_up(root, node, update);
			parent = node;
		}
		set_black(parent);
		set_red(grand);
		rotate_up(root, parent, update);
		break;
	}
	set_black(root->node);
}

void rb_insert_at(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
		  struct rb_node **link, void (*update)(struct rb_node *))
{
	node->parent_colour = (unsigned long)parent;
	node->left = NULL;
	node->right = NULL;
	if (!parent || (parent == root->leftmost && link == &parent->left))
		root->leftmost = node;
	*link = node;
	if (update)
		rb_propagate(node, update);
	insert_fixup(root, node, update);
}

/*
 * The ways through @node, a child of @parent (NULL @node: an empty one), have one black node less
 * than the others: restore rule 3.
 */
static void erase_fixup(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
			void (*update)(struct rb_node *))
{
	while (parent && is_black(node)) {
		bool left = node == parent->left;
		struct rb_node *sibling = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate_up(root, sibling, update);
			sibling = left ? parent->right : parent->left;
		}
		near = left ? sibling->left : sibling->right;
		far = left ? sibling->right : sibling->left;
		if (is_black(near) && is_black(far)) {
			set_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (is_black(far)) {
			set_black(near);
			set_red(sibling);
			rotate_up(root, near, update);
			far = sibling;
			sibling = near;
		}
		if (is_black(parent))
			set_black(sibling);
		else
			set_red(sibling);
		set_black(parent);
		set_black(far);
		rotate_up(root, sibling, update);
		return;
	}
	if (node)
		set_black(node);
}

/* Put the in-order successor of @node, which has two children, in its place, with its colour. */
static void put_successor_in_place(struct rb_root *root, struct rb_node *node,
				   struct rb_node *successor)
{
	successor->left = node->left;
	set_parent(successor->left, successor);
	successor->right = node->right;
	if (successor->right)
		set_parent(successor->right, successor);
	successor->parent_colour = node->parent_colour;
	replace_child(root, rb_parent(node), node, successor);
}

void rb_erase_augmented(struct rb_root *root, struct rb_node *node,
			void (*update)(struct rb_node *))
{
	struct rb_node *gone = node, *child, *parent;
	bool black;

	if (root->leftmost == node)
		root->leftmost = rb_next(node);
	/* The place that really becomes empty has at most one child. */
	if (node->left && node->right) {
		gone = node->right;
		while (gone->left)
			gone = gone->left;
	}
	child = gone->left ? gone->left : gone->right;
	parent = rb_parent(gone);
	black = is_black(gone);
	replace_child(root, parent, gone, child);
	if (child)
		set_parent(child, parent);
	if (gone != node) {
		put_successor_in_place(root, node, gone);
		if (parent == node)
			parent = gone;
	}
	if (update)
		rb_propagate(parent, update);
	if (black)
		erase_fixup(root, child, parent, update);
}

void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *new)
{
	*new = *old;
	if (new->left)
		set_parent(new->left, new);
	if (new->right)
		set_parent(new->right, new);
	replace_child(root, rb_parent(old), old, new);
	if (root->leftmost == old)
		root->leftmost = new;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->node;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *up;

	if (node->right) {
		up = node->right;
		while (up->left)
			up = up->left;
		return up;
	}
	/* Up to the first node that this one is to the left of. */
	while ((up = rb_parent(node)) && node == up->right)
		node = up;
	return up;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *up;

	if (node->left) {
		up = node->left;
		while (up->right)
			up = up->right;
		return up;
	}
	while ((up = rb_parent(node)) && node == up->left)
		node = up;
	return up;
}

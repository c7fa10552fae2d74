/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees against a plain array: after every change of a long random sequence the rules of
 * the tree, the order and the summaries of an augmented tree are checked in full.
 */
#include "test_lib.h"

#include <lib/rbtree.h>

#define ITEMS 200

struct item {
	u32 key;
	u32 weight;
	u64 sum; /* of the weights in the subtree */
	struct rb_node node;
};

static struct item *item_of(const struct rb_node *node)
{
	return rb_entry((struct rb_node *)node, struct item, node);
}

static bool less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static int cmp(const void *key, const struct rb_node *node)
{
	u32 k = *(const u32 *)key;

	return k < item_of(node)->key ? -1 : k > item_of(node)->key;
}

static u64 sum_of(const struct rb_node *node)
{
	return node ? item_of(node)->sum : 0;
}

static void update(struct rb_node *node)
{
	struct item *item = item_of(node);

	item->sum = item->weight + sum_of(node->left) + sum_of(node->right);
}

/* Check a subtree; return its number of black nodes on each way down. */
static int check_subtree(struct rb_node *node, struct rb_node *parent, bool augmented)
{
	bool black;
	int left, right;

	if (!node)
		return 1;
	black = node->parent_colour & 1;
	assert_ptr_equal(rb_parent(node), parent);
	if (!black) {
		assert_non_null(parent);
		assert_true(parent->parent_colour & 1);
	}
	left = check_subtree(node->left, node, augmented);
	right = check_subtree(node->right, node, augmented);
	assert_int_equal(left, right);
	if (augmented)
		assert_int_equal(item_of(node)->sum,
				 item_of(node)->weight + sum_of(node->left) + sum_of(node->right));
	return left + black;
}

static void check_tree(struct rb_root *root, size_t count, bool augmented)
{
	struct rb_node *node, *prev = NULL;
	size_t n = 0;

	check_subtree(root->node, NULL, augmented);
	for (node = rb_first(root); node; node = rb_next(node)) {
		assert_ptr_equal(rb_prev(node), prev);
		if (prev)
			assert_true(item_of(prev)->key <= item_of(node)->key);
		prev = node;
		n++;
	}
	assert_ptr_equal(rb_last(root), prev);
	assert_int_equal(n, count);
}

/* Insert or erase at random, 20,000 times; keys repeat. */
static void run_random(bool augmented)
{
	static struct item items[ITEMS];
	void (*up)(struct rb_node *) = augmented ? update : NULL;
	struct rb_root root = RB_ROOT_INIT;
	u64 seed = 42;
	size_t count = 0;

	for (int i = 0; i < ITEMS; i++)
		rb_node_init(&items[i].node);
	for (int step = 0; step < 20000; step++) {
		struct item *item = &items[test_random(&seed) % ITEMS];

		if (rb_node_linked(&item->node)) {
			rb_erase_augmented(&root, &item->node, up);
			rb_node_init(&item->node);
			count--;
		} else {
			item->key = (u32)(test_random(&seed) % 300);
			item->weight = (u32)test_random(&seed) % 1000;
			rb_add_augmented(&root, &item->node, less, up);
			count++;
		}
		if (step % 16 == 0 || count < 8)
			check_tree(&root, count, augmented);
	}
	for (int i = 0; i < ITEMS; i++) {
		if (!rb_node_linked(&items[i].node))
			continue;
		rb_erase_augmented(&root, &items[i].node, up);
		check_tree(&root, --count, augmented);
	}
	assert_true(rb_empty(&root));
	assert_null(rb_first(&root));
}

static void test_random_plain(void **state)
{
	run_random(false);
}

static void test_random_augmented(void **state)
{
	run_random(true);
}

static void test_find(void **state)
{
	struct item items[100];
	struct rb_root root = RB_ROOT_INIT;

	for (u32 i = 0; i < 100; i++) {
		items[i].key = 10 * (i / 2); /* each key twice: 0 0 10 10 ... 490 490 */
		rb_add(&root, &items[i].node, less);
	}
	for (u32 key = 0; key < 520; key++) {
		u32 up = DIV_ROUND_UP(key, 10), down = key / 10;
		struct rb_node *ge = rb_find_ge(&root, &key, cmp);
		struct rb_node *le = rb_find_le(&root, &key, cmp);

		assert_int_equal(rb_find(&root, &key, cmp) != NULL, key % 10 == 0 && key <= 490);
		/* The first of the equal ones from above, the last from below. */
		assert_ptr_equal(ge, up < 50 ? &items[2 * up].node : NULL);
		assert_ptr_equal(le, &items[2 * min(down, 49u) + 1].node);
	}
}

static void test_replace_and_visit(void **state)
{
	struct item items[10], other, *pos;
	struct rb_root root = RB_ROOT_INIT;
	struct rb_node *n;
	u32 expect = 0;

	for (u32 i = 0; i < 10; i++) {
		items[i].key = 9 - i;
		rb_add(&root, &items[i].node, less);
	}
	for (u32 i = 0; i < 10; i += 3) {
		other.key = items[i].key;
		rb_replace(&root, &items[i].node, &other.node);
		check_tree(&root, 10, false);
		rb_replace(&root, &other.node, &items[i].node);
	}
	rb_for_each_entry(pos, &root, node)
		assert_int_equal(pos->key, expect++);
	assert_int_equal(expect, 10);
	rb_for_each_entry_safe(pos, n, &root, node)
	{
		rb_erase(&root, &pos->node);
		check_tree(&root, --expect, false);
	}
	assert_true(rb_empty(&root));
}

static void test_propagate(void **state)
{
	struct item items[50];
	struct rb_root root = RB_ROOT_INIT;

	for (u32 i = 0; i < 50; i++) {
		items[i].key = i;
		items[i].weight = 1;
		rb_add_augmented(&root, &items[i].node, less, update);
	}
	assert_int_equal(sum_of(root.node), 50);
	items[17].weight = 101;
	rb_propagate(&items[17].node, update);
	check_tree(&root, 50, true);
	assert_int_equal(sum_of(root.node), 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_plain), cmocka_unit_test(test_random_augmented),
		cmocka_unit_test(test_find),	     cmocka_unit_test(test_replace_and_visit),
		cmocka_unit_test(test_propagate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

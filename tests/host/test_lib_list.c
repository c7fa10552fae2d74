/* SPDX-License-Identifier: MIT */
/* Lists and hash lists: order after every operation, deletion while visiting. */
#include "test_lib.h"

#include <lib/list.h>

struct item {
	int nr;
	struct list link;
	struct hlist_node hlink;
};

static void fill(struct item *items, int n, struct list *head)
{
	list_init(head);
	for (int i = 0; i < n; i++) {
		items[i].nr = i;
		list_add_tail(&items[i].link, head);
	}
}

/* The numbers in @head, forwards and backwards, are the digits of @expect. */
static void assert_order(struct list *head, const char *expect)
{
	char text[32], reversed[32];
	size_t n = 0, r = sizeof(reversed) - 1;
	struct item *p;

	list_for_each_entry(p, head, link)
		text[n++] = (char)('0' + p->nr);
	text[n] = '\0';
	assert_string_equal(text, expect);
	reversed[r] = '\0';
	list_for_each_entry_reverse(p, head, link)
		reversed[--r] = (char)('0' + p->nr);
	assert_string_equal(reversed + r, expect);
	assert_int_equal(list_count(head), n);
}

static void test_add_and_delete(void **state)
{
	struct item items[4];
	DEFINE_LIST(head);

	assert_true(list_empty(&head));
	assert_null(list_first_entry_or_null(&head, struct item, link));
	fill(items, 4, &head);
	assert_order(&head, "0123");
	assert_ptr_equal(list_first_entry(&head, struct item, link), &items[0]);
	assert_ptr_equal(list_last_entry(&head, struct item, link), &items[3]);
	list_del(&items[1].link);
	assert_order(&head, "023");
	assert_ptr_equal(items[1].link.next, LIST_POISON_NEXT);
	list_add(&items[1].link, &head);
	assert_order(&head, "1023");
	list_del_init(&items[1].link);
	assert_true(list_empty(&items[1].link));
	list_del_init(&items[1].link);
	assert_order(&head, "023");
}

static void test_positions(void **state)
{
	struct item items[3];
	struct list head;

	fill(items, 1, &head);
	assert_true(list_is_singular(&head));
	fill(items, 3, &head);
	assert_false(list_is_singular(&head));
	assert_true(list_is_first(&items[0].link, &head));
	assert_false(list_is_first(&items[1].link, &head));
	assert_true(list_is_last(&items[2].link, &head));
	assert_ptr_equal(list_next_entry(&items[0], link), &items[1]);
	assert_ptr_equal(list_prev_entry(&items[2], link), &items[1]);
}

static void test_move_and_replace(void **state)
{
	struct item items[4], other = { .nr = 9 };
	struct list head;

	fill(items, 4, &head);
	list_move(&items[2].link, &head);
	assert_order(&head, "2013");
	list_move_tail(&items[2].link, &head);
	assert_order(&head, "0132");
	list_replace(&items[1].link, &other.link);
	assert_order(&head, "0932");
}

static void test_splice(void **state)
{
	struct item a[2], b[2];
	struct list x, y;

	fill(a, 2, &x);
	fill(b, 2, &y);
	b[0].nr = 5;
	b[1].nr = 6;
	list_splice(&y, &x);
	assert_order(&x, "5601");
	assert_true(list_empty(&y));
	list_splice_tail(&y, &x);
	assert_order(&x, "5601");
	list_splice_tail(&x, &y);
	assert_order(&y, "5601");
	assert_true(list_empty(&x));
}

static void test_delete_while_visiting(void **state)
{
	struct item items[6], *p, *n;
	struct list head;

	fill(items, 6, &head);
	list_for_each_entry_safe(p, n, &head, link)
		if (p->nr % 2 == 0)
			list_del(&p->link);
	assert_order(&head, "135");
	p = &items[1];
	list_for_each_entry_continue(p, &head, link) p->nr += 2;
	assert_order(&head, "157");
}

static void test_hlist(void **state)
{
	struct item items[4], *p;
	struct hlist_node *n;
	DEFINE_HLIST(head);
	int sum = 0;

	assert_true(hlist_empty(&head));
	for (int i = 0; i < 3; i++) {
		items[i].nr = i;
		hlist_add_head(&items[i].hlink, &head);
	}
	items[3].nr = 3;
	hlist_add_behind(&items[3].hlink, &items[0].hlink); /* 2 1 0 3 */
	hlist_for_each_entry(p, &head, hlink)
		sum = sum * 10 + p->nr;
	assert_int_equal(sum, 2103);
	hlist_for_each_entry_safe(p, n, &head, hlink)
		if (p->nr != 1)
			hlist_del(&p->hlink);
	assert_true(hlist_unhashed(&items[2].hlink));
	hlist_del(&items[2].hlink);
	assert_ptr_equal(head.first, &items[1].hlink);
	assert_null(items[1].hlink.next);
	hlist_del(&items[1].hlink);
	assert_true(hlist_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_delete),	      cmocka_unit_test(test_positions),
		cmocka_unit_test(test_move_and_replace),      cmocka_unit_test(test_splice),
		cmocka_unit_test(test_delete_while_visiting), cmocka_unit_test(test_hlist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

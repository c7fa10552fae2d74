/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked lists.
 *
 * `struct list` is both the head and the link that is embedded in each element; the list is
 * circular, so that no operation has a special case, and every operation but list_count is O(1).
 * `struct hlist_head` is one pointer wide, for the buckets of hash tables.
 *
 *	struct job { int nr; struct list link; };
 *	DEFINE_LIST(jobs);
 *	list_add_tail(&job->link, &jobs);
 *	list_for_each_entry(job, &jobs, link)
 *		run(job);
 *
 * Locking: none; whoever owns the list serialises.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <compiler.h>
#include <types.h>

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define DEFINE_LIST(name)	struct list name = LIST_HEAD_INIT(name)

/* What a deleted link holds, so that using it faults at a recognisable address. */
#define LIST_POISON_PREV	((void *)0x100)
#define LIST_POISON_NEXT	((void *)0x122)

/* Make @l an empty head, or a link that list_empty() reports as in no list. */
static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

static inline void __list_insert(struct list *link, struct list *prev, struct list *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

static inline void __list_join(struct list *prev, struct list *next)
{
	prev->next = next;
	next->prev = prev;
}

/* Insert @link first in @head (or after the element @head). */
static inline void list_add(struct list *link, struct list *head)
{
	__list_insert(link, head, head->next);
}

/* Insert @link last in @head (or before the element @head). */
static inline void list_add_tail(struct list *link, struct list *head)
{
	__list_insert(link, head->prev, head);
}

/* Take @link out of its list. It must be in one; afterwards it is in none, and unusable until added. */
static inline void list_del(struct list *link)
{
	__list_join(link->prev, link->next);
	link->prev = LIST_POISON_PREV;
	link->next = LIST_POISON_NEXT;
}

/* Take @link out of its list, if it is in one, and leave it so that list_empty(@link) holds. */
static inline void list_del_init(struct list *link)
{
	__list_join(link->prev, link->next);
	list_init(link);
}

/* Whether the head has no element, or a link made by list_init/list_del_init is in no list. */
static inline bool list_empty(const struct list *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool list_is_singular(const struct list *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline bool list_is_first(const struct list *link, const struct list *head)
{
	return link->prev == head;
}

static inline bool list_is_last(const struct list *link, const struct list *head)
{
	return link->next == head;
}

/* Put @new in the place of @old, which is then in no list. */
static inline void list_replace(struct list *old, struct list *new)
{
	__list_insert(new, old->prev, old->next);
	old->prev = LIST_POISON_PREV;
	old->next = LIST_POISON_NEXT;
}

/* Move @link from the list it is in to the front or the end of @head. */
static inline void list_move(struct list *link, struct list *head)
{
	__list_join(link->prev, link->next);
	list_add(link, head);
}

static inline void list_move_tail(struct list *link, struct list *head)
{
	__list_join(link->prev, link->next);
	list_add_tail(link, head);
}

static inline void __list_splice(struct list *src, struct list *prev, struct list *next)
{
	struct list *first = src->next, *last = src->prev;

	__list_join(prev, first);
	__list_join(last, next);
	list_init(src);
}

/* Move all elements of @src, in order, to the front or the end of @head; @src is then empty. */
static inline void list_splice(struct list *src, struct list *head)
{
	if (!list_empty(src))
		__list_splice(src, head, head->next);
}

static inline void list_splice_tail(struct list *src, struct list *head)
{
	if (!list_empty(src))
		__list_splice(src, head->prev, head);
}

/* The number of elements; O(n). */
static inline size_t list_count(const struct list *head)
{
	const struct list *p;
	size_t n = 0;

	for (p = head->next; p != head; p = p->next)
		n++;
	return n;
}

/* The element that @ptr is the link of. */
#define list_entry(ptr, type, member)		container_of(ptr, type, member)
/* First and last element of a list that is not empty. */
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)	list_entry((head)->prev, type, member)
/* The same, NULL for an empty list. */
#define list_first_entry_or_null(head, type, member)				\
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_last_entry_or_null(head, type, member)				\
	(list_empty(head) ? NULL : list_last_entry(head, type, member))
/* Neighbours; past the end they are the head in disguise, not an element. */
#define list_next_entry(pos, member)	list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member)	list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, head, member)	(&(pos)->member == (head))

/* Visit the links. The _safe form allows the body to delete @p (and nothing else). */
#define list_for_each(p, head)							\
	for ((p) = (head)->next; (p) != (head); (p) = (p)->next)
#define list_for_each_safe(p, n, head)						\
	for ((p) = (head)->next, (n) = (p)->next; (p) != (head); (p) = (n), (n) = (p)->next)

/*
 * Visit the elements. After a complete loop @pos is no element: test with list_entry_is_head, or
 * better, return from inside the loop.
 */
#define list_for_each_entry(pos, head, member)					\
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member);	\
	     !list_entry_is_head(pos, head, member);				\
	     (pos) = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)				\
	for ((pos) = list_last_entry(head, __typeof__(*(pos)), member);		\
	     !list_entry_is_head(pos, head, member);				\
	     (pos) = list_prev_entry(pos, member))
/* The body may delete @pos; @n is a second pointer of the same type. */
#define list_for_each_entry_safe(pos, n, head, member)				\
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member),	\
	     (n) = list_next_entry(pos, member);				\
	     !list_entry_is_head(pos, head, member);				\
	     (pos) = (n), (n) = list_next_entry(n, member))
/* Go on with the element after @pos. */
#define list_for_each_entry_continue(pos, head, member)				\
	for ((pos) = list_next_entry(pos, member);				\
	     !list_entry_is_head(pos, head, member);				\
	     (pos) = list_next_entry(pos, member))

/* ---- hlist: a head of one pointer ---- */

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev; /* the pointer that points at this node; NULL: in no list */
};

struct hlist_head {
	struct hlist_node *first;
};

#define HLIST_HEAD_INIT		{ NULL }
#define DEFINE_HLIST(name)	struct hlist_head name = HLIST_HEAD_INIT

static inline void hlist_head_init(struct hlist_head *h)
{
	h->first = NULL;
}

static inline void hlist_node_init(struct hlist_node *n)
{
	n->next = NULL;
	n->pprev = NULL;
}

static inline bool hlist_empty(const struct hlist_head *h)
{
	return !READ_ONCE(h->first);
}

/* Whether a node made by hlist_node_init, or deleted, is in no list. */
static inline bool hlist_unhashed(const struct hlist_node *n)
{
	return !n->pprev;
}

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	n->pprev = &h->first;
	if (h->first)
		h->first->pprev = &n->next;
	h->first = n;
}

/* The same for a list that others look through meanwhile (kernel/retire.h): who finds @n finds what was written to it before. */
static inline void hlist_publish_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	n->pprev = &h->first;
	if (h->first)
		h->first->pprev = &n->next;
	__atomic_store_n(&h->first, n, __ATOMIC_RELEASE);
}

/* Insert @n behind @prev, which is in a list. */
static inline void hlist_add_behind(struct hlist_node *n, struct hlist_node *prev)
{
	n->next = prev->next;
	n->pprev = &prev->next;
	if (n->next)
		n->next->pprev = &n->next;
	prev->next = n;
}

/* Take @n out of its list, if it is in one; hlist_unhashed(@n) holds afterwards. */
static inline void hlist_del(struct hlist_node *n)
{
	if (hlist_unhashed(n))
		return;
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	hlist_node_init(n);
}

#define hlist_entry(ptr, type, member)	container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member) ({					\
	struct hlist_node *__node = (ptr);					\
	__node ? hlist_entry(__node, type, member) : NULL; })

/* Visit the elements; @pos is NULL after a complete loop. */
#define hlist_for_each_entry(pos, head, member)					\
	for ((pos) = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); \
	     (pos);								\
	     (pos) = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))
/* Without a lock: an element that leaves ends the loop, or leads it into another list. */
#define hlist_for_each_entry_quick(pos, head, member)				\
	for ((pos) = hlist_entry_safe(__atomic_load_n(&(head)->first, __ATOMIC_ACQUIRE), __typeof__(*(pos)), member); \
	     (pos);								\
	     (pos) = hlist_entry_safe(__atomic_load_n(&(pos)->member.next, __ATOMIC_ACQUIRE), __typeof__(*(pos)), member))
/* The body may delete @pos; @n is a struct hlist_node pointer. */
#define hlist_for_each_entry_safe(pos, n, head, member)				\
	for ((pos) = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); \
	     (pos) && ({ (n) = (pos)->member.next; 1; });			\
	     (pos) = hlist_entry_safe(n, __typeof__(*(pos)), member))

#endif /* LIB_LIST_H */

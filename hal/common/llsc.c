/* SPDX-License-Identifier: MIT */
/*
 * Load-linked/store-conditional sequences, see <hal/llsc.h>. No state, no locks.
 *
 * The sequence is every instruction that can be reached from the load and from which the store can be
 * reached without the load; compilers put the store before the load, too. The way out is each step from an instruction
 * inside to one outside, and the one behind each store.
 */
#include <hal/llsc.h>

/* RISC-V promises progress for sequences of 16 instructions; the rest is for what lies beside them. */
#define NODES_MAX 48

struct node {
	uaddr_t pc;
	struct insn_info insn;
	bool inside;
};

struct graph {
	struct node nodes[NODES_MAX]; /* [0] is the load */
	unsigned int n;
};

static int find(const struct graph *g, uaddr_t pc)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (g->nodes[i].pc == pc)
			return (int)i;
	return -1;
}

static void add(struct graph *g, uaddr_t pc)
{
	if (g->n < NODES_MAX && find(g, pc) < 0)
		g->nodes[g->n++] = (struct node){ .pc = pc };
}

/* Where @node goes on: 0 to 2 addresses. */
static unsigned int successors(const struct node *node, uaddr_t next[2])
{
	unsigned int n = 0;

	if (node->insn.flow == FLOW_NEXT || node->insn.flow == FLOW_LINKED ||
	    node->insn.flow == FLOW_BRANCH)
		next[n++] = node->pc + node->insn.len;
	if (node->insn.flow == FLOW_BRANCH || node->insn.flow == FLOW_JUMP)
		next[n++] = node->insn.target;
	return n;
}

/* Follow the code from the load until stores, other loads, calls and what cannot be read. */
static void explore(struct graph *g, insn_decode_t decode, hal_fetch_t fetch, void *ctx)
{
	uaddr_t next[2];

	for (unsigned int i = 0; i < g->n; i++) {
		struct node *node = &g->nodes[i];

		if (decode(fetch, ctx, node->pc, &node->insn))
			node->insn.flow = FLOW_INDIRECT;
		if (i > 0 && node->insn.flow == FLOW_LINKED)
			node->insn.flow = FLOW_INDIRECT;
		node->inside = node->insn.flow == FLOW_CONDITIONAL;
		for (unsigned int s = successors(node, next); s-- > 0;)
			add(g, next[s]);
	}
}

/* Back to the load is not inside: there the sequence begins anew. */
static bool leads_inside(const struct graph *g, const struct node *node)
{
	uaddr_t next[2];

	for (unsigned int s = successors(node, next); s-- > 0;) {
		int i = find(g, next[s]);

		if (i > 0 && g->nodes[i].inside)
			return true;
	}
	return false;
}

/* Mark what can reach a store. */
static void mark_inside(struct graph *g)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (unsigned int i = g->n; i-- > 0;) {
			struct node *node = &g->nodes[i];

			if (node->inside || !leads_inside(g, node))
				continue;
			node->inside = true;
			changed = true;
		}
	}
}

/* Note @pc as a way out, once, unless it is inside. Return: the number of them; -1: too many. */
static int add_exit(const struct graph *g, uaddr_t *pcs, int n, uaddr_t pc)
{
	int inside = find(g, pc);

	if (inside >= 0 && g->nodes[inside].inside)
		return n;
	for (int i = 0; i < n; i++)
		if (pcs[i] == pc)
			return n;
	if (n == HAL_NEXT_PCS)
		return -1;
	pcs[n] = pc;
	return n + 1;
}

int hal_llsc_exits(insn_decode_t decode, hal_fetch_t fetch, void *ctx, uaddr_t pc, uaddr_t *pcs)
{
	struct graph g = { .n = 0 };
	uaddr_t next[2];
	int n = 0;

	add(&g, pc);
	explore(&g, decode, fetch, ctx);
	mark_inside(&g);
	if (!g.nodes[0].inside)
		return 0;
	for (unsigned int i = 0; i < g.n && n >= 0; i++) {
		const struct node *node = &g.nodes[i];

		if (!node->inside)
			continue;
		if (node->insn.flow == FLOW_CONDITIONAL)
			n = add_exit(&g, pcs, n, node->pc + node->insn.len);
		for (unsigned int s = successors(node, next); s-- > 0 && n >= 0;)
			n = add_exit(&g, pcs, n, next[s]);
	}
	return n > 0 ? n : 0;
}

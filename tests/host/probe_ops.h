/* SPDX-License-Identifier: MIT */
/* What the tests of the four instruction decoders (<hal/probe.h>) share: a little memory, and one call to decode and emulate. */
#ifndef PROBE_OPS_H
#define PROBE_OPS_H

#include "test_lib.h"

#include <hal/probe.h>
#include <lib/string.h>

#define IP   0x100000UL
#define SLOT 0x7f0000UL

/* Memory at [MEM_BASE, MEM_BASE + 256); all else faults. */
#define MEM_BASE 0x200000UL
static u8 mem_bytes[256];

static int mem_get(unsigned long addr, u64 *val, unsigned int size)
{
	if (addr < MEM_BASE || addr + size > MEM_BASE + sizeof(mem_bytes))
		return -EFAULT;
	*val = 0;
	memcpy(val, mem_bytes + (addr - MEM_BASE), size);
	return 0;
}

static int mem_put(unsigned long addr, u64 val)
{
	if (addr < MEM_BASE || addr + 8 > MEM_BASE + sizeof(mem_bytes))
		return -EFAULT;
	memcpy(mem_bytes + (addr - MEM_BASE), &val, 8);
	return 0;
}

static const struct probe_mem test_mem = { mem_get, mem_put };

static inline int decode32(struct probe_insn *p, u32 insn)
{
	u8 b[PROBE_INSN_MAX] = { (u8)insn, (u8)(insn >> 8), (u8)(insn >> 16), (u8)(insn >> 24) };

	return probe_decode(p, b, sizeof(b));
}

/* Emulate what must be emulated; the instruction stands at IP. */
static inline int emulate(const struct probe_insn *p, struct uctx *u, struct probe_fault *fault)
{
	assert_int_equal(p->action, PROBE_EMULATE);
	return probe_emulate(p, u, IP, &test_mem, fault);
}

static inline void run32(struct uctx *u, u32 insn)
{
	struct probe_fault fault;
	struct probe_insn p;

	assert_int_equal(decode32(&p, insn), 0);
	assert_int_equal(emulate(&p, u, &fault), 0);
}

/* Executed out of line as it stands, and back behind it afterwards. */
static inline void expect_plain_slot(u32 insn)
{
	struct probe_saved saved;
	struct probe_insn p;
	struct uctx u = { 0 };
	u8 slot[PROBE_SLOT];

	assert_int_equal(decode32(&p, insn), 0);
	assert_int_equal(p.action, PROBE_XOL);
	probe_fill_slot(&p, slot);
	assert_memory_equal(slot, p.bytes, p.len);
	probe_slot_enter(&p, &u, IP, SLOT, &saved);
	assert_false(probe_slot_next(&p, &u, IP, SLOT, SLOT, &saved));
	assert_false(probe_slot_next(&p, &u, IP, SLOT, IP, &saved));
	assert_true(probe_slot_next(&p, &u, IP, SLOT, SLOT + p.slot_len, &saved));
}

#endif

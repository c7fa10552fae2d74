/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an instruction under a probe: decode, emulate or enter the slot, and check what <hal/probe.h> promises.
 * Included by one fuzz target for each architecture, after its struct uctx.
 */
#include <stdlib.h>

#include <err.h>
#include <hal/probe.h>
#include <lib/string.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

#define IP   0x100000UL
#define SLOT 0x7f0000UL

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static int mem_get(unsigned long addr, u64 *val, unsigned int size)
{
	CHECK(size == 4 || size == 8);
	*val = addr;
	return addr & 0x1000 ? -EFAULT : 0;
}

static int mem_put(unsigned long addr, u64 val)
{
	return addr & 0x1000 ? -EFAULT : 0;
}

static const struct probe_mem mem = { mem_get, mem_put };

static void check_emulation(const struct probe_insn *p, struct uctx *u)
{
	struct probe_fault fault = { 0 };
	int r = probe_emulate(p, u, IP, &mem, &fault);

	CHECK(r == 0 || r == -EFAULT);
	CHECK(!r == !fault.access);
}

/* Into the slot and out of it changes nothing but the ip. */
static void check_slot(const struct probe_insn *p, struct uctx *u)
{
	struct uctx before = *u, back;
	struct probe_saved saved;
	u8 slot[PROBE_SLOT];

	CHECK(p->slot_len && p->slot_len < PROBE_SLOT);
	probe_fill_slot(p, slot);
	probe_slot_enter(p, &before, IP, SLOT, &saved);
	probe_slot_leave(p, &before, IP, &saved);
	back = before;
	probe_slot_enter(p, &back, IP, SLOT, &saved);
	CHECK(probe_slot_next(p, &back, IP, SLOT, SLOT + p->slot_len, &saved));
	probe_slot_leave(p, &back, IP, &saved);
	CHECK(!memcmp(&before, &back, sizeof(back)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct probe_insn p;
	struct uctx u;
	u8 insn[PROBE_INSN_MAX], out[PROBE_SLOT];
	size_t n = size < sizeof(insn) ? size : sizeof(insn);
	int r;

	memset(insn, 0, sizeof(insn));
	memset(&u, 0x11, sizeof(u));
	memcpy(insn, data, n);
	if (size > sizeof(insn))
		memcpy(&u, data + n, size - n < sizeof(u) ? size - n : sizeof(u));
	r = probe_decode(&p, insn, n);
	CHECK(r == 0 || r == -EINVAL || r == -ENOEXEC || r == -PROBE_ENOTSUPP);
	if (r)
		return 0;
	CHECK(p.len && p.len <= n && !memcmp(p.bytes, insn, p.len));
	if (p.action == PROBE_EMULATE)
		check_emulation(&p, &u);
	else if (p.action == PROBE_XOL)
		check_slot(&p, &u);
	else
		probe_syscall(&p, &u, IP);
	(void)probe_kernel_slot(&p, IP, IP + 0x1000, out);
	(void)probe_kernel_slot(&p, 0xffffffff80001000UL, 0xffffffff80002000UL, out);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Unaligned accesses of programs. Interface: <hal/unaligned.h>. */
#include <hal/paging.h>
#include <hal/unaligned.h>
#include <lib/string.h>

u64 load_store_value(const struct load_store *ls, const u8 *buf)
{
	unsigned int shift = 64 - 8u * ls->bytes;
	u64 v = 0;

	memcpy(&v, buf, ls->bytes);
	return ls->is_signed ? (u64)((s64)(v << shift) >> shift) : v;
}

/* The first of @n bytes at @addr that a program may not access so, for the fault that it gets. */
static uaddr_t first_bad(uaddr_t addr, unsigned int n, bool store)
{
	unsigned int i;
	u8 byte;

	for (i = 0; i < n - 1; i++) {
		if (hal_copy_from_user(&byte, addr + i, 1) ||
		    (store && hal_copy_to_user(addr + i, &byte, 1)))
			break;
	}
	return addr + i;
}

enum uctx_emulation unaligned_carry_out(struct hal_task *task, const struct load_store *ls,
					struct uctx_event *ev)
{
	u8 buf[LOAD_STORE_MAX];
	bool failed;

	if (ls->store) {
		arch_register_read(task, ls, buf);
		failed = hal_copy_to_user(ev->addr, buf, ls->bytes) != 0;
	} else {
		failed = hal_copy_from_user(buf, ev->addr, ls->bytes) != 0;
	}
	if (failed) {
		ev->addr = first_bad(ev->addr, ls->bytes, ls->store);
		ev->access = ls->store ? UCTX_WRITE : UCTX_READ;
		return UCTX_EMULATION_FAULT;
	}
	if (!ls->store)
		arch_register_write(task, ls, buf);
	return UCTX_EMULATED;
}

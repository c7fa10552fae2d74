/* SPDX-License-Identifier: MIT */
/*
 * Unaligned loads and stores of programs, carried out in software: between arch/, which knows instructions and registers, and
 * hal/common/unaligned.c, which does the access.
 */
#ifndef HAL_UNALIGNED_H
#define HAL_UNALIGNED_H

#include <hal/uctx.h>

enum register_file {
	FILE_INTEGER,
	FILE_FP,
	FILE_VECTOR,  /* the lowest @bytes of a vector register */
	FILE_REPLICA, /* a load into every element of @bytes, of the lowest @width bytes */
	FILE_ELEMENT, /* a store of element @element of @bytes */
};

/* A load or store instruction. */
struct load_store {
	u8 bytes; /* in memory */
	bool store;
	bool is_signed; /* an integer load that extends the sign */
	u8 file;	/* enum register_file */
	u8 reg, element, width;
	u8 length; /* of the instruction */
};

#define LOAD_STORE_MAX 32 /* bytes */

/** insn_load_store() - what @insn does, in arch/. A 2-byte instruction lies in the low half. Return: false: no such access, or one that must be atomic. Pure. */
bool insn_load_store(u32 insn, struct load_store *ls);
/** load_store_value() - what an integer load puts into its register. Pure. */
u64 load_store_value(const struct load_store *ls, const u8 *buf);
/** arch_register_read() / arch_register_write() - the bytes that go to memory, or came from it. Current task, interrupts on. */
void arch_register_read(struct hal_task *task, const struct load_store *ls, u8 *buf);
void arch_register_write(struct hal_task *task, const struct load_store *ls, const u8 *buf);
/**
 * unaligned_carry_out() - do @ls at @ev->addr; the caller moves the ip on. Context: as uctx_emulate(). Return: UCTX_EMULATED, or
 * UCTX_EMULATION_FAULT: *ev says which byte could not be accessed, and how.
 */
enum uctx_emulation unaligned_carry_out(struct hal_task *task, const struct load_store *ls,
					struct uctx_event *ev);

#endif

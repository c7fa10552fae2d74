/* SPDX-License-Identifier: MIT */
/*
 * Instructions under a breakpoint: what uprobes and kprobes need to know of them.
 *
 * A probe replaces an instruction by a breakpoint. When it was hit, the displaced instruction still has to take effect:
 * probe_decode() says how. Instructions that use the program counter are carried out by probe_emulate(); all others
 * are executed elsewhere, from a slot: for programs followed by a breakpoint, for the kernel by a jump back.
 *
 * The order of use for programs:
 *	probe_decode()		once, when the breakpoint is placed
 *	probe_fill_slot()	once, into executable memory of the program
 *	at each hit: probe_emulate(), or probe_slot_enter(), run the slot, probe_slot_next() at the breakpoint that ends it
 *	(probe_slot_leave() when it faulted instead).
 *
 * Implemented by arch/<isa>/probe.c, which also builds on the host for tests. No locks; nothing here sleeps but
 * the memory functions that the caller passes.
 */
#ifndef HAL_PROBE_H
#define HAL_PROBE_H

#include <compiler.h>
#include <types.h>

struct uctx;
struct hal_kprobe_regs;

#define PROBE_INSN_MAX 16 /* bytes of the longest instruction */
#define PROBE_SLOT     32 /* bytes of a slot */

/* Linux's code for "this instruction cannot be probed" (x86_64); it reaches user space as 524. */
#define PROBE_ENOTSUPP 524

enum probe_action {
	PROBE_XOL,     /* execute out of line, from a slot */
	PROBE_EMULATE, /* probe_emulate() does it */
	PROBE_SYSCALL, /* a system call: move on and handle that */
};

/* A decoded instruction. */
struct probe_insn {
	u8 bytes[PROBE_INSN_MAX];
	u8 len;	   /* of the original, bytes */
	u8 action; /* enum probe_action */
	u8 op;	   /* the arch's: which instruction */
	u8 scratch; /* register that holds a pc-relative address in the slot; only with uses_scratch */
	u8 uses_scratch : 1;
	u8 branches : 1;     /* executed in the slot, with a second way out: to @imm */
	u8 rd, rs, rt, size; /* operands, the arch's */
	s64 imm;     /* displacement: of the target, or of the address in the scratch register */
	u8 slot_len; /* of slot[], bytes */
	u8 slot[PROBE_INSN_MAX]; /* what stands in a slot, without what ends it */
};

/* How probe_emulate() reaches memory: the program's or the kernel's. 0 or -EFAULT. */
struct probe_mem {
	int (*get)(unsigned long addr, u64 *val, unsigned int size);
	int (*put)(unsigned long addr, u64 val);
};

/* Where an emulated access failed. */
struct probe_fault {
	unsigned long addr;
	unsigned int access; /* UCTX_READ, UCTX_WRITE */
};

/* What a thread keeps while it is in a slot. */
struct probe_saved {
	unsigned long scratch;
};

/**
 * probe_decode() - look at the instruction that begins at @bytes.
 * @n: bytes there are; less than PROBE_INSN_MAX only where the file or section ends.
 * Return: 0; -EINVAL or -PROBE_ENOTSUPP: may not be probed (what Linux says on this architecture); -ENOEXEC: no instruction.
 */
int probe_decode(struct probe_insn *p, const u8 *bytes, size_t n);

/** probe_align() - what the offset of a probe must be a multiple of, bytes. */
unsigned int probe_align(void);
/** probe_breakpoint() - the breakpoint that replaces instructions of programs. @out: 4 bytes. Return: its length. */
unsigned int probe_breakpoint(u8 *out);
/** probe_trap_ip() - the address of the breakpoint that just trapped. */
unsigned long probe_trap_ip(const struct uctx *u);

/** probe_fill_slot() - the whole slot of @p for a program, PROBE_SLOT bytes. */
void probe_fill_slot(const struct probe_insn *p, u8 *out);

/**
 * probe_emulate() - carry @p, which stands at @ip, out on the registers @u; the ip included.
 * Return: 0, or -EFAULT with @fault set and @u as it was (but for the ip, which is @ip).
 */
int probe_emulate(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		  const struct probe_mem *mem, struct probe_fault *fault);

/** probe_slot_enter() - make @u execute @p, which stands at @ip, from @slot. */
void probe_slot_enter(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      unsigned long slot, struct probe_saved *saved);
/**
 * probe_slot_next() - @u trapped at @at: if that is the end of the slot, go on behind @ip.
 * Return: false: it is not the end; nothing changed.
 */
bool probe_slot_next(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		     unsigned long slot, unsigned long at, const struct probe_saved *saved);
/** probe_slot_leave() - @u faulted in the slot: back to @ip, as if the instruction had faulted there. */
void probe_slot_leave(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      const struct probe_saved *saved);
/** probe_syscall() - @p is a system call: set @u as the trap would have. */
void probe_syscall(const struct probe_insn *p, struct uctx *u, unsigned long ip);

/*
 * Functions of a program. probe_return_address(): at the first instruction of a function, where it will return to;
 * probe_set_return_address() replaces it. 0 or -EFAULT.
 */
int probe_return_address(const struct uctx *u, const struct probe_mem *mem, unsigned long *out);
int probe_set_return_address(struct uctx *u, const struct probe_mem *mem, unsigned long addr);

/**
 * probe_kernel_slot() - the slot of @p for the kernel: the instruction, then a jump to what follows it.
 * @ip: where @p stands; @slot: where @out (PROBE_SLOT bytes) will stand, close by
 * Return: 0; 1: no slot needed, probe_emulate() does all of it; -EINVAL: cannot be done.
 */
int probe_kernel_slot(const struct probe_insn *p, unsigned long ip, unsigned long slot, u8 *out);

/**
 * probe_register() - the register that @name means (without '%'), as Linux's regs_query_register_offset() names them.
 * Return: its offset in struct uctx, or -EINVAL.
 */
int probe_register(const char *name);
/** probe_argument() - offset in struct uctx of the register that holds argument @n (0 first) of a function; -EINVAL: on the stack. */
int probe_argument(unsigned int n);
/** probe_result() - offset in struct uctx of the register with a function's result. */
int probe_result(void);

#endif

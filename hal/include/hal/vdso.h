/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: code of the kernel's that runs in user mode, and the page of data it reads.
 *
 * It is an ELF image, mapped into every program, with the data in the page before it. Programs find it by AT_SYSINFO_EHDR
 * and look functions up by name, so that reading the clock takes no trap. It also holds the signal return trampoline where
 * the ABI has no other place for it.
 *
 * It is made of hal/common/vdso/clock.c and arch/<isa>/vdso_calls.S; <arch/vdso.h> says what the architecture's is like.
 * Source: vdso(7).
 */
#ifndef HAL_VDSO_H
#define HAL_VDSO_H

#define VDSO_DATA_SIZE 4096
/* struct vdso_data for assembly. */
#define VDSO_HWPROBE_KEYS   24
#define VDSO_HWPROBE_VALUES 32
#define VDSO_NHWPROBE	    10

#if !defined(__ASSEMBLER__) && !defined(__LINKER_SCRIPT__)

#include <compiler.h>
#include <types.h>

/* What the clock functions need. Only the offsets change after boot: each is one word, so readers see the old value or the new. */
struct vdso_data {
	u64 origin;	    /* hal_clock's */
	u64 sec_per_tick;   /* 0.64 */
	u64 real_offset_ns; /* CLOCK_REALTIME less CLOCK_MONOTONIC */
	/* riscv64: what riscv_hwprobe(2) says of all CPUs; a bit for each key that is known. */
	u64 hwprobe_keys, hwprobe_value[VDSO_NHWPROBE];
	u64 tai_offset_ns; /* CLOCK_TAI less CLOCK_REALTIME */
};
static_assert(__builtin_offsetof(struct vdso_data, hwprobe_keys) == VDSO_HWPROBE_KEYS);
static_assert(__builtin_offsetof(struct vdso_data, hwprobe_value) == VDSO_HWPROBE_VALUES);

/** hal_vdso() - the ELF image, to be mapped behind the data page. @size: bytes, whole pages. Any context. */
const void *hal_vdso(size_t *size);
/** hal_vdso_fill() - the architecture's part of the data. At boot. */
void hal_vdso_fill(struct vdso_data *data);
/** hal_vdso_sigreturn() - offset of the sigreturn trampoline in the image; 0 if the ABI has none. */
unsigned long hal_vdso_sigreturn(void);

#endif
#endif

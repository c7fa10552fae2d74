/* SPDX-License-Identifier: MIT */
/* What this architecture's vDSO is like: see <hal/vdso.h>. Used by its code, its linker script and the kernel. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT      0x100 /* where the code begins, behind the ELF headers */
#define VDSO_SIGRETURN (VDSO_TEXT + 4)
#define VDSO_SIGRETURN_NAME __vdso_rt_sigreturn

#ifdef __LINKER_SCRIPT__
#define VDSO_OUTPUT_ARCH riscv
#define VDSO_VERSION LINUX_4.15
#define VDSO_EXPORTS \
	__vdso_rt_sigreturn; __vdso_clock_gettime; __vdso_clock_getres; __vdso_gettimeofday; \
	__vdso_getcpu; __vdso_flush_icache; __vdso_riscv_hwprobe;
#endif

#define VDSO_NAME(name) __vdso_##name
#define VDSO_NR_clock_gettime 113
#define VDSO_NR_clock_getres  114
#define VDSO_NR_gettimeofday  169

#if !defined(__ASSEMBLER__) && !defined(__LINKER_SCRIPT__)
#include <compiler.h>

/* For the vDSO itself: it runs in user mode. */
static __always_inline long vdso_syscall(long nr, long a, void *b)
{
	register long a0 __asm__("a0") = a;
	register void *a1 __asm__("a1") = b;
	register long a7 __asm__("a7") = nr;

	__asm__ __volatile__("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
	return a0;
}
#endif

#endif

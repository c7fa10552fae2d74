/* SPDX-License-Identifier: MIT */
/* What this architecture's vDSO is like: see <hal/vdso.h>. Used by its code, its linker script and the kernel. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT      0x100 /* where the code begins, behind the ELF headers */
#define VDSO_SIGRETURN (VDSO_TEXT + 4)
#define VDSO_SIGRETURN_NAME __kernel_rt_sigreturn

#ifdef __LINKER_SCRIPT__
#define VDSO_OUTPUT_ARCH aarch64
#define VDSO_VERSION LINUX_2.6.39
#define VDSO_EXPORTS \
	__kernel_rt_sigreturn; __kernel_clock_gettime; __kernel_clock_getres; __kernel_gettimeofday;
#endif

#define VDSO_NAME(name) __kernel_##name
#define VDSO_NR_clock_gettime 113
#define VDSO_NR_clock_getres  114
#define VDSO_NR_gettimeofday  169

#if !defined(__ASSEMBLER__) && !defined(__LINKER_SCRIPT__)
#include <compiler.h>

/* For the vDSO itself: it runs in user mode. */
static __always_inline long vdso_syscall(long nr, long a, void *b)
{
	register long x0 __asm__("x0") = a;
	register void *x1 __asm__("x1") = b;
	register long x8 __asm__("x8") = nr;

	__asm__ __volatile__("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return x0;
}
#endif

#endif

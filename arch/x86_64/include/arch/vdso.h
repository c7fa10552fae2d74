/* SPDX-License-Identifier: MIT */
/* What this architecture's vDSO is like: see <hal/vdso.h>. Used by its code, its linker script and the kernel. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT      0x100 /* where the code begins, behind the ELF headers */
#define VDSO_SIGRETURN 0 /* handlers bring their own trampoline */

#ifdef __LINKER_SCRIPT__
#define VDSO_OUTPUT_ARCH i386:x86-64
#define VDSO_VERSION LINUX_2.6
#define VDSO_EXPORTS \
	clock_gettime; __vdso_clock_gettime; clock_getres; __vdso_clock_getres; gettimeofday; \
	__vdso_gettimeofday; time; __vdso_time; getcpu; __vdso_getcpu;
#endif

#define VDSO_NAME(name) __vdso_##name
#define VDSO_PLAIN_NAMES /* each function also without the prefix, and time() */
#define VDSO_NR_clock_gettime 228
#define VDSO_NR_clock_getres  229
#define VDSO_NR_gettimeofday  96

#if !defined(__ASSEMBLER__) && !defined(__LINKER_SCRIPT__)
#include <compiler.h>

/* For the vDSO itself: it runs in user mode. */
static __always_inline long vdso_syscall(long nr, long a, void *b)
{
	long ret;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(nr), "D"(a), "S"(b)
			     : "rcx", "r11", "memory");
	return ret;
}
#endif

#endif

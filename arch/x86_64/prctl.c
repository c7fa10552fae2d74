/* SPDX-License-Identifier: MIT */
/*
 * arch_prctl(2): the bases of FS (thread-local storage) and GS, and what the CPU lets programs use.
 * Source: arch_prctl(2); Linux arch/x86/include/uapi/asm/prctl.h.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/uctx.h>

#define ARCH_SET_GS	     0x1001
#define ARCH_SET_FS	     0x1002
#define ARCH_GET_FS	     0x1003
#define ARCH_GET_GS	     0x1004
#define ARCH_GET_CPUID	     0x1011
#define ARCH_SET_CPUID	     0x1012
#define ARCH_GET_XCOMP_SUPP  0x1021
#define ARCH_GET_XCOMP_PERM  0x1022

static long set_base(void (*set)(struct uctx *, unsigned long), struct uctx *u, unsigned long base)
{
	if (base >= USER_END)
		return -EPERM;
	set(u, base);
	return 0;
}

long uctx_arch_prctl(struct hal_task *task, int code, unsigned long arg)
{
	struct uctx *u = &task->uctx;

	switch (code) {
	case ARCH_SET_FS:
		return set_base(x86_set_fs_base, u, arg);
	case ARCH_SET_GS:
		return set_base(x86_set_gs_base, u, arg);
	case ARCH_GET_FS:
		return hal_put_user64(arg, x86_fs_base(u));
	case ARCH_GET_GS:
		return hal_put_user64(arg, x86_gs_base(u));
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID: /* CPUID cannot be made to fault here */
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
		return hal_put_user64(arg, x86_features.xfeatures);
	default:
		return -EINVAL;
	}
}

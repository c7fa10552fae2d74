/* SPDX-License-Identifier: MIT */
/* The vDSO image of loongarch64: holds __vdso_rt_sigreturn, for which signal frames have no other place. */
#include <arch/vdso.h>
#include <hal/uctx.h>

extern const char arch_vdso_start[], arch_vdso_end[];

const void *hal_vdso(size_t *size)
{
	*size = (size_t)(arch_vdso_end - arch_vdso_start);
	return arch_vdso_start;
}

unsigned long hal_vdso_sigreturn(void)
{
	return VDSO_TEXT;
}

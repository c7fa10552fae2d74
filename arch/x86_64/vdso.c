/* SPDX-License-Identifier: MIT */
/* Where the vDSO image is (arch/x86_64/vdso/). Signal handlers bring their own trampoline on x86_64. */
#include <hal/uctx.h>

extern const char x86_vdso_start[], x86_vdso_end[];

const void *hal_vdso(size_t *size)
{
	*size = (size_t)(x86_vdso_end - x86_vdso_start);
	return x86_vdso_start;
}

unsigned long hal_vdso_sigreturn(void)
{
	return 0;
}

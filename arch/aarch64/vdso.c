/* SPDX-License-Identifier: MIT */
/* The vDSO image that is linked from vdso/; <hal/uctx.h> says what it is for. */
#include <arch/vdso.h>
#include <compiler.h>
#include <hal/uctx.h>

extern const char aarch64_vdso_start[], aarch64_vdso_end[];

const void *hal_vdso(size_t *size)
{
	*size = (size_t)(aarch64_vdso_end - aarch64_vdso_start);
	return aarch64_vdso_start;
}

unsigned long hal_vdso_sigreturn(void)
{
	return VDSO_SIGRETURN;
}

/* SPDX-License-Identifier: MIT */
/* Where the linked vDSO is (hal/vdso.h). */
#include <arch/vdso.h>
#include <hal/vdso.h>

extern const char vdso_image_start[], vdso_image_end[];

const void *hal_vdso(size_t *size)
{
	*size = (size_t)(vdso_image_end - vdso_image_start);
	return vdso_image_start;
}

unsigned long hal_vdso_sigreturn(void)
{
	return VDSO_SIGRETURN;
}

__weak void hal_vdso_fill(struct vdso_data *data)
{
	(void)data;
}

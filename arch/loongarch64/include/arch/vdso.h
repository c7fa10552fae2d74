/* SPDX-License-Identifier: MIT */
/* Where the vDSO's code begins; shared by its linker script and hal_vdso_sigreturn(). */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT 0x800

#endif

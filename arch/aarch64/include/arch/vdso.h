/* SPDX-License-Identifier: MIT */
/* Where things are in the vDSO; the linker script asserts it. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT      0x400
#define VDSO_SIGRETURN (VDSO_TEXT + 4)

#endif

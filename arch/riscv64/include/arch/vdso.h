/* SPDX-License-Identifier: MIT */
/* Where things are in the vDSO image; vdso.lds.S asserts them. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#define VDSO_TEXT      0x800
#define VDSO_SIGRETURN 0x804

#endif

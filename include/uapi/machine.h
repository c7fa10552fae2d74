/* SPDX-License-Identifier: MIT */
/* What this machine is called: ELF's number for it and uname's word. */
#ifndef UAPI_MACHINE_H
#define UAPI_MACHINE_H

#if defined(__x86_64__)
#define ELF_MACHINE   62
#define UTS_MACHINE   "x86_64"
#define AUDIT_ARCH    0xc000003eu
#elif defined(__aarch64__)
#define ELF_MACHINE   183
#define UTS_MACHINE   "aarch64"
#define AUDIT_ARCH    0xc00000b7u
#elif defined(__riscv)
#define ELF_MACHINE   243
#define UTS_MACHINE   "riscv64"
#define AUDIT_ARCH    0xc00000f3u
#elif defined(__loongarch__)
#define ELF_MACHINE   258
#define UTS_MACHINE   "loongarch64"
#define AUDIT_ARCH    0xc0000102u
#endif

#endif

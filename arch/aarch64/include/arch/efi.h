/* SPDX-License-Identifier: MIT */
/* The EFI stub's last steps on this architecture. */
#ifndef ARCH_EFI_H
#define ARCH_EFI_H

#include <compiler.h>
#include <types.h>

#define ARCH_EFI_NEEDS_HART 0

#define ARCH_EFI_TREE_HINT 0

#pragma GCC visibility push(hidden)
/** arch_efi_enter() - go to the kernel at @kernel (entry.S). @size: bytes of it that were copied. */
__noreturn void arch_efi_enter(u64 kernel, u64 size, u64 tree, u64 hart);
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* Between the parts of the EFI stub: see stub.c. All of it runs before the kernel, relative to the program counter. */
#ifndef HAL_EFI_STUB_H
#define HAL_EFI_STUB_H

#include "efi.h"

#include <compiler.h>

#ifdef __x86_64__
#define EFI_STUB_MAX_ADDRESS 0xffffffffULL /* the way to the kernel leads through 32-bit code */
#else
#define EFI_STUB_MAX_ADDRESS 0xfffffffffULL
#endif

#define GUID(name, ...) static const struct efi_guid name = { { __VA_ARGS__ } }

#pragma GCC visibility push(hidden)

/** efi_stub_alloc() - whole pages for @size bytes that stay the kernel's, or 0. */
u64 efi_stub_alloc(struct efi_boot *boot, u64 size);

/** efi_stub_prepare() - everything that may fail, while there is a console. Return: NULL, or what is wrong. */
const char *efi_stub_prepare(struct efi_boot *boot);

/** efi_stub_enter() - boot services are over: put the kernel in its place and go. */
__noreturn void efi_stub_enter(struct efi_boot *boot);

efi_status EFIAPI efi_stub_main(efi_handle handle, struct efi_systab *systab);

#pragma GCC visibility pop

#endif

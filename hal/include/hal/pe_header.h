/* SPDX-License-Identifier: MIT */
/*
 * The PE headers that make the image a UEFI application (assembler and linker script only). The image begins with a DOS header
 * whose word at 0x3c is the offset of label pe_header; everything up to 4 KiB counts as headers.
 * Two sections: text, and everything writable or constant behind it. Nothing is relocated: the stub does not care.
 * Source: Microsoft PE/COFF specification; UEFI Specification 2.10, section 2.1.
 */
#ifndef HAL_PE_HEADER_H
#define HAL_PE_HEADER_H

#define PE_MACHINE_X64	       0x8664
#define PE_MACHINE_ARM64       0xaa64
#define PE_MACHINE_RISCV64     0x5064
#define PE_MACHINE_LOONGARCH64 0x6264

/* clang-format off */
#ifdef __LINKER_SCRIPT__
/* Sizes that only the linker knows. __file_end is where the file's data ends, a multiple of 512. */
#define PE_SYMBOLS_AT(head)                                                                        \
	_pe_code = __text_end - (head) - 0x1000;                                                   \
	_pe_data = __image_end - __text_end;                                                       \
	_pe_data_at = __text_end - (head);                                                         \
	_pe_data_file = __file_end - __text_end;                                                   \
	_pe_image = __image_end - (head);                                                          \
	_pe_entry = efi_stub_main - (head);
#define PE_SYMBOLS PE_SYMBOLS_AT(__text_start)
#else
	.macro pe_headers machine
	.balign	8
pe_header:
	.ascii	"PE\0\0"
	.short	\machine
	.short	2			/* sections */
	.long	0, 0, 0
	.short	pe_sections - pe_optional
	.short	0x206			/* executable, no line numbers, no debugging */
pe_optional:
	.short	0x20b			/* PE32+ */
	.byte	2, 20
	.long	_pe_code
	.long	_pe_data
	.long	0
	.long	_pe_entry
	.long	0x1000			/* base of code */
	.quad	0			/* image base */
	.long	0x1000, 0x200		/* alignment of sections, in the file */
	.short	0, 0
	.short	3, 0			/* Linux's: the initrd may come from LoadFile2 */
	.short	0, 0
	.long	0
	.long	_pe_image
	.long	0x1000			/* headers */
	.long	0
	.short	10			/* EFI application */
	.short	0x100			/* no section is both written and executed */
	.quad	0, 0, 0, 0
	.long	0
	.long	6
	.quad	0, 0, 0, 0, 0, 0
pe_sections:
	.ascii	".text\0\0\0"
	.long	_pe_code, 0x1000
	.long	_pe_code, 0x1000
	.long	0, 0
	.short	0, 0
	.long	0x60000020		/* code, execute, read */
	.ascii	".data\0\0\0"
	.long	_pe_data, _pe_data_at
	.long	_pe_data_file, _pe_data_at
	.long	0, 0
	.short	0, 0
	.long	0xc0000040		/* data, read, write */
	.endm
#endif
/* clang-format on */

#endif

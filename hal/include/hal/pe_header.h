/* SPDX-License-Identifier: MIT */
/*
 * The PE headers that make the image a UEFI application (assembler only). The image begins at @head with a DOS header
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

	.macro pe_headers machine, head
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
	.long	__text_end - \head - 0x1000
	.long	__image_end - __text_end
	.long	0
	.long	efi_stub_main - \head
	.long	0x1000			/* base of code */
	.quad	0			/* image base */
	.long	0x1000, 0x200		/* alignment of sections, in the file */
	.short	0, 0
	.short	3, 0			/* Linux's: the initrd may come from LoadFile2 */
	.short	0, 0
	.long	0
	.long	__image_end - \head
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
	.long	__text_end - \head - 0x1000, 0x1000
	.long	__text_end - \head - 0x1000, 0x1000
	.long	0, 0
	.short	0, 0
	.long	0x60000020		/* code, execute, read */
	.ascii	".data\0\0\0"
	.long	__image_end - __text_end, __text_end - \head
	.long	__file_end - __text_end, __text_end - \head
	.long	0, 0
	.short	0, 0
	.long	0xc0000040		/* data, read, write */
	.endm

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Layout of the aarch64 image: linked at KERNEL_BASE, loaded at any multiple of 2 MiB.
 * Page-aligned parts with one kind of access each: text RX, constants R, the rest RW.
 */
#include <arch/layout.h>
#include <hal/pe_header.h>
#include <hal/sections.h>

OUTPUT_ARCH(aarch64)
ENTRY(_head)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = KERNEL_BASE;

	.text : {
		__text_start = .;
		NOPROBE_TEXT(*(.text.vectors) *(.text .text.asm.*))
		. = ALIGN(4096);
		__text_end = .;
	} :text

	.rodata : {
		__rodata_start = .;
		*(.rodata .rodata.*)
		RODATA_TABLES
		. = ALIGN(4096);
		__rodata_end = .;
	} :rodata

	.data : {
		__data_start = .;
		*(.data .data.[!.]* .data.rel*)
		*(.init.data .init.data.*)
		PERCPU_TEMPLATE
		. = ALIGN(512);
		__file_end = .;
	} :data

	.bss : {
		. = ALIGN(4096);
		/* Made before the MMU is on; not part of what entry.S clears afterwards. */
		__early_tables_start = .;
		*(.early_tables)
		__early_tables_end = .;
		__bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		__bss_end = .;
		__image_end = .;
	} :data

	_image_size = __image_end - KERNEL_BASE;
	PE_SYMBOLS

	/DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.property) *(.eh_frame) *(.discard*) }
}

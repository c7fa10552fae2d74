/* SPDX-License-Identifier: MIT */
/*
 * Layout of the x86_64 image: linked at KERNEL_BASE + KERNEL_PHYS, loaded at KERNEL_PHYS.
 * Page-aligned parts with one kind of access each: text RX, constants R, the rest RW.
 */
#include <arch/layout.h>
#include <hal/pe_header.h>
#include <hal/sections.h>

OUTPUT_ARCH(i386:x86-64)
ENTRY(x86_pvh_entry)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = KERNEL_BASE + KERNEL_PHYS;

	.text : AT(ADDR(.text) - KERNEL_BASE) {
		__text_start = .;
		NOPROBE_TEXT(*(.text))
		. = ALIGN(4096);
		__text_end = .;
	} :text

	.rodata : AT(ADDR(.rodata) - KERNEL_BASE) {
		__rodata_start = .;
		*(.rodata .rodata.*)
		RODATA_TABLES
		SECTION_TABLE(smap_sites, .smap_sites)
	} :rodata

	.note : AT(ADDR(.note) - KERNEL_BASE) {
		KEEP(*(.note.Xen))
		. = ALIGN(4096);
		__rodata_end = .;
	} :rodata :note

	.data : AT(ADDR(.data) - KERNEL_BASE) {
		__data_start = .;
		*(.data .data.[!.]* .data.rel*)
		*(.init.data .init.data.*)
		PERCPU_TEMPLATE
		. = ALIGN(512);
		__file_end = .;
	} :data

	.bss : AT(ADDR(.bss) - KERNEL_BASE) {
		. = ALIGN(4096);
		__bss_start = .;
		*(.bss..page)
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		__bss_end = .;
		__image_end = .;
	} :data

	PE_SYMBOLS_AT(__text_start - 0x1000)
	_bz_paragraphs = (__file_end - __text_start) >> 4;
	_bz_init_size = __image_end - __text_start;
	/* The head of bzImage: in the file, not in memory. Its labels are offsets. */
	.setup 0 : { KEEP(*(.setup)) }

	/DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.property) *(.eh_frame) *(.discard*) }
}

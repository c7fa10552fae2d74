/* SPDX-License-Identifier: MIT */
/*
 * Layout of the loongarch64 kernel image: text (RX), rodata (R), data (RW), each page-aligned. Linked
 * at KERNEL_BASE, loaded at 2 MiB of RAM, or wherever a multiple of 2 MiB; see entry.S.
 */
#include <arch/layout.h>
#include <hal/pe_header.h>
#include <hal/sections.h>

#define LOAD_PHYS 0x200000

OUTPUT_ARCH(loongarch)
ENTRY(_entry_phys)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS {
	. = KERNEL_BASE;
	__text_start = .;
	.text : AT(ADDR(.text) - KERNEL_BASE + LOAD_PHYS) {
		NOPROBE_TEXT(*(.text.vectors) *(.text))
	} :text
	. = ALIGN(4096);
	__text_end = .;

	__rodata_start = .;
	.rodata : AT(ADDR(.rodata) - KERNEL_BASE + LOAD_PHYS) {
		*(.rodata .rodata.* .srodata .srodata.*)
		RODATA_TABLES
	} :rodata
	. = ALIGN(4096);
	__rodata_end = .;

	__data_start = .;
	.data : AT(ADDR(.data) - KERNEL_BASE + LOAD_PHYS) {
		PERCPU_TEMPLATE
		*(.data .data.* .sdata .sdata.* .got .got.* .init.data .init.data.*)
		. = ALIGN(512);
		__file_end = .;
	} :data
	. = ALIGN(8);
	__bss_start = .;
	.bss : AT(ADDR(.bss) - KERNEL_BASE + LOAD_PHYS) {
		*(.bss.early)
		*(.bss .bss.* .sbss .sbss.* COMMON)
		. = ALIGN(8);
	} :data
	__bss_end = .;
	. = ALIGN(4096);
	__image_end = .;
	PE_SYMBOLS

	_load_phys = LOAD_PHYS;
	_image_size = __image_end - __text_start;
	_entry_phys = _entry - KERNEL_BASE + LOAD_PHYS;

	.comment 0 : { *(.comment) }
	.debug_abbrev 0 : { *(.debug_abbrev) }
	.debug_addr 0 : { *(.debug_addr) }
	.debug_aranges 0 : { *(.debug_aranges) }
	.debug_frame 0 : { *(.debug_frame) }
	.debug_info 0 : { *(.debug_info) }
	.debug_line 0 : { *(.debug_line) }
	.debug_line_str 0 : { *(.debug_line_str) }
	.debug_loclists 0 : { *(.debug_loclists) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }

	/DISCARD/ : { *(.note .note.* .eh_frame .eh_frame_hdr .interp .dynsym .dynstr .hash .gnu.hash .dynamic) }
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel image: linked at KERNEL_BASE, loaded at any multiple of 2 MiB.
 * Sections of one kind of access lie between page-aligned symbols: see <hal/pt_radix.h>.
 */
#include <arch/layout.h>
#include <hal/pe_header.h>
#include <hal/sections.h>

OUTPUT_ARCH(riscv)
ENTRY(_start)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS {
	. = KERNEL_BASE;
	__image_start = .;
	.text : {
		__text_start = .;
		NOPROBE_TEXT(*(.text.hot .text.hot.*) *(.text))
		. = ALIGN(4096);
		__text_end = .;
	} :text
	.rodata : ALIGN(4096) {
		__rodata_start = .;
		*(.rodata .rodata.*)
		*(.srodata .srodata.*)
		RODATA_TABLES
		. = ALIGN(4096);
		__rodata_end = .;
	} :rodata
	/* Before .data, whose pattern .data.* would take it. */
	.percpu : ALIGN(4096) {
		__data_start = .;
		PERCPU_TEMPLATE
	} :data
	.data : ALIGN(64) {
		*(.data .data.*)
		*(.sdata .sdata.*)
		*(.init.data .init.data.*)
		. = ALIGN(512);
		__file_end = .;
	} :data
	.bss : ALIGN(4096) {
		__bss_start = .;
		*(.bss .bss.*)
		*(.sbss .sbss.*)
		*(COMMON)
		. = ALIGN(4096);
		__bss_end = .;
	} :data
	__image_end = .;
	PE_SYMBOLS

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame .eh_frame_hdr .riscv.attributes)
	}
	.symtab : { *(.symtab) }
	.strtab : { *(.strtab) }
	.shstrtab : { *(.shstrtab) }
	.debug_info 0 : { *(.debug_info) }
	.debug_abbrev 0 : { *(.debug_abbrev) }
	.debug_line 0 : { *(.debug_line) }
	.debug_line_str 0 : { *(.debug_line_str) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.debug_addr 0 : { *(.debug_addr) }
	.debug_aranges 0 : { *(.debug_aranges) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_loclists 0 : { *(.debug_loclists) }
	.debug_loc 0 : { *(.debug_loc) }
	.debug_frame 0 : { *(.debug_frame) }
}

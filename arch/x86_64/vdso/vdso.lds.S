/* SPDX-License-Identifier: MIT */
#include <vdso/data.h>
/* One read-execute segment with everything, linked at 0, with Linux's symbol version. */
OUTPUT_ARCH(i386:x86-64)

SECTIONS {
	. = SIZEOF_HEADERS;
	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.gnu.version : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }
	.gnu.version_r : { *(.gnu.version_r) }
	.dynamic : { *(.dynamic) } :text :dynamic
	.rodata : { *(.rodata .rodata.*) } :text
	.eh_frame_hdr : { *(.eh_frame_hdr) } :text :eh_frame_hdr
	.eh_frame : { KEEP(*(.eh_frame)) } :text
	.text : { *(.text .text.*) } :text
	. = VDSO_DATA_OFFSET;
	HIDDEN(vdso_data = .);
	/DISCARD/ : { *(.data .data.* .bss .bss.* .note .note.*) }
}

PHDRS {
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}

VERSION {
	LINUX_2.6 {
	global:
		clock_gettime; __vdso_clock_gettime;
		clock_getres; __vdso_clock_getres;
		gettimeofday; __vdso_gettimeofday;
		time; __vdso_time;
		getcpu; __vdso_getcpu;
	local:
		*;
	};
}

/* SPDX-License-Identifier: MIT */
/* One read-execute segment with everything, linked at 0. __vdso_rt_sigreturn has Linux's symbol version. */
#include <arch/vdso.h>
#include <vdso/data.h>

OUTPUT_ARCH(riscv)

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
	. = VDSO_TEXT;
	.text : { *(.text .text.*) } :text
	. = VDSO_DATA_OFFSET;
	HIDDEN(vdso_data = .);
	/DISCARD/ : { *(.data .data.* .bss .bss.* .riscv.attributes .note .note.*) }
}

ASSERT(__vdso_rt_sigreturn == VDSO_SIGRETURN, "VDSO_SIGRETURN is wrong")

PHDRS {
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}

VERSION {
	LINUX_4.15 {
	global:
		__vdso_clock_gettime;
		__vdso_gettimeofday;
		__vdso_rt_sigreturn;
	local:
		*;
	};
}

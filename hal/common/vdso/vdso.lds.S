/* SPDX-License-Identifier: MIT */
/*
 * One read-execute segment with everything, linked at 0. The code comes first, so that the trampoline is where
 * <arch/vdso.h> says; symbols have Linux's version.
 */
#include <arch/vdso.h>
#include <hal/vdso.h>

OUTPUT_ARCH(VDSO_OUTPUT_ARCH)

SECTIONS {
	vdso_data = . - VDSO_DATA_SIZE;
	. = VDSO_TEXT;
	.text : { KEEP(*(.text.sigreturn)) *(.text .text.*) } :text
	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.gnu.version : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }
	.gnu.version_r : { *(.gnu.version_r) }
	.rodata : { *(.rodata .rodata.*) }
	.dynamic : { *(.dynamic) } :text :dynamic
	.eh_frame_hdr : { *(.eh_frame_hdr) } :text :eh_frame_hdr
	.eh_frame : { KEEP(*(.eh_frame)) } :text
	/* GNU ld makes the header of one; nothing uses it. */
	.got : { *(.got .got.plt) }
	/DISCARD/ : { *(.data .data.* .bss .bss.* .note .note.* .comment .*.attributes) }
}

ASSERT(SIZEOF_HEADERS <= VDSO_TEXT, "VDSO_TEXT is too low")
#if VDSO_SIGRETURN
ASSERT(VDSO_SIGRETURN_NAME == VDSO_SIGRETURN, "VDSO_SIGRETURN is wrong")
#endif

PHDRS {
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}

VERSION {
	VDSO_VERSION {
	global:
		VDSO_EXPORTS
	local:
		*;
	};
}

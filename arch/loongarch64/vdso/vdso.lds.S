/* SPDX-License-Identifier: MIT */
/* One page: ELF header and dynamic symbols, then the code at VDSO_TEXT. */
#include <arch/vdso.h>
#include <vdso/data.h>

OUTPUT_ARCH(loongarch)

PHDRS {
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}

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
	.text : {
		KEEP(*(.text.sigreturn))
		*(.text .text.*)
	} :text
	. = VDSO_DATA_OFFSET;
	HIDDEN(vdso_data = .);
	/DISCARD/ : { *(.note .note.* .data .bss .got .got.plt .plt .comment .rela.*) }
}

VERSION {
	LINUX_5.10 {
	global:
		__vdso_clock_getres;
		__vdso_clock_gettime;
		__vdso_getcpu;
		__vdso_gettimeofday;
		__vdso_rt_sigreturn;
	local:
		*;
	};
}

ASSERT(__vdso_rt_sigreturn == VDSO_TEXT, "the trampoline is where hal_vdso_sigreturn() says")

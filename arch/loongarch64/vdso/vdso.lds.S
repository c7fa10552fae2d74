/* SPDX-License-Identifier: MIT */
/* One page: ELF header and dynamic symbols, then the code at VDSO_TEXT. */
#include <arch/vdso.h>

OUTPUT_ARCH(loongarch)

PHDRS {
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
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
	. = VDSO_TEXT;
	.text : {
		KEEP(*(.text.sigreturn))
		*(.text .text.*)
	} :text
	/DISCARD/ : { *(.note .note.* .data .bss .got .got.plt .plt .eh_frame .eh_frame_hdr .comment .rela.*) }
}

VERSION {
	LINUX_5.10 {
	global:
		__vdso_rt_sigreturn;
	local:
		*;
	};
}

ASSERT(__vdso_rt_sigreturn == VDSO_TEXT, "the trampoline is where hal_vdso_sigreturn() says")

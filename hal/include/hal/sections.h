/* SPDX-License-Identifier: MIT */
/*
 * Parts of the linker scripts that every architecture has: arch/<isa>/kernel.lds.S.
 *
 * Among the constants: drivers (<hal/driver.h>), addresses where a user copy may fault (<hal/extable.h>), the archive that
 * was built in. Among the data: the template of per-CPU data (<hal/cpu.h>).
 */
#ifndef HAL_SECTIONS_H
#define HAL_SECTIONS_H

/* clang-format off */
#define SECTION_TABLE(name, input)	\
	. = ALIGN(8);			\
	__##name##_start = .;		\
	KEEP(*(input))			\
	__##name##_end = .;

#define RODATA_TABLES			\
	SECTION_TABLE(drivers, fdt_drivers) \
	SECTION_TABLE(ex_table, __ex_table) \
	. = ALIGN(8);			\
	KEEP(*(.initramfs))

#define PERCPU_TEMPLATE			\
	. = ALIGN(64);			\
	__percpu_start = .;		\
	KEEP(*(.data..percpu))		\
	. = ALIGN(64);			\
	__percpu_end = .;

#define NOPROBE_TEXT(...)		\
	__noprobe_text_start = .;	\
	KEEP(*(.head.text))		\
	__VA_ARGS__			\
	__noprobe_text_end = .;		\
	*(.text.*)			\
	*(.init.text .init.text.*)
/* clang-format on */

#endif

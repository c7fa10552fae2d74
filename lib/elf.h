/* SPDX-License-Identifier: MIT */
/*
 * ELF64 files: the structures, and a parser that trusts nothing.
 *
 * To load a program:
 *	1. read the start of the file; elf_parse_ehdr() checks it and says where the program headers
 *	   are (image.phoff, image.phdrs_size);
 *	2. read those; elf_parse_phdrs() checks every one and fills the rest of the image;
 *	3. map each PT_LOAD: afterwards no arithmetic on a checked header can overflow.
 * For the interpreter the same with elf_parse_interp_ehdr(), whose errors are ELIBBAD.
 *
 * Nothing here allocates, locks or sleeps. Every refusal comes with a reason, one line of text.
 * Source: System V gABI chapter 4 and 5; elf(5); what Linux's exec accepts and which errno it gives.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <compiler.h>
#include <types.h>

#define EI_NIDENT	16
#define EI_CLASS	4
#define EI_DATA		5
#define EI_VERSION	6
#define EI_OSABI	7
#define ELFMAG		"\177ELF"
#define SELFMAG		4
#define ELFCLASS64	2
#define ELFDATA2LSB	1

#define ET_REL		1
#define ET_EXEC		2
#define ET_DYN		3
#define ET_CORE		4

#define EM_X86_64	62
#define EM_AARCH64	183
#define EM_RISCV	243
#define EM_LOONGARCH	258

#define PT_NULL		0
#define PT_LOAD		1
#define PT_DYNAMIC	2
#define PT_INTERP	3
#define PT_NOTE		4
#define PT_SHLIB	5
#define PT_PHDR		6
#define PT_TLS		7
#define PT_GNU_EH_FRAME	0x6474e550
#define PT_GNU_STACK	0x6474e551
#define PT_GNU_RELRO	0x6474e552
#define PT_GNU_PROPERTY	0x6474e553

#define PF_X		1
#define PF_W		2
#define PF_R		4

#define PN_XNUM		0xffff

struct elf64_ehdr {
	u8 e_ident[EI_NIDENT];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
};

struct elf64_phdr {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
};

/* Sections, symbols, relocations: for modules and for symbol tables. */
#define SHN_UNDEF	0
#define SHN_LORESERVE	0xff00
#define SHN_ABS		0xfff1
#define SHN_COMMON	0xfff2
#define SHT_NULL	0
#define SHT_PROGBITS	1
#define SHT_SYMTAB	2
#define SHT_STRTAB	3
#define SHT_RELA	4
#define SHT_NOTE	7
#define SHT_NOBITS	8
#define SHT_INIT_ARRAY	14
#define SHF_WRITE	0x1
#define SHF_ALLOC	0x2
#define SHF_EXECINSTR	0x4

struct elf64_shdr {
	u32 sh_name;
	u32 sh_type;
	u64 sh_flags;
	u64 sh_addr;
	u64 sh_offset;
	u64 sh_size;
	u32 sh_link;
	u32 sh_info;
	u64 sh_addralign;
	u64 sh_entsize;
};

#define STB_LOCAL	0
#define STB_GLOBAL	1
#define STB_WEAK	2
#define STT_NOTYPE	0
#define STT_OBJECT	1
#define STT_FUNC	2
#define STT_SECTION	3
#define STT_TLS		6
#define ELF64_ST_BIND(i)	((i) >> 4)
#define ELF64_ST_TYPE(i)	((i) & 0xf)

struct elf64_sym {
	u32 st_name;
	u8 st_info;
	u8 st_other;
	u16 st_shndx;
	u64 st_value;
	u64 st_size;
};

#define ELF64_R_SYM(i)		((u32)((i) >> 32))
#define ELF64_R_TYPE(i)		((u32)(i))

struct elf64_rela {
	u64 r_offset;
	u64 r_info;
	s64 r_addend;
};

struct elf64_dyn {
	s64 d_tag;
	u64 d_val;
};

struct elf64_nhdr {
	u32 n_namesz;
	u32 n_descsz;
	u32 n_type;
};

static_assert(sizeof(struct elf64_ehdr) == 64);
static_assert(sizeof(struct elf64_phdr) == 56);
static_assert(sizeof(struct elf64_shdr) == 64);
static_assert(sizeof(struct elf64_sym) == 24);
static_assert(sizeof(struct elf64_rela) == 24);

/* The auxiliary vector's keys belong to the ABI: see <uapi/auxvec.h>. */

#define ELF_PAGE_SIZE		4096	/* offsets and addresses agree modulo this */
#define ELF_PHDRS_MAX		65536	/* bytes of program headers, as on Linux */
#define ELF_INTERP_MAX		4096	/* PATH_MAX: longest interpreter path, with its NUL */
#define ELF_VADDR_LIMIT		(1ULL << 56)	/* above the user part of every machine */

enum elf_stack {
	ELF_STACK_DEFAULT, /* no PT_GNU_STACK: the architecture's default */
	ELF_STACK_NOEXEC,
	ELF_STACK_EXEC,
};

/* What is known about a file after the checks. */
struct elf_image {
	/* after elf_parse_ehdr */
	u16 machine;
	u16 type;	/* ET_EXEC or ET_DYN */
	u32 flags;	/* e_flags */
	u64 entry;	/* without the load bias */
	u64 phoff;	/* where the program headers are in the file ... */
	u32 phdrs_size; /* ... how many bytes, inside the file ... */
	u16 phnum;	/* ... and how many headers; at least 1 */
	/* after elf_parse_phdrs */
	u16 nload; /* number of PT_LOAD; at least 1 */
	bool has_interp;
	bool has_tls;
	enum elf_stack stack;
	u64 interp_offset;     /* the path, in the file; its last byte must be NUL */
	u64 interp_size;       /* with the NUL: 2 to ELF_INTERP_MAX */
	u64 min_vaddr;	       /* of all PT_LOAD, rounded down to a page */
	u64 max_vaddr;	       /* end of all PT_LOAD, rounded up to a page */
	u64 max_align;	       /* largest power of two p_align, at least a page */
	u64 brk;	       /* end of the highest PT_LOAD, not rounded */
	u64 phdr_vaddr;	       /* AT_PHDR without the load bias; 0: not loaded */
	struct elf64_phdr tls; /* the first PT_TLS, if has_tls */
};

/**
 * elf_parse_ehdr - check the header of a program
 * @buf: the start of the file; any alignment
 * @len: how much of it, the smaller of @file_size and what the caller read (64 bytes do)
 * @file_size: size of the whole file
 * @machine: the EM_ value that can run
 * @out: cleared, then filled with what the header says
 * @why: where to store the reason of a failure; never NULL afterwards
 *
 * Context: any.
 * Return: 0, or -ENOEXEC: not an ELF64 program for @machine, or cut short.
 */
int __must_check elf_parse_ehdr(const void *buf, size_t len, u64 file_size, u16 machine,
				struct elf_image *out, const char **why);

/* The same for a program interpreter: -ELIBBAD in place of -ENOEXEC. */
int __must_check elf_parse_interp_ehdr(const void *buf, size_t len, u64 file_size, u16 machine,
				       struct elf_image *out, const char **why);

/**
 * elf_parse_phdrs - check all program headers
 * @phdrs: what the file has at out->phoff; any alignment
 * @len: number of bytes there, at least out->phdrs_size
 * @file_size: size of the whole file
 * @out: the result of elf_parse_ehdr, completed here
 * @why: as above
 *
 * Afterwards, for each PT_LOAD: filesz <= memsz, vaddr + memsz <= ELF_VADDR_LIMIT, and unless filesz
 * is 0, offset + filesz <= @file_size and offset and address agree modulo ELF_PAGE_SIZE. Alignments that are no power of
 * two are ignored, as Linux does. Whether the range is free and inside user space is for the
 * address space to say.
 * Context: any.
 * Return: 0; -ENOEXEC: cut short or malformed; -EINVAL: a PT_LOAD that cannot be mapped, or none.
 */
int __must_check elf_parse_phdrs(const void *phdrs, size_t len, u64 file_size,
				 struct elf_image *out, const char **why);

/* Program header number @i (less than out->phnum), copied out because it need not be aligned. */
struct elf64_phdr elf_phdr(const void *phdrs, unsigned int i);

/**
 * elf_check_interp_path - check the interpreter's path once it was read
 * @path: the image.interp_size bytes at image.interp_offset
 * @size: their number
 * @why: as above
 *
 * Return: 0, or -ENOEXEC: not terminated. Text after the first NUL is ignored, as on Linux.
 */
int __must_check elf_check_interp_path(const char *path, u64 size, const char **why);

#endif /* LIB_ELF_H */

/* SPDX-License-Identifier: MIT */
/*
 * The ELF parser. The interface and the rules are in lib/elf.h.
 *
 * Every number of the file is checked against file_size or ELF_VADDR_LIMIT before it takes part in
 * a sum; sums that could still overflow go through add_overflow().
 */
#include <err.h>
#include <lib/elf.h>
#include <lib/string.h>

/* Report @reason and return @err, an int: for a return statement. */
static int refuse(const char **why, const char *reason, int err)
{
	*why = reason;
	return err;
}

/* Whether @size bytes at @offset lie inside the file. */
static bool in_file(u64 offset, u64 size, u64 file_size)
{
	return offset <= file_size && size <= file_size - offset;
}

static int check_ident(const struct elf64_ehdr *ehdr, u16 machine, const char **why)
{
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(why, "not an ELF file", -ENOEXEC);
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return refuse(why, "not a 64-bit ELF file", -ENOEXEC);
	if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(why, "not a little-endian ELF file", -ENOEXEC);
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return refuse(why, "neither an executable nor a shared object", -ENOEXEC);
	if (ehdr->e_machine != machine)
		return refuse(why, "built for another architecture", -ENOEXEC);
	return 0;
}

int elf_parse_ehdr(const void *buf, size_t len, u64 file_size, u16 machine, struct elf_image *out,
		   const char **why)
{
	struct elf64_ehdr ehdr;
	u64 phdrs_size;
	int err;

	*out = (struct elf_image){ 0 };
	*why = "";
	if (len < SELFMAG || memcmp(buf, ELFMAG, SELFMAG) != 0)
		return refuse(why, "not an ELF file", -ENOEXEC);
	if (len < sizeof(ehdr) || file_size < sizeof(ehdr))
		return refuse(why, "ELF header cut short", -ENOEXEC);
	memcpy(&ehdr, buf, sizeof(ehdr));
	err = check_ident(&ehdr, machine, why);
	if (err)
		return err;
	if (ehdr.e_phentsize != sizeof(struct elf64_phdr))
		return refuse(why, "program headers of a wrong size", -ENOEXEC);
	phdrs_size = (u64)ehdr.e_phnum * sizeof(struct elf64_phdr);
	if (phdrs_size == 0)
		return refuse(why, "no program headers", -ENOEXEC);
	if (phdrs_size > ELF_PHDRS_MAX)
		return refuse(why, "too many program headers", -ENOEXEC);
	if (!in_file(ehdr.e_phoff, phdrs_size, file_size))
		return refuse(why, "program headers beyond the end of the file", -ENOEXEC);
	out->machine = ehdr.e_machine;
	out->type = ehdr.e_type;
	out->flags = ehdr.e_flags;
	out->entry = ehdr.e_entry;
	out->phoff = ehdr.e_phoff;
	out->phnum = ehdr.e_phnum;
	out->phdrs_size = (u32)phdrs_size;
	return 0;
}

int elf_parse_interp_ehdr(const void *buf, size_t len, u64 file_size, u16 machine,
			  struct elf_image *out, const char **why)
{
	int err = elf_parse_ehdr(buf, len, file_size, machine, out, why);

	return err == -ENOEXEC ? -ELIBBAD : err;
}

struct elf64_phdr elf_phdr(const void *phdrs, unsigned int i)
{
	struct elf64_phdr phdr;

	memcpy(&phdr, (const u8 *)phdrs + i * sizeof(phdr), sizeof(phdr));
	return phdr;
}

static int check_load(const struct elf64_phdr *p, u64 file_size, const char **why)
{
	if (p->p_filesz > p->p_memsz)
		return refuse(why, "segment larger in the file than in memory", -EINVAL);
	if (p->p_memsz > ELF_VADDR_LIMIT || p->p_vaddr > ELF_VADDR_LIMIT - p->p_memsz)
		return refuse(why, "segment outside of user memory", -EINVAL);
	if (!p->p_filesz)
		return 0;
	if (!in_file(p->p_offset, p->p_filesz, file_size))
		return refuse(why, "segment beyond the end of the file", -ENOEXEC);
	if ((p->p_offset ^ p->p_vaddr) % ELF_PAGE_SIZE)
		return refuse(why, "segment's offset and address disagree within a page", -EINVAL);
	return 0;
}

/* Take a checked PT_LOAD into account. */
static void note_load(const struct elf64_phdr *p, struct elf_image *out)
{
	u64 start = ALIGN_DOWN(p->p_vaddr, ELF_PAGE_SIZE);
	u64 end = p->p_vaddr + p->p_memsz;

	out->min_vaddr = out->nload ? min(out->min_vaddr, start) : start;
	out->max_vaddr = max(out->max_vaddr, ALIGN_UP(end, ELF_PAGE_SIZE));
	out->brk = max(out->brk, end);
	if (is_power_of_2(p->p_align))
		out->max_align = max(out->max_align, p->p_align);
	if (!out->phdr_vaddr && p->p_offset <= out->phoff && out->phoff - p->p_offset < p->p_filesz)
		out->phdr_vaddr = out->phoff - p->p_offset + p->p_vaddr;
	out->nload++;
}

/* The first PT_INTERP counts, as on Linux. */
static int note_interp(const struct elf64_phdr *p, u64 file_size, struct elf_image *out,
		       const char **why)
{
	if (out->has_interp)
		return 0;
	if (p->p_filesz < 2 || p->p_filesz > ELF_INTERP_MAX)
		return refuse(why, "interpreter path of an impossible length", -ENOEXEC);
	if (!in_file(p->p_offset, p->p_filesz, file_size))
		return refuse(why, "interpreter path beyond the end of the file", -ENOEXEC);
	out->has_interp = true;
	out->interp_offset = p->p_offset;
	out->interp_size = p->p_filesz;
	return 0;
}

static int note_tls(const struct elf64_phdr *p, u64 file_size, struct elf_image *out,
		    const char **why)
{
	if (out->has_tls)
		return 0;
	if (p->p_filesz > p->p_memsz || p->p_memsz > ELF_VADDR_LIMIT ||
	    p->p_vaddr > ELF_VADDR_LIMIT - p->p_memsz)
		return refuse(why, "malformed thread-local segment", -ENOEXEC);
	if (p->p_filesz && !in_file(p->p_offset, p->p_filesz, file_size))
		return refuse(why, "thread-local segment beyond the end of the file", -ENOEXEC);
	out->has_tls = true;
	out->tls = *p;
	return 0;
}

static int check_phdr(const struct elf64_phdr *p, u64 file_size, struct elf_image *out,
		      const char **why)
{
	int err = 0;

	switch (p->p_type) {
	case PT_LOAD:
		err = check_load(p, file_size, why);
		if (!err)
			note_load(p, out);
		break;
	case PT_INTERP:
		err = note_interp(p, file_size, out, why);
		break;
	case PT_TLS:
		err = note_tls(p, file_size, out, why);
		break;
	case PT_GNU_STACK:
		out->stack = p->p_flags & PF_X ? ELF_STACK_EXEC : ELF_STACK_NOEXEC;
		break;
	default: /* PT_PHDR, PT_DYNAMIC, PT_NOTE, PT_GNU_*: for the program itself */
		break;
	}
	return err;
}

int elf_parse_phdrs(const void *phdrs, size_t len, u64 file_size, struct elf_image *out,
		    const char **why)
{
	*why = "";
	if (len < out->phdrs_size)
		return refuse(why, "program headers cut short", -ENOEXEC);
	out->max_align = ELF_PAGE_SIZE;
	for (unsigned int i = 0; i < out->phnum; i++) {
		struct elf64_phdr phdr = elf_phdr(phdrs, i);
		int err = check_phdr(&phdr, file_size, out, why);

		if (err)
			return err;
	}
	if (!out->nload)
		return refuse(why, "nothing to load", -EINVAL);
	if (out->max_align > ELF_VADDR_LIMIT)
		return refuse(why, "segment with an impossible alignment", -EINVAL);
	return 0;
}

int elf_check_interp_path(const char *path, u64 size, const char **why)
{
	*why = "";
	if (!size || path[size - 1] != '\0')
		return refuse(why, "interpreter path without an end", -ENOEXEC);
	return 0;
}

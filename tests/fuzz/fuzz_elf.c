/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the ELF parser, then check what it promises about the headers it accepted.
 */
#include <stdlib.h>

#include <err.h>
#include <lib/elf.h>
#include <lib/string.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_load(const struct elf64_phdr *p, u64 size, const struct elf_image *image)
{
	CHECK(p->p_filesz <= p->p_memsz);
	CHECK(p->p_memsz <= ELF_VADDR_LIMIT && p->p_vaddr <= ELF_VADDR_LIMIT - p->p_memsz);
	CHECK(p->p_vaddr >= image->min_vaddr);
	CHECK(p->p_vaddr + p->p_memsz <= image->brk);
	CHECK(image->brk <= image->max_vaddr);
	if (p->p_filesz) {
		CHECK(p->p_offset <= size && p->p_filesz <= size - p->p_offset);
		CHECK((p->p_vaddr - p->p_offset) % ELF_PAGE_SIZE == 0);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elf_image image;
	const char *why = NULL;
	int err;

	err = elf_parse_interp_ehdr(data, size, size, EM_RISCV, &image, &why);
	CHECK(err == 0 || err == -ELIBBAD);
	err = elf_parse_ehdr(data, size, size, EM_RISCV, &image, &why);
	CHECK(why && (why[0] != '\0') == (err != 0));
	if (err) {
		CHECK(err == -ENOEXEC);
		return 0;
	}
	err = elf_parse_phdrs(data + image.phoff, image.phdrs_size, size, &image, &why);
	CHECK(why && (why[0] != '\0') == (err != 0));
	if (err) {
		CHECK(err == -ENOEXEC || err == -EINVAL);
		return 0;
	}
	CHECK(image.nload > 0 && is_power_of_2(image.max_align));
	for (unsigned int i = 0; i < image.phnum; i++) {
		struct elf64_phdr p = elf_phdr(data + image.phoff, i);

		if (p.p_type == PT_LOAD)
			check_load(&p, size, &image);
	}
	if (image.has_interp)
		err = elf_check_interp_path((const char *)data + image.interp_offset,
					    image.interp_size, &why);
	CHECK(err == 0 || err == -ENOEXEC);
	return 0;
}

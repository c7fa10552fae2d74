/* SPDX-License-Identifier: MIT */
/* The ELF parser: a good program in all its variants, then each way to be malformed. */
#include "test_lib.h"

#include <lib/elf.h>
#include <lib/string.h>

#define FILE_SIZE	0x5000
#define MACHINE		EM_RISCV

/* A small program as it lies in a file: two segments, text with the headers in it and data. */
struct program {
	struct elf64_ehdr ehdr;
	struct elf64_phdr phdr[8];
	const char *why;
	struct elf_image image;
};

static void make_program(struct program *p)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->ehdr.e_ident, ELFMAG, SELFMAG);
	p->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	p->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	p->ehdr.e_ident[EI_VERSION] = 1;
	p->ehdr.e_type = ET_EXEC;
	p->ehdr.e_machine = MACHINE;
	p->ehdr.e_entry = 0x10100;
	p->ehdr.e_phoff = sizeof(p->ehdr);
	p->ehdr.e_phentsize = sizeof(struct elf64_phdr);
	p->ehdr.e_phnum = 3;
	p->phdr[0] = (struct elf64_phdr){ PT_LOAD, PF_R | PF_X, 0,	0x10000,
					  0x10000, 0x1000,	0x1000, 0x1000 };
	p->phdr[1] = (struct elf64_phdr){ PT_LOAD, PF_R | PF_W, 0x1e00, 0x12e00,
					  0x12e00, 0x400,	0x2000, 0x1000 };
	p->phdr[2] = (struct elf64_phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 0x10 };
}

static int parse(struct program *p)
{
	int err = elf_parse_ehdr(&p->ehdr, sizeof(p->ehdr), FILE_SIZE, MACHINE, &p->image, &p->why);

	if (!err)
		err = elf_parse_phdrs(p->phdr, sizeof(p->phdr), FILE_SIZE, &p->image, &p->why);
	assert_non_null(p->why);
	assert_int_equal(strlen(p->why) != 0, err != 0);
	assert_null(strchr(p->why, '\n'));
	return err;
}

static void test_good_exec(void **state)
{
	struct program p;

	make_program(&p);
	assert_int_equal(parse(&p), 0);
	assert_int_equal(p.image.type, ET_EXEC);
	assert_int_equal(p.image.machine, MACHINE);
	assert_int_equal(p.image.entry, 0x10100);
	assert_int_equal(p.image.phnum, 3);
	assert_int_equal(p.image.phdrs_size, 3 * 56);
	assert_int_equal(p.image.nload, 2);
	assert_int_equal(p.image.min_vaddr, 0x10000);
	assert_int_equal(p.image.max_vaddr, 0x15000);
	assert_int_equal(p.image.brk, 0x14e00);
	assert_int_equal(p.image.phdr_vaddr, 0x10040);
	assert_int_equal(p.image.max_align, 0x1000);
	assert_int_equal(p.image.stack, ELF_STACK_NOEXEC);
	assert_false(p.image.has_interp);
	assert_false(p.image.has_tls);
}

static void test_good_variants(void **state)
{
	struct program p;

	make_program(&p);
	p.ehdr.e_type = ET_DYN;
	p.ehdr.e_phnum = 7;
	p.phdr[0].p_vaddr = 0;
	p.phdr[1].p_align = 0x200000;
	p.phdr[2].p_flags |= PF_X;
	p.phdr[3] = (struct elf64_phdr){ PT_INTERP, PF_R, 0x200, 0x200, 0x200, 20, 20, 1 };
	p.phdr[4] = (struct elf64_phdr){ PT_TLS, PF_R, 0x1e00, 0x12e00, 0, 8, 0x80, 64 };
	p.phdr[5] = (struct elf64_phdr){ PT_GNU_PROPERTY, PF_R, ~0ULL, ~0ULL, 0, ~0ULL, ~0ULL, 8 };
	p.phdr[6] = (struct elf64_phdr){ PT_PHDR, PF_R, ~0ULL, ~0ULL, 0, ~0ULL, 1, 3 };
	assert_int_equal(parse(&p), 0);
	assert_int_equal(p.image.type, ET_DYN);
	assert_int_equal(p.image.min_vaddr, 0);
	assert_int_equal(p.image.max_align, 0x200000);
	assert_int_equal(p.image.stack, ELF_STACK_EXEC);
	assert_int_equal(p.image.interp_offset, 0x200);
	assert_int_equal(p.image.interp_size, 20);
	assert_true(p.image.has_tls);
	assert_int_equal(p.image.tls.p_memsz, 0x80);
	assert_int_equal(p.image.phdr_vaddr, 0x40);

	make_program(&p);
	p.ehdr.e_phnum = 2;
	p.phdr[0].p_align = 3;	/* no power of two: ignored */
	p.phdr[1].p_filesz = 0; /* nothing from the file: offset of no meaning */
	p.phdr[1].p_offset = ~0ULL;
	assert_int_equal(parse(&p), 0);
	assert_int_equal(p.image.max_align, 0x1000);
	assert_int_equal(p.image.stack, ELF_STACK_DEFAULT);

	make_program(&p);
	p.phdr[0].p_offset = 0x1000; /* the headers are not part of what is loaded */
	assert_int_equal(parse(&p), 0);
	assert_int_equal(p.image.phdr_vaddr, 0);

	make_program(&p);
	swap(p.phdr[0], p.phdr[1]); /* any order */
	assert_int_equal(parse(&p), 0);
	assert_int_equal(p.image.min_vaddr, 0x10000);
	assert_int_equal(p.image.brk, 0x14e00);
}

#define REFUSED(error, change) do {	\
	struct program p;		\
	make_program(&p);		\
	change;				\
	assert_int_equal(parse(&p), error); \
} while (0)

static void test_bad_header(void **state)
{
	REFUSED(-ENOEXEC, p.ehdr.e_ident[0] = 0);
	REFUSED(-ENOEXEC, p.ehdr.e_ident[3] = 'f');
	REFUSED(-ENOEXEC, p.ehdr.e_ident[EI_CLASS] = 1);
	REFUSED(-ENOEXEC, p.ehdr.e_ident[EI_DATA] = 2);
	REFUSED(-ENOEXEC, p.ehdr.e_type = ET_REL);
	REFUSED(-ENOEXEC, p.ehdr.e_type = ET_CORE);
	REFUSED(-ENOEXEC, p.ehdr.e_type = 0xffff);
	REFUSED(-ENOEXEC, p.ehdr.e_machine = EM_X86_64);
	REFUSED(-ENOEXEC, p.ehdr.e_phentsize = 0);
	REFUSED(-ENOEXEC, p.ehdr.e_phentsize = 32);
	REFUSED(-ENOEXEC, p.ehdr.e_phnum = 0);
	REFUSED(-ENOEXEC, p.ehdr.e_phnum = PN_XNUM);
	REFUSED(-ENOEXEC, p.ehdr.e_phnum = 400);
	REFUSED(-ENOEXEC, p.ehdr.e_phoff = FILE_SIZE - 3 * 56 + 1);
	REFUSED(-ENOEXEC, p.ehdr.e_phoff = ~0ULL);
	REFUSED(-ENOEXEC, p.ehdr.e_phoff = ~0ULL - 3 * 56 + 1);
	REFUSED(0, p.ehdr.e_phoff = FILE_SIZE - 3 * 56);
}

static void test_bad_load(void **state)
{
	REFUSED(-EINVAL, p.phdr[1].p_filesz = 0x2001);
	REFUSED(-EINVAL, p.phdr[1].p_memsz = 0);
	REFUSED(-EINVAL, p.phdr[1].p_memsz = ~0ULL);
	REFUSED(-EINVAL, p.phdr[1].p_memsz = ELF_VADDR_LIMIT);
	REFUSED(-EINVAL, p.phdr[1].p_vaddr = ~0xfffULL | 0xe00);
	REFUSED(-EINVAL, p.phdr[1].p_vaddr = ELF_VADDR_LIMIT - 0x1000 + 0xe00);
	REFUSED(-EINVAL, p.phdr[1].p_vaddr = 0xffffffff80000e00ULL);
	REFUSED(-ENOEXEC, p.phdr[1].p_offset = FILE_SIZE);
	REFUSED(-ENOEXEC, p.phdr[1].p_offset = ~0ULL - 0x1ff);
	REFUSED(-ENOEXEC, (p.phdr[1].p_filesz = FILE_SIZE, p.phdr[1].p_memsz = FILE_SIZE));
	REFUSED(-EINVAL, p.phdr[1].p_offset = 0x1d00);
	REFUSED(-EINVAL, p.phdr[1].p_vaddr += 1);
	REFUSED(-EINVAL, p.phdr[1].p_align = 1ULL << 63);
	REFUSED(-EINVAL, (p.phdr[0].p_type = PT_NULL, p.phdr[1].p_type = PT_NOTE));
	REFUSED(0, p.phdr[0].p_type = PT_NULL);
}

static void test_bad_interp_and_tls(void **state)
{
	const struct elf64_phdr interp = { PT_INTERP, PF_R, 0x200, 0x200, 0x200, 20, 20, 1 };
	const struct elf64_phdr tls = { PT_TLS, PF_R, 0x1e00, 0x12e00, 0, 8, 0x80, 64 };

	REFUSED(0, p.phdr[2] = interp);
	REFUSED(-ENOEXEC, (p.phdr[2] = interp, p.phdr[2].p_filesz = 1));
	REFUSED(-ENOEXEC, (p.phdr[2] = interp, p.phdr[2].p_filesz = 4097));
	REFUSED(-ENOEXEC, (p.phdr[2] = interp, p.phdr[2].p_offset = FILE_SIZE - 19));
	REFUSED(-ENOEXEC, (p.phdr[2] = interp, p.phdr[2].p_offset = ~0ULL - 9));
	REFUSED(0, p.phdr[2] = tls);
	REFUSED(-ENOEXEC, (p.phdr[2] = tls, p.phdr[2].p_filesz = 0x81));
	REFUSED(-ENOEXEC, (p.phdr[2] = tls, p.phdr[2].p_memsz = ~0ULL));
	REFUSED(-ENOEXEC, (p.phdr[2] = tls, p.phdr[2].p_vaddr = ~0ULL));
	REFUSED(-ENOEXEC, (p.phdr[2] = tls, p.phdr[2].p_offset = FILE_SIZE));
}

static void test_interp_path(void **state)
{
	const char *why;

	assert_int_equal(elf_check_interp_path("/lib/ld.so", 11, &why), 0);
	assert_int_equal(elf_check_interp_path("/lib/ld.so", 10, &why), -ENOEXEC);
	assert_true(strlen(why) > 0);
	assert_int_equal(elf_check_interp_path("", 0, &why), -ENOEXEC);
}

/* A file that ends early is refused wherever it ends; as an interpreter with ELIBBAD. */
static void test_cut_short(void **state)
{
	struct program p;

	for (size_t len = 0; len < sizeof(p.ehdr); len++) {
		u8 *part = malloc(len);

		make_program(&p);
		memcpy(part, &p.ehdr, len);
		assert_int_equal(elf_parse_ehdr(part, len, len, MACHINE, &p.image, &p.why),
				 -ENOEXEC);
		assert_true(strlen(p.why) > 0);
		assert_int_equal(elf_parse_interp_ehdr(part, len, len, MACHINE, &p.image, &p.why),
				 -ELIBBAD);
		free(part);
	}
	make_program(&p);
	assert_int_equal(elf_parse_ehdr(&p.ehdr, 64, FILE_SIZE, MACHINE, &p.image, &p.why), 0);
	assert_int_equal(elf_parse_phdrs(p.phdr, 3 * 56 - 1, FILE_SIZE, &p.image, &p.why),
			 -ENOEXEC);
	for (u64 size = 0; size < 0x2200; size++) {
		int err = elf_parse_ehdr(&p.ehdr, 64, size, MACHINE, &p.image, &p.why);

		if (!err)
			err = elf_parse_phdrs(p.phdr, sizeof(p.phdr), size, &p.image, &p.why);
		assert_int_equal(err, -ENOEXEC);
	}
}

/* This very program is one, and not for another machine. */
static void test_real_program(void **state)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	static u8 buf[1 << 16];
	struct elf_image image;
	const char *why;
	u64 size;
	u16 machine;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = (u64)ftell(f);
	rewind(f);
	assert_true(fread(buf, 1, sizeof(buf), f) > 4096);
	fclose(f);
	machine = ((struct elf64_ehdr *)buf)->e_machine;
	assert_int_equal(elf_parse_ehdr(buf, sizeof(buf), size, machine, &image, &why), 0);
	assert_int_equal(elf_parse_phdrs(buf + image.phoff, image.phdrs_size, size, &image, &why),
			 0);
	assert_true(image.has_interp);
	assert_int_equal(elf_check_interp_path((char *)buf + image.interp_offset, image.interp_size,
					       &why),
			 0);
	assert_true(image.nload >= 2);
	assert_true(image.entry > image.min_vaddr && image.entry < image.max_vaddr);
	assert_int_equal(elf_parse_ehdr(buf, sizeof(buf), size, machine + 1, &image, &why),
			 -ENOEXEC);
	assert_string_equal(why, "built for another architecture");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_exec),	   cmocka_unit_test(test_good_variants),
		cmocka_unit_test(test_bad_header),	   cmocka_unit_test(test_bad_load),
		cmocka_unit_test(test_bad_interp_and_tls), cmocka_unit_test(test_interp_path),
		cmocka_unit_test(test_cut_short),	   cmocka_unit_test(test_real_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

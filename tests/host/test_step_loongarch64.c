/* SPDX-License-Identifier: MIT */
/*
 * Where loongarch64 goes next: every kind of branch taken and not, ends of offsets, LL/SC sequences in the
 * shapes compilers give them. The instruction words come from an assembler.
 */
#include "test_lib.h"

#include "step_code.h"

#include "../../hal/common/llsc.c"
#include "../../arch/loongarch64/step.c"

#define A0 0x7000UL

/* With $a0 = @a0, $a1 = @a1, $ra = @a0, the instruction leads to pc + @next. */
struct step_case {
	u32 insn;
	unsigned long a0, a1;
	long next;
};

static const struct step_case cases[] = {
	{ 0x59fffc85, 5, 5, 0x1fffc }, /* beq $a0, $a1 */
	{ 0x59fffc85, 5, 6, 4 },
	{ 0x5e000085, 5, 6, -0x20000 }, /* bne */
	{ 0x5e000085, 5, 5, 4 },
	{ 0x60000885, ~0UL, 0, 8 }, /* blt */
	{ 0x60000885, 0, ~0UL, 4 },
	{ 0x64000885, 0, ~0UL, 8 }, /* bge */
	{ 0x64000885, ~0UL, 0, 4 },
	{ 0x68000885, 0, ~0UL, 8 }, /* bltu */
	{ 0x68000885, ~0UL, 0, 4 },
	{ 0x6c000885, ~0UL, 0, 8 }, /* bgeu */
	{ 0x6c000885, 0, ~0UL, 4 },
	{ 0x43fffc8f, 0, 0, 0x3ffffc }, /* beqz */
	{ 0x43fffc8f, 1, 0, 4 },
	{ 0x44000090, 1, 0, -0x400000 }, /* bnez */
	{ 0x44000090, 0, 0, 4 },
	{ 0x53fffdff, 0, 0, 0x7fffffc }, /* b */
	{ 0x50000200, 0, 0, -0x8000000 },
	{ 0x54040000, 0, 0, 0x400 },			   /* bl */
	{ 0x4ffff881, A0, 0, (long)(A0 - 8 - CODE_BASE) }, /* jirl $ra, $a0, -8 */
	{ 0x4c000020, A0, 0, (long)(A0 - CODE_BASE) },	   /* ret */
	{ 0x002b0000, 0, 0, 4 },			   /* syscall */
	{ 0x02c00484, 0, 0, 4 },			   /* addi.d */
	{ 0x2000008c, 0, 0, 4 },			   /* ll.w without a store */
	{ 0x2100008c, 0, 0, 4 },			   /* sc.w alone */
};

static void test_single(void **state)
{
	uaddr_t pcs[HAL_NEXT_PCS];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct step_case *c = &cases[i];
		struct code code = { &c->insn, 4 };
		struct uctx u = { .era = CODE_BASE };

		u.regs[4] = u.regs[1] = c->a0;
		u.regs[5] = c->a1;
		assert_int_equal(hal_next_pcs(&u, code_fetch, &code, pcs), 1);
		assert_int_equal(pcs[0], CODE_BASE + (unsigned long)c->next);
	}
}

static int next_at(const u32 *insns, size_t size, unsigned int at, uaddr_t *pcs)
{
	struct code code = { insns, size };
	struct uctx u = { .era = CODE_BASE + 4 * at };

	return hal_next_pcs(&u, code_fetch, &code, pcs);
}

static void check_both(const uaddr_t *pcs, long first, long second)
{
	unsigned long a = CODE_BASE + (unsigned long)first, b = CODE_BASE + (unsigned long)second;

	assert_true((pcs[0] == a && pcs[1] == b) || (pcs[0] == b && pcs[1] == a));
}

/* The condition flags are not among the registers. */
static void test_flag_branches(void **state)
{
	u32 insn = 0x48010060; /* bceqz $fcc3, .+0x100 */
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_at(&insn, 4, 0, pcs), 2);
	check_both(pcs, 4, 0x100);
	insn = 0x4bff011f; /* bcnez $fcc0, .-0x100 */
	assert_int_equal(next_at(&insn, 4, 0, pcs), 2);
	check_both(pcs, 4, -0x100);
	insn = 0x48000060; /* to itself */
	assert_int_equal(next_at(&insn, 4, 0, pcs), 1);
	assert_int_equal(pcs[0], CODE_BASE + 4);
	assert_int_equal(next_at(&insn, 0, 0, pcs), -EFAULT);
}

static void test_cas(void **state)
{
	static const u32 code[] = {
		0x2000008c, /* ll.w $t0, $a0, 0 */
		0x5c001185, /* bne $t0, $a1, .+16 */
		0x001500cd, /* move $t1, $a2 */
		0x2100008d, /* sc.w $t1, $a0, 0 */
		0x43fff1bf, /* beqz $t1, .-16 */
		0x03400000,
	};
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_at(code, sizeof(code), 0, pcs), 2);
	check_both(pcs, 16, 20);
}

/* The store stands before the load: the comparison branches back to it. */
static void test_store_before_load(void **state)
{
	static const u32 code[] = {
		0x2100008c, /* sc.w $t0, $a0, 0 */
		0x44000d80, /* bnez $t0, .+12 */
		0x2000008c, /* ll.w $t0, $a0, 0 */
		0x5bfff585, /* beq $t0, $a1, .-12 */
		0x03400000,
	};
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_at(code, sizeof(code), 2, pcs), 2);
	check_both(pcs, 4, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_flag_branches),
		cmocka_unit_test(test_cas),
		cmocka_unit_test(test_store_before_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Where riscv64 goes next: every kind of branch taken and not, compressed ones, ends of offsets, LR/SC
 * sequences. The instruction words come from an assembler.
 */
#include "test_lib.h"

#define STEP_PC_FIRST
#include "step_code.h"

#include "../../hal/common/llsc.c"
#include "../../arch/riscv64/step.c"

#define A0 0x7000UL

/* With a0 = @a0, a1 = @a1 and a5 = @a0, the instruction leads to pc + @next. */
struct step_case {
	u32 insn;
	unsigned long a0, a1;
	long next;
};

static const struct step_case cases[] = {
	{ 0x7eb50f63, 5, 5, 0x7fe }, /* beq a0, a1 */
	{ 0x7eb50f63, 5, 6, 4 },
	{ 0x80b51063, 5, 6, -0x1000 }, /* bne */
	{ 0x80b51063, 6, 6, 4 },
	{ 0x00b54463, ~0UL, 0, 8 }, /* blt */
	{ 0x00b54463, 0, ~0UL, 4 },
	{ 0x00b55463, 0, ~0UL, 8 }, /* bge */
	{ 0x00b55463, ~0UL, 0, 4 },
	{ 0x00b56463, 0, ~0UL, 8 }, /* bltu */
	{ 0x00b56463, ~0UL, 0, 4 },
	{ 0x7eb57fe3, ~0UL, 0, 0xffe }, /* bgeu */
	{ 0x7eb57fe3, 0, ~0UL, 4 },
	{ 0x00a00863, 0, 1, 0x10 }, /* beq zero, a0 */
	{ 0x00a00863, 1, 1, 4 },
	{ 0x7ffff0ef, 0, 0, 0xffffe },			       /* jal ra */
	{ 0x8000006f, 0, 0, -0x100000 },		       /* j */
	{ 0xffe500e7, A0 + 1, 0, (long)(A0 - 2 - CODE_BASE) }, /* jalr ra, -2(a0) */
	{ 0x8502, A0 + 1, 0, (long)(A0 - CODE_BASE) },	       /* c.jr a0 */
	{ 0x9502, A0, 0, (long)(A0 - CODE_BASE) },	       /* c.jalr a0 */
	{ 0xaffd, 0, 0, 0x7fe },			       /* c.j */
	{ 0xb001, 0, 0, -0x800 },
	{ 0xcffd, 0, 0, 0xfe }, /* c.beqz a5 */
	{ 0xcffd, 1, 0, 2 },
	{ 0xf381, 1, 0, -0x100 }, /* c.bnez a5 */
	{ 0xf381, 0, 0, 2 },
	{ 0x9002, 0, 0, 2 },	 /* c.ebreak */
	{ 0x0505, 0, 0, 2 },	 /* c.addi */
	{ 0x852e, 0, 0, 2 },	 /* c.mv */
	{ 0x952e, 0, 0, 2 },	 /* c.add */
	{ 0x2505, 0, 0, 2 },	 /* c.addiw: c.jal on 32-bit machines */
	{ 0x00000073, 0, 0, 4 }, /* ecall */
	{ 0x006522af, 0, 0, 4 }, /* amoadd.w */
	{ 0x18c5332f, 0, 0, 4 }, /* sc.d alone */
	{ 0x160522af, 0, 0, 4 }, /* lr.w without a store */
};

static void test_single(void **state)
{
	uaddr_t pcs[HAL_NEXT_PCS];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct step_case *c = &cases[i];
		struct code code = { &c->insn, (c->insn & 3) == 3 ? 4 : 2 };
		struct uctx u = { 0 };

		u.regs[0] = CODE_BASE;
		u.regs[10] = u.regs[15] = c->a0;
		u.regs[11] = c->a1;
		assert_int_equal(hal_next_pcs(&u, code_fetch, &code, pcs), 1);
		assert_int_equal(pcs[0], CODE_BASE + (unsigned long)c->next);
	}
}

static int next_of(const void *bytes, size_t size, uaddr_t *pcs)
{
	struct code code = { bytes, size };
	struct uctx u = { 0 };

	u.regs[0] = CODE_BASE;
	return hal_next_pcs(&u, code_fetch, &code, pcs);
}

static void test_fetch_fails(void **state)
{
	u32 insn = 0x7ffff0ef;
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_of(&insn, 0, pcs), -EFAULT);
	assert_int_equal(next_of(&insn, 2, pcs), -EFAULT);
}

/* Compare and swap: out behind the store, and where the comparison fails. */
static void test_cas(void **state)
{
	static const u32 code[] = {
		0x160522af, /* lr.w.aqrl t0, (a0) */
		0x00b29663, /* bne t0, a1, .+12 */
		0x1ec5232f, /* sc.w.aqrl t1, a2, (a0) */
		0xfe031ae3, /* bnez t1, .-12 */
		0x00000013,
	};
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_of(code, sizeof(code), pcs), 2);
	assert_true(pcs[0] == CODE_BASE + 16 || pcs[1] == CODE_BASE + 16);
	assert_true(pcs[0] == CODE_BASE + 12 || pcs[1] == CODE_BASE + 12);
}

/* A comparison that fails and begins anew is no way out; a call inside makes it no sequence. */
static void test_odd_sequences(void **state)
{
	u32 code[] = {
		0x160522af, /* lr.w.aqrl t0, (a0) */
		0xfeb29ee3, /* bne t0, a1, .-4 */
		0x1ec5232f, /* sc.w.aqrl t1, a2, (a0) */
		0x00000013,
	};
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_of(code, sizeof(code), pcs), 1);
	assert_int_equal(pcs[0], CODE_BASE + 12);
	code[1] = 0x7ffff0ef; /* jal */
	assert_int_equal(next_of(code, sizeof(code), pcs), 1);
	assert_int_equal(pcs[0], CODE_BASE + 4);
}

/* Five ways out are more than there is room for: the load alone. */
static void test_many_exits(void **state)
{
	static const u32 code[] = {
		0x160522af,					/* lr.w.aqrl t0, (a0) */
		0x08b29063, 0x0ab29063, 0x0cb29063, 0x0eb29063, /* bne t0, a1, .+128 ... */
		0x1ec5232f,					/* sc.w.aqrl t1, a2, (a0) */
	};
	uaddr_t pcs[HAL_NEXT_PCS];

	assert_int_equal(next_of(code, sizeof(code), pcs), 1);
	assert_int_equal(pcs[0], CODE_BASE + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),	   cmocka_unit_test(test_fetch_fails),
		cmocka_unit_test(test_cas),	   cmocka_unit_test(test_odd_sequences),
		cmocka_unit_test(test_many_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

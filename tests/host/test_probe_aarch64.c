/* SPDX-License-Identifier: MIT */
/* Probes on aarch64: every instruction that uses the program counter, and what is refused. */
#include "../../arch/aarch64/include/arch/uctx.h"
#include "probe_ops.h"

static void test_addresses(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0x10000020); /* adr x0, 4 */
	assert_int_equal(u.x[0], IP + 4);
	run32(&u, 0x70ffffe1); /* adr x1, -1 */
	assert_int_equal(u.x[1], IP - 1);
	run32(&u, 0xb0000002); /* adrp x2, 1 page */
	assert_int_equal(u.x[2], IP + 0x1000);
	run32(&u, 0xf0ffffe3); /* adrp x3, -1 page */
	assert_int_equal(u.x[3], IP - 0x1000);
	run32(&u, 0x1000003f); /* adr xzr, 4 */
	assert_int_equal(u.pc, IP + 4);
	run32(&u, 0xd503201f); /* nop */
	run32(&u, 0xd503245f); /* bti c */
}

static void test_branches(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0x17ffffff); /* b -4 */
	assert_int_equal(u.pc, IP - 4);
	run32(&u, 0x94000002); /* bl 8 */
	assert_int_equal(u.pc, IP + 8);
	assert_int_equal(u.x[30], IP + 4);
	u.x[30] = 0x5000;
	run32(&u, 0xd63f03c0); /* blr x30 */
	assert_int_equal(u.pc, 0x5000);
	assert_int_equal(u.x[30], IP + 4);
	run32(&u, 0xd65f03c0); /* ret */
	assert_int_equal(u.pc, IP + 4);
	u.x[7] = 0x7000;
	run32(&u, 0xd61f00e0); /* br x7 */
	assert_int_equal(u.pc, 0x7000);
	u.x[0] = 1ULL << 32;
	run32(&u, 0x34000040); /* cbz w0, 8 */
	assert_int_equal(u.pc, IP + 8);
	run32(&u, 0xb4000040); /* cbz x0, 8 */
	assert_int_equal(u.pc, IP + 4);
	run32(&u, 0xb5ffffe0); /* cbnz x0, -4 */
	assert_int_equal(u.pc, IP - 4);
	run32(&u, 0xb6000040); /* tbz x0, #32, 8 */
	assert_int_equal(u.pc, IP + 4);
	run32(&u, 0xb7000040); /* tbnz x0, #32, 8 */
	assert_int_equal(u.pc, IP + 8);
	run32(&u, 0x36000040); /* tbz w0, #0, 8 */
	assert_int_equal(u.pc, IP + 8);
}

/* The conditions, from their definition, against all flags. */
static void test_conditions(void **state)
{
	for (unsigned int flags = 0; flags < 16; flags++) {
		bool n = flags & 8, z = flags & 4, c = flags & 2, v = flags & 1;
		bool want[16] = {
			z,    !z,      c,	   !c,	   n,	   !n,		 v,
			!v,   c && !z, !(c && !z), n == v, n != v, !z && n == v, !(!z && n == v),
			true, true
		};

		for (unsigned int cond = 0; cond < 16; cond++) {
			struct uctx u = { .pstate = (u64)flags << 28 };

			run32(&u, 0x54000040 | cond); /* b.cond 8 */
			assert_int_equal(u.pc, want[cond] ? IP + 8 : IP + 4);
		}
	}
}

static void test_literals(void **state)
{
	struct probe_fault fault;
	struct probe_saved saved;
	struct probe_insn p;
	struct uctx u = { 0 };
	u8 slot[PROBE_SLOT];
	u32 first;

	/* The literal is 4 behind; place the instruction so that it lies in the memory there is. */
	memset(mem_bytes, 0x81, 8);
	assert_int_equal(decode32(&p, 0x58000021), 0); /* ldr x1, 4 */
	assert_int_equal(probe_emulate(&p, &u, MEM_BASE - 4, &test_mem, &fault), 0);
	assert_true(u.x[1] == 0x8181818181818181);
	assert_int_equal(decode32(&p, 0x18000021), 0); /* ldr w1, 4 */
	assert_int_equal(probe_emulate(&p, &u, MEM_BASE - 4, &test_mem, &fault), 0);
	assert_true(u.x[1] == 0x81818181);
	assert_int_equal(decode32(&p, 0x98000021), 0); /* ldrsw x1, 4 */
	assert_int_equal(probe_emulate(&p, &u, MEM_BASE - 4, &test_mem, &fault), 0);
	assert_true(u.x[1] == 0xffffffff81818181);
	assert_int_equal(emulate(&p, &u, &fault), -EFAULT);
	assert_int_equal(fault.addr, IP + 4);
	assert_int_equal(u.pc, IP);
	run32(&u, 0xd8000020);			       /* prfm */
	assert_int_equal(decode32(&p, 0x9c000023), 0); /* ldr q3, 4 */
	assert_int_equal(p.action, PROBE_XOL);
	probe_fill_slot(&p, slot);
	memcpy(&first, slot, 4);
	assert_int_equal(first, 0x3dc00203); /* ldr q3, [x16] */
	u.x[16] = 99;
	probe_slot_enter(&p, &u, IP, SLOT, &saved);
	assert_int_equal(u.x[16], IP + 4);
	assert_true(probe_slot_next(&p, &u, IP, SLOT, SLOT + 4, &saved));
	assert_int_equal(u.x[16], 99);
	assert_int_equal(u.pc, IP + 4);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 64, slot), -EINVAL);
}

static void test_refused(void **state)
{
	static const u32
		bad[] = {
			0xd4000001, 0xd4200000,
			0xd42000a0, 0xd4400000, /* svc, brk, brk 5, hlt */
			0xc85f7c00, 0xc8017c02,
			0x485f7c00, 0x885ffc00, /* ldxr, stxr, ldxrh, ldaxr */
			0xc87f0400, 0x48207c82, /* ldxp, casp */
			0xd69f03e0, 0xd6bf03e0,
			0xd65f0bff, 0xd71f0801, /* eret, drps, retaa, braa */
			0xd503203f, 0xd503205f,
			0xd503207f, 0xd503209f, /* yield, wfe, wfi, sev */
			0xd50342df, 0xd53b4220,
			0xdc000000, /* msr daifset, mrs daif, vector literal of size 3 */
		};
	struct probe_insn p;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(decode32(&p, bad[i]), -EINVAL);
	assert_int_equal(probe_decode(&p, (const u8 *)"\0\0\0", 3), -ENOEXEC);
}

static void test_slots(void **state)
{
	u8 out[PROBE_SLOT];
	struct probe_insn p;
	u32 jump;

	expect_plain_slot(0xa9bf7bfd); /* stp x29, x30, [sp, #-16]! */
	expect_plain_slot(0xd10083ff); /* sub sp, sp, #32 */
	expect_plain_slot(0xd503233f); /* paciasp */
	expect_plain_slot(0xc8dffc00); /* ldar */
	expect_plain_slot(0xc8a07c41); /* cas */
	expect_plain_slot(0xf8200041); /* ldadd */
	expect_plain_slot(0xd53bd040); /* mrs tpidr_el0 */
	expect_plain_slot(0xd5033fdf); /* isb */
	expect_plain_slot(0x4e080400); /* dup v0.2d, v0.d[0] */
	assert_int_equal(decode32(&p, 0xa9bf7bfd), 0);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 0x100, out), 0);
	memcpy(&jump, out + 4, 4);
	assert_int_equal(jump, 0x17ffffc0); /* b -0x100 */
}

static void test_names(void **state)
{
	assert_int_equal(probe_register("x0"), 0);
	assert_int_equal(probe_register("x30"), 240);
	assert_int_equal(probe_register("x31"), -EINVAL);
	assert_int_equal(probe_register("x00"), -EINVAL);
	assert_int_equal(probe_register("x"), -EINVAL);
	assert_int_equal(probe_register("x99999999999"), -EINVAL);
	assert_int_equal(probe_register("sp"), 248);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_branches),
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_literals),
		cmocka_unit_test(test_refused),	   cmocka_unit_test(test_slots),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("probe_aarch64", tests, NULL, NULL);
}

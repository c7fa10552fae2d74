/* SPDX-License-Identifier: MIT */
/* Probes on loongarch64: every instruction that uses the program counter, and what is refused. */
#include "../../arch/loongarch64/include/arch/uctx.h"
#include "probe_ops.h"

static void test_addresses(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0x18000024); /* pcaddi $a0, 1 */
	assert_int_equal(u.regs[4], IP + 4);
	run32(&u, 0x19ffffe4); /* pcaddi $a0, -1 */
	assert_int_equal(u.regs[4], IP - 4);
	run32(&u, 0x1c000024); /* pcaddu12i $a0, 1 */
	assert_int_equal(u.regs[4], IP + 0x1000);
	run32(&u, 0x1e000024); /* pcaddu18i $a0, 1 */
	assert_int_equal(u.regs[4], IP + (1 << 18));
	run32(&u, 0x1a000024); /* pcalau12i $a0, 1 */
	assert_int_equal(u.regs[4], (IP + 0x1000) & ~0xfffUL);
	run32(&u, 0x18000020); /* pcaddi $zero, 1 */
	assert_int_equal(u.regs[0], 0);
	u.regs[3] = 0x1000;
	run32(&u, 0x02ff8063); /* addi.d $sp, $sp, -32 */
	assert_int_equal(u.regs[3], 0x1000 - 32);
}

static void test_jumps(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0x53ffffff); /* b -4 */
	assert_int_equal(u.era, IP - 4);
	run32(&u, 0x54000800); /* bl 8 */
	assert_int_equal(u.era, IP + 8);
	assert_int_equal(u.regs[REG_RA], IP + 4);
	u.regs[1] = 0x5000;
	run32(&u, 0x4c000821); /* jirl $ra, $ra, 8 */
	assert_int_equal(u.era, 0x5008);
	assert_int_equal(u.regs[REG_RA], IP + 4);
	u.regs[1] = 0x6000;
	run32(&u, 0x4c000020); /* ret */
	assert_int_equal(u.era, 0x6000);
	run32(&u, 0x40000880); /* beqz $a0, 8 */
	assert_int_equal(u.era, IP + 8);
	run32(&u, 0x44000880); /* bnez $a0, 8 */
	assert_int_equal(u.era, IP + 4);
	run32(&u, 0x43fffc9f); /* beqz $a0, -4 */
	assert_int_equal(u.era, IP - 4);
}

/* op $a0, $a1, 8 */
static bool taken(u32 op, unsigned long a, unsigned long b)
{
	struct uctx u = { 0 };

	u.regs[4] = a;
	u.regs[5] = b;
	run32(&u, op << 26 | 2 << 10 | 4 << 5 | 5);
	assert_true(u.era == IP + 8 || u.era == IP + 4);
	return u.era == IP + 8;
}

static void test_branches(void **state)
{
	assert_true(taken(0x16, 3, 3) && !taken(0x16, 3, 4));
	assert_true(taken(0x17, 3, 4) && !taken(0x17, 3, 3));
	assert_true(taken(0x18, -1UL, 0) && !taken(0x18, 0, -1UL) && !taken(0x18, 1, 1));
	assert_true(taken(0x19, 0, -1UL) && taken(0x19, 1, 1) && !taken(0x19, -1UL, 0));
	assert_true(taken(0x1a, 0, -1UL) && !taken(0x1a, -1UL, 0));
	assert_true(taken(0x1b, -1UL, 0) && !taken(0x1b, 0, -1UL));
}

/* The slot of bceqz $fcc1, -16 has two ends. */
static void test_fp_branch(void **state)
{
	struct probe_saved saved;
	struct probe_insn p;
	struct uctx u = { 0 };
	u8 slot[PROBE_SLOT];
	u32 first;

	assert_int_equal(decode32(&p, 0x4bfff03f), 0);
	assert_int_equal(p.action, PROBE_XOL);
	probe_fill_slot(&p, slot);
	memcpy(&first, slot, 4);
	assert_int_equal(first, 0x48000820); /* bceqz $fcc1, 8 */
	probe_slot_enter(&p, &u, IP, SLOT, &saved);
	assert_int_equal(u.era, SLOT);
	assert_true(probe_slot_next(&p, &u, IP, SLOT, SLOT + 4, &saved));
	assert_int_equal(u.era, IP + 4);
	assert_true(probe_slot_next(&p, &u, IP, SLOT, SLOT + 8, &saved));
	assert_int_equal(u.era, IP - 16);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 64, slot), -EINVAL);
}

static void test_refused(void **state)
{
	static const u32 bad[] = {
		0x20000084, 0x21000084, 0x22000084,
		0x23000084, /* ll.w, sc.w, ll.d, sc.d */
		0x38600000, 0x386f8000, 0x38578000,
		0x38570000,			    /* amswap.w, ammin_db.du, llacq, sc.q */
		0x38580000, 0x385c0000,		    /* amcas, amswap.b */
		0x002a0000, 0x002a000c, 0x002a8000, /* break, dbcl */
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
	struct uctx u = { 0 };
	u32 jump;

	expect_plain_slot(0x29c06061); /* st.d $ra, $sp, 24 */
	expect_plain_slot(0x38720000); /* dbar 0 */
	expect_plain_slot(0x00001011);
	assert_int_equal(decode32(&p, 0x29c06061), 0);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 0x100, out), 0);
	memcpy(&jump, out + 4, 4);
	assert_int_equal(jump, 0x53ff03ff); /* b -0x100 */
	assert_int_equal(decode32(&p, 0x002b0000), 0);
	assert_int_equal(p.action, PROBE_SYSCALL);
	u.regs[4] = 7;
	probe_syscall(&p, &u, IP);
	assert_int_equal(u.era, IP + 4);
	assert_int_equal(u.orig_a0, 7);
	assert_int_equal(probe_register("r31"), 31 * 8);
	assert_int_equal(probe_register("r32"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_branches),  cmocka_unit_test(test_fp_branch),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_slots),
	};

	return cmocka_run_group_tests_name("probe_loongarch64", tests, NULL, NULL);
}

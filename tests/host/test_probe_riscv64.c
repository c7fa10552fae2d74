/* SPDX-License-Identifier: MIT */
/* Probes on riscv64: every instruction that uses the program counter, in both lengths, and what is refused. */
#include "../../arch/riscv64/include/arch/uctx.h"
#include "probe_ops.h"

static void test_auipc_addi(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0x00001517); /* auipc a0, 1 */
	assert_int_equal(u.regs[10], IP + 0x1000);
	assert_int_equal(u.regs[REG_PC], IP + 4);
	run32(&u, 0xfffff517); /* auipc a0, -1 */
	assert_int_equal(u.regs[10], IP - 0x1000);
	run32(&u, 0x00001017); /* auipc zero, 1 */
	assert_int_equal(u.regs[REG_PC], IP + 4);
	u.regs[REG_SP] = 0x1000;
	run32(&u, 0xfe010113); /* addi sp, sp, -32 */
	assert_int_equal(u.regs[REG_SP], 0x1000 - 32);
	run32(&u, 0x7139); /* c.addi16sp -64 */
	assert_int_equal(u.regs[REG_SP], 0x1000 - 96);
	assert_int_equal(u.regs[REG_PC], IP + 2);
	run32(&u, 0x1141); /* c.addi sp, -16 */
	assert_int_equal(u.regs[REG_SP], 0x1000 - 112);
}

static void test_jumps(void **state)
{
	struct uctx u = { 0 };

	run32(&u, 0xffdff0ef); /* jal ra, -4 */
	assert_int_equal(u.regs[REG_PC], IP - 4);
	assert_int_equal(u.regs[REG_RA], IP + 4);
	u.regs[1] = 0x5001;
	run32(&u, 0x010080e7); /* jalr ra, 16(ra): the old value is the base, bit 0 is dropped */
	assert_int_equal(u.regs[REG_PC], 0x5010);
	assert_int_equal(u.regs[REG_RA], IP + 4);
	run32(&u, 0xbffd); /* c.j -2 */
	assert_int_equal(u.regs[REG_PC], IP - 2);
	u.regs[10] = 0x6000;
	run32(&u, 0x8502); /* c.jr a0 */
	assert_int_equal(u.regs[REG_PC], 0x6000);
	run32(&u, 0x9502); /* c.jalr a0 */
	assert_int_equal(u.regs[REG_PC], 0x6000);
	assert_int_equal(u.regs[REG_RA], IP + 2);
}

/* Branch by 8 with a0, a1. */
static bool taken(unsigned int funct3, unsigned long a, unsigned long b)
{
	struct uctx u = { 0 };

	u.regs[10] = a;
	u.regs[11] = b;
	run32(&u, 0x00b50463 | funct3 << 12);
	assert_true(u.regs[REG_PC] == IP + 8 || u.regs[REG_PC] == IP + 4);
	return u.regs[REG_PC] == IP + 8;
}

static void test_branches(void **state)
{
	struct probe_insn p;
	struct uctx u = { 0 };

	assert_true(taken(0, 5, 5) && !taken(0, 5, 6));
	assert_true(taken(1, 5, 6) && !taken(1, 5, 5));
	assert_true(taken(4, -1UL, 0) && !taken(4, 0, -1UL) && !taken(4, 1, 1));
	assert_true(taken(5, 0, -1UL) && taken(5, 1, 1) && !taken(5, -1UL, 0));
	assert_true(taken(6, 0, -1UL) && !taken(6, -1UL, 0));
	assert_true(taken(7, -1UL, 0) && taken(7, 3, 3) && !taken(7, 0, -1UL));
	assert_int_equal(decode32(&p, 0x00b52463), -EINVAL);
	run32(&u, 0xfe000ee3); /* beqz zero, -4 */
	assert_int_equal(u.regs[REG_PC], IP - 4);
	run32(&u, 0xd97d); /* c.beqz a0, -10 */
	assert_int_equal(u.regs[REG_PC], IP - 10);
	run32(&u, 0xe501); /* c.bnez a0, 8 */
	assert_int_equal(u.regs[REG_PC], IP + 2);
	u.regs[10] = 1;
	run32(&u, 0xe501);
	assert_int_equal(u.regs[REG_PC], IP + 8);
}

static void test_refused(void **state)
{
	static const u32 bad[] = {
		0x00000073, 0x00100073, 0x9002,
		0xc0102573,			    /* ecall, ebreak, c.ebreak, rdtime */
		0x0ff0000f, 0x0000100f,		    /* fence, fence.i */
		0x1005252f, 0x18b5252f, 0x1005352f, /* lr.w, sc.w, lr.d */
		0x8002,	    0x0000001f,		    /* reserved, longer than 4 */
	};
	struct probe_insn p;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(decode32(&p, bad[i]), -EINVAL);
	assert_int_equal(probe_decode(&p, (const u8 *)"\x13\x01", 2), -EINVAL);
	assert_int_equal(probe_decode(&p, (const u8 *)"\x01", 1), -ENOEXEC);
}

static void test_slots(void **state)
{
	u8 out[PROBE_SLOT];
	struct probe_insn p;
	u32 jump;

	expect_plain_slot(0x00b50533); /* add a0, a0, a1 */
	expect_plain_slot(0xe406);     /* c.sdsp ra, 8(sp) */
	expect_plain_slot(0x852e);     /* c.mv a0, a1 */
	expect_plain_slot(0x00b5252f); /* amoadd.w */
	assert_int_equal(decode32(&p, 0xe406), 0);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 0x100, out), 0);
	memcpy(&jump, out + 2, 4);
	assert_int_equal(jump, 0xf01ff06f); /* jal zero, -0x100 */
	assert_int_equal(probe_kernel_slot(&p, IP, IP + (2 << 20), out), -EINVAL);
	assert_int_equal(decode32(&p, 0x1141), 0);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 0x100, out), 0);
	assert_memory_equal(out, p.bytes, 2);
	assert_int_equal(decode32(&p, 0xbffd), 0);
	assert_int_equal(probe_kernel_slot(&p, IP, IP + 0x100, out), 1);
}

static void test_names(void **state)
{
	assert_int_equal(probe_register("a0"), 80);
	assert_int_equal(probe_register("t6"), 31 * 8);
	assert_int_equal(probe_register("epc"), 0);
	assert_int_equal(probe_register("x1"), -EINVAL);
	assert_int_equal(probe_argument(7), 17 * 8);
	assert_int_equal(probe_argument(8), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auipc_addi), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_branches),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_slots),	   cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("probe_riscv64", tests, NULL, NULL);
}

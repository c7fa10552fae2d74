/* SPDX-License-Identifier: MIT */
/* Probes on x86_64: lengths, what is emulated, how rip-relative operands are rewritten, and what is refused. */
#include "../../arch/x86_64/include/arch/uctx.h"
#include "../../arch/x86_64/insn.h"
#include "probe_ops.h"

unsigned long x86_fs_base(const struct uctx *u)
{
	return MEM_BASE;
}

unsigned long x86_gs_base(const struct uctx *u)
{
	return 0;
}

/* Bytes of an instruction as a string literal. */
#define I(s) (const u8 *)s, sizeof(s) - 1

static void test_lengths(void **state)
{
	static const struct {
		const char *bytes;
		unsigned int len;
	} good[] = {
		{ "\x90", 1 },
		{ "\x48\x89\xe5", 3 },
		{ "\x48\xb8\1\2\3\4\5\6\7\x8", 10 }, /* mov imm64 */
		{ "\x66\xb8\1\2", 4 },		     /* mov imm16 */
		{ "\xa1\1\2\3\4\5\6\7\x8", 9 },	     /* mov moffs64 */
		{ "\x67\xa1\1\2\3\4", 6 },
		{ "\xf6\x00\x01", 3 }, /* test imm8 */
		{ "\xf6\x10", 2 },     /* not */
		{ "\xf7\x00\1\2\3\4", 6 },
		{ "\x66\xf7\x00\1\2", 5 },
		{ "\xc8\1\2\3", 4 },	       /* enter */
		{ "\x8b\x84\x24\1\2\3\4", 7 }, /* mov disp32(%rsp) */
		{ "\x8b\x04\x25\1\2\3\4", 7 }, /* mov abs32 */
		{ "\x8f\x00", 2 },	       /* pop (%rax), not XOP */
		{ "\x0f\x1f\x84\0\0\0\0\0", 8 },
		{ "\x66\x2e\x0f\x1f\x84\0\0\0\0\0", 10 },
		{ "\x0f\xba\xe0\x05", 4 },		    /* bt imm8 */
		{ "\x0f\x38\xf0\x00", 4 },		    /* movbe */
		{ "\x66\x0f\x3a\x0f\xc1\x08", 6 },	    /* palignr */
		{ "\xc5\xf8\x77", 3 },			    /* vzeroupper */
		{ "\xc5\xf9\x70\xc0\x1b", 5 },		    /* vpshufd imm8 */
		{ "\xc4\xe2\x71\x47\xc2", 5 },		    /* vpsllvd */
		{ "\xc4\xe3\x75\x38\xc2\x01", 6 },	    /* vinserti128 imm8 */
		{ "\x62\xf1\xfe\x48\x6f\x05\1\2\3\4", 10 }, /* vmovdqu64 disp32(%rip), %zmm0 */
		{ "\x62\xf1\xfe\x48\x6f\x40\x01", 7 },	    /* disp8 */
		{ "\x62\xf3\x75\x48\x25\xc2\xff", 7 },	    /* vpternlogd imm8 */
		{ "\x62\xf5\x7c\x48\x58\xc1", 6 },	    /* vaddph, map 5 */
		{ "\x8f\xe9\x78\x81\xc0", 5 },		    /* vfrczss, XOP */
		{ "\xf2\x0f\x78\xc1\x02\x03", 6 },	    /* insertq */
	};
	static const char *const bad[] = { "\x06",	     "\x40\x66\x90",	 "\x62\xf8\0\0\0\0",
					   "\xc4\xe0\0\0\0", "\x66\xc5\xf8\x77", "\xea",
					   "\x0f\x0a\xc0",   "\xd5\x00\x90" };
	struct x86_insn x;

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		u8 b[PROBE_INSN_MAX] = { 0 };

		memcpy(b, good[i].bytes, good[i].len);
		assert_int_equal(x86_insn_decode(&x, b, sizeof(b)), 0);
		assert_int_equal(x.len, good[i].len);
		assert_int_equal(x86_insn_decode(&x, b, good[i].len - 1), -ENOEXEC);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(x86_insn_decode(&x, (const u8 *)bad[i], strlen(bad[i]) + 1),
				 -ENOEXEC);
	/* Sixteen bytes are too many, even of prefixes. */
	assert_int_equal(x86_insn_decode(&x, (const u8 *)"ffffffffffffffffffff", 20), -ENOEXEC);
}

static void run(struct uctx *u, const u8 *b, size_t n)
{
	struct probe_fault fault;
	struct probe_insn p;

	assert_int_equal(probe_decode(&p, b, n), 0);
	assert_int_equal(emulate(&p, u, &fault), 0);
}

static u64 word(unsigned long addr)
{
	u64 v = 0;

	assert_int_equal(mem_get(addr, &v, 8), 0);
	return v;
}

static void test_calls(void **state)
{
	struct uctx u = { .sp = MEM_BASE + 128 };

	run(&u, I("\xe8\x10\0\0\0")); /* call +0x10 */
	assert_int_equal(u.ip, IP + 0x15);
	assert_int_equal(u.sp, MEM_BASE + 120);
	assert_int_equal(word(u.sp), IP + 5);
	run(&u, I("\xc3"));
	assert_int_equal(u.ip, IP + 5);
	assert_int_equal(u.sp, MEM_BASE + 128);
	mem_put(MEM_BASE + 128, 0x777);
	run(&u, I("\xc2\x10\0")); /* ret 16 */
	assert_int_equal(u.ip, 0x777);
	assert_int_equal(u.sp, MEM_BASE + 152);
	u.r11 = 0x1234;
	run(&u, I("\x41\xff\xd3")); /* call *%r11 */
	assert_int_equal(u.ip, 0x1234);
	assert_int_equal(word(u.sp), IP + 3);
	mem_put(MEM_BASE + 40, 0x4321);
	u.r12 = MEM_BASE;
	u.cx = 4;
	run(&u, I("\x41\xff\x64\xcc\x08")); /* jmp *8(%r12,%rcx,8) */
	assert_int_equal(u.ip, 0x4321);
	run(&u, I("\x64\xff\x24\x25\x28\0\0\0")); /* jmp *%fs:40 */
	assert_int_equal(u.ip, 0x4321);
	run(&u, I("\xff\x25\x22\0\x10\0")); /* jmp *0x100022(%rip) */
	assert_int_equal(u.ip, 0x4321);
	u.bp = 0xabc;
	run(&u, I("\x55")); /* push %rbp */
	assert_int_equal(word(u.sp), 0xabc);
	run(&u, I("\x54")); /* push %rsp: what it was */
	assert_int_equal(word(u.sp), u.sp + 8);
}

static void test_jumps(void **state)
{
	struct uctx u = { 0 };

	run(&u, I("\xeb\xfe"));
	assert_int_equal(u.ip, IP);
	run(&u, I("\xe9\xfb\xff\xff\xff"));
	assert_int_equal(u.ip, IP);
	run(&u, I("\xf3\x0f\x1e\xfa")); /* endbr64 */
	assert_int_equal(u.ip, IP + 4);
	u.cx = 2;
	run(&u, I("\xe2\x10")); /* loop */
	assert_int_equal(u.ip, IP + 18);
	run(&u, I("\xe2\x10"));
	assert_int_equal(u.ip, IP + 2);
	run(&u, I("\xe3\x10")); /* jrcxz */
	assert_int_equal(u.ip, IP + 18);
	u.cx = 1ULL << 32;
	run(&u, I("\x67\xe3\x10")); /* jecxz */
	assert_int_equal(u.ip, IP + 19);
	u.cx = 5;
	u.flags = 0x40;
	run(&u, I("\xe1\x10")); /* loope */
	assert_int_equal(u.ip, IP + 18);
	run(&u, I("\xe0\x10")); /* loopne */
	assert_int_equal(u.ip, IP + 2);
	assert_int_equal(u.cx, 3);
}

static void test_conditions(void **state)
{
	for (unsigned int f = 0; f < 32; f++) {
		bool c = f & 1, p = f & 2, z = f & 4, s = f & 8, o = f & 16;
		bool want[16] = { o, !o, c, !c, z,	!z,	c || z,	     !(c || z),
				  s, !s, p, !p, s != o, s == o, z || s != o, !z && s == o };

		for (unsigned int cond = 0; cond < 16; cond++) {
			u8 near[2] = { (u8)(0x70 | cond), 16 };
			u8 far[6] = { 0x0f, (u8)(0x80 | cond), 0, 1 };
			struct uctx u = { .flags = (u64)(c | p << 2 | z << 6 | s << 7 | o << 11) };

			run(&u, near, 2);
			assert_int_equal(u.ip, want[cond] ? IP + 18 : IP + 2);
			run(&u, far, 6);
			assert_int_equal(u.ip, want[cond] ? IP + 6 + 256 : IP + 6);
		}
	}
}

static void test_faults(void **state)
{
	struct probe_fault fault;
	struct probe_insn p;
	struct uctx u = { .sp = 64 };

	assert_int_equal(probe_decode(&p, I("\x50")), 0);
	assert_int_equal(emulate(&p, &u, &fault), -EFAULT);
	assert_int_equal(fault.addr, 56);
	assert_int_equal(fault.access, 2);
	assert_int_equal(u.sp, 64);
	assert_int_equal(u.ip, IP);
	assert_int_equal(probe_decode(&p, I("\xff\x10")), 0); /* call *(%rax) */
	assert_int_equal(emulate(&p, &u, &fault), -EFAULT);
	assert_int_equal(fault.addr, 0);
	assert_int_equal(fault.access, 1);
}

/* Slot bytes of a rip-relative instruction, and the register that holds rip. */
static void expect_slot(const u8 *b, size_t n, const char *want, size_t scratch_at)
{
	struct probe_saved saved;
	struct probe_insn p;
	struct uctx u = { .si = 1, .di = 2, .bx = 3 };
	u64 *reg = (u64 *)((char *)&u + scratch_at);
	u64 old = *reg;

	assert_int_equal(probe_decode(&p, b, n), 0);
	assert_int_equal(p.action, PROBE_XOL);
	assert_memory_equal(p.slot, want, n);
	probe_slot_enter(&p, &u, IP, SLOT, &saved);
	assert_int_equal(*reg, IP + n);
	assert_int_equal(u.ip, SLOT);
	assert_true(probe_slot_next(&p, &u, IP, SLOT, SLOT + n, &saved));
	assert_int_equal(*reg, old);
	assert_int_equal(u.ip, IP + n);
	probe_slot_enter(&p, &u, IP, SLOT, &saved);
	probe_slot_leave(&p, &u, IP, &saved);
	assert_int_equal(*reg, old);
	assert_int_equal(u.ip, IP);
}

static void test_rip_relative(void **state)
{
	const size_t si = offsetof(struct uctx, si), di = offsetof(struct uctx, di);

	/* mov 0x10(%rip), %rax -> mov 0x10(%rsi), %rax */
	expect_slot(I("\x48\x8b\x05\x10\0\0\0"), "\x48\x8b\x86\x10\0\0\0", si);
	/* lea 0x10(%rip), %rsi -> lea 0x10(%rdi), %rsi */
	expect_slot(I("\x48\x8d\x35\x10\0\0\0"), "\x48\x8d\xb7\x10\0\0\0", di);
	/* addb $1, 0x10(%rip) with REX.B set for nothing */
	expect_slot(I("\x41\x80\x05\x10\0\0\0\x01"), "\x40\x80\x86\x10\0\0\0\x01", si);
	/* andn 0x10(%rip), %rsi, %rdi -> (%rbx) */
	expect_slot(I("\xc4\xe2\xc8\xf2\x3d\x10\0\0\0"), "\xc4\xe2\xc8\xf2\xbb\x10\0\0\0",
		    offsetof(struct uctx, bx));
	/* vmovdqa 0x10(%rip), %ymm8, two-byte VEX */
	expect_slot(I("\xc5\x7d\x6f\x05\x10\0\0\0"), "\xc5\x7d\x6f\x86\x10\0\0\0", si);
	/* vmovdqu64 0x10(%rip), %zmm0 */
	expect_slot(I("\x62\xf1\xfe\x48\x6f\x05\x10\0\0\0"), "\x62\xf1\xfe\x48\x6f\x86\x10\0\0\0",
		    si);
	/* the same with B and X as if the operand were an extended register */
	expect_slot(I("\x62\x91\xfe\x48\x6f\x05\x10\0\0\0"), "\x62\xf1\xfe\x48\x6f\x86\x10\0\0\0",
		    si);
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "\xcc",
					   "\xcd\x80",
					   "\xf4",
					   "\xfa",
					   "\xfb",
					   "\xcf",
					   "\xcb",
					   "\xec",
					   "\xe4\x10",
					   "\xf1",
					   "\xff\x18",
					   "\xff\x28",
					   "\x66\xe8\1\1\1\1",
					   "\x66\x70\x10",
					   "\x0f\x34",
					   "\x0f\x07",
					   "\xc7\xf8\1\1\1\1" };
	struct probe_insn p;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(probe_decode(&p, (const u8 *)bad[i], strlen(bad[i])),
				 -PROBE_ENOTSUPP);
	assert_int_equal(probe_decode(&p, I("\x06")), -ENOEXEC);
	assert_int_equal(probe_decode(&p, I("\x0f\x05")), 0);
	assert_int_equal(p.action, PROBE_SYSCALL);
}

static void expect_kernel_slot(const u8 *b, size_t n, const char *want, size_t wanted)
{
	const unsigned long ip = 0xffffffff80100000UL, slot = 0xffffffff80200000UL;
	u8 out[PROBE_SLOT];
	struct probe_insn p;

	assert_int_equal(probe_decode(&p, b, n), 0);
	assert_int_equal(probe_kernel_slot(&p, ip, slot, out), 0);
	assert_memory_equal(out, want, wanted);
}

static void test_kernel_slots(void **state)
{
	u8 out[PROBE_SLOT];
	struct probe_insn p;

	/* mov %rsp, %rbp; jmp back */
	expect_kernel_slot(I("\x48\x89\xe5"), "\x48\x89\xe5\xe9\xfb\xff\xef\xff", 8);
	/* push %rbp */
	expect_kernel_slot(I("\x55"), "\x55\xe9\xfb\xff\xef\xff", 6);
	/* cmpl $5, 0x10(%rip) -> cmpl $5, 0xffffffff80100017 */
	expect_kernel_slot(I("\x83\x3d\x10\0\0\0\x05"),
			   "\x83\x3c\x25\x17\0\x10\x80\x05\xe9\xfa\xff\xef\xff", 13);
	/* call +0x100 -> push $ip + 5; jmp */
	expect_kernel_slot(I("\xe8\0\1\0\0"), "\x68\5\0\x10\x80\xe9\xfb\0\xf0\xff", 10);
	/* call *%rax -> push $ip + 2; jmp *%rax */
	expect_kernel_slot(I("\xff\xd0"), "\x68\2\0\x10\x80\xff\xe0", 7);
	assert_int_equal(probe_decode(&p, I("\xff\x54\x24\x08")), 0); /* call *8(%rsp) */
	assert_int_equal(probe_kernel_slot(&p, -4096UL, -8192UL, out), -EINVAL);
	assert_int_equal(probe_decode(&p, I("\xc3")), 0);
	assert_int_equal(probe_kernel_slot(&p, -4096UL, -8192UL, out), 1);
}

static void test_names(void **state)
{
	assert_int_equal(probe_register("di"), offsetof(struct uctx, di));
	assert_int_equal(probe_register("r15"), 8);
	assert_int_equal(probe_register("rdi"), -EINVAL);
	assert_int_equal(probe_argument(3), offsetof(struct uctx, cx));
	assert_int_equal(probe_argument(5), offsetof(struct uctx, r9));
	assert_int_equal(probe_argument(6), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_calls),
		cmocka_unit_test(test_jumps),	cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_faults),	cmocka_unit_test(test_rip_relative),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_kernel_slots),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("probe_x86_64", tests, NULL, NULL);
}

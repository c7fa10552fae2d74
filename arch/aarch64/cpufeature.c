/* SPDX-License-Identifier: MIT */
/*
 * What this CPU can do, as programs see it: AT_HWCAP, /proc/cpuinfo, and the ID registers, whose reads from
 * EL0 trap and are emulated. SME, pointer authentication, BTI and MTE are not enabled and so not
 * shown. All CPUs of a machine are taken to be like the boot CPU; only MIDR is kept for each.
 *
 * Source: Arm ARM D23.2 (ID registers); Linux Documentation/arch/arm64/{elf_hwcaps,cpu-feature-registers}.rst.
 */
#include <arch/cpufeature.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/uctx.h>
#include <lib/printf.h>
#include <lib/string.h>

u8 aarch64_has_pan, aarch64_has_mops; /* read by usercopy.S and string.S */
static DEFINE_PERCPU(u32, midr);

enum id_reg { PFR0, PFR1, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, ZFR0, NID };

static u64 id_regs[NID];

/* A capability: the field of an ID register (4 bits at @shift) must be at least @min, read as signed if @sign. */
struct hwcap {
	const char *name;
	u8 word, bit, reg, shift, min, sign;
};

#define CAP(name, bit, reg, shift, min)	       { name, 0, bit, reg, shift, min, 0 }
#define CAP2(name, bit, reg, shift, min)       { name, 1, bit, reg, shift, min, 0 }
#define CAP_SIGNED(name, bit, reg, shift, min) { name, 0, bit, reg, shift, min, 1 }

/* clang-format off */

/* In the order of /proc/cpuinfo. cpuid: the emulation below. */
static const struct hwcap hwcaps[] = {
	CAP_SIGNED("fp", 0, PFR0, 16, 0),
	CAP_SIGNED("asimd", 1, PFR0, 20, 0),
	CAP("aes", 3, ISAR0, 4, 1),
	CAP("pmull", 4, ISAR0, 4, 2),
	CAP("sha1", 5, ISAR0, 8, 1),
	CAP("sha2", 6, ISAR0, 12, 1),
	CAP("crc32", 7, ISAR0, 16, 1),
	CAP("atomics", 8, ISAR0, 20, 2),
	CAP_SIGNED("fphp", 9, PFR0, 16, 1),
	CAP_SIGNED("asimdhp", 10, PFR0, 20, 1),
	CAP("cpuid", 11, PFR0, 0, 0),
	CAP("asimdrdm", 12, ISAR0, 28, 1),
	CAP("jscvt", 13, ISAR1, 12, 1),
	CAP("fcma", 14, ISAR1, 16, 1),
	CAP("lrcpc", 15, ISAR1, 20, 1),
	CAP("dcpop", 16, ISAR1, 0, 1),
	CAP("sha3", 17, ISAR0, 32, 1),
	CAP("sm3", 18, ISAR0, 36, 1),
	CAP("sm4", 19, ISAR0, 40, 1),
	CAP("asimddp", 20, ISAR0, 44, 1),
	CAP("sha512", 21, ISAR0, 12, 2),
	CAP("sve", 22, PFR0, 32, 1),
	CAP("asimdfhm", 23, ISAR0, 48, 1),
	CAP("dit", 24, PFR0, 48, 1),
	CAP("uscat", 25, MMFR2, 32, 1),
	CAP("ilrcpc", 26, ISAR1, 20, 2),
	CAP("flagm", 27, ISAR0, 52, 1),
	CAP("ssbs", 28, PFR1, 4, 2),
	CAP("sb", 29, ISAR1, 36, 1),
	CAP2("dcpodp", 0, ISAR1, 0, 2),
	CAP2("sve2", 1, ZFR0, 0, 1),
	CAP2("sveaes", 2, ZFR0, 4, 1),
	CAP2("svepmull", 3, ZFR0, 4, 2),
	CAP2("svebitperm", 4, ZFR0, 16, 1),
	CAP2("svesha3", 5, ZFR0, 32, 1),
	CAP2("svesm4", 6, ZFR0, 40, 1),
	CAP2("flagm2", 7, ISAR0, 52, 2),
	CAP2("frint", 8, ISAR1, 32, 1),
	CAP2("svei8mm", 9, ZFR0, 44, 1),
	CAP2("svef32mm", 10, ZFR0, 52, 1),
	CAP2("svef64mm", 11, ZFR0, 56, 1),
	CAP2("svebf16", 12, ZFR0, 20, 1),
	CAP2("i8mm", 13, ISAR1, 52, 1),
	CAP2("bf16", 14, ISAR1, 44, 1),
	CAP2("dgh", 15, ISAR1, 48, 1),
	CAP2("rng", 16, ISAR0, 60, 1),
	CAP2("ecv", 19, MMFR0, 60, 1),
	CAP2("afp", 20, MMFR1, 44, 1),
	CAP2("rpres", 21, ISAR2, 4, 1),
	CAP2("wfxt", 31, ISAR2, 0, 2),
	CAP2("ebf16", 32, ISAR1, 44, 2),
	CAP2("sveebf16", 33, ZFR0, 20, 2),
	CAP2("cssc", 34, ISAR2, 52, 1),
	CAP2("rprfm", 35, ISAR2, 48, 1),
	CAP2("sve2p1", 36, ZFR0, 0, 2),
	CAP2("hbc", 44, ISAR2, 20, 1),
	CAP2("sveb16b16", 45, ZFR0, 24, 1),
};

/*
 * What programs may see of the ID registers (MRS <Xt>, S3_0_C0_C<crm>_<op2>): the fields behind the table
 * above; everything else reads as 0, which means "not implemented".
 */
static const struct {
	u8 crm, op2, reg;
	u64 mask, value;
} visible[] = {
	{ 4, 0, PFR0, 0x000f000f00ff0000, 0x11 }, /* DIT, SVE, AdvSIMD, FP; EL1 and EL0 are AArch64 only */
	{ 4, 1, PFR1, 0x00000000000000f0, 0 },	  /* SSBS */
	{ 4, 4, ZFR0, 0x0ff0ff0f0fff00ff, 0 },	  /* F64MM, F32MM, I8MM, SM4, SHA3, B16B16, BF16, BitPerm, AES, SVEver */
	{ 6, 0, ISAR0, 0xf0fffffff0fffff0, 0 },	  /* all but TLB and TME */
	{ 6, 1, ISAR1, 0x00fff0ff00fff00f, 0 },	  /* I8MM, DGH, BF16, SB, FRINTTS, LRCPC, FCMA, JSCVT, DPB */
	{ 6, 2, ISAR2, 0x00ff000000f000ff, 0 },	  /* CSSC, RPRFM, BC, RPRES, WFxT */
	{ 7, 0, MMFR0, 0xf000000000000000, 0 },	  /* ECV */
	{ 7, 1, MMFR1, 0x0000f00000000000, 0 },	  /* AFP */
	{ 7, 2, MMFR2, 0x0000000f00000000, 0 },	  /* AT */
};

/* clang-format on */

static bool has(const struct hwcap *cap)
{
	unsigned int field = id_field(id_regs[cap->reg], cap->shift);

	if (cap->sign && field >= 8)
		return false;
	return field >= cap->min;
}

void aarch64_features_init(void)
{
	id_regs[PFR0] = read_sysreg(id_aa64pfr0_el1);
	id_regs[PFR1] = read_sysreg(id_aa64pfr1_el1);
	id_regs[ISAR0] = read_sysreg(id_aa64isar0_el1);
	id_regs[ISAR1] = read_sysreg(id_aa64isar1_el1);
	id_regs[ISAR2] = read_sysreg(S3_0_C0_C6_2);
	id_regs[MMFR0] = read_sysreg(id_aa64mmfr0_el1);
	id_regs[MMFR1] = read_sysreg(id_aa64mmfr1_el1);
	id_regs[MMFR2] = read_sysreg(S3_0_C0_C7_2);
	aarch64_has_mops = id_field(id_regs[ISAR2], 16) != 0;
	id_regs[ZFR0] = read_sysreg(S3_0_C0_C4_4);
	aarch64_sve_init();
	aarch64_has_pan = id_field(id_regs[MMFR1], 20) != 0;
	aarch64_cpu_init();
}

void aarch64_cpu_init(void)
{
	percpu(midr) = (u32)read_sysreg(midr_el1);
	aarch64_debug_init_cpu();
}

unsigned long hal_hwcap(unsigned int n)
{
	unsigned long bits = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(hwcaps); i++) {
		if (hwcaps[i].word == n && has(&hwcaps[i]))
			bits |= BIT(hwcaps[i].bit);
	}
	return bits;
}

const char *hal_platform_name(void)
{
	return "aarch64";
}

/* Linux derives this from the timer's frequency, too. */
static void format_bogomips(struct printbuf *pb)
{
	u64 per_hundred = hal_timer_freq() / 5000;

	printbuf_printf(pb, "BogoMIPS\t: %llu.%02llu\n", per_hundred / 100, per_hundred % 100);
}

int hal_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	u32 id = percpu_of(midr, cpu);
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_printf(&pb, "processor\t: %u\n", cpu);
	format_bogomips(&pb);
	printbuf_puts(&pb, "Features\t:");
	for (unsigned int i = 0; i < ARRAY_SIZE(hwcaps); i++) {
		if (has(&hwcaps[i]))
			printbuf_printf(&pb, " %s", hwcaps[i].name);
	}
	printbuf_printf(&pb, "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\n", id >> 24);
	printbuf_printf(&pb, "CPU variant\t: 0x%x\nCPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
			(id >> 20) & 15, (id >> 4) & 0xfff, id & 15);
	return (int)printbuf_used(&pb);
}

/* ---- Emulated reads ---- */

#define MRS_ID_MASK 0xfffff000 /* MRS <Xt>, S3_0_C0_... */
#define MRS_ID	    0xd5380000

/* The value programs see of S3_0_C0_C@crm_@op2. Return: false if Linux does not emulate the register. */
static bool id_value(unsigned int crm, unsigned int op2, u64 *value)
{
	*value = 0;
	if (crm == 0) {
		if (op2 == 0)
			*value = read_sysreg(midr_el1);
		else if (op2 == 5)
			*value = 1ULL << 31; /* MPIDR: which CPU it is is not told */
		else if (op2 == 6)
			*value = read_sysreg(revidr_el1);
		else
			return false;
		return true;
	}
	if (crm < 2 || crm > 7)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(visible); i++) {
		if (visible[i].crm == crm && visible[i].op2 == op2)
			*value = (id_regs[visible[i].reg] & visible[i].mask) | visible[i].value;
	}
	return true;
}

enum uctx_emulation uctx_emulate(struct hal_task *task, struct uctx_event *ev)
{
	u32 insn;
	u64 value;

	if (ev->kind != UCTX_EXC_ILLEGAL || hal_get_user32(&insn, task->uctx.pc))
		return UCTX_NOT_EMULATED;
	if ((insn & MRS_ID_MASK) != MRS_ID || !id_value((insn >> 8) & 15, (insn >> 5) & 7, &value))
		return UCTX_NOT_EMULATED;
	if ((insn & 31) != 31)
		task->uctx.x[insn & 31] = value;
	task->uctx.pc += 4;
	return UCTX_EMULATED;
}

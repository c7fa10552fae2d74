/* SPDX-License-Identifier: MIT */
/*
 * What this CPU can do, and turning it on; /proc/cpuinfo and the auxiliary vector's view of it.
 *
 *	x86_cpu_detect()	boot CPU, first of all
 *	x86_cpu_enable()	each CPU: control registers, PAT
 *
 * Source: Intel SDM volume 2A CPUID, volume 3A chapters 2 and 13.
 */
#include <arch/pte.h>
#include <arch/x86.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/timer.h>
#include <hal/uctx.h>
#include <lib/printf.h>
#include <lib/string.h>

struct x86_features x86_features;
unsigned int x86_max_leaf_level = 1;

struct smap_site {
	s32 insn;   /* relative to this field */
	u32 opcode; /* last byte of CLAC or STAC */
};
extern const struct smap_site __smap_sites_start[], __smap_sites_end[];

#define XCR0_X87_SSE 0x03
#define XCR0_AVX     0x04
#define XCR0_AVX512  0xe0

static u64 detect_xfeatures(void)
{
	struct cpuid d = cpuid(0xd, 0);
	u64 have = (u64)d.d << 32 | d.a, use = XCR0_X87_SSE;

	if (have & XCR0_AVX)
		use |= XCR0_AVX;
	if ((have & (XCR0_AVX | XCR0_AVX512)) == (XCR0_AVX | XCR0_AVX512))
		use |= XCR0_AVX512;
	return use;
}

/*
 * Firmware may have left no choice; else x2APIC comes with the TSC-deadline timer. Emulators that have
 * only the counting timer handle it through memory registers (QEMU -icount aborts on the MSRs).
 */
static bool use_x2apic(bool have, bool tsc_deadline)
{
	return have && (tsc_deadline || rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC);
}

void x86_cpu_detect(void)
{
	struct x86_features *f = &x86_features;
	u32 max = cpuid(0, 0).a;
	struct cpuid c1 = cpuid(1, 0), c7 = { 0 }, e1 = cpuid(0x80000001, 0);

	if (max >= 7)
		c7 = cpuid(7, 0);
	f->pcid = c1.c & BIT(17);
	f->tsc_deadline = c1.c & BIT(24);
	f->x2apic = use_x2apic(c1.c & BIT(21), f->tsc_deadline);
	f->xsave = c1.c & BIT(26);
	f->rdrand = c1.c & BIT(30);
	f->hypervisor = c1.c & BIT(31);
	f->fsgsbase = c7.b & BIT(0);
	f->smep = c7.b & BIT(7);
	f->invpcid = c7.b & BIT(10);
	f->rdseed = c7.b & BIT(18);
	f->smap = c7.b & BIT(20);
	f->umip = c7.c & BIT(2);
	f->gb_pages = e1.d & BIT(26);
	f->rdtscp = e1.d & BIT(27);
	f->phys_bits = 36;
	if (cpuid(0x80000000, 0).a >= 0x80000008)
		f->phys_bits = cpuid(0x80000008, 0).a & 0xff;
	if (f->xsave) {
		f->xfeatures = detect_xfeatures();
		f->xsaveopt = cpuid(0xd, 1).a & 1;
	}
	x86_max_leaf_level = f->gb_pages ? 2 : 1;
}

/* The boot table still allows writing the kernel's text. */
static void patch_smap_sites(void)
{
	for (const struct smap_site *s = __smap_sites_start; s < __smap_sites_end; s++) {
		u8 *insn = (u8 *)((unsigned long)&s->insn + (long)s->insn);

		insn[0] = 0x0f;
		insn[1] = 0x01;
		insn[2] = (u8)s->opcode;
	}
}

void x86_cpu_enable(void)
{
	const struct x86_features *f = &x86_features;
	u64 cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->pcid ? CR4_PCIDE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	if (hal_cpu_id() == 0 && f->smap)
		patch_smap_sites();
	write_cr4(cr4);
	write_cr0(read_cr0() | CR0_AM); /* programs may ask for alignment checks by EFLAGS.AC */
	if (f->xsave)
		__asm__ __volatile__("xsetbv" ::"c"(0), "a"((u32)f->xfeatures),
				     "d"((u32)(f->xfeatures >> 32)));
	/* Reset's memory types, but entry 5 write combining (<arch/pte.h>). */
	wrmsr(MSR_PAT, 0x0007010600070406ULL);
	if (f->rdtscp)
		wrmsr(MSR_TSC_AUX, hal_cpu_id());
}

/* ---- What programs are told ---- */

unsigned long hal_hwcap(unsigned int n)
{
	if (n == 0)
		return cpuid(1, 0).d;
	return x86_features.fsgsbase ? BIT(1) : 0; /* HWCAP2_FSGSBASE */
}

const char *hal_platform_name(void)
{
	return "x86_64";
}

struct flag_name {
	u8 bit;
	const char *name;
};

static const struct flag_name
	leaf1_d[] =
		{
			{0, "fpu"},   {4, "tsc"},   {5, "msr"},	  {6, "pae"},	   {8, "cx8"},
			{9, "apic"},  {15, "cmov"}, {16, "pat"},  {19, "clflush"}, {23, "mmx"},
			{24, "fxsr"}, {25, "sse"},  {26, "sse2"}, {28, "ht"},
},
	leaf1_c[] =
		{
			{0, "pni"},	{1, "pclmulqdq"}, {9, "ssse3"},
			{12, "fma"},	{13, "cx16"},	  {17, "pcid"},
			{19, "sse4_1"}, {20, "sse4_2"},	  {21, "x2apic"},
			{22, "movbe"},	{23, "popcnt"},	  {24, "tsc_deadline_timer"},
			{25, "aes"},	{26, "xsave"},	  {28, "avx"},
			{29, "f16c"},	{30, "rdrand"},	  {31, "hypervisor"},
},
	leaf7_b[] =
		{
			{0, "fsgsbase"},    {3, "bmi1"},      {5, "avx2"},	{7, "smep"},
			{8, "bmi2"},	    {9, "erms"},      {10, "invpcid"},	{16, "avx512f"},
			{17, "avx512dq"},   {18, "rdseed"},   {19, "adx"},	{20, "smap"},
			{23, "clflushopt"}, {24, "clwb"},     {28, "avx512cd"}, {29, "sha_ni"},
			{30, "avx512bw"},   {31, "avx512vl"},
},
	leafe1_d[] =
		{
			{11, "syscall"}, {20, "nx"}, {26, "pdpe1gb"}, {27, "rdtscp"}, {29, "lm"},
},
	leafe1_c[] = {
		{0, "lahf_lm"},
		{5, "abm"},
		{6, "sse4a"},
		{8, "3dnowprefetch"},
};

static void put_flags(struct printbuf *pb, u32 bits, const struct flag_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bits & (1U << names[i].bit))
			printbuf_printf(pb, " %s", names[i].name);
}

static void put_all_flags(struct printbuf *pb)
{
	struct cpuid c1 = cpuid(1, 0), e1 = cpuid(0x80000001, 0), c7 = { 0 };

	if (cpuid(0, 0).a >= 7)
		c7 = cpuid(7, 0);
	printbuf_puts(pb, "flags\t\t:");
	put_flags(pb, c1.d, leaf1_d, ARRAY_SIZE(leaf1_d));
	put_flags(pb, e1.d, leafe1_d, ARRAY_SIZE(leafe1_d));
	put_flags(pb, c1.c, leaf1_c, ARRAY_SIZE(leaf1_c));
	put_flags(pb, e1.c, leafe1_c, ARRAY_SIZE(leafe1_c));
	put_flags(pb, c7.b, leaf7_b, ARRAY_SIZE(leaf7_b));
	printbuf_putc(pb, '\n');
}

static void put_identity(struct printbuf *pb)
{
	struct cpuid c0 = cpuid(0, 0), c1 = cpuid(1, 0);
	u32 family = c1.a >> 8 & 0xf, model = c1.a >> 4 & 0xf;
	u32 name[12] = { 0 }, vendor[4] = { c0.b, c0.d, c0.c, 0 };

	if (family == 6 || family == 15)
		model |= c1.a >> 12 & 0xf0;
	if (family == 15)
		family += c1.a >> 20 & 0xff;
	for (u32 i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++) {
		struct cpuid n = cpuid(0x80000002 + i, 0);

		memcpy(name + 4 * i, &n, sizeof(n));
	}
	printbuf_printf(pb, "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", (char *)vendor,
			family, model);
	printbuf_printf(pb, "model name\t: %.48s\nstepping\t: %u\n", (char *)name, c1.a & 0xf);
}

/* CPUs of one machine are taken to be alike: the flags are those of the CPU that prints. */
int hal_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	unsigned int khz = (unsigned int)(hal_timer_freq() / 1000);
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_printf(&pb, "processor\t: %u\n", cpu);
	put_identity(&pb);
	printbuf_printf(&pb, "cpu MHz\t\t: %u.%03u\n", khz / 1000, khz % 1000);
	printbuf_printf(&pb,
			"physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: "
			"%u\napicid\t\t: %u\n",
			boot_info.ncpus, cpu, boot_info.ncpus,
			(unsigned int)boot_info.cpu_hwid[cpu]);
	printbuf_puts(&pb, "fpu\t\t: yes\nwp\t\t: yes\n");
	put_all_flags(&pb);
	printbuf_printf(&pb, "bogomips\t: %u.%02u\nclflush size\t: 64\ncache_alignment\t: 64\n",
			khz / 500, khz / 5 % 100);
	printbuf_printf(&pb, "address sizes\t: %u bits physical, 48 bits virtual\n\n",
			x86_features.phys_bits);
	return (int)printbuf_used(&pb);
}

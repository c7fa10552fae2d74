/* SPDX-License-Identifier: MIT */
/*
 * User contexts of loongarch64 that are made, copied and dropped, and what programs and /proc learn
 * about the CPU. Running them is trap.S, signals are signal.c.
 */
#include <arch/trap.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/timer.h>
#include <hal/uctx.h>
#include <lib/printf.h>
#include <lib/string.h>

void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp)
{
	memset(&task->uctx, 0, sizeof(task->uctx));
	task->uctx.era = ip;
	task->uctx.regs[REG_SP] = sp;
	arch_fpu_reset(task);
}

int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls)
{
	child->uctx = parent->uctx;
	child->uctx.regs[REG_A0] = 0;
	if (sp)
		child->uctx.regs[REG_SP] = sp;
	if (set_tls)
		child->uctx.regs[REG_TP] = tls;
	arch_fpu_fork(child, parent);
	return 0;
}

void uctx_exit(struct hal_task *task)
{
	(void)task; /* the FPU area is part of it */
}

/* ---- What the CPU can do ---- */

struct feature {
	const char *name;
	unsigned int hwcap; /* bit of AT_HWCAP */
	u8 word;	    /* CPUCFG word and bit; word 0: always */
	u8 bit;
};

/* Source: Linux's uapi/asm/hwcap.h of loongarch; CPUCFG: Reference Manual, volume 1, 2.2.10.5. */
static const struct feature features[] = {
	{ "cpucfg", 0, 0, 0 }, { "lam", 1, 2, 22 }, { "ual", 2, 1, 20 },   { "fpu", 3, 2, 0 },
	{ "lsx", 4, 2, 6 },    { "lasx", 5, 2, 7 }, { "crc32", 6, 1, 25 }, { "complex", 7, 2, 8 },
	{ "crypto", 8, 2, 9 }, { "lvz", 9, 2, 10 },
};

static bool has_feature(const struct feature *f)
{
	return f->word == 0 || (cpucfg(f->word) >> f->bit & 1);
}

unsigned long hal_hwcap(unsigned int n)
{
	unsigned long caps = 0;
	unsigned int i;

	for (i = 0; n == 0 && i < ARRAY_SIZE(features); i++)
		if (has_feature(&features[i]))
			caps |= 1UL << features[i].hwcap;
	return caps;
}

const char *hal_platform_name(void)
{
	return "loongarch";
}

/* Vendor and name, eight letters each, as the machine gives them. */
static void cpu_name(char *name, size_t size)
{
	u64 words[2] = { iocsr_read64(IOCSR_VENDOR), iocsr_read64(IOCSR_CPUNAME) };

	scnprintf(name, size, "%.8s-%.8s", (const char *)&words[0], (const char *)&words[1]);
}

int hal_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	struct printbuf pb;
	u32 prid = cpucfg(0);
	char name[20];
	unsigned int i;

	cpu_name(name, sizeof(name));
	printbuf_init(&pb, buf, size);
	if (cpu == 0)
		printbuf_printf(&pb, "system type\t\t: generic-loongson-machine\n\n");
	printbuf_printf(
		&pb, "processor\t\t: %u\npackage\t\t\t: 0\ncore\t\t\t: %llu\nglobal_id\t\t: %llu\n",
		cpu, boot_info.cpu_hwid[cpu], boot_info.cpu_hwid[cpu]);
	printbuf_printf(&pb, "CPU Family\t\t: Loongson-64bit\nModel Name\t\t: %s\n", name);
	printbuf_printf(&pb, "CPU Revision\t\t: 0x%02x\nFPU Revision\t\t: 0x%02x\n", prid & 0xff,
			cpucfg(2) >> 3 & 7);
	printbuf_printf(&pb, "CPU MHz\t\t\t: %llu.%02llu\n", hal_timer_freq() / 1000000,
			hal_timer_freq() / 10000 % 100);
	printbuf_printf(&pb, "Address Sizes\t\t: %u bits physical, %u bits virtual\n",
			(cpucfg(1) >> 4 & 0xff) + 1, (cpucfg(1) >> 12 & 0xff) + 1);
	printbuf_printf(&pb, "ISA\t\t\t: loongarch32 loongarch64\nFeatures\t\t:");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (has_feature(&features[i]))
			printbuf_printf(&pb, " %s", features[i].name);
	printbuf_printf(&pb, "\nHardware Watchpoint\t: no\n\n");
	return (int)printbuf_used(&pb);
}

/* This architecture has no options of its own. */
long uctx_prctl(struct hal_task *task, int option, unsigned long arg, unsigned long value)
{
	(void)task;
	(void)option;
	(void)arg;
	(void)value;
	return -EINVAL;
}

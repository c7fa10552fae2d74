/* SPDX-License-Identifier: MIT */
/*
 * What the harts are: ids, extensions, /proc/cpuinfo.
 *
 * Extensions come from "riscv,isa-extensions" or the older "riscv,isa" of the boot hart; all harts are
 * taken to be alike, as with Linux's AT_HWCAP only what the boot hart has is announced.
 * Source: Linux Documentation/devicetree/bindings/riscv/{cpus,extensions}.yaml.
 */
#include "sbi.h"

#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/uctx.h>
#include <lib/ctype.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <libfdt.h>

#define ISA_MAX	      512
#define CBO_MAX_BLOCK 256

unsigned long riscv64_isa_letters;

static char isa[ISA_MAX]; /* rv64imafdc_zicsr_... */
static struct sbi_ret mvendorid, marchid, mimpid;

int __init cpuinfo_hwid(const void *fdt, int node, u64 *hwid)
{
	int len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!fdt_node_enabled(fdt, node) || !fdt_getprop(fdt, node, "mmu-type", NULL))
		return -ENODEV;
	if (!reg || (len != 4 && len != 8))
		return -ENODEV;
	*hwid = fdt32_to_cpu(reg[0]);
	if (len == 8)
		*hwid = *hwid << 32 | fdt32_to_cpu(reg[1]);
	return 0;
}

static int __init boot_cpu_node(const void *fdt, unsigned long boot_hart)
{
	int cpus = fdt_find_top(fdt, "cpus");
	int node;

	fdt_for_each_child(node, fdt, cpus)
	{
		u64 hwid;

		if (cpuinfo_hwid(fdt, node, &hwid) == 0 && hwid == boot_hart)
			return node;
	}
	return -ENOENT;
}

/* The list of names as one string: single letters first, the others behind underscores. */
static void __init isa_from_list(const char *list, int len)
{
	struct printbuf pb;

	printbuf_init(&pb, isa, sizeof(isa));
	printbuf_puts(&pb, "rv64");
	for (const char *s = list; s < list + len; s += strlen(s) + 1)
		printbuf_printf(&pb, s[1] ? "_%s" : "%s", s);
}

static void __init isa_parse_letters(void)
{
	const char *s = isa;

	if (str_has_prefix(s, "rv64"))
		s += 4;
	for (; *s && *s != '_'; s++)
		if (*s >= 'a' && *s <= 'z')
			riscv64_isa_letters |= 1UL << (*s - 'a');
}

/* Blocks are zeroed with one instruction where the CPU has it, the tree says how large they are, and firmware lets us. */
static void __init cbo_zero_init(const void *fdt, int node)
{
	static char block[CBO_MAX_BLOCK] __aligned(CBO_MAX_BLOCK);
	u32 size = fdt_node_u32(fdt, node, "riscv,cboz-block-size", 0);

	if (!cpuinfo_has("zicboz") || size < 16 || size > CBO_MAX_BLOCK || !is_power_of_2(size))
		return;
	if (riscv64_try_cbo_zero(block))
		riscv64_cbo_zero_size = size;
}

void __init cpuinfo_init(const void *fdt, unsigned long boot_hart)
{
	int node = boot_cpu_node(fdt, boot_hart);
	const char *p;
	int len;

	if (node < 0)
		return;
	p = fdt_getprop(fdt, node, "riscv,isa-extensions", &len);
	if (p && len > 0 && p[len - 1] == '\0') {
		isa_from_list(p, len);
	} else {
		p = fdt_getprop(fdt, node, "riscv,isa", &len);
		if (p && len > 0 && p[len - 1] == '\0' && strscpy(isa, p, sizeof(isa)) < 0)
			isa[0] = '\0';
	}
	isa_parse_letters();
	riscv64_v_init();
	cbo_zero_init(fdt, node);
	mvendorid = sbi_call(SBI_EXT_BASE, SBI_BASE_MVENDORID, 0, 0, 0, 0, 0);
	marchid = sbi_call(SBI_EXT_BASE, SBI_BASE_MARCHID, 0, 0, 0, 0, 0);
	mimpid = sbi_call(SBI_EXT_BASE, SBI_BASE_MIMPID, 0, 0, 0, 0, 0);
}

bool cpuinfo_has(const char *ext)
{
	size_t n = strlen(ext);

	for (const char *s = strchr(isa, '_'); s; s = strchr(s, '_')) {
		s++;
		if (strncmp(s, ext, n) == 0 && (s[n] == '_' || s[n] == '\0'))
			return true;
	}
	return false;
}

/* Letters that the program to be executed may use: H and S are not theirs. */
unsigned long hal_hwcap(unsigned int n)
{
	static const char letters[] = "imafdcv";
	unsigned long mask = 0;

	for (const char *s = letters; *s; s++)
		mask |= 1UL << (*s - 'a');
	if (!riscv64_v_next_allowed()) /* PR_RISCV_V_SET_CONTROL */
		mask &= ~(1UL << ('v' - 'a'));
	return n == 0 ? riscv64_isa_letters & mask : 0;
}

const char *hal_platform_name(void)
{
	return NULL;
}

int hal_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_printf(&pb, "processor\t: %u\nhart\t\t: %llu\nisa\t\t: %s\nmmu\t\t: sv39\n", cpu,
			boot_info.cpu_hwid[cpu], isa);
	printbuf_printf(&pb, "mvendorid\t: 0x%lx\nmarchid\t\t: 0x%lx\nmimpid\t\t: 0x%lx\n\n",
			mvendorid.value, marchid.value, mimpid.value);
	return (int)printbuf_used(&pb);
}

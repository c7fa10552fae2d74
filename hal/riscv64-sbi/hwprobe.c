/* SPDX-License-Identifier: MIT */
/*
 * riscv_hwprobe(2): what the harts can do, by key; or which of them have what the caller lists. All harts are taken to be
 * alike, so a set of CPUs is checked, and kept or emptied, as a whole.
 * Source: Linux Documentation/arch/riscv/hwprobe.rst, uapi asm/hwprobe.h.
 */
#include "sbi.h"

#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/uctx.h>
#include <hal/vdso.h>

struct hwprobe_pair {
	s64 key;
	u64 value;
};

enum {
	KEY_MVENDORID = 0,
	KEY_MARCHID = 1,
	KEY_MIMPID = 2,
	KEY_BASE_BEHAVIOR = 3,
	KEY_IMA_EXT_0 = 4,
	KEY_CPUPERF_0 = 5,
	KEY_ZICBOZ_BLOCK_SIZE = 6,
	KEY_HIGHEST_VIRT_ADDRESS = 7,
	KEY_TIME_CSR_FREQ = 8,
	KEY_MISALIGNED_SCALAR_PERF = 9,
};

#define WHICH_CPUS	  1U /* RISCV_HWPROBE_WHICH_CPUS */
#define BASE_BEHAVIOR_IMA 1
#define EXT_FD		  BIT(0)
#define EXT_C		  BIT(1)
#define EXT_V		  BIT(2)
#define EXT_ZICBOZ	  BIT(6)
#define EXT_ZVE		  GENMASK(41, 37) /* Zve32x, Zve32f, Zve64x, Zve64f, Zve64d: what V is made of */
#define MISALIGNED_UNKNOWN 0

/* Extensions by name that programs can use as soon as the CPU has them. */
static const struct {
	u8 bit;
	bool vector; /* needs the vector unit */
	const char *name;
} named[] = {
	{ 3, false, "zba" },	 { 4, false, "zbb" },	       { 5, false, "zbs" },
	{ 7, false, "zbc" },	 { 8, false, "zbkb" },	       { 9, false, "zbkc" },
	{ 10, false, "zbkx" },	 { 11, false, "zknd" },	       { 12, false, "zkne" },
	{ 13, false, "zknh" },	 { 14, false, "zksed" },       { 15, false, "zksh" },
	{ 16, false, "zkt" },	 { 17, true, "zvbb" },	       { 18, true, "zvbc" },
	{ 19, true, "zvkb" },	 { 20, true, "zvkg" },	       { 21, true, "zvkned" },
	{ 22, true, "zvknha" },	 { 23, true, "zvknhb" },       { 24, true, "zvksed" },
	{ 25, true, "zvksh" },	 { 26, true, "zvkt" },	       { 27, false, "zfh" },
	{ 28, false, "zfhmin" }, { 29, false, "zihintntl" },   { 30, true, "zvfh" },
	{ 31, true, "zvfhmin" }, { 32, false, "zfa" },	       { 34, false, "zacas" },
	{ 35, false, "zicond" }, { 36, false, "zihintpause" }, { 42, false, "zimop" },
	{ 43, false, "zca" },	 { 44, false, "zcb" },	       { 45, false, "zcd" },
	{ 47, false, "zcmop" },	 { 48, false, "zawrs" },
};

static u64 ima_extensions(void)
{
	unsigned long letters = riscv64_isa_letters;
	u64 ext = 0;

	if (letters & BIT('d' - 'a'))
		ext |= EXT_FD;
	if (letters & BIT('c' - 'a'))
		ext |= EXT_C;
	if (riscv64_vlenb)
		ext |= EXT_V | EXT_ZVE;
	if (riscv64_cbo_zero_size)
		ext |= EXT_ZICBOZ;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if ((riscv64_vlenb || !named[i].vector) && cpuinfo_has(named[i].name))
			ext |= 1ULL << named[i].bit;
	return ext;
}

static void probe(struct hwprobe_pair *pair)
{
	switch (pair->key) {
	case KEY_MVENDORID:
	case KEY_MARCHID:
	case KEY_MIMPID:
		pair->value = sbi_call(SBI_EXT_BASE, SBI_BASE_MVENDORID + (unsigned long)pair->key,
				       0, 0, 0, 0, 0)
				      .value;
		break;
	case KEY_BASE_BEHAVIOR:
		pair->value = BASE_BEHAVIOR_IMA;
		break;
	case KEY_IMA_EXT_0:
		pair->value = ima_extensions();
		break;
	case KEY_CPUPERF_0:
	case KEY_MISALIGNED_SCALAR_PERF:
		pair->value = MISALIGNED_UNKNOWN;
		break;
	case KEY_ZICBOZ_BLOCK_SIZE:
		pair->value = riscv64_cbo_zero_size;
		break;
	case KEY_HIGHEST_VIRT_ADDRESS:
		pair->value = USER_END - 1;
		break;
	case KEY_TIME_CSR_FREQ:
		pair->value = hal_timer_freq();
		break;
	default:
		*pair = (struct hwprobe_pair){ .key = -1 };
	}
}

void hal_vdso_fill(struct vdso_data *data)
{
	for (unsigned int key = 0; key < VDSO_NHWPROBE; key++) {
		struct hwprobe_pair pair = { .key = key };

		probe(&pair);
		data->hwprobe_keys |= (u64)(pair.key >= 0) << key;
		data->hwprobe_value[key] = pair.value;
	}
}

static u64 all_cpus(void)
{
	return GENMASK(boot_info.ncpus - 1, 0);
}

/* At least one CPU of the set exists; no set at all means all CPUs. */
static int check_cpus(size_t size, uaddr_t cpus)
{
	u64 mask = 0;

	if (size == 0 && cpus == 0)
		return 0;
	if (hal_copy_from_user(&mask, cpus, min(size, sizeof(mask))))
		return -EFAULT;
	return mask & all_cpus() ? 0 : -EINVAL;
}

/* Whether @have is all of @wanted: keys of bits are compared as sets. */
static bool covers(const struct hwprobe_pair *have, const struct hwprobe_pair *wanted)
{
	if (have->key >= KEY_BASE_BEHAVIOR && have->key <= KEY_CPUPERF_0)
		return (have->value & wanted->value) == wanted->value;
	return have->key == wanted->key && have->value == wanted->value;
}

/* Values are questions: the set, or all CPUs if it is empty, becomes that of the CPUs to which all of them apply. */
static long which_cpus(uaddr_t pairs, size_t count, size_t size, uaddr_t cpus)
{
	u64 mask = 0;

	if (!size || !cpus)
		return -EINVAL;
	size = min(size, sizeof(mask));
	if (hal_copy_from_user(&mask, cpus, size))
		return -EFAULT;
	mask = mask ? mask & all_cpus() : all_cpus();
	for (size_t i = 0; i < count; i++) {
		uaddr_t at = pairs + i * sizeof(struct hwprobe_pair);
		struct hwprobe_pair wanted, have;

		if (hal_copy_from_user(&wanted, at, sizeof(wanted)))
			return -EFAULT;
		have = wanted;
		probe(&have);
		if (!covers(&have, &wanted) || have.key < 0)
			mask = 0;
		if (have.key < 0 && hal_copy_to_user(at, &have, sizeof(have)))
			return -EFAULT;
	}
	return hal_copy_to_user(cpus, &mask, size) ? -EFAULT : 0;
}

long uctx_riscv_hwprobe(uaddr_t pairs, size_t count, size_t cpusetsize, uaddr_t cpus,
			unsigned int flags)
{
	int err;

	if (flags)
		return flags == WHICH_CPUS ? which_cpus(pairs, count, cpusetsize, cpus) : -EINVAL;
	err = check_cpus(cpusetsize, cpus);
	for (size_t i = 0; i < count && !err; i++) {
		uaddr_t at = pairs + i * sizeof(struct hwprobe_pair);
		struct hwprobe_pair pair;

		if (hal_copy_from_user(&pair, at, sizeof(pair)))
			return -EFAULT;
		probe(&pair);
		if (hal_copy_to_user(at, &pair, sizeof(pair)))
			return -EFAULT;
	}
	return err;
}

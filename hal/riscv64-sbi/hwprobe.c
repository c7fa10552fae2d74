/* SPDX-License-Identifier: MIT */
/*
 * riscv_hwprobe(2): what the harts can do, by key. All harts are taken to be alike, so the set of CPUs is
 * only checked.
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
	KEY_HIGHEST_VIRT_ADDRESS = 7,
	KEY_TIME_CSR_FREQ = 8,
	KEY_MISALIGNED_SCALAR_PERF = 9,
};

#define BASE_BEHAVIOR_IMA 1
#define EXT_FD		  BIT(0)
#define EXT_C		  BIT(1)
#define EXT_ZBA		  BIT(3)
#define EXT_ZBB		  BIT(4)
#define EXT_ZBS		  BIT(5)
#define MISALIGNED_UNKNOWN 0

static u64 ima_extensions(void)
{
	unsigned long letters = riscv64_isa_letters;
	u64 ext = 0;

	if (letters & BIT('d' - 'a'))
		ext |= EXT_FD;
	if (letters & BIT('c' - 'a'))
		ext |= EXT_C;
	if (cpuinfo_has("zba"))
		ext |= EXT_ZBA;
	if (cpuinfo_has("zbb"))
		ext |= EXT_ZBB;
	if (cpuinfo_has("zbs"))
		ext |= EXT_ZBS;
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

/* At least one CPU of the set exists; no set at all means all CPUs. */
static int check_cpus(size_t size, uaddr_t cpus)
{
	u64 mask = 0;

	if (size == 0 && cpus == 0)
		return 0;
	if (hal_copy_from_user(&mask, cpus, min(size, sizeof(mask))))
		return -EFAULT;
	return mask & GENMASK(boot_info.ncpus - 1, 0) ? 0 : -EINVAL;
}

long uctx_riscv_hwprobe(uaddr_t pairs, size_t count, size_t cpusetsize, uaddr_t cpus,
			unsigned int flags)
{
	int err;

	if (flags) /* RISCV_HWPROBE_WHICH_CPUS: not supported, as before Linux 6.8 */
		return -EINVAL;
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

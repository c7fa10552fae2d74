/* SPDX-License-Identifier: MIT */
/*
 * The SBI call itself, the early console, power.
 *
 * No locking: the firmware serialises its own state; the early console's output may mix.
 */
#include "sbi.h"

#include <arch/csr.h>
#include <compiler.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/power.h>

static bool has_dbcn;

struct sbi_ret sbi_call(unsigned long ext, unsigned long fid, unsigned long arg0,
			unsigned long arg1, unsigned long arg2, unsigned long arg3,
			unsigned long arg4)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a4 __asm__("a4") = arg4;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ __volatile__("ecall"
			     : "+r"(a0), "+r"(a1)
			     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			     : "memory");
	return (struct sbi_ret){ (long)a0, a1 };
}

bool sbi_has(unsigned long ext)
{
	struct sbi_ret ret = sbi_call(SBI_EXT_BASE, SBI_BASE_PROBE, ext, 0, 0, 0, 0);

	return ret.error == 0 && ret.value != 0;
}

/* ---- Early console ---- */

void __init sbi_console_init(void)
{
	has_dbcn = sbi_has(SBI_EXT_DBCN);
}

void hal_early_putc(char c)
{
	if (has_dbcn)
		sbi_call(SBI_EXT_DBCN, SBI_DBCN_WRITE_BYTE, (u8)c, 0, 0, 0, 0);
	else
		sbi_call(SBI_LEGACY_PUTCHAR, 0, (u8)c, 0, 0, 0, 0);
}

/* ---- Power ---- */

static void sbi_off(int code)
{
	/* The reason can only say "no reason" or "system failure". */
	sbi_call(SBI_EXT_SRST, SBI_SRST_RESET, SBI_SRST_SHUTDOWN, code != 0, 0, 0, 0);
}

/* OpenSBI stops the hart when the machine cannot be switched off. */
static void sbi_legacy_off(int code)
{
	(void)code;
	sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0, 0);
}

static void sbi_reset(void)
{
	sbi_call(SBI_EXT_SRST, SBI_SRST_RESET, SBI_SRST_COLD_REBOOT, 0, 0, 0, 0);
}

void sbi_power_register(void)
{
	hal_power_register(POWER_FIRMWARE, sbi_off, sbi_reset);
	hal_power_register(POWER_LAST, sbi_legacy_off, NULL);
}

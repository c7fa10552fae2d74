/* SPDX-License-Identifier: MIT */
/*
 * Calls into the supervisor binary interface: the firmware under a RISC-V kernel.
 * Source: RISC-V Supervisor Binary Interface Specification 2.0.
 */
#ifndef RISCV64_SBI_H
#define RISCV64_SBI_H

#include <types.h>

#define SBI_EXT_BASE   0x10
#define SBI_EXT_TIME   0x54494d45
#define SBI_EXT_IPI    0x735049
#define SBI_EXT_RFENCE 0x52464e43
#define SBI_EXT_HSM    0x48534d
#define SBI_EXT_SRST   0x53525354
#define SBI_EXT_DBCN   0x4442434e
#define SBI_LEGACY_PUTCHAR  1
#define SBI_LEGACY_SHUTDOWN 8

#define SBI_BASE_PROBE	   3
#define SBI_BASE_MVENDORID 4
#define SBI_BASE_MARCHID   5
#define SBI_BASE_MIMPID	   6
#define SBI_TIME_SET	   0
#define SBI_IPI_SEND	   0
#define SBI_RFENCE_FENCE_I	   0
#define SBI_HSM_START	   0
#define SBI_SRST_RESET	   0
#define SBI_DBCN_WRITE	   0
#define SBI_DBCN_WRITE_BYTE 2

#define SBI_SRST_SHUTDOWN    0
#define SBI_SRST_COLD_REBOOT 1

struct sbi_ret {
	long error; /* 0, or one of the SBI's negative codes */
	unsigned long value;
};

/** sbi_call() - call function @fid of extension @ext. Any context. */
struct sbi_ret sbi_call(unsigned long ext, unsigned long fid, unsigned long a0, unsigned long a1,
			unsigned long a2, unsigned long a3, unsigned long a4);

/** sbi_has() - whether the firmware has the extension. */
bool sbi_has(unsigned long ext);

/* The crate's parts, in the order riscv64_start() calls them. */
void sbi_console_init(void);
void cpuinfo_init(const void *fdt, unsigned long boot_hart);
void timer_init(const void *fdt);
void timer_check(void); /* after devices are probed */
void sbi_power_register(void);

/** imsic_cpu_init() - let this hart take messages, if the machine has an IMSIC. Each hart, interrupts off. */
void imsic_cpu_init(void);

/** cpuinfo_hwid() - the hart id of a /cpus/cpu node, for fdt_scan_boot(). */
int cpuinfo_hwid(const void *fdt, int node, u64 *hwid);
/** cpuinfo_has() - whether every CPU has a multi-letter extension, "sstc". */
bool cpuinfo_has(const char *ext);

#endif

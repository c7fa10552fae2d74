/* SPDX-License-Identifier: MIT */
/*
 * The kernel's end: say why, show the way here, stop everything.
 * The report goes to the panic channel of the console; `caelum run` turns the addresses into names.
 */
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/power.h>
#include <hal/upcall.h>
#include <kernel/console.h>
#include <kernel/printk.h>
#include <kernel/task.h>
#include <lib/printf.h>

static u32 panicking; /* CPU + 1 of the one that panics */

static __printf(1, 2) void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = (size_t)vscnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write(CONSOLE_PANIC, line, n);
}

static void show_address(unsigned long ip)
{
	say("  [<%016lx>]\n", ip);
}

void panic(const char *fmt, ...)
{
	unsigned int cpu;
	char msg[256];
	va_list ap;
	u32 expected = 0;

	hal_irq_disable();
	lock_debug_off();
	cpu = hal_cpu_id();
	if (!__atomic_compare_exchange_n(&panicking, &expected, cpu + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		/* Second here: another CPU is reporting, or the report itself failed. */
		if (expected == cpu + 1)
			hal_power_off(125);
		hal_cpu_halt();
	}
	for (unsigned int other = 0; other < boot_info.ncpus; other++)
		if (other != cpu && other < CONFIG_NR_CPUS && hal_percpu_offset[other])
			hal_ipi_send(other, HAL_IPI_STOP);
	va_start(ap, fmt);
	vscnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	say("\nKernel panic: %s\n", msg);
	if (current)
		say("cpu %u, task %s\n", cpu, current->comm);
	say("backtrace:\n");
	arch_backtrace((unsigned long)__builtin_frame_address(0), show_address);
	hal_power_off(125);
}

/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU data: one copy of .data..percpu for each CPU of boot_info.
 *
 * CPU 0 works on the template itself, so what it stored there before hal_percpu_init() is copied to
 * the others: code that uses per-CPU data before that call must not mind (hal_cpu_number is set
 * here for each).
 */
#include <hal/boot.h>
#include <hal/cpu.h>
#include <lib/string.h>

DEFINE_PERCPU(struct hal_interrupted, hal_interrupted);
unsigned long hal_percpu_offset[CONFIG_NR_CPUS];

DEFINE_PERCPU(unsigned int, hal_cpu_number);

extern char __percpu_start[], __percpu_end[];

void __init hal_percpu_init(void *(*alloc)(size_t size))
{
	size_t size = (size_t)(__percpu_end - __percpu_start);

	for (unsigned int cpu = 1; cpu < boot_info.ncpus; cpu++) {
		char *copy = alloc(size);

		memcpy(copy, __percpu_start, size);
		hal_percpu_offset[cpu] = (unsigned long)copy - (unsigned long)__percpu_start;
		percpu_of(hal_cpu_number, cpu) = cpu;
	}
}

/* SPDX-License-Identifier: MIT */
/* RAM for host tests: anonymous memory of the test's process, with physical addresses of the test's choice. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/layout.h>
#include <hal/boot.h>
#include <hal/host/host.h>
#include <hal/upcall.h>

#define RAM_ALIGN (4UL << 20) /* the largest block of the page allocator */

void host_ram_init(size_t size, paddr_t base)
{
	static void *mapped;
	static size_t mapped_size;
	unsigned long va;

	if (mapped)
		munmap(mapped, mapped_size);
	mapped_size = size + RAM_ALIGN;
	mapped = mmap(NULL, mapped_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped == MAP_FAILED)
		panic("host_ram_init: no memory");
	va = ((unsigned long)mapped + RAM_ALIGN - 1) & ~(RAM_ALIGN - 1);
	host_linear_offset = va - base;
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.ncpus = 1;
	boot_add_ram(base, size);
	boot_finish_memory();
}

/* All pretended CPUs share one copy. */
void hal_percpu_init(void *(*alloc)(size_t size))
{
	(void)alloc;
	memset(hal_percpu_offset, 0, sizeof(hal_percpu_offset));
}

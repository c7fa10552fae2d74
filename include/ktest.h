/* SPDX-License-Identifier: MIT */
/* The tests inside the kernel (tests/ktest), if they are built in. */
#ifndef KTEST_MAIN_H
#define KTEST_MAIN_H

#include <compiler.h>
#include <hal/upcall.h>

#ifdef CONFIG_KTEST
/** ktest_main() - run them, print TAP, switch the machine off. Task context, all CPUs started. */
__noreturn void ktest_main(void);
#else
static inline __noreturn void ktest_main(void)
{
	panic("caelum.ktest: this kernel was built without CONFIG_KTEST");
}
#endif

#endif

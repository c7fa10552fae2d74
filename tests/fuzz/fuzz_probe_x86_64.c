/* SPDX-License-Identifier: MIT */
/* The instruction decoder of probes on x86_64. */
#include "../../arch/x86_64/include/arch/uctx.h"
#include "fuzz_probe.h"

unsigned long x86_fs_base(const struct uctx *u)
{
	return u->fs_base;
}

unsigned long x86_gs_base(const struct uctx *u)
{
	return u->gs_base;
}

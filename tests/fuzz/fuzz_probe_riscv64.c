/* SPDX-License-Identifier: MIT */
/* The instruction decoder of probes on riscv64. */
#include "../../arch/riscv64/include/arch/uctx.h"
#include "fuzz_probe.h"

/* SPDX-License-Identifier: MIT */
/* The instruction decoder of probes on loongarch64. */
#include "../../arch/loongarch64/include/arch/uctx.h"
#include "fuzz_probe.h"

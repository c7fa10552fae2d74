/* SPDX-License-Identifier: MIT */
/* The instruction decoder of probes on aarch64. */
#include "../../arch/aarch64/include/arch/uctx.h"
#include "fuzz_probe.h"

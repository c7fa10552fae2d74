/* SPDX-License-Identifier: MIT */
/* Included first into the drivers that are fuzzed: what they keep in static variables gets sections of its own, so that fuzz_fdt.c can put it
 * back to what it was before each input. */
#pragma clang section bss = "driver_bss" data = "driver_data"

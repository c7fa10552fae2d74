/* SPDX-License-Identifier: MIT */
/* Where riscv64 goes next, from any code and any registers: see fuzz_step.h. */
#define STEP_PC_FIRST
#define STEP_ALIGN 2
#include "../host/step_code.h"

#include "../../hal/common/llsc.c"
#include "../../arch/riscv64/step.c"

#include "fuzz_step.h"

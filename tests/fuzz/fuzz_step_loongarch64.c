/* SPDX-License-Identifier: MIT */
/* Where loongarch64 goes next, from any code and any registers: see fuzz_step.h. */
#define STEP_ALIGN 4
#include "../host/step_code.h"

#include "../../hal/common/llsc.c"
#include "../../arch/loongarch64/step.c"

#include "fuzz_step.h"

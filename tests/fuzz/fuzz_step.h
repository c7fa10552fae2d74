/* SPDX-License-Identifier: MIT */
/*
 * Any code and any registers: the successors are few, are not the instruction itself unless it jumps there, and nothing else is
 * read. Included after tests/host/step_code.h and one arch/<isa>/step.c; STEP_ALIGN is where instructions may begin.
 */
#ifndef FUZZ_STEP_H
#define FUZZ_STEP_H

#include <stdlib.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct uctx u = { 0 };
	struct code code;
	uaddr_t pcs[HAL_NEXT_PCS];
	int n;

	if (size < 2)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(u.regs); i++)
		u.regs[i] = CODE_BASE + data[0] * i;
	u.STEP_PC = CODE_BASE + data[1] / STEP_ALIGN * STEP_ALIGN;
	code = (struct code){ data + 2, size - 2 };
	n = hal_next_pcs(&u, code_fetch, &code, pcs);
	CHECK(n == -EFAULT || (n >= 1 && n <= HAL_NEXT_PCS));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			CHECK(pcs[i] != pcs[k]);
	for (int i = 0; i < n && n > 1; i++)
		CHECK(pcs[i] != u.STEP_PC);
	return 0;
}

#endif

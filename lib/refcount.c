/* SPDX-License-Identifier: MIT */
/*
 * The rare end of refcount_t: what happens when a count is misused. See lib/atomic.h.
 */
#include <lib/atomic.h>

__weak void refcount_report(refcount_t *r __unused, const char *what __unused)
{
}

void refcount_saturate(refcount_t *r, const char *what)
{
	refcount_set(r, REFCOUNT_SATURATED);
	refcount_report(r, what);
}

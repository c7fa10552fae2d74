/* SPDX-License-Identifier: MIT */
/* What third-party code expects of <string.h>. */
#include <lib/string.h>

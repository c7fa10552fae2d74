/* SPDX-License-Identifier: MIT */
/* Third-party code includes <stdlib.h> and uses nothing of it that is compiled here. */
#include <stddef.h>

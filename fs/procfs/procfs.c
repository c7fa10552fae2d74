/* SPDX-License-Identifier: MIT */
#include <fs/internal.h>
void procfs_init(void) { }
void sysfs_init(void) { }

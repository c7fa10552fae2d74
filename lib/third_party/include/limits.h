/* SPDX-License-Identifier: MIT */
/* GCC's own <limits.h> asks for the next one; there is nothing to add. */

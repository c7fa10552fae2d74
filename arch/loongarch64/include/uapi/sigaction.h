/* SPDX-License-Identifier: MIT */
/* struct sigaction of this ABI, whose frames are large. */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <uapi/sigaction_plain.h>

#define MINSIGSTKSZ 4096

#endif

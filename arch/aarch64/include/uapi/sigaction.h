/* SPDX-License-Identifier: MIT */
/* struct sigaction of this ABI, whose frames are large. */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <uapi/sigaction_restorer.h>

#define MINSIGSTKSZ 5120

#endif

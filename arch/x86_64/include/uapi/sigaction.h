/* SPDX-License-Identifier: MIT */
/* struct sigaction of this ABI. */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <uapi/sigaction_restorer.h>

#endif

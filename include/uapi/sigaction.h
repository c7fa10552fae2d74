/* SPDX-License-Identifier: MIT */
/* struct sigaction where an architecture has no header of its own. */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <uapi/sigaction_plain.h>

#endif

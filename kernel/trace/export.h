/* SPDX-License-Identifier: MIT */
/*
 * Recording for the host: `caelum run --trace` and `--profile`. The host gives the machine memory that is a file, and when the
 * machine has ended it finds the pages of the rings in it by their heads (ring.h). So nothing has to be sent, and what was recorded
 * survives a panic, too. What the records mean is in one more ring: the format text of every event that is switched on.
 */
#ifndef KERNEL_TRACE_EXPORT_H
#define KERNEL_TRACE_EXPORT_H

#include <kernel/trace.h>

struct vm;

#define TRACE_RING_META 0xffffffffu /* number of the ring of formats */

/**
 * trace_export_start() - record from now on, in buffers as large as memory allows.
 * @events: the events of a trace; @profile: what a profile needs
 * Context: process 1, before its program; may sleep.
 */
void trace_export_start(bool events, bool profile);
/** trace_export_event() - an event was switched on: tell the host what its records look like. trace_mutex held. */
void trace_export_event(const struct trace_event *ev);

#endif

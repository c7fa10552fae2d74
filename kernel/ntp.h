/* SPDX-License-Identifier: MIT */
/* Discipline of the clock of the day (kernel/ntp.c). Task context. Source: adjtimex(2). */
#ifndef KERNEL_NTP_H
#define KERNEL_NTP_H

#include <types.h>
#include <uapi/time.h>

#define NTP_MAX_ERROR	 16000000     /* microseconds */
#define NTP_MAX_FREQ	 (500 << 16)  /* parts per million, 16 bits of fraction */
#define NTP_MAX_PHASE_NS 500000000LL
#define NTP_MAX_CONSTANT 10
#define NTP_MAX_TAI	 100000 /* seconds */

struct ntp_state {
	u32 status; /* STA_* */
	s64 freq;   /* parts per million, 16 bits of fraction */
	s64 maxerror_us, esterror_us;
	s64 constant;
	s64 tick_us;
	s32 tai;
};

struct ntp_request {
	u32 modes; /* ADJ_* but those below */
	struct ntp_state state;
	s64 offset_ns;	  /* ADJ_OFFSET, or the single shot's */
	bool single_shot; /* adjtime(3) */
	s64 step_ns;	  /* ADJ_SETOFFSET */
};

/** ntp_adjust() - carry out a request that was checked. ntp_read(): the state, and the offset still to be worked off. */
void ntp_adjust(const struct ntp_request *rq);
void ntp_read(struct ntp_state *out, s64 *offset_ns);
/** ntp_tai_ns() - what CLOCK_TAI is ahead of CLOCK_REALTIME: what a program has set (ADJ_TAI), no leap seconds are known. Any context. */
u64 ntp_tai_ns(void);
/** ntp_clock_was_set() - somebody set the clock: it is nobody's discipline any more. */
void ntp_clock_was_set(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Discipline of the clock of the day: adjtimex(2).
 *
 * A frequency, a tick or an offset to be worked off is carried out by moving CLOCK_REALTIME a little, some hundred times a second; while
 * there is none of them, nothing runs. Other clocks keep their rate. Locking: ntp_lock.
 */
#include <err.h>
#include <kernel/ntp.h>
#include <kernel/process.h>
#include <kernel/time.h>

#define STEP_INTERVAL_NS (10 * NSEC_PER_MSEC)
#define SLEW_PPB	 500000LL /* an offset is worked off at 500 microseconds a second */
#define BILLION		 1000000000LL

static struct spinlock ntp_lock = SPINLOCK_INIT(RANK_ANY);
static s64 rate_ppb;   /* of frequency and tick */
static s64 slew_ns;    /* still to be worked off */
static u64 stepped_ns; /* up to when both have been carried out */
static s64 fraction;   /* of a nanosecond, in parts of 10^9, carried over */
static struct ktimer step_timer;
static struct ntp_state ntp = {
	.status = STA_UNSYNC,
	.maxerror_us = NTP_MAX_ERROR,
	.esterror_us = NTP_MAX_ERROR,
	.constant = 2,
	.tick_us = 1000000 / USER_HZ,
};

/* Carry out what is due for the time since the last step. ntp_lock held. */
static void step(u64 now)
{
	s64 elapsed = (s64)min(now - stepped_ns, (u64)BILLION), part;
	s64 most = elapsed / (BILLION / SLEW_PPB);

	part = slew_ns < 0 ? -min(-slew_ns, most) : min(slew_ns, most);
	slew_ns -= part;
	fraction += elapsed * rate_ppb;
	part += fraction / BILLION;
	fraction %= BILLION;
	stepped_ns = now;
	if (part)
		ktime_slew_real(part);
}

static void step_later(void)
{
	if (rate_ppb || slew_ns)
		ktimer_start(&step_timer, stepped_ns + STEP_INTERVAL_NS);
}

static void step_due(struct ktimer *t)
{
	unsigned long flags = spin_lock_irqsave(&ntp_lock);

	step(hal_clock_ns());
	step_later();
	spin_unlock_irqrestore(&ntp_lock, flags);
}

/* The rate that frequency and tick together ask for, in parts of 10^9. */
static s64 wanted_rate(void)
{
	s64 usual = 1000000 / USER_HZ;

	return ntp.freq * 1000 / 65536 + (ntp.tick_us - usual) * BILLION / usual;
}

static void apply_status(const struct ntp_request *rq)
{
	if (rq->modes & ADJ_STATUS)
		ntp.status = (ntp.status & STA_RONLY) | (rq->state.status & ~STA_RONLY);
	if (rq->modes & ADJ_NANO)
		ntp.status |= STA_NANO;
	if (rq->modes & ADJ_MICRO)
		ntp.status &= ~STA_NANO;
}

static void set_tai(s32 seconds)
{
	WRITE_ONCE(ntp.tai, seconds);
	vdso_set_tai_offset(ntp_tai_ns());
}

static void apply_values(const struct ntp_request *rq)
{
	const struct ntp_state *s = &rq->state;

	if (rq->modes & ADJ_FREQUENCY)
		ntp.freq = clamp(s->freq, (s64)-NTP_MAX_FREQ, (s64)NTP_MAX_FREQ);
	if (rq->modes & ADJ_MAXERROR)
		ntp.maxerror_us = clamp(s->maxerror_us, (s64)0, (s64)NTP_MAX_ERROR);
	if (rq->modes & ADJ_ESTERROR)
		ntp.esterror_us = clamp(s->esterror_us, (s64)0, (s64)NTP_MAX_ERROR);
	if (rq->modes & ADJ_TIMECONST)
		ntp.constant = clamp(s->constant + (ntp.status & STA_NANO ? 0 : 4), (s64)0,
				     (s64)NTP_MAX_CONSTANT);
	if ((rq->modes & ADJ_TAI) && s->constant >= 0 && s->constant <= NTP_MAX_TAI)
		set_tai((s32)s->constant);
	if (rq->modes & ADJ_TICK)
		ntp.tick_us = s->tick_us;
}

/* With a phase-locked loop the offset is worked off; without one it is ignored, as on Linux. */
static void apply_offset(const struct ntp_request *rq)
{
	s64 limit = NTP_MAX_PHASE_NS;

	if ((rq->modes & ADJ_OFFSET) && (ntp.status & STA_PLL))
		slew_ns = clamp(rq->offset_ns, -limit, limit);
}

void ntp_adjust(const struct ntp_request *rq)
{
	unsigned long flags = spin_lock_irqsave(&ntp_lock);

	if (!step_timer.fn)
		ktimer_init(&step_timer, step_due);
	if (rate_ppb || slew_ns)
		step(hal_clock_ns());
	stepped_ns = hal_clock_ns();
	apply_status(rq);
	apply_values(rq);
	apply_offset(rq);
	if (rq->single_shot)
		slew_ns = rq->offset_ns;
	rate_ppb = wanted_rate();
	step_later();
	spin_unlock_irqrestore(&ntp_lock, flags);
	if (rq->step_ns)
		ktime_set_real_ns(ktime_real_ns() + (u64)rq->step_ns);
}

u64 ntp_tai_ns(void)
{
	return (u64)READ_ONCE(ntp.tai) * NSEC_PER_SEC;
}

void ntp_read(struct ntp_state *out, s64 *offset_ns)
{
	unsigned long flags = spin_lock_irqsave(&ntp_lock);

	*out = ntp;
	*offset_ns = slew_ns;
	spin_unlock_irqrestore(&ntp_lock, flags);
}

void ntp_clock_was_set(void)
{
	unsigned long flags = spin_lock_irqsave(&ntp_lock);

	slew_ns = 0;
	ntp.status = (ntp.status & ~STA_PLL) | STA_UNSYNC;
	ntp.maxerror_us = ntp.esterror_us = NTP_MAX_ERROR;
	spin_unlock_irqrestore(&ntp_lock, flags);
}

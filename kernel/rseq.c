/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences (kernel/rseq.h).
 *
 * What the scheduler does is to set WORK_RSEQ on a thread that leaves its CPU; all else happens on the thread's way to user mode, where it
 * may fault. It may leave its CPU again during that, which sets the bit again.
 *
 * mm_cid is a number that no other thread of the address space has while this one runs, smaller than the number of threads and of
 * CPUs. A thread takes the first free one when it returns to user mode and loses it when it leaves the CPU.
 */
#include <hal/cpu.h>
#include <hal/uctx.h>
#include <kernel/rseq.h>
#include <kernel/signal.h>
#include <mm/uaccess.h>
#include <uapi/sched.h>

#define RSEQ_SIZE_FIRST 32 /* of the first version of the structure, and the least there may be */
#define CPU_ID_NONE	0xffffffffu

struct rseq_abi {
	u32 cpu_id_start, cpu_id;
	u64 rseq_cs;
	u32 flags, node_id, mm_cid;
};

struct rseq_cs_abi {
	u32 version, flags;
	u64 start_ip, post_commit_offset, abort_ip;
};

#define FIELD(addr, name) ((addr) + offsetof(struct rseq_abi, name))

/* ---- registration ---- */

static bool place_valid(uaddr_t addr, u32 len)
{
	return addr && addr % RSEQ_ALIGN == 0 && len >= RSEQ_SIZE_FIRST;
}

static int same_as_before(const struct task *t, uaddr_t addr, u32 len, u32 sig)
{
	if (t->rseq != addr || t->rseq_len != len)
		return -EINVAL;
	return t->rseq_sig == sig ? 0 : -EPERM;
}

int rseq_register(uaddr_t addr, u32 len, u32 sig)
{
	struct task *t = current;
	int r;

	if (t->rseq) {
		r = same_as_before(t, addr, len, sig);
		return r ? r : -EBUSY;
	}
	if (!place_valid(addr, len))
		return -EINVAL;
	if (addr >= USER_END || USER_END - addr < len)
		return -EFAULT;
	/* A sequence that its last user left behind is none of this thread's. */
	if (hal_put_user64(FIELD(addr, rseq_cs), 0))
		return -EFAULT;
	t->rseq_len = len;
	t->rseq_sig = sig;
	t->rseq_cid = -1;
	t->rseq = addr;
	task_set_work(t, WORK_RSEQ);
	return 0;
}

static int write_ids(uaddr_t addr, u32 cpu_start, u32 cpu, u32 cid)
{
	if (hal_put_user32(FIELD(addr, cpu_id_start), cpu_start) ||
	    hal_put_user32(FIELD(addr, cpu_id), cpu) || hal_put_user32(FIELD(addr, node_id), 0) ||
	    hal_put_user32(FIELD(addr, mm_cid), cid))
		return -EFAULT;
	return 0;
}

int rseq_unregister(uaddr_t addr, u32 len, u32 sig)
{
	struct task *t = current;
	int r = t->rseq ? same_as_before(t, addr, len, sig) : -EINVAL;

	if (!r)
		r = write_ids(addr, 0, CPU_ID_NONE, 0);
	if (!r)
		rseq_drop(t);
	return r;
}

void rseq_drop(struct task *t)
{
	unsigned long flags = hal_irq_save();

	rseq_switched_out(t);
	t->rseq = 0;
	task_clear_work(t, WORK_RSEQ);
	hal_irq_restore(flags);
}

void rseq_fork(struct task *t, u64 clone_flags)
{
	struct task *parent = current;

	t->rseq_cid = -1;
	if ((clone_flags & CLONE_VM) || !parent->rseq)
		return;
	t->rseq = parent->rseq;
	t->rseq_len = parent->rseq_len;
	t->rseq_sig = parent->rseq_sig;
	t->work |= WORK_RSEQ;
}

/* ---- going back to user mode ---- */

static bool cs_valid(const struct rseq_cs_abi *cs)
{
	if (cs->version || cs->flags)
		return false;
	if (cs->start_ip >= USER_END || cs->abort_ip >= USER_END ||
	    cs->post_commit_offset >= USER_END - cs->start_ip)
		return false;
	/* The abort code is not part of what it aborts. */
	return cs->abort_ip - cs->start_ip >= cs->post_commit_offset;
}

/* The word before the abort code says that it is meant to be jumped at. */
static int check_signature(const struct task *t, const struct rseq_cs_abi *cs)
{
	u32 sig;

	if (cs->abort_ip < sizeof(sig) || hal_get_user32(&sig, cs->abort_ip - sizeof(sig)))
		return -EFAULT;
	return sig == t->rseq_sig ? 0 : -EINVAL;
}

/* Out of the sequence that @t is in, if any. */
static int abort_sequence(struct task *t)
{
	struct rseq_cs_abi cs;
	u64 cs_addr;
	u32 flags;
	int r;

	if (hal_get_user64(&cs_addr, FIELD(t->rseq, rseq_cs)))
		return -EFAULT;
	if (!cs_addr)
		return 0;
	if (get_user_obj(&cs, cs_addr))
		return -EFAULT;
	if (!cs_valid(&cs))
		return -EINVAL;
	r = check_signature(t, &cs);
	if (r)
		return r;
	if (uctx_ip(&t->hal.uctx) - cs.start_ip < cs.post_commit_offset) {
		if (hal_get_user32(&flags, FIELD(t->rseq, flags)))
			return -EFAULT;
		if (flags)
			return -EINVAL;
		uctx_set_ip(&t->hal.uctx, cs.abort_ip);
	}
	/* Done with it, or a pointer that its user did not clear. */
	return hal_put_user64(FIELD(t->rseq, rseq_cs), 0);
}

/* The first number that no running thread of the address space has. Interrupts off. */
static int take_cid(struct vm *vm)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vm->cids); i++) {
		u64 seen = __atomic_load_n(&vm->cids[i], __ATOMIC_RELAXED);

		while (~seen) {
			unsigned int bit = (unsigned int)__builtin_ctzll(~seen);

			if (__atomic_compare_exchange_n(&vm->cids[i], &seen, seen | 1ULL << bit,
							false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return (int)(i * 64 + bit);
		}
	}
	/* More threads than CPUs cannot be running. */
	return 0;
}

static int update_ids(struct task *t)
{
	unsigned long flags = hal_irq_save();
	u32 cpu = hal_cpu_id();

	if (t->rseq_cid < 0)
		t->rseq_cid = take_cid(t->vm);
	hal_irq_restore(flags);
	return write_ids(t->rseq, cpu, cpu, (u32)t->rseq_cid);
}

void rseq_resume(struct task *t)
{
	task_clear_work(t, WORK_RSEQ);
	if (!t->rseq)
		return;
	if (abort_sequence(t) || update_ids(t))
		sig_force(SIGSEGV, SI_KERNEL, 0);
}

int rseq_signal(struct task *t)
{
	return abort_sequence(t);
}

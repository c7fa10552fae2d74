/* SPDX-License-Identifier: MIT */
/* What a task says about itself: the plain part of prctl(2), personality(2), membarrier(2), rseq(2). */
#include <kernel/process.h>
#include <hal/sync_core.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/syscall.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/personality.h>
#include <uapi/prctl.h>

/* ---- prctl ---- */

static long set_slack(ulong ns)
{
	struct task *t = current;

	t->timer_slack_ns = (long)ns <= 0 ? t->default_slack_ns : ns;
	return 0;
}

/* When to be told of broken memory: there is nobody who would tell. */
static long set_memory_failure(ulong what, ulong policy)
{
	switch (what) {
	case PR_MCE_KILL_CLEAR:
		if (policy)
			return -EINVAL;
		current->memory_failure = 0;
		return 0;
	case PR_MCE_KILL_SET:
		if (policy > PR_MCE_KILL_DEFAULT)
			return -EINVAL;
		current->memory_failure = PR_MCE_KILL_DEFAULT - (u8)policy;
		return 0;
	default:
		return -EINVAL;
	}
}

static long io_flusher(bool set, ulong on)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (!set)
		return current->io_flusher;
	if (on > 1)
		return -EINVAL;
	current->io_flusher = on;
	return 0;
}

/* The auxiliary vector as the program found it. Return: its size, of which at most @size bytes were copied. */
static long get_auxv(uaddr_t buf, ulong size)
{
	const struct vm_auxv *v = current->vm->auxv;

	if (copy_to_user(buf, v->word, min(size, (ulong)sizeof(v->word))))
		return -EFAULT;
	return sizeof(v->word);
}

/* No memory that is written and executed. It can be asked for once. */
static long set_mdwe(ulong bits)
{
	struct vm *vm = current->vm;

	if (bits & ~(ulong)(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT))
		return -EINVAL;
	if (bits == PR_MDWE_NO_INHERIT)
		return -EINVAL;
	if (vm->mdwe && vm->mdwe != bits)
		return -EPERM;
	WRITE_ONCE(vm->mdwe, (u8)bits);
	return 0;
}

/* Calls from outside [offset, offset + len) are the program's to carry out, while *@selector says so. */
static long set_dispatch(ulong mode, ulong offset, ulong len, uaddr_t selector)
{
	struct user_dispatch d = { .selector = selector, .offset = offset, .len = len };

	return user_dispatch_set(current, mode, &d);
}

long prctl_own(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5)
{
	bool rest = arg3 || arg4 || arg5;

	switch (option) {
	case PR_GET_SECCOMP:
		return current->seccomp_mode;
	case PR_SET_SECCOMP:
		return prctl_set_seccomp(arg2, arg3);
	case PR_GET_TIMING:
		return 0; /* by statistics: the only kind there is */
	case PR_SET_TIMING:
		return arg2 ? -EINVAL : 0;
	case PR_SET_TIMERSLACK:
		return set_slack(arg2);
	case PR_GET_TIMERSLACK:
		return (long)min(task_timer_slack(current), (u64)S64_MAX);
	case PR_GET_TID_ADDRESS: {
		u64 addr = current->clear_child_tid;

		return put_user_obj(arg2, &addr);
	}
	case PR_MCE_KILL:
		return arg4 || arg5 ? -EINVAL : set_memory_failure(arg2, arg3);
	case PR_MCE_KILL_GET:
		return arg2 || rest ? -EINVAL : PR_MCE_KILL_DEFAULT - current->memory_failure;
	case PR_SET_THP_DISABLE:
		if (rest)
			return -EINVAL;
		current->vm->thp_disabled = arg2 != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return arg2 || rest ? -EINVAL : current->vm->thp_disabled;
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
		if (rest || (option == PR_GET_IO_FLUSHER && arg2))
			return -EINVAL;
		return io_flusher(option == PR_SET_IO_FLUSHER, arg2);
	case PR_SET_MDWE:
		return rest ? -EINVAL : set_mdwe(arg2);
	case PR_GET_MDWE:
		return arg2 || rest ? -EINVAL : current->vm->mdwe;
	case PR_SET_SYSCALL_USER_DISPATCH:
		return set_dispatch(arg2, arg3, arg4, arg5);
	case PR_GET_AUXV:
		return arg4 || arg5 ? -EINVAL : get_auxv(arg2, arg3);
	case PR_GET_SPECULATION_CTRL:
		return rest ? -EINVAL : uctx_prctl(&current->hal, option, arg2, 0);
	case PR_SET_SPECULATION_CTRL:
		return arg4 || arg5 ? -EINVAL : uctx_prctl(&current->hal, option, arg2, arg3);
	default:
		return uctx_prctl(&current->hal, option, arg2, arg3);
	}
}

/* ---- personality ---- */

/* Any value is kept, as on Linux; docs/abi-coverage.md says which of its flags have an effect. */
long sys_personality(uint persona)
{
	uint old = current->personality;

	if (persona != 0xffffffffu)
		current->personality = persona;
	return old;
}

/* ---- membarrier ---- */

#define MEMBARRIER_CMD_QUERY			     0
#define MEMBARRIER_CMD_GLOBAL			     0x001
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED		     0x002
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED     0x004
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED	     0x008
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED    0x010
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE   0x020
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 0x040
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ	     0x080
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ 0x100
#define MEMBARRIER_CMD_GET_REGISTRATIONS	     0x200
#define MEMBARRIER_CMD_FLAG_CPU			     1u
#define MEMBARRIER_SYNC_CORE (MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
#define MEMBARRIER_ALL                                                                             \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                 \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |             \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |       \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_GET_REGISTRATIONS |       \
	 (HAL_HAS_SYNC_CORE ? MEMBARRIER_SYNC_CORE : 0))

/* The registration of a private command is the bit after it. Every barrier reaches every CPU, which is more than any of them asks for. */
static long private_barrier(struct process *p, int cmd, uint flags, int cpu)
{
	bool one_cpu = flags & MEMBARRIER_CMD_FLAG_CPU;

	if (!(READ_ONCE(p->membarrier) & ((u32)cmd << 1)))
		return -EPERM;
	if (one_cpu && (cpu < 0 || cpu >= CONFIG_NR_CPUS || !cpu_online((unsigned int)cpu)))
		return 0;
	if (cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
		sched_abort_sequences(current->vm, one_cpu ? cpu : -1);
	sched_sync_all_cpus();
	return 0;
}

long sys_membarrier(int cmd, uint flags, int cpu)
{
	struct process *p = current->process;

	if (flags & ~(cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ ? MEMBARRIER_CMD_FLAG_CPU : 0))
		return -EINVAL;
	if (cmd & ~MEMBARRIER_ALL)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_ALL;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		__atomic_fetch_or(&p->membarrier, (u32)cmd, __ATOMIC_RELAXED);
		return 0;
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return READ_ONCE(p->membarrier);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return private_barrier(p, cmd, flags, cpu);
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		sched_sync_all_cpus();
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- rseq ---- */

#define RSEQ_FLAG_UNREGISTER 1

long sys_rseq(uaddr_t addr, uint len, int flags, uint sig)
{
	if (flags & ~RSEQ_FLAG_UNREGISTER)
		return -EINVAL;
	return flags ? rseq_unregister(addr, len, sig) : rseq_register(addr, len, sig);
}

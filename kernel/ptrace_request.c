/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2): looking into a tracee and changing it: memory, registers, signals. The tracee is held in its stop (kernel/ptrace.c),
 * so nothing moves under these functions. Those that the architecture alone knows (PEEKUSR, GETREGS) are hal_ptrace()'s.
 */
#include <hal/debug.h>
#include <kernel/ptrace.h>
#include <kernel/seccomp.h>
#include <kernel/siginfo.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/machine.h>

/* ---- memory ---- */

/* A program that became privileged is not to be read by a tracer that is not. */
static bool memory_is_open(struct task *t, struct vm *vm)
{
	return vm->dumpable == 1 || (t->trace.tracer_creds->cap_effective >> CAP_SYS_PTRACE & 1);
}

/* One word. 0 or -EIO. */
static int access_word(struct task *t, uaddr_t addr, u64 *word, bool write)
{
	struct vm *vm = task_vm_get(t);
	ssize_t n = -1;

	if (!vm)
		return -EIO;
	if (memory_is_open(t, vm))
		n = vm_access(vm, addr, word, sizeof(*word), write, true);
	vm_put(vm);
	return n == (ssize_t)sizeof(*word) ? 0 : -EIO;
}

static long peek(struct task *t, uaddr_t addr, uaddr_t data)
{
	u64 word;
	int r = access_word(t, addr, &word, false);

	return r ? r : put_user_obj(data, &word);
}

/* ---- registers ---- */

static const struct hal_regset *find_regset(unsigned long note)
{
	unsigned int n;
	const struct hal_regset *set = hal_regsets(&n);

	for (unsigned int i = 0; i < n; i++)
		if (set[i].note == note)
			return &set[i];
	return NULL;
}

static int regset_get(struct task *t, const struct hal_regset *set, uaddr_t base, size_t len,
		      void *buf)
{
	int r = set->get(&t->hal, buf);

	return r ? r : copy_to_user(base, buf, len);
}

static int regset_set(struct task *t, const struct hal_regset *set, uaddr_t base, size_t len,
		      void *buf)
{
	if (copy_from_user(buf, base, len))
		return -EFAULT;
	return set->set(&t->hal, buf, len);
}

static long regset(struct task *t, bool write, unsigned long note, uaddr_t uiov)
{
	const struct hal_regset *set = find_regset(note);
	struct iovec_u iov;
	size_t size, len;
	void *buf;
	int r;

	if (get_user_obj(&iov, uiov))
		return -EFAULT;
	if (!set || iov.len % set->element)
		return -EINVAL;
	size = set->size(&t->hal);
	if (!size)
		return set->get(&t->hal, NULL); /* it knows what its absence is called */
	len = min(iov.len, size);
	buf = kmalloc(size, 0);
	if (!buf)
		return -ENOMEM;
	r = write ? regset_set(t, set, iov.base, len, buf) : regset_get(t, set, iov.base, len, buf);
	kfree(buf);
	iov.len = len;
	return r ? r : put_user_obj(uiov + offsetof(struct iovec_u, len), &iov.len);
}

/* ---- signals ---- */

static long get_siginfo(struct task *t, uaddr_t data)
{
	return t->trace.info ? siginfo_to_user(data, t->trace.info) : -EINVAL;
}

static long set_siginfo(struct task *t, uaddr_t data)
{
	struct siginfo info;
	int r = siginfo_from_user(&info, -1, data);

	if (r)
		return r;
	if (!t->trace.info)
		return -EINVAL;
	*t->trace.info = info;
	return 0;
}

/* The pending signal number @n, counted from 0. */
static bool nth_pending(struct task *t, bool shared, u64 n, struct siginfo *info)
{
	struct sigpending *pending = shared ? &t->process->shared_pending : &t->pending;
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	bool found = false;
	struct sigqueue *q;

	list_for_each_entry(q, &pending->queue, link) {
		if (n--)
			continue;
		*info = q->info;
		found = true;
		break;
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return found;
}

static long peek_siginfo(struct task *t, uaddr_t uargs, uaddr_t data)
{
	struct ptrace_peeksiginfo_args args;
	struct siginfo info;
	s32 i;

	if (get_user_obj(&args, uargs))
		return -EFAULT;
	if ((args.flags & ~(u32)PTRACE_PEEKSIGINFO_SHARED) || args.nr < 0)
		return -EINVAL;
	for (i = 0; i < args.nr; i++) {
		if (args.off + (u64)i < args.off ||
		    !nth_pending(t, args.flags & PTRACE_PEEKSIGINFO_SHARED, args.off + (u64)i,
				 &info))
			break;
		if (siginfo_to_user(data + (u64)i * SIGINFO_SIZE, &info))
			return i ? i : -EFAULT;
		if (signal_pending())
			return i + 1;
		cond_resched();
	}
	return i;
}

static long get_sigmask(struct task *t, unsigned long size, uaddr_t data)
{
	u64 mask = t->restore_blocked ? t->saved_blocked : t->blocked;

	if (size != sizeof(mask))
		return -EINVAL;
	return put_user_obj(data, &mask);
}

/* It looks at its signals again when it goes on. */
static long set_sigmask(struct task *t, unsigned long size, uaddr_t data)
{
	unsigned long flags;
	struct sighand *sh;
	u64 mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user_obj(&mask, data))
		return -EFAULT;
	sh = sighand_lock(t->process, &flags);
	t->blocked = mask & ~SIG_KERNEL_MASK;
	t->restore_blocked = false;
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

/* ---- system calls ---- */

static size_t describe_entry(const struct uctx *u, struct ptrace_syscall_info *info)
{
	info->op = PTRACE_SYSCALL_INFO_ENTRY;
	info->entry.nr = (u64)uctx_syscall_nr(u);
	for (unsigned int i = 0; i < 6; i++)
		info->entry.args[i] = uctx_arg(u, i);
	return offsetof(struct ptrace_syscall_info, entry) + sizeof(info->entry);
}

static size_t describe_exit(const struct uctx *u, struct ptrace_syscall_info *info)
{
	info->op = PTRACE_SYSCALL_INFO_EXIT;
	info->exit.rval = uctx_result(u);
	info->exit.is_error = IS_ERR_VALUE(info->exit.rval);
	return offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
}

static size_t describe_seccomp(const struct task *t, struct ptrace_syscall_info *info)
{
	describe_entry(&t->hal.uctx, info);
	info->op = PTRACE_SYSCALL_INFO_SECCOMP;
	info->seccomp.ret_data = (u32)t->trace.message;
	return offsetof(struct ptrace_syscall_info, seccomp.ret_data) +
	       sizeof(info->seccomp.ret_data);
}

/* Only PTRACE_O_TRACESYSGOOD makes a syscall stop one that can be told from others. */
static u8 syscall_stop_kind(const struct task *t)
{
	int why = t->trace.info ? t->trace.info->si_code : 0;

	if (why == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		return PTRACE_SYSCALL_INFO_SECCOMP;
	if (why != (SIGTRAP | 0x80))
		return PTRACE_SYSCALL_INFO_NONE;
	if (t->trace.message == PTRACE_EVENTMSG_SYSCALL_ENTRY)
		return PTRACE_SYSCALL_INFO_ENTRY;
	return t->trace.message == PTRACE_EVENTMSG_SYSCALL_EXIT ? PTRACE_SYSCALL_INFO_EXIT
								: PTRACE_SYSCALL_INFO_NONE;
}

static long get_syscall_info(struct task *t, unsigned long user_size, uaddr_t data)
{
	const struct uctx *u = &t->hal.uctx;
	struct ptrace_syscall_info info;
	size_t size = offsetof(struct ptrace_syscall_info, entry);

	memset(&info, 0, sizeof(info));
	info.arch = AUDIT_ARCH;
	info.instruction_pointer = uctx_ip(u);
	info.stack_pointer = uctx_sp(u);
	switch (syscall_stop_kind(t)) {
	case PTRACE_SYSCALL_INFO_ENTRY:
		size = describe_entry(u, &info);
		break;
	case PTRACE_SYSCALL_INFO_EXIT:
		size = describe_exit(u, &info);
		break;
	case PTRACE_SYSCALL_INFO_SECCOMP:
		size = describe_seccomp(t, &info);
		break;
	}
	return copy_to_user(data, &info, min(user_size, size)) ? -EFAULT : (long)size;
}

/* Number and arguments. Call -1 is not made: its result is ENOSYS, and its arguments, which may share a register with that, stay. */
static long change_entry(struct uctx *u, const struct ptrace_syscall_info *info)
{
	s32 nr = (s32)info->entry.nr;

	if ((u64)nr != info->entry.nr)
		return -ERANGE;
	uctx_set_syscall_nr(u, nr);
	if (nr == -1) {
		uctx_set_result(u, -ENOSYS);
		return 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(info->entry.args); i++)
		uctx_set_arg(u, i, info->entry.args[i]);
	return 0;
}

/* What a stop tells can be changed, but not what kind of stop it is. */
static long set_syscall_info(struct task *t, unsigned long user_size, uaddr_t data)
{
	struct ptrace_syscall_info info;

	if (user_size < sizeof(info))
		return -EINVAL;
	if (get_user_obj(&info, data))
		return -EFAULT;
	if (info.flags || info.reserved || info.op != syscall_stop_kind(t))
		return -EINVAL;
	switch (info.op) {
	case PTRACE_SYSCALL_INFO_ENTRY:
	case PTRACE_SYSCALL_INFO_SECCOMP:
		return change_entry(&t->hal.uctx, &info);
	case PTRACE_SYSCALL_INFO_EXIT:
		uctx_set_result(&t->hal.uctx, info.exit.rval);
		return 0;
	default:
		return -EINVAL;
	}
}

static long get_dispatch(struct task *t, unsigned long size, uaddr_t data)
{
	struct ptrace_sud_config config = {
		.mode = user_dispatch_mode(t),
		.selector = t->dispatch.selector,
		.offset = t->dispatch.offset,
		.len = t->dispatch.len,
	};

	return size == sizeof(config) ? put_user_obj(data, &config) : -EINVAL;
}

static long set_dispatch(struct task *t, unsigned long size, uaddr_t data)
{
	struct ptrace_sud_config config;
	struct user_dispatch want;

	if (size != sizeof(config))
		return -EINVAL;
	if (get_user_obj(&config, data))
		return -EFAULT;
	want = (struct user_dispatch){ config.selector, config.offset, config.len };
	return user_dispatch_set(t, config.mode, &want);
}

/* What the tracee has registered with rseq(2); all zero: nothing. */
static long rseq_configuration(struct task *t, unsigned long user_size, uaddr_t data)
{
	struct {
		u64 abi_pointer;
		u32 abi_size, signature, flags, pad;
	} conf = { .abi_pointer = t->rseq };

	if (t->rseq) {
		conf.abi_size = t->rseq_len;
		conf.signature = t->rseq_sig;
	}
	return copy_to_user(data, &conf, min(user_size, sizeof(conf))) ? -EFAULT
								       : (long)sizeof(conf);
}

long ptrace_request(struct task *t, long request, unsigned long addr, unsigned long data)
{
	u64 word = data;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(t, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return access_word(t, addr, &word, true);
	case PTRACE_GETEVENTMSG:
		word = t->trace.message;
		return put_user_obj(data, &word);
	case PTRACE_GETSIGINFO:
		return get_siginfo(t, data);
	case PTRACE_SETSIGINFO:
		return set_siginfo(t, data);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(t, addr, data);
	case PTRACE_GETSIGMASK:
		return get_sigmask(t, addr, data);
	case PTRACE_SETSIGMASK:
		return set_sigmask(t, addr, data);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(t, request == PTRACE_SETREGSET, addr, data);
	case PTRACE_GET_SYSCALL_INFO:
		return get_syscall_info(t, addr, data);
	case PTRACE_SET_SYSCALL_INFO:
		return set_syscall_info(t, addr, data);
	case PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG:
		return set_dispatch(t, addr, data);
	case PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG:
		return get_dispatch(t, addr, data);
	case PTRACE_GET_RSEQ_CONFIGURATION:
		return rseq_configuration(t, addr, data);
	case PTRACE_SECCOMP_GET_FILTER:
		return seccomp_get_filter(t, addr, data);
	case PTRACE_SECCOMP_GET_METADATA:
		return seccomp_get_metadata(t, addr, data);
	default:
		return hal_ptrace(&t->hal, request, addr, data);
	}
}

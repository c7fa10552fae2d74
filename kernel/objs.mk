# SPDX-License-Identifier: MIT
obj-y += cred.o exec.o exit.o fork.o init.o lock.o oom.o panic.o pid.o printk.o ptrace_access.o
obj-y += defer.o retire.o ns.o rseq.o sched.o seccomp.o seccomp_notify.o sleep.o time.o ntp.o user_loop.o vdso.o wait.o
obj-y += console.o random.o coredump.o coredump_elf.o helper.o
obj-y += signal.o siginfo.o siguser.o kill.o sigdeliver.o futex.o futex_pi.o posix_timer.o cpu_timer.o
obj-y += uprobe.o ksym.o kprobe.o
obj-y += trace/
obj-y += ptrace.o ptrace_stop.o ptrace_request.o wait_child.o user_dispatch.o
step-y := step_soft.o
step-$(CONFIG_ARCH_HAS_HW_STEP) := step_hw.o
obj-y += $(step-y)
obj-$(CONFIG_SIGRETURN_GUARD) += sigguard.o
# Run for each hit of a kernel probe: in the part of the text that has none (__noprobe_text).
cflags-kprobe.o += -fno-function-sections
cold-y := init.o panic.o printk.o coredump.o coredump_elf.o helper.o ksym.o oom.o

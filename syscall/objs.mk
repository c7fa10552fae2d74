# SPDX-License-Identifier: MIT
obj-y += dispatch.o strace.o sys_process.o sys_ns.o sys_statmount.o sys_mm.o sys_sched.o sys_ids.o sys_misc.o sys_ptrace.o sys_prctl.o sys_ipc.o
obj-y += sys_seccomp.o sys_syslog.o
obj-y += sys_aio.o sys_fanotify.o sys_fcntl.o sys_handle.o sys_mount.o sys_path.o sys_rw.o sys_stat.o
obj-y += sys_poll.o
obj-y += sys_signal.o sys_futex.o sys_futex2.o sys_time.o sys_timer.o
obj-y += sys_splice.o sys_xattr.o sys_pidfd.o sys_socket.o
cold-y := sys_fanotify.o strace.o sys_statmount.o sys_syslog.o sys_mount.o

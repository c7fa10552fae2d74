# SPDX-License-Identifier: MIT
obj-y += aio.o anon.o dcache.o fdtable.o file.o inode.o mount.o newmount.o namei.o open.o options.o pivot.o
obj-y += tmpfs/tmpfs.o tmpfs/memfd.o
obj-y += init.o initramfs.o pipe.o task_files.o exec_creds.o nsfs.o statmount.o locks.o lease.o fasync.o fsnotify.o inotify.o fanotify.o fanotify_file.o epoll.o xattr.o procfs/procfs.o procfs/fd.o procfs/pid.o procfs/pid_mem.o procfs/system.o procfs/irq.o sysfs/sysfs.o pidfd.o seccomp_fd.o poll.o eventfd.o timerfd.o signalfd.o splice.o
obj-y += procfs/net.o
obj-y += devfs/devfs.o devfs/mem.o devfs/stream.o
obj-y += tty/console_tty.o tty/ldisc.o tty/pty.o tty/tty.o
obj-y += tracefs/tracefs.o tracefs/events.o tracefs/control.o tracefs/stream.o tracefs/probes.o
obj-y += ipc/ipc.o ipc/msg.o ipc/sem.o ipc/shm.o ipc/mqueue.o ipc/sysctl.o
obj-$(CONFIG_BLOCK) += block/bdev.o block/bio.o block/pagecache.o block/partition.o
obj-$(CONFIG_FAT) += fat/super.o fat/table.o fat/name.o fat/dir.o fat/inode.o
cold-y := init.o initramfs.o options.o newmount.o statmount.o nsfs.o procfs/% sysfs/% tracefs/% ipc/sysctl.o
cold-y += fanotify.o fanotify_file.o
cold-y += block/partition.o fat/super.o fat/name.o fat/dir.o

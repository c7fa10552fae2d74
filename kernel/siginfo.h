/* SPDX-License-Identifier: MIT */
/*
 * siginfo_t between the kernel and programs: they see SIGINFO_SIZE bytes, the kernel keeps those that any signal uses.
 */
#ifndef KERNEL_SIGINFO_H
#define KERNEL_SIGINFO_H

#include <compiler.h>
#include <types.h>
#include <uapi/signal.h>

/** siginfo_to_user() - write a whole siginfo_t. May sleep. Return: 0, -EFAULT. */
int __must_check siginfo_to_user(uaddr_t to, const struct siginfo *info);

/**
 * siginfo_from_user() - read one for signal @sig, whatever number is in it; -1: for that.
 * May sleep. Return: 0; -EFAULT; -E2BIG: its code is not one that Linux knows, and there is something in the part that the
 * kernel does not keep. Source: sigqueue(3), Linux's known layouts by signal and code.
 */
int __must_check siginfo_from_user(struct siginfo *info, int sig, uaddr_t from);

#endif

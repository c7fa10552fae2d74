/* SPDX-License-Identifier: MIT */
/*
 * System call handlers: `long sys_NAME(arguments)`, prototypes generated from syscalls.tbl.
 *
 * A handler copies in, checks everything, calls the subsystem, copies out. User pointers are uaddr_t. The result is what the program sees,
 * -Exxx for errors; -EINTR may become a restart, by the class in the table (or syscall_restart_as()).
 * Context: current task, may sleep.
 */
#ifndef SYSCALL_PROTO_H
#define SYSCALL_PROTO_H

#include <err.h>
#include <types.h>

/* Semantic aliases for the call log: C sees plain types. */
typedef uaddr_t path_t;	 /* a path string */
typedef uaddr_t buf_t;	 /* bytes; the next argument is their number */
typedef uaddr_t saddr_t; /* a socket's address; the next argument is its length */
typedef int family_t;	 /* AF_* */
typedef int socktype_t;	 /* SOCK_* with flags */
typedef int fd_t;

#include <generated/syscall_proto.h>

#endif

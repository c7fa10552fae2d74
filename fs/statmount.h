/* SPDX-License-Identifier: MIT */
/* statmount(2) and listmount(2), in kernel memory (fs/statmount.c). Task context; may sleep. */
#ifndef FS_STATMOUNT_H
#define FS_STATMOUNT_H

#include <lib/printf.h>
#include <types.h>

/* Offsets of strings are from the end of this. */
struct statmount_abi {
	u32 size, mnt_opts;
	u64 mask;
	u32 sb_dev_major, sb_dev_minor;
	u64 sb_magic;
	u32 sb_flags, fs_type;
	u64 mnt_id, mnt_parent_id;
	u32 mnt_id_old, mnt_parent_id_old;
	u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	u32 mnt_root, mnt_point;
	u64 mnt_ns_id;
	u64 spare[49];
};
static_assert(sizeof(struct statmount_abi) == 512, "as statmount(2) has it");

#define LSMT_ROOT 0xffffffffffffffffull

/**
 * mount_stat() - what is @wanted of mount @number: numbers to @st, which is zero, strings to @pb. @ns_id: the tree that is meant, 0: current's.
 * Return: 0; -ENOENT: no such mount or tree; -EPERM: it cannot be seen from current's root; -ENOMEM.
 */
int mount_stat(u64 number, u64 ns_id, u64 wanted, struct statmount_abi *st, struct printbuf *pb);
/**
 * mount_list() - the mounts below @number (LSMT_ROOT: all that can be seen), in the order of their numbers.
 * Return: how many there are, in *@out, which the caller kfree()s; errors as of mount_stat().
 */
long mount_list(u64 number, u64 ns_id, u64 **out);

#endif

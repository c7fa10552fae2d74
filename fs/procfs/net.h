/* SPDX-License-Identifier: MIT */
/* /proc/net and /proc/sys/net: what net/, which fs/ may not include, shows and is told there. */
#ifndef FS_PROC_NET_H
#define FS_PROC_NET_H

#include <types.h>

struct printbuf;
struct task;

/** proc_net_add() - a file of /proc/net, by boot. Its text is written anew for each read from the start. */
void proc_net_add(const char *name, int (*show)(struct printbuf *pb, struct task *t));

/* Limits that an administrator sets. Readers take single words. */
struct net_limits {
	u32 somaxconn;
	u32 wmem_max, rmem_max, wmem_default, rmem_default;
	u32 optmem_max;
	u32 max_dgram_qlen;
};
extern struct net_limits net_limits;

#endif

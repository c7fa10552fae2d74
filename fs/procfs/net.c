/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/net, whose files net/ enters at boot, and the limits in /proc/sys/net.
 * Locking: single words. Source: proc_pid_net(5), socket(7), unix(7).
 */
#include <fs/procfs/net.h>
#include <fs/procfs/proc.h>

#define MAX_FILES 16

struct net_limits net_limits = {
	.somaxconn = 4096,
	.wmem_max = 212992,
	.rmem_max = 212992,
	.wmem_default = 212992,
	.rmem_default = 212992,
	.optmem_max = 131072,
	.max_dgram_qlen = 10,
};

struct proc_entry proc_net_entries[MAX_FILES + 1]; /* ends with one without a name */

void proc_net_add(const char *name, int (*show)(struct printbuf *pb, struct task *t))
{
	size_t i = 0;

	while (proc_net_entries[i].name)
		i++;
	if (i < MAX_FILES)
		proc_net_entries[i] = (struct proc_entry)PROC_FILE(name, show);
}

PROC_NUMBER_FILE(somaxconn, net_limits.somaxconn, 0, S32_MAX)
PROC_NUMBER_FILE(wmem_max, net_limits.wmem_max, 4608, S32_MAX)
PROC_NUMBER_FILE(rmem_max, net_limits.rmem_max, 2304, S32_MAX)
PROC_NUMBER_FILE(wmem_default, net_limits.wmem_default, 4608, S32_MAX)
PROC_NUMBER_FILE(rmem_default, net_limits.rmem_default, 2304, S32_MAX)
PROC_NUMBER_FILE(optmem_max, net_limits.optmem_max, 0, S32_MAX)
PROC_NUMBER_FILE(max_dgram_qlen, net_limits.max_dgram_qlen, 0, S32_MAX)

static const struct proc_entry net_core[] = {
	PROC_WRITABLE("somaxconn", somaxconn_show, somaxconn_write),
	PROC_WRITABLE("wmem_max", wmem_max_show, wmem_max_write),
	PROC_WRITABLE("rmem_max", rmem_max_show, rmem_max_write),
	PROC_WRITABLE("wmem_default", wmem_default_show, wmem_default_write),
	PROC_WRITABLE("rmem_default", rmem_default_show, rmem_default_write),
	PROC_WRITABLE("optmem_max", optmem_max_show, optmem_max_write),
	{ .name = NULL },
};
static const struct proc_entry net_unix[] = {
	PROC_WRITABLE("max_dgram_qlen", max_dgram_qlen_show, max_dgram_qlen_write),
	{ .name = NULL },
};
const struct proc_entry proc_sys_net[] = {
	PROC_DIR("core", net_core),
	PROC_DIR("unix", net_unix),
	{ .name = NULL },
};

/* SPDX-License-Identifier: MIT */
/* What boot asks of the network: implemented in net/, declared here because kernel/ may not include it. */
#ifndef KERNEL_NET_H
#define KERNEL_NET_H

/** net_init() - make sockets possible. Boot CPU, once, after files_init(). */
void net_init(void);

#endif

/* SPDX-License-Identifier: MIT */
/* CPU identification, for the machine crate. */
#ifndef ARCH_CPUFEATURE_H
#define ARCH_CPUFEATURE_H

/** aarch64_features_init() - read the ID registers. Boot CPU, before upcall_kernel_main(). */
void aarch64_features_init(void);
/** aarch64_cpu_init() - note what differs between CPUs. Each CPU when it starts. */
void aarch64_cpu_init(void);

#endif

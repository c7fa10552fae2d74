/* SPDX-License-Identifier: MIT */
/*
 * Who carries the interrupts between CPUs where an interrupt controller driver does (GIC).
 *
 * The driver registers its functions while it is probed; the crate's hal_ipi_send() calls send(), each
 * secondary CPU calls cpu_init() when it starts, and the driver calls hal_ipi_handle() for what arrives.
 */
#ifndef HAL_IPI_H
#define HAL_IPI_H

struct hal_ipi_ops {
	/* Interrupt logical CPU @cpu with number @ipi (enum hal_ipi). Any context. */
	void (*send)(unsigned int cpu, unsigned int ipi);
	/* Set up this CPU's part of the controller. Interrupts off. */
	void (*cpu_init)(void);
};

/** hal_ipi_register() - make @ops, which stays valid, the machine's. Device probing. Implemented by the crate. */
void hal_ipi_register(const struct hal_ipi_ops *ops);
/** hal_ipi_handle() - an interrupt from another CPU arrived. Interrupts off. Implemented by the crate. */
void hal_ipi_handle(unsigned int ipi);

#endif

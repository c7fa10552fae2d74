/* SPDX-License-Identifier: MIT */
/* Ending: off with an exit code where the machine can report one (QEMU's test devices), and reset. */
#ifndef HAL_POWER_H
#define HAL_POWER_H

#include <compiler.h>
#include <types.h>

/** hal_power_off() - switch the machine off; @code reaches the emulator if it has a way. Any context; other CPUs are stopped by the caller. */
__noreturn void hal_power_off(int code);
/** hal_reset() - reboot. */
__noreturn void hal_reset(void);
/** hal_power_wait_ms() - give hardware that was told so its time to end the machine. Interrupts may be off. */
void hal_power_wait_ms(u32 ms);

/* Who is asked first. */
enum hal_power_rank {
	POWER_EMULATOR, /* reports the exit code; for switching off */
	POWER_FIRMWARE, /* SBI, PSCI, ACPI: knows the board */
	POWER_BOARD,	/* a line or a register that the board's tables name */
	POWER_WATCHDOG, /* works, but late, and may leave parts of the board as they are */
	POWER_LAST,	/* may not come back when it does not work */
};
/**
 * hal_power_register() - offer a way to switch off and one to reset (NULL: none). Each is tried by rank, ways of one rank as they were
 * registered; one that returns did not work. Context: device probing.
 */
void hal_power_register(enum hal_power_rank rank, void (*off)(int code), void (*reset)(void));

#endif

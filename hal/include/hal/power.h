/* SPDX-License-Identifier: MIT */
/* Ending: off with an exit code where the machine can report one (QEMU's test devices), and reset. */
#ifndef HAL_POWER_H
#define HAL_POWER_H

#include <compiler.h>

/** hal_power_off() - switch the machine off; @code reaches the emulator if it has a way. Any context; other CPUs are stopped by the caller. */
__noreturn void hal_power_off(int code);
/** hal_reset() - reboot. */
__noreturn void hal_reset(void);
/** Drivers of power devices (syscon-poweroff, sifive,test, GED, ...) register here; tried in order. */
void hal_power_register(void (*off)(int code), void (*reset)(void));

#endif

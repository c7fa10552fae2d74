/* SPDX-License-Identifier: MIT */
/* What a Raspberry Pi's firmware, which goes on running beside the kernel, tells about the board. */
#ifndef DRIVERS_FIRMWARE_RASPBERRYPI_H
#define DRIVERS_FIRMWARE_RASPBERRYPI_H

#include <types.h>

#define RPI_GET_CLOCK_RATE 0x00030002 /* of a clock by the firmware's number, Hz */

/**
 * rpi_firmware_ask() - what the firmware says to property @tag of @id.
 * Context: device probing, boot CPU. Return: 0 and *value; -ENODEV: the tree has no firmware that this kernel knows; -ETIMEDOUT: it does not
 * answer, and is not asked again; -EIO: it does not know.
 */
int rpi_firmware_ask(const void *fdt, u32 tag, u32 id, u32 *value);

#endif

# SPDX-License-Identifier: MIT
obj-$(CONFIG_RASPBERRYPI_FIRMWARE) += raspberrypi.o
cold-y := %

# SPDX-License-Identifier: MIT
obj-$(CONFIG_NS16550) += ns16550.o
obj-$(CONFIG_BCM2835_AUX) += bcm2835_aux.o
obj-$(CONFIG_PL011) += pl011.o
obj-$(CONFIG_SIFIVE_UART) += sifive_uart.o
obj-$(CONFIG_SERIAL_SIMPLE) += uart.o

# SPDX-License-Identifier: MIT
obj-$(CONFIG_SIFIVE_TEST) += sifive_test.o
obj-$(CONFIG_SYSCON_POWER) += syscon.o
obj-$(CONFIG_GPIO_POWER) += gpio_power.o
obj-$(CONFIG_WATCHDOG_RESET) += watchdog.o
obj-$(CONFIG_BCM2835_WDT) += bcm2835_wdt.o
cold-y := %

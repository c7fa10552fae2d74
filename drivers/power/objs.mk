# SPDX-License-Identifier: MIT
obj-$(CONFIG_SIFIVE_TEST) += sifive_test.o
obj-$(CONFIG_SYSCON_POWER) += syscon.o

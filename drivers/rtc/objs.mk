# SPDX-License-Identifier: MIT
obj-$(CONFIG_RTC_GOLDFISH) += goldfish.o

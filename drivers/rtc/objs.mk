# SPDX-License-Identifier: MIT
obj-$(CONFIG_RTC_GOLDFISH) += goldfish.o
obj-$(CONFIG_RTC_PL031) += pl031.o

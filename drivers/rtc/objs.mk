# SPDX-License-Identifier: MIT
obj-$(CONFIG_RTC_GOLDFISH) += goldfish.o
obj-$(CONFIG_RTC_PL031) += pl031.o
obj-$(CONFIG_RTC_LS7A) += ls7a.o
cold-y := %

# SPDX-License-Identifier: MIT
obj-y += asid.o
obj-y += power.o
obj-y += rtc.o

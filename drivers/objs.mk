# SPDX-License-Identifier: MIT
obj-y += irqchip/ power/ rtc/ serial/

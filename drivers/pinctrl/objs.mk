# SPDX-License-Identifier: MIT
obj-y += bcm2835.o

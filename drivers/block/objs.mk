# SPDX-License-Identifier: MIT
obj-y += disk.o

# SPDX-License-Identifier: MIT
obj-y += clk.o

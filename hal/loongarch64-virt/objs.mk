# SPDX-License-Identifier: MIT
obj-y += boot.o cpu.o eiointc.o

# SPDX-License-Identifier: MIT
obj-y += buffer.o event.o field.o filter.o init.o points.o ring.o syscalls.o

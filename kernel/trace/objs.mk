# SPDX-License-Identifier: MIT
obj-y += buffer.o event.o field.o filter.o ring.o

# SPDX-License-Identifier: MIT
obj-y += early.o page.o slab.o kstack.o object.o vm.o fault.o dump.o uaccess.o
cold-y := early.o dump.o

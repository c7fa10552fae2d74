# SPDX-License-Identifier: MIT
obj-y += main.o mm.o locks.o time.o sched.o user.o paging.o msi.o defer.o retire.o

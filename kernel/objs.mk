# SPDX-License-Identifier: MIT
obj-y += lock.o wait.o time.o sched.o

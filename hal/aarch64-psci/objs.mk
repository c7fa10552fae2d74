# SPDX-License-Identifier: MIT
obj-y += boot.o psci.o smp.o timer.o rand.o

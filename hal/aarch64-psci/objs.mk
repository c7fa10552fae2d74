# SPDX-License-Identifier: MIT
obj-y += boot.o psci.o smp.o spintable.o timer.o rand.o

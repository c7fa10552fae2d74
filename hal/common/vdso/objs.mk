# SPDX-License-Identifier: MIT
obj-y += vdso.o image.o

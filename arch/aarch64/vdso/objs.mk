# SPDX-License-Identifier: MIT
vdso-y := vdso.o clock.o
obj-y += vdso_image.o

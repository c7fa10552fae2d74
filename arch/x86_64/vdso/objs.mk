# SPDX-License-Identifier: MIT
vdso-y := vdso.o
obj-y += vdso_image.o

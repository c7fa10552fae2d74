# SPDX-License-Identifier: MIT
vdso-y += vdso.o clock.o

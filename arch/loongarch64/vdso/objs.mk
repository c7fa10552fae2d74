# SPDX-License-Identifier: MIT
vdso-y += sigreturn.o

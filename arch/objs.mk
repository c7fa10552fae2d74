# SPDX-License-Identifier: MIT
obj-y += $(ARCH)/

# SPDX-License-Identifier: MIT
obj-$(CONFIG_KTEST) += tests/ktest/
obj-y += arch/ hal/ lib/ mm/ kernel/ fs/ net/ syscall/ drivers/

# SPDX-License-Identifier: MIT
obj-y += arch/ hal/ lib/ mm/ kernel/ fs/ net/ syscall/ drivers/

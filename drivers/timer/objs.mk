# SPDX-License-Identifier: MIT
obj-$(CONFIG_DW_APB_TIMER) += dw_apb.o

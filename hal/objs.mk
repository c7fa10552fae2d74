# SPDX-License-Identifier: MIT
obj-y += common/ $(hal_crate)/

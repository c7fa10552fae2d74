# SPDX-License-Identifier: MIT
obj-y += common/ efi/ $(hal_crate)/

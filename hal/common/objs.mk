# SPDX-License-Identifier: MIT
obj-y += asid.o
obj-y += boot.o
obj-y += clock.o
obj-y += console.o
obj-y += extable.o
obj-y += fdt.o
obj-y += fdt_regs.o
obj-y += irq.o
obj-y += irq_stack.o
obj-y += msi.o
ifndef CONFIG_ARCH_HAS_HW_STEP
obj-y += llsc.o
endif
obj-y += pagetable.o
obj-y += percpu.o
obj-y += power.o
obj-y += rtc.o
obj-y += vdso/
obj-$(CONFIG_ARCH_TLB_IPI) += tlb.o
obj-$(CONFIG_ARCH_EMULATES_UNALIGNED) += unaligned.o
cold-y := boot.o fdt.o fdt_regs.o power.o rtc.o msi.o

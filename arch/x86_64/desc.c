/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of a CPU: GDT, TSS with its exception stacks, the shared IDT, and the SYSCALL registers.
 *
 * x86_desc_init() runs once on each CPU, before its first trap. No locking: the IDT is written by the
 * boot CPU alone.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/upcall.h>

struct idt_gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
} __packed;

struct table_register {
	u16 limit;
	u64 base;
} __packed;

/* Each exception stack's last word is the per-CPU offset that trap_ist loads into GS. */
struct ist_stack {
	u8 bytes[X86_IST_SIZE - 8];
	unsigned long percpu_offset;
} __aligned(X86_IST_SIZE);

DEFINE_PERCPU(struct x86_tss, x86_tss);
static DEFINE_PERCPU(u64, gdt[X86_GDT_ENTRIES]);

static struct ist_stack boot_ist_stacks[2];
static DEFINE_PERCPU(struct ist_stack *, ist_stacks[2]);
static struct idt_gate idt[256] __aligned(16);

extern char x86_stubs[], x86_syscall_entry[], x86_syscall32_entry[];

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* DPL 3: int3 may come from user mode */
#define STUB_SIZE      16

static void idt_init(void)
{
	for (unsigned int v = 0; v < 256; v++) {
		u64 addr = (u64)x86_stubs + v * STUB_SIZE;

		idt[v] = (struct idt_gate){
			.offset_low = (u16)addr,
			.selector = X86_KERNEL_CS,
			.type = GATE_INTERRUPT,
			.offset_mid = (u16)(addr >> 16),
			.offset_high = (u32)(addr >> 32),
		};
	}
	idt[X86_VEC_BP].type |= GATE_USER;
	idt[X86_VEC_OF].type |= GATE_USER;
	idt[X86_VEC_NMI].ist = X86_IST_FATAL;
	idt[X86_VEC_DF].ist = X86_IST_FATAL;
	idt[X86_VEC_MC].ist = X86_IST_FATAL;
	idt[X86_VEC_DB].ist = X86_IST_DEBUG;
}

static void tss_init(unsigned int cpu)
{
	struct x86_tss *tss = &percpu(x86_tss);

	*tss = (struct x86_tss){ .iomap = sizeof(*tss) };
	for (unsigned int i = 0; i < 2; i++) {
		struct ist_stack *stack = cpu ? percpu(ist_stacks)[i] : &boot_ist_stacks[i];

		stack->percpu_offset = arch_percpu_base();
		tss->ist[i] = (u64)stack + X86_IST_SIZE - 16;
	}
}

static void gdt_init(void)
{
	u64 *g = percpu(gdt), tss = (u64)&percpu(x86_tss);

	g[0] = g[1] = g[7] = 0;
	g[X86_KERNEL_CS / 8] = 0x00af9b000000ffff;
	g[X86_KERNEL_DS / 8] = 0x00cf93000000ffff;
	g[X86_USER_CS32 / 8] = 0; /* no 32-bit programs */
	g[X86_USER_DS / 8] = 0x00cff3000000ffff;
	g[X86_USER_CS / 8] = 0x00affb000000ffff;
	g[X86_TSS_SEL / 8] = (sizeof(struct x86_tss) - 1) | (tss & 0xffffff) << 16 | 0x89ULL << 40 |
			     (tss >> 24 & 0xff) << 56;
	g[X86_TSS_SEL / 8 + 1] = tss >> 32;
}

static void syscall_init(void)
{
	wrmsr(MSR_STAR, (u64)X86_USER_CS32 << 48 | (u64)X86_KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)x86_syscall_entry);
	wrmsr(MSR_CSTAR, (u64)x86_syscall32_entry);
	wrmsr(MSR_SFMASK, X86_FLAGS_IF | X86_FLAGS_TF | X86_FLAGS_DF | X86_FLAGS_AC | X86_FLAGS_NT |
				  X86_FLAGS_RF);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

int x86_desc_alloc(unsigned int cpu)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ist_stack **stack = &percpu_of(ist_stacks, cpu)[i];
		paddr_t pa = *stack ? 0 : upcall_pt_alloc();

		if (pa)
			*stack = phys_to_virt(pa);
		if (!*stack)
			return -ENOMEM;
	}
	return 0;
}

void x86_desc_init(unsigned int cpu)
{
	struct table_register reg;

	if (cpu == 0)
		idt_init();
	tss_init(cpu);
	gdt_init();
	reg = (struct table_register){ sizeof(percpu(gdt)) - 1, (u64)percpu(gdt) };
	__asm__ __volatile__("lgdt %0" ::"m"(reg));
	/* A far return loads the code selector of the new table. */
	__asm__ __volatile__(
		"pushq %0\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:" ::"i"(X86_KERNEL_CS)
		: "rax", "memory");
	__asm__ __volatile__("movl %0, %%ss" ::"r"(X86_KERNEL_DS));
	__asm__ __volatile__("movl %0, %%ds\n\tmovl %0, %%es" ::"r"(0));
	reg = (struct table_register){ sizeof(idt) - 1, (u64)idt };
	__asm__ __volatile__("lidt %0" ::"m"(reg));
	__asm__ __volatile__("ltr %w0" ::"r"(X86_TSS_SEL));
	syscall_init();
}

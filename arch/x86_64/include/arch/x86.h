/* SPDX-License-Identifier: MIT */
/*
 * x86_64 from the inside: selectors, control registers, MSRs, CPUID, ports, and what the files of
 * arch/x86_64 and hal/x86_64-pc share. Nothing above hal/ includes this.
 * Source of all numbers: Intel SDM volumes 3 and 4, AMD APM volume 2.
 */
#ifndef ARCH_X86_H
#define ARCH_X86_H

/* Segment selectors; the order of the last three is what SYSRET wants, and Linux's. */
/* Who started the boot CPU, and so what its argument points to. */
#define X86_LOADER_PVH	     0
#define X86_LOADER_LINUX     1
#define X86_LOADER_MULTIBOOT 2

#define X86_KERNEL_CS 0x10
#define X86_KERNEL_DS 0x18
#define X86_USER_CS32 0x23
#define X86_USER_DS   0x2b
#define X86_USER_CS   0x33
#define X86_TSS_SEL   0x40
#define X86_GDT_ENTRIES 10

#define X86_FLAGS_CF 0x1
#define X86_FLAGS_TF 0x100
#define X86_FLAGS_DF 0x400
#define X86_FLAGS_NT 0x4000
#define X86_FLAGS_RF 0x10000
#define X86_FLAGS_AC 0x40000
#define X86_FLAGS_ID 0x200000
/* The flags a program may set for itself. */
#define X86_FLAGS_USER 0x50dd5UL

#define CR0_PE 0x1
#define CR0_MP 0x2
#define CR0_EM 0x4
#define CR0_TS 0x8
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_PG 0x80000000

#define CR4_TSD	       0x4
#define CR4_PAE	       0x20
#define CR4_MCE 0x40
#define CR4_PGE	       0x80
#define CR4_OSFXSR     0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_UMIP       0x800
#define CR4_FSGSBASE   0x10000
#define CR4_PCIDE      0x20000
#define CR4_OSXSAVE    0x40000
#define CR4_SMEP       0x100000
#define CR4_SMAP       0x200000

#define MSR_TSC		   0x10
#define MSR_APIC_BASE	   0x1b
#define MSR_TSC_ADJUST	   0x3b
#define MSR_PAT		   0x277
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC	   0x800
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX	   0xc0000103

#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800

#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_NX	 0x800

/* Exception vectors. */
#define X86_VEC_DE   0
#define X86_VEC_DB   1
#define X86_VEC_NMI  2
#define X86_VEC_BP   3
#define X86_VEC_OF   4
#define X86_VEC_UD   6
#define X86_VEC_NM   7
#define X86_VEC_DF   8
#define X86_VEC_SS   12
#define X86_VEC_GP   13
#define X86_VEC_PF   14
#define X86_VEC_MF   16
#define X86_VEC_AC   17
#define X86_VEC_MC   18
#define X86_VEC_XM   19
/* Interrupts: 8259 leftovers at 32..47, lines from 48, then the CPU's own. */
#define X86_VEC_PIC	 32
#define X86_VEC_IRQ	 48
#define X86_VEC_IRQ_LAST 239
#define X86_VEC_TIMER	 240
#define X86_VEC_RESCHED	 241
#define X86_VEC_TLB	 242
#define X86_VEC_CALL	 243
#define X86_VEC_ERROR	 244
#define X86_VEC_SPURIOUS 255

/* Stacks of exceptions that must not trust the current one: index into the TSS, 1-based. */
#define X86_IST_FATAL 1 /* NMI, double fault, machine check */
#define X86_IST_DEBUG 2
#define X86_IST_SIZE  4096

#define X86_TRAMPOLINE 0x8000 /* where secondary CPUs begin */

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct hal_task;
struct uctx_event;

/* What the CPUs have; found once by x86_cpu_detect() on the boot CPU. */
struct x86_features {
	bool smap, smep, umip, fsgsbase, pcid, invpcid, tsc_deadline, gb_pages, rdrand, rdseed;
	bool x2apic; /* to be used, not only there */
	bool xsave, xsaveopt, rdtscp, hypervisor;
	u64 xfeatures;		 /* XCR0 */
	unsigned int xsave_size; /* of the XSAVE or FXSAVE area */
	unsigned int phys_bits;
};
extern struct x86_features x86_features;

struct x86_tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __packed __aligned(8);

static __always_inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}
static __always_inline void wrmsr(u32 msr, u64 v)
{
	__asm__ __volatile__("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
static __always_inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (u64)hi << 32 | lo;
}

struct cpuid {
	u32 a, b, c, d;
};
static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ __volatile__("cpuid"
			     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			     : "a"(leaf), "c"(sub));
	return r;
}

#define X86_CR(n)                                                                                  \
	static __always_inline u64 read_cr##n(void)                                                \
	{                                                                                          \
		u64 v;                                                                             \
		__asm__ __volatile__("movq %%cr" #n ", %0" : "=r"(v)::"memory");                   \
		return v;                                                                          \
	}                                                                                          \
	static __always_inline void write_cr##n(u64 v)                                             \
	{                                                                                          \
		__asm__ __volatile__("movq %0, %%cr" #n ::"r"(v) : "memory");                      \
	}
X86_CR(0)
X86_CR(2)
X86_CR(3)
X86_CR(4)

static __always_inline void outb(u16 port, u8 v)
{
	__asm__ __volatile__("outb %0, %1" ::"a"(v), "Nd"(port));
}
static __always_inline void outw(u16 port, u16 v)
{
	__asm__ __volatile__("outw %0, %1" ::"a"(v), "Nd"(port));
}
static __always_inline void outl(u16 port, u32 v)
{
	__asm__ __volatile__("outl %0, %1" ::"a"(v), "Nd"(port));
}
static __always_inline u8 inb(u16 port)
{
	u8 v;

	__asm__ __volatile__("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static __always_inline u16 inw(u16 port)
{
	u16 v;

	__asm__ __volatile__("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static __always_inline u32 inl(u16 port)
{
	u32 v;

	__asm__ __volatile__("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* cpu.c: find and enable features. detect: boot CPU; enable: each CPU. */
void x86_cpu_detect(void);
void x86_cpu_enable(void);

/* desc.c: GDT, IDT, TSS, syscall MSRs of this CPU (@cpu is its logical number). */
void x86_desc_init(unsigned int cpu);
/* Before CPU @cpu is started: its exception stacks. 0 or -ENOMEM. */
int x86_desc_alloc(unsigned int cpu);

/*
 * fpu.c: the user's x87, SSE, AVX, AVX-512 state. The kernel never touches these registers, so they stay
 * live over syscalls. x86_fpu_owner (per-CPU) is the task whose state this CPU's registers hold.
 */
#define X86_XCOMP_MAX 8 /* components of XCR0 that are used: 0 .. 7 */
struct x86_xcomp {
	u32 offset, size; /* in the standard XSAVE format; 0: not used */
};
extern struct x86_xcomp x86_xcomp[X86_XCOMP_MAX];
extern struct hal_task *x86_fpu_owner;
extern u32 x86_mxcsr_mask; /* bits that may be set in MXCSR */

/* Offsets in the FXSAVE image, which begins every XSAVE area, and behind it. */
#define X86_FX_MXCSR	  24
#define X86_FX_MXCSR_MASK 28
#define X86_FX_ST	  32
#define X86_FX_XMM	  160
#define X86_FX_RESERVED	  416
#define X86_FX_SW	  464 /* software's bytes */
#define X86_FX_SIZE	  512
#define X86_XSAVE_HEADER  512
#define X86_XSAVE_MIN	  576 /* FXSAVE image and header */
#define X86_XSTATE_X87	  0x1
#define X86_XSTATE_SSE	  0x2
#define X86_XSTATE_YMM	  0x4
#define X86_FCW_INIT	  0x037f
#define X86_MXCSR_INIT	  0x1f80

void x86_fpu_init(void);   /* boot CPU, after x86_cpu_enable() */
void *x86_fpu_alloc(void); /* an area, or NULL */
void x86_fpu_free(void *area);
void x86_fpu_restore(struct hal_task *task); /* make it live here; interrupts off */
void x86_fpu_switch(struct hal_task *prev, struct hal_task *next); /* interrupts off */
void x86_fpu_save(struct hal_task *task,
		  void *area); /* the current task's state, all components written */
u8 *x86_fpu_image(
	struct hal_task *
		task); /* the area, newest state, all components written; the task current or switched away */
/* The same to user memory, in the format of XSAVE but for the header's words behind the first, which are the caller's to write. 0, or -EFAULT: a
 * page is not there, and part may be written. Only with XSAVE. */
int x86_fpu_save_user(struct hal_task *task, uaddr_t area);
/* Load @components from such an area, of the standard size; the others get their initial state. 0, or -EFAULT: not there or malformed, and the
 * state is undefined. Only with XSAVE. */
int x86_fpu_load_user(struct hal_task *task, uaddr_t area, u64 components);
int x86_xrstor_user(uaddr_t area, size_t size, u64 components);
int x86_xsave_user(uaddr_t area, size_t size); /* user.S; interrupts off */
void x86_fpu_changed(struct hal_task *task); /* its memory copy was written: registers are stale */
void x86_fpu_reset(struct hal_task *task);   /* initial state */

/* debug.c: single-step, debug registers. switch: interrupts off, next becomes current. */
void x86_debug_switch(struct hal_task *next);
int x86_debug_trap(struct hal_task *task); /* after #DB in user mode. Return: si_code */
void x86_debug_ignore(void);		   /* after #DB in the kernel */
u64 x86_debug_flags(
	const struct hal_task *task); /* the flags register as programs and debuggers see it */
void x86_debug_set_flags(struct hal_task *task, u64 flags); /* TF of @flags is the program's */
int x86_debug_peek(const struct hal_task *task, unsigned int n, u64 *value);
int x86_debug_poke(struct hal_task *task, unsigned int n, u64 value);

/* trap.c: an external interrupt or IPI; hal/x86_64-pc/lapic.c */
void x86_interrupt(unsigned int vector);

/* Provided by the machine (hal/x86_64-pc). */
void x86_lapic_eoi(void);
void x86_irq_vector(unsigned int vector);
void x86_nmi(void);

#endif
#endif

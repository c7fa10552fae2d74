/* SPDX-License-Identifier: MIT */
/*
 * PTRACE_GETREGSET and SETREGSET: every set of the architecture, sizes that are short, long and odd, addresses and values that are
 * refused, and that what is written is what the program finds.
 */
#include "pt.h"

#ifndef NT_RISCV_VECTOR
#define NT_RISCV_VECTOR 0x900
#endif
#ifndef NT_LOONGARCH_CPUCFG
#define NT_LOONGARCH_CPUCFG 0xa00
#endif
#ifndef NT_LOONGARCH_LSX
#define NT_LOONGARCH_LSX 0xa02
#endif
#ifndef NT_LOONGARCH_LASX
#define NT_LOONGARCH_LASX 0xa03
#endif
#ifndef NT_ARM_SVE
#define NT_ARM_SVE 0x405
#endif
#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif
#ifndef NT_ARM_HW_BREAK
#define NT_ARM_HW_BREAK 0x402
#define NT_ARM_HW_WATCH 0x403
#endif
#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

struct set {
	unsigned note, element;
	size_t size; /* 0: depends on the CPU */
	int whole; /* 1: only all of it can be written; 2: not all, it has places for more than the CPU has */
};

static const struct set sets[] = {
#if defined(__x86_64__)
	{ NT_PRSTATUS, 8, 216, 0 },
	{ NT_PRFPREG, 8, 512, 1 },
	{ NT_X86_XSTATE, 8, 0, 1 },
#elif defined(__aarch64__)
	{ NT_PRSTATUS, 8, 272, 0 },   { NT_PRFPREG, 4, 528, 0 },    { NT_ARM_TLS, 8, 0, 0 },
	{ NT_ARM_HW_BREAK, 4, 0, 2 }, { NT_ARM_HW_WATCH, 4, 0, 2 }, { NT_ARM_SYSTEM_CALL, 4, 4, 0 },
#elif defined(__riscv)
	{ NT_PRSTATUS, 8, 256, 0 },
	{ NT_PRFPREG, 8, 264, 0 },
#elif defined(__loongarch__)
	{ NT_PRSTATUS, 8, 360, 0 },	    { NT_PRFPREG, 8, 272, 0 },
	{ NT_LOONGARCH_CPUCFG, 4, 256, 0 }, { NT_LOONGARCH_LSX, 16, 512, 0 },
	{ NT_LOONGARCH_LASX, 32, 1024, 0 },
#endif
};

/*
 * A program that puts @before into a general and a floating-point register, traps, and looks what is in them then. TRAP_SIZE: bytes
 * that pc is to be moved on by.
 */
#define BEFORE	0x0123456789abcdefUL
#define AFTER	0xfedcba9876543210UL
#define BEFORE2 0x1111222233334444UL
#define AFTER2	0x5555666677778888UL

static void trap_with_registers(void)
{
	unsigned long g = BEFORE, f = BEFORE2;

#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%r12; movq %1, %%xmm7; int3; mov %%r12, %0; movq %%xmm7, %1"
			 : "+r"(g), "+r"(f)
			 :
			 : "r12", "xmm7");
#elif defined(__aarch64__)
	__asm__ volatile("mov x20, %0; fmov d7, %1; brk #0; mov %0, x20; fmov %1, d7"
			 : "+r"(g), "+r"(f)
			 :
			 : "x20", "v7");
#elif defined(__riscv)
	__asm__ volatile(".option push; .option norvc; mv s5, %0; fmv.d.x ft7, %1; ebreak;"
			 "mv %0, s5; fmv.x.d %1, ft7; .option pop"
			 : "+r"(g), "+r"(f)
			 :
			 : "s5", "ft7");
#else
	__asm__ volatile(
		"move $s5, %0; movgr2fr.d $f7, %1; break 5; move %0, $s5; movfr2gr.d %1, $f7"
		: "+r"(g), "+r"(f)
		:
		: "$r28", "$f7");
#endif
	_exit(g == AFTER && f == AFTER2 ? 0 : 1);
}

#if defined(__x86_64__)
#define GENERAL(r) ((r).r12)
#define TRAP_SIZE  0
#define FP_OFFSET  (160 + 7 * 16)
#elif defined(__aarch64__)
#define GENERAL(r) ((r).regs[20])
#define TRAP_SIZE  4
#define FP_OFFSET  (7 * 16)
#elif defined(__riscv)
#define GENERAL(r) ((r).regs[21])
#define TRAP_SIZE  4
#define FP_OFFSET  (7 * 8)
#else
#define GENERAL(r) ((r).regs[28])
#define TRAP_SIZE  4
#define FP_OFFSET  (7 * 8)
#endif

static pid_t trapped(void)
{
	pid_t pid = pt_child(trap_with_registers, 0);

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGTRAP));
	return pid;
}

static long transfer(pid_t pid, long request, unsigned note, void *buf, size_t *len)
{
	struct iovec iov = { buf, *len };
	long r = pt(request, pid, note, &iov);

	*len = iov.iov_len;
	return r;
}

static void values(void)
{
	unsigned char fp[1024];
	size_t len = sizeof(fp);
	unsigned long word;
	pid_t pid = trapped();
	pt_regs regs = pt_getregs(pid);

	CHECK_EQ(GENERAL(regs), BEFORE);
	CHECK_OK(transfer(pid, PT_GETREGSET, NT_PRFPREG, fp, &len));
	memcpy(&word, fp + FP_OFFSET, sizeof(word));
	CHECK_EQ(word, BEFORE2);
	GENERAL(regs) = AFTER;
	PT_PC(regs) += TRAP_SIZE;
	pt_setregs(pid, &regs);
	word = AFTER2;
	memcpy(fp + FP_OFFSET, &word, sizeof(word));
	CHECK_OK(transfer(pid, PT_SETREGSET, NT_PRFPREG, fp, &len));
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* ---- sizes ---- */

static unsigned char buf[65536], again[65536], image[65536];

static void sizes_of(pid_t pid, const struct set *s)
{
	size_t len = sizeof(buf), full;

	memset(buf, 0xa5, sizeof(buf));
	if (transfer(pid, PT_GETREGSET, s->note, buf, &len) == -1) {
		NOTE("set %#x: %s", s->note, tap_errname(errno));
		CHECK(!s->size || errno == ENODEV);
		return;
	}
	full = len;
	if (s->size)
		CHECK_EQ(full, s->size);
	CHECK_EQ(buf[full], 0xa5);
	memcpy(image, buf, full);
	/* nothing, one element, an odd number of bytes */
	len = 0;
	CHECK_OK(transfer(pid, PT_GETREGSET, s->note, buf, &len));
	CHECK_EQ(len, 0);
	memset(buf, 0xa5, sizeof(buf));
	len = s->element;
	CHECK_OK(transfer(pid, PT_GETREGSET, s->note, buf, &len));
	CHECK_EQ(len, s->element);
	CHECK(!memcmp(buf, image, s->element));
	CHECK_EQ(buf[s->element], 0xa5);
	for (size_t odd = 1; odd < s->element; odd++) {
		len = full + odd;
		CHECK_ERRNO(transfer(pid, PT_GETREGSET, s->note, buf, &len), EINVAL);
		len = odd;
		CHECK_ERRNO(transfer(pid, PT_SETREGSET, s->note, buf, &len), EINVAL);
	}
	/* what was read can be written, and is the same then */
	len = s->whole == 2 ? s->element : full;
	CHECK_OK(transfer(pid, PT_SETREGSET, s->note, image, &len));
	CHECK_EQ(len, s->whole == 2 ? s->element : full);
	if (!s->whole) {
		len = s->element;
		CHECK_OK(transfer(pid, PT_SETREGSET, s->note, image, &len));
	}
	len = sizeof(again);
	CHECK_OK(transfer(pid, PT_GETREGSET, s->note, again, &len));
	CHECK_EQ(len, full);
	CHECK(!memcmp(again, image, full));
	/* bad addresses */
	len = full;
	CHECK_ERRNO(transfer(pid, PT_GETREGSET, s->note, (void *)8, &len), EFAULT);
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, s->note, (void *)8, &len), EFAULT);
	CHECK_ERRNO(pt(PT_GETREGSET, pid, s->note, 8), EFAULT);
	CHECK_ERRNO(pt(PT_SETREGSET, pid, s->note, 8), EFAULT);
}

static void sizes(void)
{
	pid_t pid = trapped();
	size_t len = 8;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		sizes_of(pid, &sets[i]);
	CHECK_ERRNO(transfer(pid, PT_GETREGSET, 0x7777, buf, &len), EINVAL);
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, 0, buf, &len), EINVAL);
	pt_kill(pid);
}

/* A set written in part leaves the rest alone. */
static void partly(void)
{
	pid_t pid = trapped();
	pt_regs before = pt_getregs(pid), after;
	unsigned long first;
	size_t len = sizeof(first);

	memcpy(&first, &before, sizeof(first));
	CHECK_OK(transfer(pid, PT_SETREGSET, NT_PRSTATUS, &first, &len));
	after = pt_getregs(pid);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	pt_kill(pid);
}

/* ---- values that are refused, or not taken ---- */

static long set_general(pid_t pid, pt_regs *regs)
{
	size_t len = sizeof(*regs);

	return transfer(pid, PT_SETREGSET, NT_PRSTATUS, regs, &len);
}

#if defined(__x86_64__)
static void bad_fp(pid_t pid)
{
	static const unsigned xstate_bv = 512, xcomp = 520;
	size_t len = 512, full = sizeof(image);

	CHECK_OK(transfer(pid, PT_GETREGSET, NT_PRFPREG, buf, &len));
	memset(buf + 24, 0xff, 4); /* MXCSR */
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_PRFPREG, buf, &len), EINVAL);
	len = 256;
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_PRFPREG, buf, &len), EINVAL);
	if (transfer(pid, PT_GETREGSET, NT_X86_XSTATE, image, &full) == -1)
		return;
	len = full - 8;
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_X86_XSTATE, image, &len), EFAULT);
	len = full;
	memcpy(buf, image, full);
	buf[xstate_bv + 7] = 0x40; /* no such component */
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_X86_XSTATE, buf, &len), EINVAL);
	memcpy(buf, image, full);
	buf[xcomp + 8] = 1; /* reserved */
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_X86_XSTATE, buf, &len), EINVAL);
	CHECK_OK(transfer(pid, PT_SETREGSET, NT_X86_XSTATE, image, &full));
}

static void bad_values(void)
{
	pid_t pid = trapped();
	pt_regs good = pt_getregs(pid), r = good;

	r.cs = 0;
	CHECK_ERRNO(set_general(pid, &r), EIO);
	r = good;
	r.cs = 0x10;
	CHECK_ERRNO(set_general(pid, &r), EIO);
	r = good;
	r.ss = 0x18;
	CHECK_ERRNO(set_general(pid, &r), EIO);
	r = good;
	r.fs_base = 0x800000000000;
	CHECK_ERRNO(set_general(pid, &r), EIO);
	r = good;
	r.gs_base = 0xffff800000000000;
	CHECK_ERRNO(set_general(pid, &r), EIO);
	r = good;
	r.eflags = ~0UL; /* only some of them are the program's */
	CHECK_OK(set_general(pid, &r));
	r = pt_getregs(pid);
	CHECK_EQ(r.eflags & 0x3000, 0);
	CHECK_EQ(r.eflags & 0x200, 0x200);
	CHECK_OK(set_general(pid, &good));
	bad_fp(pid);
	pt_kill(pid);
}
#elif defined(__aarch64__)
struct sve_header {
	uint32_t size, max_size;
	uint16_t vl, max_vl, flags, reserved;
};

#define SVE_REGS 1 /* flag: SVE registers follow, not those of NT_PRFPREG */

static struct sve_header sve_header(pid_t pid)
{
	struct sve_header h = { 0 };
	size_t len = sizeof(image);

	CHECK_OK(transfer(pid, PT_GETREGSET, NT_ARM_SVE, image, &len));
	memcpy(&h, image, sizeof(h));
	return h;
}

static long sve_write(pid_t pid, struct sve_header h, size_t len)
{
	memcpy(image, &h, sizeof(h));
	return transfer(pid, PT_SETREGSET, NT_ARM_SVE, image, &len);
}

/* Lengths are set by the header alone; a layout for another length is refused. */
static void sve_lengths(pid_t pid, struct sve_header h)
{
	size_t short_len = 8;

	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_ARM_SVE, image, &short_len), EINVAL);
	short_len = 0;
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_ARM_SVE, image, &short_len), EINVAL);
	h.vl = 8;
	CHECK_ERRNO(sve_write(pid, h, sizeof(h)), EINVAL);
	h.vl = 8192 + 16;
	CHECK_ERRNO(sve_write(pid, h, sizeof(h)), EINVAL);
	h.vl = 8192; /* as long as there is */
	CHECK_OK(sve_write(pid, h, sizeof(h)));
	CHECK_EQ(sve_header(pid).vl, h.max_vl);
	h.flags = SVE_REGS;
	CHECK_ERRNO(sve_write(pid, h, 64), EIO);
	h.flags = 0;
	h.vl = 16;
	CHECK_OK(sve_write(pid, h, sizeof(h)));
	CHECK_EQ(sve_header(pid).vl, 16);
}

/* A program that has not used SVE shows the FP registers there; after a debugger has written Z registers, those. */
static void sve(void)
{
	pid_t pid = trapped();
	size_t len = sizeof(image);
	unsigned long word = AFTER2;
	struct sve_header h;
	pt_regs regs;

	if (transfer(pid, PT_GETREGSET, NT_ARM_SVE, image, &len) == -1) {
		CHECK_EQ(errno, EINVAL);
		NOTE("no SVE");
		pt_kill(pid);
		return;
	}
	h = sve_header(pid);
	CHECK(h.vl >= 16 && h.vl % 16 == 0 && h.max_vl >= h.vl && h.max_size >= h.size);
	CHECK_EQ(h.flags & SVE_REGS, 0);
	CHECK_EQ(h.size, 16 + 528);
	len = 528;
	CHECK_OK(transfer(pid, PT_GETREGSET, NT_PRFPREG, buf, &len));
	CHECK(!memcmp(image + 16, buf, 520));
	sve_lengths(pid, h);
	/* Z7 at the shortest length is V7. */
	h.vl = 16;
	h.flags = SVE_REGS;
	memset(image, 0, sizeof(image));
	memcpy(image + 16 + 7 * 16, &word, sizeof(word));
	CHECK_OK(sve_write(pid, h, 16 + 32 * 16 + 17 * 2 + 14 + 16));
	h = sve_header(pid);
	CHECK_EQ(h.flags & SVE_REGS, SVE_REGS);
	memcpy(&word, image + 16 + 7 * 16, sizeof(word));
	CHECK_EQ(word, AFTER2);
	regs = pt_getregs(pid);
	GENERAL(regs) = AFTER;
	PT_PC(regs) += TRAP_SIZE;
	pt_setregs(pid, &regs);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

static void bad_values(void)
{
	pid_t pid = trapped();
	pt_regs good = pt_getregs(pid), r;
	static const unsigned long pstate[] = { 0x5, 0x4, 0x9, 0x1c0, 0x80 };
	int nr = 5;
	size_t len = sizeof(nr);

	for (size_t i = 0; i < ARRAY_SIZE(pstate); i++) {
		r = good;
		r.pstate |= pstate[i]; /* the kernel's modes, and exceptions masked */
		CHECK_ERRNO(set_general(pid, &r), EINVAL);
	}
	r = good;
	r.pstate ^= 0xf0000000;
	CHECK_OK(set_general(pid, &r));
	CHECK_EQ(pt_getregs(pid).pstate, r.pstate);
	CHECK_OK(transfer(pid, PT_SETREGSET, NT_ARM_SYSTEM_CALL, &nr, &len));
	nr = -7;
	CHECK_OK(transfer(pid, PT_GETREGSET, NT_ARM_SYSTEM_CALL, &nr, &len));
	CHECK_EQ(nr, 5);
	pt_kill(pid);
}
#elif defined(__riscv)
static void use_vector(void)
{
#ifdef __clang__
	__asm__ volatile(".option push; .option arch, +v; vsetvli t0, zero, e8, m1, ta, ma;"
			 "vmv.v.i v3, 5; .option pop"
			 :
			 :
			 : "t0");
#endif
	__asm__ volatile(".option push; .option norvc; ebreak; .option pop");
	_exit(0);
}

/* Before a program used them there are no vector registers. */
static void bad_values(void)
{
	pid_t pid = trapped();
	size_t len = 40;

	CHECK_ERRNO(transfer(pid, PT_GETREGSET, NT_RISCV_VECTOR, buf, &len), EINVAL);
	CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_RISCV_VECTOR, buf, &len), EINVAL);
	pt_kill(pid);
	pid = pt_child(use_vector, 0);
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	waitpid(pid, NULL, __WALL);
	len = 40;
	if (pt_siginfo(pid).si_signo == SIGTRAP &&
	    transfer(pid, PT_GETREGSET, NT_RISCV_VECTOR, buf, &len) == 0) {
		unsigned long vlenb;

		CHECK_EQ(len, 40);
		memcpy(&vlenb, buf + 32, sizeof(vlenb));
		CHECK(vlenb >= 16 && !(vlenb & (vlenb - 1)));
		len = 40 + 4 * vlenb;
		CHECK_OK(transfer(pid, PT_GETREGSET, NT_RISCV_VECTOR, buf, &len));
		CHECK_EQ(buf[40 + 3 * vlenb], 5);
		vlenb *= 2;
		memcpy(buf + 32, &vlenb, sizeof(vlenb));
		CHECK_ERRNO(transfer(pid, PT_SETREGSET, NT_RISCV_VECTOR, buf, &len), EINVAL);
	} else {
		NOTE("no vector unit");
	}
	pt_kill(pid);
}
#else
/* PEEKUSR and POKEUSR: the general registers, argument 0, pc and the bad address, by number. */
static void user_words(pid_t pid)
{
	pt_regs regs = pt_getregs(pid);
	unsigned long word, last = offsetof(pt_regs, reserved) / 8;

	for (unsigned long n = 0; n < last; n++) {
		word = 1;
		CHECK_OK(pt(PT_PEEKUSR, pid, n, &word));
		CHECK_EQ(word, ((unsigned long *)&regs)[n]);
	}
	CHECK_ERRNO(pt(PT_PEEKUSR, pid, last, &word), EIO);
	CHECK_ERRNO(pt(PT_POKEUSR, pid, last, 0), EIO);
	CHECK_ERRNO(pt(PT_PEEKUSR, pid, -1L, &word), EIO);
	CHECK_ERRNO(pt(PT_PEEKUSR, pid, 1, 8), EFAULT);
	CHECK_OK(pt(PT_POKEUSR, pid, 28, AFTER));
	CHECK_EQ(pt_getregs(pid).regs[28], AFTER);
	CHECK_OK(pt(PT_POKEUSR, pid, 33, regs.era + TRAP_SIZE));
	CHECK_EQ(pt_getregs(pid).era, regs.era + TRAP_SIZE);
}

static void bad_values(void)
{
	pid_t pid = trapped();
	pt_regs good = pt_getregs(pid), r = good;

	r.regs[0] = 99;
	CHECK_OK(set_general(pid, &r));
	CHECK_EQ(pt_getregs(pid).regs[0], 0);
	user_words(pid);
	pt_kill(pid);
}
#endif

int main(void)
{
	TAP_FORK(values);
	TAP_FORK(sizes);
	TAP_FORK(partly);
	TAP_FORK(bad_values);
#ifdef __aarch64__
	TAP_FORK(sve);
#endif
	return tap_done();
}

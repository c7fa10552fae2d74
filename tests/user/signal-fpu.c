/* SPDX-License-Identifier: MIT */
/*
 * Floating-point and vector registers around signal handlers, and the machine context of the frame:
 * a handler that overwrites every vector register leaves the interrupted program's untouched; a
 * handler that edits the saved registers changes what the program continues with.
 * Layouts: each architecture's <asm/sigcontext.h> and <asm/ucontext.h>.
 */
#include "tap.h"
#include <fenv.h>
#include <sys/time.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define NREGS 16
#define REG_BYTES 16
#elif defined(__aarch64__)
#define NREGS 32
#define REG_BYTES 16
#else
#define NREGS 32
#define REG_BYTES 8
#endif

static unsigned char pattern[NREGS * REG_BYTES], zeros[NREGS * REG_BYTES], seen[NREGS * REG_BYTES];
static volatile int flag;
static volatile uint64_t context_value;

/*
 * Load every vector register from @in, spin until *@until is not zero, and store them to @out. No
 * system call and no C code in between: only the kernel can change them.
 */
#if defined(__x86_64__)
#define EACH(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) \
	op(13) op(14) op(15)
#define LOAD(n) "movdqu 16*" #n "(%0), %%xmm" #n "\n"
#define STORE(n) "movdqu %%xmm" #n ", 16*" #n "(%1)\n"
#define SPIN "1: cmpl $0, (%2)\n je 1b\n"
#define CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
	"xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc"
#else
#define EACH(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) \
	op(13) op(14) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24) \
	op(25) op(26) op(27) op(28) op(29) op(30) op(31)
#if defined(__aarch64__)
#define LOAD(n) "ldr q" #n ", [%0, #16*" #n "]\n"
#define STORE(n) "str q" #n ", [%1, #16*" #n "]\n"
#define SPIN "1: ldr w9, [%2]\n cbz w9, 1b\n"
#define CLOBBERS "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", \
	"v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", \
	"v25", "v26", "v27", "v28", "v29", "v30", "v31", "x9", "memory"
#elif defined(__riscv)
#define LOAD(n) "fld f" #n ", 8*" #n "(%0)\n"
#define STORE(n) "fsd f" #n ", 8*" #n "(%1)\n"
#define SPIN "1: lw t0, 0(%2)\n beqz t0, 1b\n"
#define CLOBBERS "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", \
	"f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", \
	"f25", "f26", "f27", "f28", "f29", "f30", "f31", "t0", "memory"
#elif defined(__loongarch__)
#define LOAD(n) "fld.d $f" #n ", %0, 8*" #n "\n"
#define STORE(n) "fst.d $f" #n ", %1, 8*" #n "\n"
#define SPIN "1: ld.w $t0, %2, 0\n beqz $t0, 1b\n"
#define CLOBBERS "$f0", "$f1", "$f2", "$f3", "$f4", "$f5", "$f6", "$f7", "$f8", "$f9", "$f10", \
	"$f11", "$f12", "$f13", "$f14", "$f15", "$f16", "$f17", "$f18", "$f19", "$f20", "$f21", \
	"$f22", "$f23", "$f24", "$f25", "$f26", "$f27", "$f28", "$f29", "$f30", "$f31", "$t0", \
	"memory"
#endif
#endif

__attribute__((noinline)) static void load_spin_store(const void *in, void *out,
						      const volatile int *until)
{
	__asm__ volatile(EACH(LOAD) SPIN EACH(STORE)::"r"(in), "r"(out), "r"(until) : CLOBBERS);
}

/* Overwrite every vector register, then let the interrupted loop end. */
static void clobber(int sig)
{
	unsigned char scratch[sizeof(zeros)];
	int one = 1;

	load_spin_store(zeros, scratch, &one);
	flag++;
}

static void start_timer(void)
{
	struct itimerval it = { .it_value = { 0, 3000 } };

	REQUIRE(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

static void arm(int sig, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn };

	REQUIRE(sigaction(sig, &sa, NULL) == 0);
	flag = 0;
	memset(seen, 0, sizeof(seen));
	start_timer();
}

static void fill_pattern(unsigned seed)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)(i * 7 + seed + (i >> 4));
}

static void kept_over_handler(void)
{
	for (unsigned round = 0; round < 10; round++) {
		fill_pattern(round * 31);
		arm(SIGALRM, clobber);
		load_spin_store(pattern, seen, &flag);
		CHECK(memcmp(seen, pattern, sizeof(seen)) == 0);
		CHECK_EQ(flag, 1);
	}
}

/* Switching between processes that all use the vector registers keeps each one's own. */
static void kept_over_switches(void)
{
	pid_t pids[4];

	for (unsigned i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			fill_pattern(i * 50 + 1);
			for (int round = 0; round < 3; round++) {
				arm(SIGALRM, clobber);
				load_spin_store(pattern, seen, &flag);
				if (memcmp(seen, pattern, sizeof(seen)) != 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
}

/* fork gives the child the parent's registers (through the libc's call-saved ones at least). */
static void kept_over_fork(void)
{
	volatile double before = 1.5;
	double x = before * 3.25, y = before / 7;
	pid_t pid = fork();

	if (pid == 0)
		_exit(x == before * 3.25 && y == before / 7 ? 0 : 1);
	CHECK_EXIT(pid, 0);
	CHECK(x == before * 3.25 && y == before / 7);
}

/* Find the saved copy of vector register 0 in a frame; NULL where the layout has none. */
static uint64_t *saved_vector0(ucontext_t *uc)
{
#if defined(__x86_64__)
	return uc->uc_mcontext.fpregs ? (uint64_t *)((char *)uc->uc_mcontext.fpregs + 160) : NULL;
#elif defined(__aarch64__)
	uint32_t *head = (uint32_t *)uc->uc_mcontext.__reserved;

	while (head[0] != 0) {
		if (head[0] == 0x46508001) /* FPSIMD_MAGIC: head, fpsr, fpcr, vregs */
			return (uint64_t *)((char *)head + 16);
		head = (uint32_t *)((char *)head + head[1]);
	}
	return NULL;
#elif defined(__riscv)
	return (uint64_t *)((char *)&uc->uc_mcontext + 32 * sizeof(long));
#elif defined(__loongarch__)
	/* sigcontext: pc, 32 registers, flags, then sctx_info records {magic, size, padding}. */
	char *head = (char *)&uc->uc_mcontext + 272;

	while (*(uint32_t *)head != 0) {
		uint32_t magic = *(uint32_t *)head;

		if (magic == 0x46505501 || magic == 0x53580001 || magic == 0x41535801)
			return (uint64_t *)(head + 16);
		head += *(uint32_t *)(head + 4);
	}
	return NULL;
#endif
}

static void edit_vector(int sig, siginfo_t *info, void *context)
{
	uint64_t *saved = saved_vector0(context);
	static int early;

	/* On a busy machine the time may be over before the registers are loaded: then once more. */
	if (saved && memcmp(saved, pattern, 8) != 0 && ++early < 100) {
		start_timer();
		return;
	}
	if (saved) {
		context_value = *saved;
		memcpy(saved, "MODIFIED", 8);
	}
	flag = 1;
}

static void changed_through_context(void)
{
	struct sigaction sa = { .sa_sigaction = edit_vector, .sa_flags = SA_SIGINFO };

	fill_pattern(3);
	REQUIRE(sigaction(SIGALRM, &sa, NULL) == 0);
	flag = 0;
	memset(seen, 0, sizeof(seen));
	start_timer();
	load_spin_store(pattern, seen, &flag);
	CHECK(memcmp((const void *)&context_value, pattern, 8) == 0);
	CHECK(memcmp(seen, "MODIFIED", 8) == 0);
	CHECK(memcmp(seen + REG_BYTES, pattern + REG_BYTES, sizeof(seen) - REG_BYTES) == 0);
}

/* A word of the frame's vector state that must not be what it is then. */
static uint32_t *word_to_spoil(ucontext_t *uc)
{
#if defined(__x86_64__)
	return (uint32_t *)((char *)uc->uc_mcontext.fpregs + 24); /* MXCSR */
#elif defined(__aarch64__)
	return (uint32_t *)uc->uc_mcontext.__reserved; /* the first record's magic */
#elif defined(__riscv)
	return (uint32_t *)((char *)&uc->uc_mcontext + 772); /* reserved, 0 */
#elif defined(__loongarch__)
	return (uint32_t *)((char *)&uc->uc_mcontext + 272); /* the first record's magic */
#endif
}

static volatile int faults;

static void spoil_vector(int sig, siginfo_t *info, void *context)
{
	*word_to_spoil(context) = 0xdeadbeef;
}

static void count_fault(int sig, siginfo_t *info, void *context)
{
	faults++;
}

/* Only the vector state is refused: the handler of the SIGSEGV that tells so returns to where the frame leads, with its mask. */
static void spoilt_in_frame(void)
{
	struct sigaction spoil = { .sa_sigaction = spoil_vector, .sa_flags = SA_SIGINFO };
	struct sigaction count = { .sa_sigaction = count_fault, .sa_flags = SA_SIGINFO }, old;
	sigset_t mask;

	REQUIRE(sigaction(SIGUSR2, &spoil, NULL) == 0);
	REQUIRE(sigaction(SIGSEGV, &count, &old) == 0);
	faults = 0;
	CHECK(raise(SIGUSR2) == 0);
	CHECK_EQ(faults, 1);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK_EQ(sigismember(&mask, SIGUSR2), 0);
	sigaction(SIGSEGV, &old, NULL);
}

/* Skip the faulting instruction (always 4 bytes long here) and set the result register to 99. */
static void skip_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

#if defined(__x86_64__)
	uc->uc_mcontext.gregs[REG_RIP] += 4;
	uc->uc_mcontext.gregs[REG_RAX] = 99;
#elif defined(__aarch64__)
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[0] = 99;
#elif defined(__riscv)
	uc->uc_mcontext.__gregs[0] += 4;
	uc->uc_mcontext.__gregs[10] = 99;
#elif defined(__loongarch__)
	((uint64_t *)&uc->uc_mcontext)[0] += 4;
	((uint64_t *)&uc->uc_mcontext)[1 + 4] = 99;
#endif
	flag++;
}

static long load_with_fault(void)
{
#if defined(__x86_64__)
	register long result __asm__("rax") = 0;

	/* 4 bytes: mov 8(%rcx), %rax */
	__asm__ volatile("xor %%ecx, %%ecx; mov 8(%%rcx), %%rax" : "+r"(result)::"rcx", "memory");
#elif defined(__aarch64__)
	register long result __asm__("x0") = 0;

	__asm__ volatile("mov x9, #8\n ldr x0, [x9]" : "+r"(result)::"x9", "memory");
#elif defined(__riscv)
	register long result __asm__("a0") = 0;

	__asm__ volatile(".option push\n.option norvc\nld a0, 8(zero)\n.option pop"
			 : "+r"(result)::"memory");
#elif defined(__loongarch__)
	register long result __asm__("$a0") = 0;

	__asm__ volatile("ld.d $a0, $zero, 8" : "+r"(result)::"memory");
#endif
	return result;
}

static void general_registers(void)
{
	struct sigaction sa = { .sa_sigaction = skip_fault, .sa_flags = SA_SIGINFO };

	REQUIRE(sigaction(SIGSEGV, &sa, NULL) == 0);
	flag = 0;
	CHECK_EQ(load_with_fault(), 99);
	CHECK_EQ(flag, 1);
}

/* Rounding mode and exception flags belong to the thread and survive a handler's changes. */
static void change_rounding(int sig)
{
	fesetround(FE_TOWARDZERO);
	feclearexcept(FE_ALL_EXCEPT);
	flag = 1;
}

static void control_register_kept(void)
{
	struct sigaction sa = { .sa_handler = change_rounding };

	REQUIRE(sigaction(SIGUSR1, &sa, NULL) == 0);
	REQUIRE(fesetround(FE_UPWARD) == 0);
	feraiseexcept(FE_DIVBYZERO);
	raise(SIGUSR1);
	CHECK_EQ(fegetround(), FE_UPWARD);
	CHECK(fetestexcept(FE_DIVBYZERO) != 0);
	fesetround(FE_TONEAREST);
}

int main(void)
{
	TAP_RUN(kept_over_handler);
	TAP_RUN(kept_over_switches);
	TAP_RUN(kept_over_fork);
	TAP_RUN(changed_through_context);
	TAP_FORK(spoilt_in_frame);
	TAP_FORK(general_registers);
	TAP_FORK(control_register_kept);
	return tap_done();
}

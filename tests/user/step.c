/* SPDX-License-Identifier: MIT */
/*
 * PTRACE_SINGLESTEP, instruction by instruction: over branches, calls, system calls, faults, atomic sequences and probes, into signal
 * handlers and out of them. Skipped where Linux cannot step (riscv64). debug-x86_64.c has what only x86_64 has.
 */
#include "pt.h"
#include "probes.h"

/*
 * The code that is stepped, with a label at each instruction.
 *	s_loop  a loop that runs twice, then a call
 *	s_call  a system call
 *	s_load  a load that faults
 *	s_atom  an atomic increment
 */
#if defined(__x86_64__)
__asm__(".text\n"
	"s_loop0: mov $2, %eax\n"
	"s_loop1: dec %eax\n"
	"s_loop2: jnz s_loop1\n"
	"s_loop3: call s_func0\n"
	"s_loop4: ret\n"
	"s_func0: ret\n"
	"s_call0: mov $39, %eax\n"
	"s_call1: syscall\n"
	"s_call2: nop\n"
	"s_call3: ret\n"
	"s_load0: xor %edx, %edx\n"
	"s_load1: mov (%rdx), %rax\n"
	"s_load2: ret\n"
	"s_atom0: lea counter(%rip), %rdx\n"
	"s_atom1: lock incl (%rdx)\n"
	"s_atom2: ret\n");
#define CALL(f) __asm__ volatile("call " #f : : : "rax", "rcx", "rdx", "r11", "memory", "cc")
#define BASE(r) ((r).rdx)
#elif defined(__aarch64__)
__asm__(".text\n"
	"s_loop0: mov x0, #2\n"
	"s_loop1: subs x0, x0, #1\n"
	"s_loop2: b.ne s_loop1\n"
	"	mov x10, x30\n"
	"s_loop3: bl s_func0\n"
	"s_loop4: ret x10\n"
	"s_func0: ret\n"
	"s_call0: mov x8, #172\n"
	"s_call1: svc #0\n"
	"s_call2: nop\n"
	"s_call3: ret\n"
	"s_load0: mov x9, #0\n"
	"s_load1: ldr x0, [x9]\n"
	"s_load2: ret\n"
	"s_atom0: adrp x9, counter\n"
	"	add x9, x9, :lo12:counter\n"
	"s_atom1: ldxr w0, [x9]\n"
	"	add w0, w0, #1\n"
	"	stxr w11, w0, [x9]\n"
	"	cbnz w11, s_atom1\n"
	"s_atom2: ret\n");
#define CALL(f)                                                                                    \
	__asm__ volatile("bl " #f : : : "x0", "x8", "x9", "x10", "x11", "x30", "memory", "cc")
#define BASE(r) ((r).regs[9])
#elif defined(__riscv)
__asm__(".text\n"
	"s_loop0: li a0, 2\n"
	"1:\n"
	"s_loop1: addi a0, a0, -1\n"
	"s_loop2: bnez a0, 1b\n"
	"	mv t3, ra\n"
	"s_loop3: jal s_func0\n"
	"s_loop4: jr t3\n"
	"s_func0: ret\n"
	"s_call0: li a7, 172\n"
	"s_call1: ecall\n"
	"s_call2: nop\n"
	"s_call3: ret\n"
	"s_load0: li t0, 0\n"
	"s_load1: ld a0, 0(t0)\n"
	"s_load2: ret\n"
	"s_atom0: lla t0, counter\n"
	"1:\n"
	"s_atom1: lr.w a0, (t0)\n"
	"	addi a0, a0, 1\n"
	"	sc.w a1, a0, (t0)\n"
	"	bnez a1, 1b\n"
	"s_atom2: ret\n");
#define CALL(f) __asm__ volatile("jal " #f : : : "a0", "a1", "a7", "t0", "t3", "ra", "memory")
#define BASE(r) ((r).regs[5])
#elif defined(__loongarch__)
__asm__(".text\n"
	"s_loop0: li.w $a0, 2\n"
	"s_loop1: addi.d $a0, $a0, -1\n"
	"s_loop2: bnez $a0, s_loop1\n"
	"	move $t3, $ra\n"
	"s_loop3: bl s_func0\n"
	"s_loop4: jr $t3\n"
	"s_func0: ret\n"
	"s_call0: li.w $a7, 172\n"
	"s_call1: syscall 0\n"
	"s_call2: nop\n"
	"s_call3: ret\n"
	"s_load0: move $t0, $zero\n"
	"s_load1: ld.d $a0, $t0, 0\n"
	"s_load2: ret\n"
	"s_atom0: la.pcrel $t0, counter\n"
	"s_atom1: ll.w $a0, $t0, 0\n"
	"	addi.w $a0, $a0, 1\n"
	"	sc.w $a0, $t0, 0\n"
	"	beqz $a0, s_atom1\n"
	"s_atom2: ret\n");
#define CALL(f)                                                                                    \
	__asm__ volatile("bl " #f                                                                  \
			 :                                                                         \
			 :                                                                         \
			 : "$r1", "$r4", "$r11", "$r12", "$r13", "$r14", "$r15", "$r16", "$r17",   \
			   "$r18", "$r19", "$r20", "memory")
#define BASE(r) ((r).regs[12])
#endif

/* Also where the assembler would not mind, the linker of loongarch64 wants them to be global. */
__asm__(".globl s_loop0, s_loop1, s_loop2, s_loop3, s_loop4, s_func0, s_call0, s_call1, s_call2, "
	"s_call3\n"
	".globl s_load0, s_load1, s_load2, s_atom0, s_atom1, s_atom2\n");
extern char s_loop0[], s_loop1[], s_loop2[], s_loop3[], s_loop4[], s_func0[];
extern char s_call0[], s_call1[], s_call2[], s_call3[];
extern char s_load0[], s_load1[], s_load2[];
extern char s_atom0[], s_atom1[], s_atom2[];

volatile int counter;
static volatile long good = 0x600d;

/* ---- steps ---- */

static unsigned long pc_of(pid_t pid)
{
	pt_regs r = pt_getregs(pid);

	return PT_PC(r);
}

/* One step, which ends in SIGTRAP. The pc then. */
static unsigned long step(pid_t pid)
{
	CHECK_OK(pt(PT_SINGLESTEP, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGTRAP));
	return pc_of(pid);
}

/* At least one and at most @max steps until pc is @where. How many; more than @max: never came. */
static int steps_to(pid_t pid, const void *where, int max)
{
	int n = 1;

	while (!tap_nfailed && step(pid) != (unsigned long)where && n++ < max)
		;
	return n;
}

/* A tracee that is about to run @fn, stopped. */
static pid_t stopped(void (*fn)(void))
{
	return pt_child(fn, PT_O_EXITKILL);
}

/* Step through the @n places of @path, each reached in one step but those that have helpers before them. */
static void follow(pid_t pid, char *const *path, int n, int slack)
{
	for (int i = 0; i < n; i++) {
		int used = steps_to(pid, path[i], slack);

		if (used > slack) {
			tap_fail(__FILE__, __LINE__,
				 "place %d of the path (%p) was not reached: pc %#lx", i,
				 (void *)path[i], pc_of(pid));
			return;
		}
	}
}

static void ends_well(pid_t pid)
{
	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, 0);
}

/* ---- branches ---- */

static void run_loop(void)
{
	CALL(s_loop0);
	_exit(0);
}

static char *const loop_path[] = { s_loop1, s_loop2, s_loop1, s_loop2 };

static void branches(void)
{
	pid_t pid = stopped(run_loop);

	CHECK(steps_to(pid, s_loop0, 5000) < 5000);
	follow(pid, loop_path, ARRAY_SIZE(loop_path), 1);
	CHECK(steps_to(pid, s_loop3, 2) <= 2);
	CHECK_EQ(step(pid), (unsigned long)s_func0);
	CHECK_EQ(step(pid), (unsigned long)s_loop4);
	step(pid);
	CHECK(pc_of(pid) < (unsigned long)s_loop0 || pc_of(pid) > (unsigned long)s_atom2);
	ends_well(pid);
}

/* ---- system calls ---- */

static void run_call(void)
{
	CALL(s_call0);
	_exit(0);
}

static void system_call(void)
{
	pid_t pid = stopped(run_call);

	CHECK(steps_to(pid, s_call0, 5000) < 5000);
	CHECK_EQ(step(pid), (unsigned long)s_call1);
	/* The whole call is one step. */
	CHECK_EQ(step(pid), (unsigned long)s_call2);
	CHECK_EQ(PT_RESULT(pt_getregs(pid)), (unsigned long)pid);
	CHECK_EQ(step(pid), (unsigned long)s_call3);
	ends_well(pid);
}

/* ---- faults ---- */

static void run_load(void)
{
	CALL(s_load0);
	_exit(0);
}

static void fault(void)
{
	pid_t pid = stopped(run_load);
	pt_regs regs;

	CHECK(steps_to(pid, s_load0, 5000) < 5000);
	CHECK_EQ(step(pid), (unsigned long)s_load1);
	CHECK_OK(pt(PT_SINGLESTEP, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSEGV));
	CHECK_EQ(pc_of(pid), (unsigned long)s_load1);
	CHECK_EQ((long)pt_siginfo(pid).si_addr, 0);
	/* The same instruction with an address that is good. */
	regs = pt_getregs(pid);
	BASE(regs) = (unsigned long)&good;
	pt_setregs(pid, &regs);
	CHECK_EQ(step(pid), (unsigned long)s_load2);
	CHECK_EQ(PT_RESULT(pt_getregs(pid)), 0x600d);
	ends_well(pid);
}

/* ---- atomic sequences ---- */

static void run_atom(void)
{
	for (int i = 0; i < 3; i++)
		CALL(s_atom0);
	_exit(counter == 3 ? 0 : 1);
}

static void atomic(void)
{
	pid_t pid = stopped(run_atom);

	CHECK(steps_to(pid, s_atom0, 5000) < 5000);
#ifdef __aarch64__
	/* Each stop loses the reservation, on Linux, too: debuggers run such a sequence to its end. No harm is done. */
	for (int i = 0; i < 20; i++)
		CHECK(step(pid) > (unsigned long)s_atom0);
#else
	/* Where the CPU would lose its reservation the sequence is one step. */
	CHECK(steps_to(pid, s_atom2, 6) <= 6);
	CHECK(steps_to(pid, s_atom2, 60) < 60);
#endif
	ends_well(pid);
}

/* ---- handlers ---- */

static volatile int handled;

__attribute__((noinline)) static void on_usr1(int sig)
{
	(void)sig;
	handled++;
}

static void run_handler(void)
{
	signal(SIGUSR1, on_usr1);
	pt_raise(SIGSTOP);
	CALL(s_loop0);
	_exit(handled == 1 ? 0 : 1);
}

static void into_handler(void)
{
	pid_t pid = stopped(run_handler);
	unsigned long from;
	int n = 0;

	CHECK_OK(pt(PT_CONT, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGSTOP));
	CHECK(steps_to(pid, s_loop1, 5000) < 5000);
	from = pc_of(pid);
	kill(pid, SIGUSR1);
	CHECK_OK(pt(PT_SINGLESTEP, pid, 0, 0));
	EXPECT(pid, ST_STOP(SIGUSR1));
	/* The step with the signal ends at the handler's first instruction. */
	CHECK_OK(pt(PT_SINGLESTEP, pid, 0, SIGUSR1));
	EXPECT(pid, ST_STOP(SIGTRAP));
	CHECK_EQ(pc_of(pid), (unsigned long)on_usr1);
	/* And back to where it was, by sigreturn. */
	while (step(pid) != from && ++n < 200)
		;
	CHECK(n > 1 && n < 200);
	CHECK_EQ(step(pid), (unsigned long)s_loop2);
	ends_well(pid);
}

/* ---- over a probe ---- */

static void over_probe(void)
{
	char file[256];
	unsigned long offset;
	pid_t pid;

	if (geteuid() != 0 || access(TRACING "/uprobe_events", W_OK) != 0) {
		mount("tracefs", TRACING, "tracefs", 0, NULL);
		if (access(TRACING "/uprobe_events", W_OK) != 0) {
			NOTE("no uprobe_events");
			return;
		}
	}
	offset = probe_file_offset(s_loop1, file);
	probe_put("uprobe_events", O_APPEND, "-:steptest/p1\n");
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "p:steptest/p1 %s:0x%lx\n", file, offset));
	CHECK_OK(probe_enable("steptest", "p1", 1));
	pid = stopped(run_loop);
	CHECK(steps_to(pid, s_loop0, 5000) < 5000);
	CHECK_EQ(step(pid), (unsigned long)s_loop1);
	CHECK_EQ(step(pid), (unsigned long)s_loop2);
	CHECK_EQ(step(pid), (unsigned long)s_loop1);
	CHECK_EQ(step(pid), (unsigned long)s_loop2);
	ends_well(pid);
	CHECK_OK(probe_enable("steptest", "p1", 0));
	CHECK_OK(probe_put("uprobe_events", O_APPEND, "-:steptest/p1\n"));
}

int main(void)
{
	pid_t pid = pt_child(pt_pause, 0);

	if (pt(PT_SINGLESTEP, pid, 0, 0) == -1) {
		CHECK_EQ(errno, EIO);
		pt_kill(pid);
		SKIP("no PTRACE_SINGLESTEP here");
	}
	pt_kill(pid);
	TAP_FORK(branches);
	TAP_FORK(system_call);
	TAP_FORK(fault);
	TAP_FORK(atomic);
	TAP_FORK(into_handler);
	TAP_FORK(over_probe);
	return tap_done();
}

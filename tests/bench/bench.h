/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the benchmark program share. A row is a thing that is done many times: prepare() runs once,
 * untimed, in a process of the row's own; run() does it @rounds times and is timed. Either calls die() when
 * something does not come out as it must: the row is then printed as failed.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

struct row {
	const char *name;
	void (*run)(long rounds);
	long rounds;		   /* what one measurement does; the result is divided by it */
	void (*prepare)(long arg); /* or NULL */
	long arg;
	long (*value)(long arg); /* instead of run: gives the result itself, in @unit */
	const char *unit;	 /* NULL is ns */
};

/* ROW("name", function, rounds, .prepare = ..., .arg = ...) */
#define ROW(row_name, function, count, ...) \
	{ .name = row_name, .run = function, .rounds = count, __VA_ARGS__ }

/* Each part has a table that ends with a row without a name. */
extern const struct row call_rows[], file_rows[], memory_rows[], process_rows[], ipc_rows[];
extern const struct row parallel_rows[], program_rows[], probe_rows[];

extern const char *self; /* a path of this program, for exec */

_Noreturn void die(const char *what);
/* The same with a text of its own instead of the error's. */
_Noreturn void die_saying(const char *what, const char *why);
/* Wait for a child that must end with status 0. */
void reap(int pid);
/* Keep this thread and its children to come on CPU @cpu; when there is no such CPU, anywhere. */
void pin(int cpu);
/* The same on the first @n CPUs. */
void pin_to_first(int n);

#if defined(__x86_64__)
static inline long sys4(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

/* The counter that runs since the machine was reset, and its rate. */
static inline unsigned long long counter(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (unsigned long long)hi << 32 | lo;
}

static inline unsigned long long counter_hz(void)
{
	return 1000000000; /* under -icount; without, it is the host's and nobody knows */
}
#elif defined(__aarch64__)
static inline long sys4(long n, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
			 x2 __asm__("x2") = c, x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

static inline unsigned long long counter(void)
{
	unsigned long long v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v));
	return v;
}

static inline unsigned long long counter_hz(void)
{
	unsigned long long v;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(v));
	return v;
}
#elif defined(__riscv)
static inline long sys4(long n, long a, long b, long c, long d)
{
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b,
			 a2 __asm__("a2") = c, a3 __asm__("a3") = d;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
	return a0;
}

static inline unsigned long long counter(void)
{
	unsigned long long v;

	__asm__ volatile("rdtime %0" : "=r"(v));
	return v;
}

static inline unsigned long long counter_hz(void)
{
	return 10000000;
}
#elif defined(__loongarch64)
static inline long sys4(long n, long a, long b, long c, long d)
{
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b,
			 a2 __asm__("a2") = c, a3 __asm__("a3") = d;

	__asm__ volatile("syscall 0"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3)
			 : "memory", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
	return a0;
}

static inline unsigned long long counter(void)
{
	unsigned long long v;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(v));
	return v;
}

static inline unsigned long long counter_hz(void)
{
	return 100000000;
}
#endif

static inline long sys3(long n, long a, long b, long c)
{
	return sys4(n, a, b, c, 0);
}

#endif

/* SPDX-License-Identifier: MIT */
/* What fits nowhere else: numbers that are no system call, and calls with unusual arguments. */
#include "tap.h"
#include <sys/ioctl.h>
#include <sys/utsname.h>

static void unknown_calls(void)
{
	const long numbers[] = { 415, 700, 1000, 5000, 0x7fffffff, -1, -2 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		errno = 0;
		long r = syscall(numbers[i], 1, 2, 3, 4, 5, 6);
		if (r != -1 || errno != ENOSYS)
			tap_fail(__FILE__, __LINE__, "call %ld: %ld %s, wanted ENOSYS", numbers[i],
				 r, tap_errname(errno));
	}
}

/* A call may change no register but its result (and those the ABI names). */
static void registers_survive(void)
{
#if defined(__x86_64__)
	unsigned long rbx = 0x1111, rdi = 0x3333, rsi = 0x4444, rdx = 0x5555, result;

	__asm__ volatile("mov $39, %%eax\n syscall"
			 : "=&a"(result), "+b"(rbx), "+D"(rdi), "+S"(rsi), "+d"(rdx)
			 :
			 : "rcx", "r11", "memory");
	CHECK_EQ(result, getpid());
	CHECK(rbx == 0x1111 && rdi == 0x3333 && rsi == 0x4444 && rdx == 0x5555);
#elif defined(__aarch64__)
	register unsigned long x8 __asm__("x8") = 172, x0 __asm__("x0") = 7,
				  x1 __asm__("x1") = 0x11;
	register unsigned long x9 __asm__("x9") = 0x99, x17 __asm__("x17") = 0x1717;

	__asm__ volatile("svc #0" : "+r"(x0), "+r"(x1), "+r"(x8), "+r"(x9), "+r"(x17)::"memory");
	CHECK_EQ(x0, getpid());
	CHECK(x1 == 0x11 && x8 == 172 && x9 == 0x99 && x17 == 0x1717);
#elif defined(__riscv)
	register unsigned long a7 __asm__("a7") = 172, a0 __asm__("a0") = 7,
				  a1 __asm__("a1") = 0x11;
	register unsigned long t0 __asm__("t0") = 0x50, t6 __asm__("t6") = 0x66;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a7), "+r"(t0), "+r"(t6)::"memory");
	CHECK_EQ(a0, getpid());
	CHECK(a1 == 0x11 && a7 == 172 && t0 == 0x50 && t6 == 0x66);
#elif defined(__loongarch__)
	register unsigned long a7 __asm__("$a7") = 172, a0 __asm__("$a0") = 7,
				  a1 __asm__("$a1") = 17;
	register unsigned long s0 __asm__("$s0") = 0x50;

	__asm__ volatile("syscall 0"
			 : "+r"(a0), "+r"(a1), "+r"(a7), "+r"(s0)::"memory", "$t0", "$t1", "$t2",
			   "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
	CHECK_EQ(a0, getpid());
	CHECK(a1 == 17 && a7 == 172 && s0 == 0x50);
#endif
}

static void ioctls(void)
{
	int null = open("/dev/null", O_RDWR), file = open("/proc/self/exe", O_RDONLY), one = 1;
	char termios[128];

	CHECK_ERRNO(ioctl(null, 0x5401, termios), ENOTTY); /* TCGETS */
	CHECK_ERRNO(ioctl(file, 0x5401, termios), ENOTTY);
	CHECK_ERRNO(ioctl(file, 0xdeadbeef, termios), ENOTTY);
	CHECK_ERRNO(ioctl(1000, FIONBIO, &one), EBADF);
	CHECK_OK(ioctl(null, FIOCLEX));
	CHECK_EQ(fcntl(null, F_GETFD), FD_CLOEXEC);
	CHECK_OK(ioctl(null, FIONCLEX));
	CHECK_EQ(fcntl(null, F_GETFD), 0);
	close(null);
	close(file);
}

static void identity(void)
{
	struct utsname u;

	CHECK_OK(uname(&u));
	CHECK_STR(u.sysname, "Linux");
	CHECK(u.release[0] >= '4' && u.release[0] <= '9');
	CHECK(u.nodename[0] != '\0' && u.version[0] != '\0');
#if defined(__x86_64__)
	CHECK_STR(u.machine, "x86_64");
#elif defined(__aarch64__)
	CHECK_STR(u.machine, "aarch64");
#elif defined(__riscv)
	CHECK_STR(u.machine, "riscv64");
#elif defined(__loongarch__)
	CHECK_STR(u.machine, "loongarch64");
#endif
}

int main(void)
{
	TAP_RUN(unknown_calls);
	TAP_RUN(registers_survive);
	TAP_RUN(ioctls);
	TAP_RUN(identity);
	return tap_done();
}

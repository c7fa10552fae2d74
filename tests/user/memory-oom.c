/* SPDX-License-Identifier: MIT */
/*
 * Running out of memory: within a limit (always), and, where the whole machine is small and this
 * program may do it, out of the machine's memory. A child is refused with ENOMEM or killed by
 * SIGKILL; everybody else goes on, and the memory comes back.
 */
#include "tap.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#define CHUNK (4UL << 20)
#define SMALL_MACHINE (1UL << 30)

static unsigned long free_bytes(void)
{
	struct sysinfo si;

	sysinfo(&si);
	return (si.freeram + si.bufferram) * si.mem_unit;
}

/* Map and touch until refused; exit 12 then. */
static void eat(void)
{
	for (;;) {
		char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 12 : 1);
		for (unsigned long i = 0; i < CHUNK; i += 4096)
			p[i] = (char)(i >> 12) | 1;
	}
}

static void eat_limited(void)
{
	struct rlimit limit = { 64 << 20, 64 << 20 };

	REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
	eat();
}

static void data_limited(void)
{
	struct rlimit limit = { 16 << 20, 16 << 20 };

	REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
	CHECK_ERRNO(mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0),
		    ENOMEM);
	CHECK_EQ(syscall(SYS_brk, (char *)sbrk(0) + (32 << 20)), (long)sbrk(0));
}

static void within_limits(void)
{
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(tap_spawn(eat_limited), 12);
	CHECK_EXIT(tap_spawn(data_limited), 0);
}

/* The oom killer takes the biggest; make sure that it is not the parent that it takes. */
static void whole_machine(void)
{
	unsigned long before = free_bytes();
	int status;
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		pid = tap_spawn(eat);
		REQUIRE(pid > 0);
		status = tap_wait(pid);
		CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 12) ||
		      (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	}
	CHECK(TAP_AWAIT(free_bytes() >= before - before / 4));
	pid = fork();
	if (pid == 0)
		_exit(5);
	CHECK_EXIT(pid, 5);
}

/* A mapping larger than the machine is refused at once, and costs nothing when it is only reserved. */
static void reservations(void)
{
	struct sysinfo si;
	char *p;

	sysinfo(&si);
	CHECK_ERRNO(mmap(NULL, 1UL << 60, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0),
		    ENOMEM);
	p = mmap(NULL, si.totalram * si.mem_unit * 4, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	if (p != MAP_FAILED)
		CHECK_OK(munmap(p, si.totalram * si.mem_unit * 4));
}

/* What a process used is all given back when it ends: no leak over many of them. */
static void use_some(void)
{
	char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 1, CHUNK);
	memset(malloc(CHUNK), 2, CHUNK);
}

static void nothing_leaks(void)
{
	unsigned long before;

	CHECK_EXIT(tap_spawn(use_some), 0);
	before = free_bytes();
	for (int i = 0; i < 20; i++)
		CHECK_EXIT(tap_spawn(use_some), 0);
	CHECK(TAP_AWAIT(free_bytes() + 10 * CHUNK >= before)); /* 20 times 8 MiB would show */
}

int main(void)
{
	struct sysinfo si;

	sysinfo(&si);
	TAP_RUN(within_limits);
	TAP_RUN(reservations);
	if (si.totalram * si.mem_unit <= SMALL_MACHINE) {
		TAP_RUN(nothing_leaks);
		TAP_RUN(whole_machine);
	} else {
		NOTE("left out: filling this machine's memory (more than 1 GiB)");
	}
	return tap_done();
}

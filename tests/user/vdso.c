/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: found by AT_SYSINFO_EHDR, its clock functions agree with the system calls, on one CPU and across CPUs, and
 * its data page can be read, not written.
 */
#include "tap.h"
#include <elf.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifdef __aarch64__
#define PREFIX "__kernel_"
#else
#define PREFIX "__vdso_"
#endif

typedef int clock_gettime_fn(clockid_t id, struct timespec *ts);
typedef int gettimeofday_fn(struct timeval *tv, void *tz);

static const char *base;

/* A function of the vDSO, by its dynamic symbol; NULL if there is none. */
static void *lookup(const char *name)
{
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const Elf32_Word *hash = NULL;
	const char *str = NULL;

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_vaddr);
	REQUIRE(dyn);
	for (; dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (const void *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_STRTAB)
			str = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_HASH)
			hash = (const void *)(base + dyn->d_un.d_ptr);
	}
	/* Linux's newer images have DT_GNU_HASH only. */
	for (unsigned int i = 1, n = hash ? hash[1] : 24; sym && str && i < n; i++)
		if (!strcmp(str + sym[i].st_name, name))
			return (void *)(base + sym[i].st_value);
	return NULL;
}

static long long ns_of(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000LL + ts->tv_nsec;
}

static long long by_syscall(clockid_t id)
{
	struct timespec ts;

	REQUIRE(syscall(SYS_clock_gettime, id, &ts) == 0);
	return ns_of(&ts);
}

static void image(void)
{
	base = (const char *)getauxval(AT_SYSINFO_EHDR);
	REQUIRE(base);
	CHECK(!memcmp(base, ELFMAG, SELFMAG));
	CHECK(lookup(PREFIX "clock_gettime"));
	CHECK(lookup(PREFIX "gettimeofday"));
	CHECK(lookup(PREFIX "clock_getres"));
	CHECK(!lookup(PREFIX "no_such_call"));
#ifndef __x86_64__
	CHECK(lookup(PREFIX "rt_sigreturn"));
#endif
}

/* Call, function, call: never backwards. */
static void agrees(void)
{
	const clockid_t ids[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
				  CLOCK_MONOTONIC_RAW, CLOCK_TAI };
	clock_gettime_fn *fn = (clock_gettime_fn *)lookup(PREFIX "clock_gettime");

	REQUIRE(fn);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		for (int n = 0; n < 200; n++) {
			long long before = by_syscall(ids[i]), after;
			struct timespec ts;

			CHECK(fn(ids[i], &ts) == 0);
			after = by_syscall(ids[i]);
			CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
			CHECK(before <= ns_of(&ts) && ns_of(&ts) <= after);
		}
	}
}

static void other_clocks(void)
{
	clock_gettime_fn *fn = (clock_gettime_fn *)lookup(PREFIX "clock_gettime");
	clock_gettime_fn *res = (clock_gettime_fn *)lookup(PREFIX "clock_getres");
	struct timespec ts = { -1, -1 };

	REQUIRE(fn && res);
	CHECK(fn(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0 && ts.tv_sec >= 0);
	CHECK(fn(CLOCK_THREAD_CPUTIME_ID, &ts) == 0);
	CHECK(fn(CLOCK_REALTIME_COARSE, &ts) == 0);
	CHECK(fn(CLOCK_MONOTONIC_COARSE, &ts) == 0);
	CHECK(fn(99, &ts) == -EINVAL);
	CHECK(fn(10, &ts) == -EINVAL);
	CHECK(fn(0x7fffffff, &ts) == -EINVAL);
	CHECK(res(CLOCK_MONOTONIC, &ts) == 0 && ts.tv_sec == 0 && ts.tv_nsec == 1);
	CHECK(res(99, &ts) == -EINVAL);
}

static void time_of_day(void)
{
	gettimeofday_fn *fn = (gettimeofday_fn *)lookup(PREFIX "gettimeofday");
	struct timezone tz = { 1, 1 };
	struct timeval tv;
	long long before, after;

	REQUIRE(fn);
	before = by_syscall(CLOCK_REALTIME) / 1000;
	CHECK(fn(&tv, &tz) == 0);
	CHECK(tz.tz_minuteswest == 0 && tz.tz_dsttime == 0);
	CHECK(fn(&tv, NULL) == 0);
	after = by_syscall(CLOCK_REALTIME) / 1000;
	CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	CHECK(before <= tv.tv_sec * 1000000LL + tv.tv_usec);
	CHECK(tv.tv_sec * 1000000LL + tv.tv_usec <= after);
	CHECK(fn(NULL, NULL) == 0);
}

/* riscv64: what the function says is what the system call says, for keys that exist and others. */
static void hwprobe(void)
{
	struct pair {
		int64_t key;
		uint64_t value;
	} here[16], there[16];
	typedef int fn_type(struct pair * pairs, size_t n, size_t size, unsigned long *cpus,
			    unsigned flags);
	fn_type *fn = (fn_type *)lookup(PREFIX "riscv_hwprobe");
	unsigned long cpus = 1;

	REQUIRE(fn);
	for (int i = 0; i < 16; i++)
		here[i] = there[i] = (struct pair){ i < 14 ? i : i == 14 ? -1 : 1LL << 40, 99 };
	CHECK_EQ(syscall(258, there, 16, 0, NULL, 0), 0);
	CHECK_EQ(fn(here, 16, 0, NULL, 0), 0);
	CHECK(!memcmp(here, there, sizeof(here)));
	CHECK(here[3].key == 3 && here[4].key == 4 && here[4].value);
	CHECK_EQ(here[15].key, -1);
	CHECK_EQ(here[15].value, 0);
	here[0].key = 4;
	CHECK_EQ(fn(here, 1, sizeof(cpus), &cpus, 0), 0);
	CHECK_EQ(here[0].value, there[4].value);
	CHECK_EQ(fn(here, 0, 0, NULL, 0), 0);
	CHECK_EQ(fn(here, 1, 0, NULL, 99), -EINVAL);
}

/* A time seen on one CPU is not in the future of the next. */
static void across_cpus(void)
{
	clock_gettime_fn *fn = (clock_gettime_fn *)lookup(PREFIX "clock_gettime");
	cpu_set_t all, one;
	long long last = 0;

	REQUIRE(fn && sched_getaffinity(0, sizeof(all), &all) == 0);
	for (int round = 0; round < 50; round++) {
		for (int cpu = 0; cpu < 64; cpu++) {
			struct timespec ts;

			if (!CPU_ISSET(cpu, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
			CHECK(fn(CLOCK_MONOTONIC, &ts) == 0);
			CHECK(ns_of(&ts) >= last);
			last = ns_of(&ts);
		}
	}
	CHECK_OK(sched_setaffinity(0, sizeof(all), &all));
}

/* [vdso] is code, [vvar] before it is read only. */
static void mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[256], perms[5];
	unsigned long start, end;
	bool code = false, data = false;

	REQUIRE(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3)
			continue;
		if (strstr(line, "[vdso]")) {
			code = true;
			CHECK(start == (unsigned long)base && !strcmp(perms, "r-xp"));
		} else if (strstr(line, "[vvar]")) {
			data = true;
			CHECK(end <= (unsigned long)base && !strcmp(perms, "r--p"));
			CHECK_ERRNO(mprotect((void *)start, 4096, PROT_READ | PROT_WRITE), EACCES);
		}
	}
	CHECK(code && data);
	fclose(maps);
}

int main(void)
{
	TAP_RUN(image);
	TAP_RUN(agrees);
	TAP_RUN(other_clocks);
	TAP_RUN(time_of_day);
#ifdef __riscv
	TAP_RUN(hwprobe);
#else
	(void)hwprobe;
#endif
	TAP_RUN(across_cpus);
	TAP_RUN(mappings);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * What exec puts on a new program's stack: arguments, environment, auxiliary vector.
 *
 *   args-env-auxv [--print] [--exit N] [ARG...]
 *
 * Checks the vector (Linux's fs/binfmt_elf.c as described by getauxval(3)); --print shows all of
 * it; --exit N ends with status N when the checks pass (`caelum run` must hand it on). Without
 * arguments it also executes itself with known arguments and environment.
 */
#include "tap.h"
#include <elf.h>
#include <sys/auxv.h>

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

extern char **environ;
extern char __ehdr_start[];
extern void _start(void);

static int initial_argc;
static char **initial_argv;

static const struct {
	unsigned long type;
	const char *name;
} aux_names[] = {
	{ AT_PHDR, "AT_PHDR" },
	{ AT_PHENT, "AT_PHENT" },
	{ AT_PHNUM, "AT_PHNUM" },
	{ AT_PAGESZ, "AT_PAGESZ" },
	{ AT_BASE, "AT_BASE" },
	{ AT_FLAGS, "AT_FLAGS" },
	{ AT_ENTRY, "AT_ENTRY" },
	{ AT_UID, "AT_UID" },
	{ AT_EUID, "AT_EUID" },
	{ AT_GID, "AT_GID" },
	{ AT_EGID, "AT_EGID" },
	{ AT_PLATFORM, "AT_PLATFORM" },
	{ AT_HWCAP, "AT_HWCAP" },
	{ AT_HWCAP2, "AT_HWCAP2" },
	{ AT_CLKTCK, "AT_CLKTCK" },
	{ AT_SECURE, "AT_SECURE" },
	{ AT_RANDOM, "AT_RANDOM" },
	{ AT_EXECFN, "AT_EXECFN" },
	{ AT_SYSINFO_EHDR, "AT_SYSINFO_EHDR" },
};

/* The vector itself lies behind the environment's terminating NULL. */
static unsigned long *auxv_start(void)
{
	char **p = initial_argv + initial_argc + 1;

	while (*p)
		p++;
	return (unsigned long *)(p + 1);
}

/* Find an entry; NULL when absent. */
static unsigned long *aux_find(unsigned long type)
{
	for (unsigned long *aux = auxv_start(); aux[0] != AT_NULL; aux += 2)
		if (aux[0] == type)
			return &aux[1];
	return NULL;
}

static void print_all(void)
{
	for (int i = 0; i < initial_argc; i++)
		printf("argv[%d]=%s\n", i, initial_argv[i]);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	for (unsigned long *aux = auxv_start(); aux[0] != AT_NULL; aux += 2) {
		const char *name = "AT_?";

		for (size_t i = 0; i < ARRAY_SIZE(aux_names); i++)
			if (aux_names[i].type == aux[0])
				name = aux_names[i].name;
		printf("auxv %s(%lu)=%#lx\n", name, aux[0], aux[1]);
	}
}

static void auxv_program(void)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)__ehdr_start;
	Elf64_Phdr *ph = (Elf64_Phdr *)getauxval(AT_PHDR);

	CHECK_EQ(getauxval(AT_PHDR), (uintptr_t)__ehdr_start + eh->e_phoff);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK_EQ(getauxval(AT_PHNUM), eh->e_phnum);
	CHECK_EQ(getauxval(AT_ENTRY), (uintptr_t)_start);
	CHECK(ph != NULL && ph->p_type != PT_NULL);
	CHECK(aux_find(AT_BASE) && *aux_find(AT_BASE) == 0);
	CHECK(aux_find(AT_FLAGS) && *aux_find(AT_FLAGS) == 0);
	CHECK(aux_find(AT_HWCAP) != NULL);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(sysconf(_SC_PAGESIZE), getauxval(AT_PAGESZ));
	CHECK(getauxval(AT_PAGESZ) == 4096 || getauxval(AT_PAGESZ) == 16384 ||
	      getauxval(AT_PAGESZ) == 65536);
}

static void auxv_ids(void)
{
	CHECK(aux_find(AT_UID) && *aux_find(AT_UID) == getuid());
	CHECK(aux_find(AT_EUID) && *aux_find(AT_EUID) == geteuid());
	CHECK(aux_find(AT_GID) && *aux_find(AT_GID) == getgid());
	CHECK(aux_find(AT_EGID) && *aux_find(AT_EGID) == getegid());
	CHECK(aux_find(AT_SECURE) && *aux_find(AT_SECURE) == 0);
}

static void auxv_pointers(void)
{
	unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
	const char *name = (const char *)getauxval(AT_EXECFN);
	int nonzero = 0;

	REQUIRE(random != NULL && name != NULL);
	for (int i = 0; i < 16; i++)
		nonzero += random[i] != 0;
	CHECK(nonzero > 8);
	CHECK((char *)random > (char *)auxv_start());
	CHECK(strstr(name, "args-env-auxv") != NULL || strncmp(name, "/dev/fd/", 8) == 0);
#if defined(__x86_64__)
	CHECK(getauxval(AT_PLATFORM) && !strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
#elif defined(__aarch64__)
	CHECK(getauxval(AT_PLATFORM) && !strcmp((char *)getauxval(AT_PLATFORM), "aarch64"));
#elif defined(__loongarch__)
	CHECK(getauxval(AT_PLATFORM) && !strcmp((char *)getauxval(AT_PLATFORM), "loongarch"));
#endif
}

/* Pointers and strings as the ABI documents: argv ends in NULL, strings follow one another. */
static void stack_layout(void)
{
	CHECK(initial_argc >= 1);
	CHECK(initial_argv[initial_argc] == NULL);
	CHECK_EQ(((long *)initial_argv)[-1], initial_argc);
	CHECK_EQ((uintptr_t)((long *)initial_argv - 1) % 16, 0);
	CHECK(environ == initial_argv + initial_argc + 1);
	for (int i = 1; i < initial_argc; i++)
		CHECK(initial_argv[i] == initial_argv[i - 1] + strlen(initial_argv[i - 1]) + 1);
	if (environ[0])
		CHECK(environ[0] ==
		      initial_argv[initial_argc - 1] + strlen(initial_argv[initial_argc - 1]) + 1);
}

/* Two programs get different AT_RANDOM bytes, exact arguments and exactly the given environment. */
static void exec_self(const char *self)
{
	char *argv[] = { (char *)self, "--child", "", "two words", "\xff\n", NULL };
	char *envp[] = { "A=1", "EMPTY=", "NOEQUALS", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(126);
	}
	CHECK_EXIT(pid, 7);
}

static int check_child(int argc, char **argv)
{
	CHECK_EQ(argc, 5);
	CHECK_STR(argv[2], "");
	CHECK_STR(argv[3], "two words");
	CHECK_STR(argv[4], "\xff\n");
	CHECK_STR(environ[0], "A=1");
	CHECK_STR(environ[1], "EMPTY=");
	CHECK_STR(environ[2], "NOEQUALS");
	CHECK(environ[3] == NULL);
	CHECK_STR((char *)getauxval(AT_EXECFN), "/proc/self/exe");
	return tap_nfailed ? 1 : 7;
}

/* An empty argv: since Linux 5.18 the program still gets argc 1 and an empty argv[0]. */
static void exec_no_argv(void)
{
	char *argv[] = { NULL }, *envp[] = { "AUXV_EMPTY=1", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(126);
	}
	CHECK_EXIT(pid, 8);
}

int main(int argc, char **argv)
{
	int status = 0, print = 0;

	initial_argc = argc;
	initial_argv = argv;
	if (getenv("AUXV_EMPTY"))
		return argc == 1 && argv[0][0] == '\0' ? 8 : 1;
	if (argc > 1 && strcmp(argv[1], "--child") == 0)
		return check_child(argc, argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--print") == 0)
			print = 1;
		else if (strcmp(argv[i], "--exit") == 0 && i + 1 < argc)
			status = atoi(argv[++i]);
	}
	if (print)
		print_all();
	TAP_RUN(auxv_program);
	TAP_RUN(auxv_ids);
	TAP_RUN(auxv_pointers);
	TAP_RUN(stack_layout);
	if (argc == 1 && access("/proc/self/exe", X_OK) == 0) {
		exec_self(argv[0]);
		exec_no_argv();
	}
	return tap_done() ? 1 : status;
}

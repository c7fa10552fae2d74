/* SPDX-License-Identifier: MIT */
/*
 * clone(2) flag by flag: what is shared and what is not, the id words, vfork's waiting, exit
 * signals, and the combinations that Linux refuses. Also clone3(2) and unshare(2) of what exists.
 */
#include "tap.h"
#include <sched.h>
#include <sys/mman.h>

#define STACK_SIZE 65536

static char *stack_top;
static volatile int shared_value;
static volatile int pipe_fds[2];

/* The system call itself, whose argument order is not the same everywhere. */
static long raw_clone(unsigned long flags, void *stack, void *ptid, void *ctid, unsigned long tls)
{
#if defined(__x86_64__) || defined(__loongarch__)
	return syscall(SYS_clone, flags, stack, ptid, ctid, tls);
#else
	return syscall(SYS_clone, flags, stack, ptid, tls, ctid);
#endif
}

static int set_value(void *arg)
{
	shared_value = (int)(long)arg;
	return 21;
}

static void memory(void)
{
	pid_t pid;

	shared_value = 0;
	pid = clone(set_value, stack_top, SIGCHLD, (void *)5L);
	CHECK_EXIT(pid, 21);
	CHECK_EQ(shared_value, 0);
	pid = clone(set_value, stack_top, CLONE_VM | SIGCHLD, (void *)6L);
	CHECK_EXIT(pid, 21);
	CHECK_EQ(shared_value, 6);
}

static int slow_set(void *arg)
{
	tap_sleep_ms(30);
	shared_value = 77;
	if (arg)
		execl("/proc/self/exe", "clone-flags", "exec-child", (char *)NULL);
	return 22;
}

/* With CLONE_VFORK the parent runs again only when the child has exited or executed. */
static void vfork_waits(void)
{
	pid_t pid;

	shared_value = 0;
	pid = clone(slow_set, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	CHECK_EQ(shared_value, 77);
	CHECK_EXIT(pid, 22);
	shared_value = 0;
	pid = clone(slow_set, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)1);
	CHECK_EQ(shared_value, 77);
	CHECK_EXIT(pid, 33);
	pid = vfork();
	if (pid == 0)
		_exit(44);
	CHECK_EXIT(pid, 44);
}

static int killed_by_signal(void *arg)
{
	kill(getpid(), SIGKILL); /* not raise(): a libc may remember the parent's thread id */
	return 0;
}

static void vfork_child_is_killed(void)
{
	pid_t pid = clone(killed_by_signal, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	CHECK_KILLED(pid, SIGKILL);
}

static int close_and_open(void *arg)
{
	close(pipe_fds[0]);
	return dup2(pipe_fds[1], 100) == 100 ? 0 : 1;
}

static void files(void)
{
	int fds[2];
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	pipe_fds[0] = fds[0];
	pipe_fds[1] = fds[1];
	pid = clone(close_and_open, stack_top, SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	CHECK_OK(fcntl(fds[0], F_GETFD));
	CHECK_ERRNO(fcntl(100, F_GETFD), EBADF);
	pid = clone(close_and_open, stack_top, CLONE_FILES | SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(fcntl(fds[0], F_GETFD), EBADF);
	CHECK_OK(fcntl(100, F_GETFD));
	close(100);
	close(fds[1]);
}

static int change_fs(void *arg)
{
	umask(0123);
	return chdir("/tmp");
}

static void fs_context(void)
{
	char cwd[64];
	pid_t pid;

	REQUIRE(chdir("/") == 0);
	umask(022);
	pid = clone(change_fs, stack_top, SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/");
	CHECK_EQ(umask(022), 022);
	pid = clone(change_fs, stack_top, CLONE_FS | SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/tmp");
	CHECK_EQ(umask(022), 0123);
	REQUIRE(chdir("/") == 0);
}

static void handler(int sig)
{
}

static int change_handler(void *arg)
{
	signal(SIGUSR1, SIG_IGN);
	return 0;
}

static void signal_handlers(void)
{
	struct sigaction sa;
	pid_t pid;

	signal(SIGUSR1, handler);
	pid = clone(change_handler, stack_top, CLONE_VM | SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	sigaction(SIGUSR1, NULL, &sa);
	CHECK(sa.sa_handler == handler);
	pid = clone(change_handler, stack_top, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
	CHECK_EXIT(pid, 0);
	sigaction(SIGUSR1, NULL, &sa);
	CHECK(sa.sa_handler == SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR1, handler);
	pid = (pid_t)raw_clone(SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0) {
		sigaction(SIGUSR1, NULL, &sa);
		_exit(sa.sa_handler == handler ? 0 : 1);
	}
	CHECK_EXIT(pid, 0);
	signal(SIGUSR1, SIG_DFL);
}

static void id_words(void)
{
	int *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	REQUIRE(words != MAP_FAILED);
	words[0] = words[1] = -1;
	pid = (pid_t)raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &words[0],
			       &words[1], 0);
	if (pid == 0)
		_exit(words[1] == getpid() ? 0 : 1);
	CHECK_EQ(words[0], pid);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(words[1], pid);
	words[1] = -1;
	pid = (pid_t)raw_clone(CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, &words[1], 0);
	if (pid == 0)
		_exit(0);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(words[1], -1); /* not cleared: no other user of the memory is left, Linux says */
	munmap(words, 4096);
}

static int return_zero(void *arg)
{
	return 0;
}

static int set_tid_address(void *word)
{
	return syscall(SYS_set_tid_address, word) == syscall(SYS_gettid) ? 0 : 1;
}

/* With others left in the memory the word is cleared and its futex woken (CLEARTID set later). */
static void clear_tid_wakes(void)
{
	int tid = -1;
	pid_t pid = clone(set_tid_address, stack_top, CLONE_VM | SIGCHLD, &tid);

	CHECK(pid > 0);
	while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) != 0)
		if (syscall(SYS_futex, &tid, 0, -1, &(struct timespec){ 5, 0 }, NULL, 0) == -1 &&
		    errno == ETIMEDOUT) {
			CHECK(!"CLONE_CHILD_CLEARTID did not wake");
			break;
		}
	CHECK_EXIT(pid, 0);
}

/* clone with the parent's parent: the new process is a sibling. */
static void parent_flag(void)
{
	pid_t me = getpid(), middle, pid;
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	middle = fork();
	if (middle == 0) {
		pid = (pid_t)raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
		if (pid == 0)
			_exit(getppid() == me ? 0 : 1);
		_exit(write(fds[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	}
	CHECK_EQ(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	CHECK_EXIT(middle, 0);
	CHECK_EXIT(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

/* An exit signal other than SIGCHLD: waited for only with __WCLONE or __WALL. */
static void exit_signal(void)
{
	int status;
	pid_t pid;

	signal(SIGUSR2, SIG_IGN);
	pid = clone(return_zero, stack_top, SIGUSR2, NULL);
	CHECK(pid > 0);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
	pid = clone(return_zero, stack_top, 0, NULL);
	CHECK_EQ(waitpid(-1, &status, __WALL), pid);
	pid = clone(return_zero, stack_top, SIGCHLD, NULL);
	CHECK_ERRNO(waitpid(pid, &status, __WCLONE), ECHILD);
	CHECK_EXIT(pid, 0);
}

static void refused(void)
{
	CHECK_ERRNO(raw_clone(CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(raw_clone(CLONE_THREAD | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(raw_clone(CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(raw_clone(CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(unshare(CLONE_VFORK), EINVAL);
	CHECK_OK(unshare(0));
	CHECK_OK(unshare(CLONE_FILES | CLONE_FS));
}

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static void clone3_call(void)
{
	struct clone3_args args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == -1 && errno == ENOSYS) {
		NOTE("left out: no clone3");
		return;
	}
	if (pid == 0)
		_exit(12);
	CHECK_EXIT((pid_t)pid, 12);
	CHECK_ERRNO(syscall(SYS_clone3, &args, 8L), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, NULL, sizeof(args)), EFAULT);
	CHECK_ERRNO(syscall(SYS_clone3, &args, 1UL << 20), E2BIG);
	args.exit_signal = 65;
	CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args = (struct clone3_args){ .exit_signal = SIGCHLD, .stack = (uintptr_t)stack_top };
	CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args = (struct clone3_args){ .flags = CLONE_DETACHED, .exit_signal = SIGCHLD };
	CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 33;
	stack_top = malloc(STACK_SIZE);
	REQUIRE(stack_top != NULL);
	stack_top += STACK_SIZE - 64;
	TAP_RUN(memory);
	TAP_RUN(vfork_waits);
	TAP_RUN(vfork_child_is_killed);
	TAP_RUN(files);
	TAP_RUN(fs_context);
	TAP_RUN(signal_handlers);
	TAP_RUN(id_words);
	TAP_RUN(clear_tid_wakes);
	TAP_RUN(parent_flag);
	TAP_RUN(exit_signal);
	TAP_FORK(refused);
	TAP_RUN(clone3_call);
	return tap_done();
}

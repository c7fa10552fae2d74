/* SPDX-License-Identifier: MIT */
/* Filters with a listener: requests, answers, descriptors given, signals, ends of either side. Source: seccomp_unotify(2). */
#include "tap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define NR	  offsetof(struct seccomp_data, nr)
#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, (v))
#define ON(nr, v) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), RETURN(v)
#define MAGIC	  123456789L

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND 2
#endif
#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

static long listen_to(int nr, unsigned int flags)
{
	struct sock_filter f[] = { LOAD(NR), ON((unsigned)nr, SECCOMP_RET_USER_NOTIF),
				   RETURN(SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { .len = ARRAY_SIZE(f), .filter = f };

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int listener(int nr, unsigned int flags)
{
	long fd = listen_to(nr, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER);

	REQUIRE(fd >= 0);
	return (int)fd;
}

static long receive(int fd, struct seccomp_notif *req)
{
	memset(req, 0, sizeof(*req));
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, req);
}

static long answer(int fd, uint64_t id, long val, int error, unsigned int flags)
{
	struct seccomp_notif_resp resp = { .id = id, .val = val, .error = error, .flags = flags };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static short events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	CHECK_OK(poll(&p, 1, 0));
	return p.revents;
}

static void flags(void)
{
	struct seccomp_notif_sizes sizes = { 0 };
	uint32_t action = SECCOMP_RET_USER_NOTIF;
	int fd;

	CHECK_OK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	CHECK_OK(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
	CHECK_EQ(sizes.seccomp_notif, sizeof(struct seccomp_notif));
	CHECK_EQ(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	CHECK_EQ(sizes.seccomp_data, sizeof(struct seccomp_data));
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes), EINVAL);
	CHECK_ERRNO(listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER | 1), EINVAL);
	CHECK_ERRNO(listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), EINVAL);
	/* Without a listener the answer means that there is no such call. */
	CHECK_OK(listen_to(SYS_getuid, 0));
	CHECK_ERRNO(syscall(SYS_getuid), ENOSYS);
	fd = listener(SYS_getppid, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(listen_to(SYS_getgid, SECCOMP_FILTER_FLAG_NEW_LISTENER), EBUSY);
	close(fd);
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
	fd = listener(SYS_getgid, 0);
	close(fd);
}

/* Until the last task with the filter is gone: then there is nothing to receive. This one keeps it, so children do the work. */
static void in_child(void (*child)(int to_parent), void (*parent)(int fd, pid_t pid))
{
	int fds[2];
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		child(fds[1]);
		_exit(tap_nfailed);
	}
	int fd = -1;
	REQUIRE(read(fds[0], &fd, sizeof(fd)) == sizeof(fd));
	parent(fd, pid);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void tell(int to, int fd)
{
	CHECK_EQ(write(to, &fd, sizeof(fd)), sizeof(fd));
}

static void ask(int to)
{
	tell(to, listener(SYS_getppid, 0));
	CHECK_EQ(syscall(SYS_getppid, 1, 2, 3, 4, 5, 6), MAGIC);
	CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
}

static void answer_all(int fd, pid_t pid)
{
	struct seccomp_notif req = { .pid = 1 };
	uint64_t first;

	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req), EINVAL);
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, NULL), EFAULT);
	CHECK_OK(receive(fd, &req));
	CHECK_EQ(req.pid, pid);
	CHECK_EQ(req.flags, 0);
	CHECK_EQ(req.data.nr, SYS_getppid);
	for (unsigned int i = 0; i < 6; i++)
		CHECK_EQ(req.data.args[i], i + 1);
	first = req.id;
	CHECK_EQ(events(fd), POLLOUT);
	CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &first));
	CHECK_ERRNO(answer(fd, first + 5, 0, 0, 0), ENOENT);
	CHECK_ERRNO(answer(fd, first, 0, 0, 2), EINVAL);
	CHECK_ERRNO(answer(fd, first, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_OK(answer(fd, first, MAGIC, 0, 0));
	CHECK(answer(fd, first, MAGIC, 0, 0) == -1 && (errno == ENOENT || errno == EINPROGRESS));
	CHECK_OK(receive(fd, &req));
	CHECK_EQ(req.id, first + 1);
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &first), ENOENT);
	CHECK_OK(answer(fd, req.id, 0, -ENOTTY, 0));
	CHECK_EXIT(pid, 0);
}

static void answers(void)
{
	in_child(ask, answer_all);
}

static void ask_continue(int to)
{
	pid_t parent = getppid();

	tell(to, listener(SYS_getppid, 0));
	CHECK_EQ(syscall(SYS_getppid), parent);
	CHECK_EQ(syscall(SYS_getppid), MAGIC);
}

static void let_continue(int fd, pid_t pid)
{
	struct seccomp_notif req;

	CHECK_OK(receive(fd, &req));
	CHECK_OK(answer(fd, req.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	CHECK_OK(receive(fd, &req));
	CHECK_OK(answer(fd, req.id, MAGIC, 0, 0));
	CHECK_EXIT(pid, 0);
	CHECK(TAP_AWAIT(events(fd) == POLLHUP));
	CHECK_ERRNO(receive(fd, &req), ENOENT);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	handled++;
}

static void ask_interrupted(int to)
{
	struct sigaction sa = { .sa_handler = on_signal };

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	tell(to, listener(SYS_getppid, 0));
	CHECK_ERRNO(syscall(SYS_getppid), EINTR);
	CHECK_EQ(handled, 1);
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
}

/* A signal ends a request, and the listener's end answers what waits. */
static void interrupt(int fd, pid_t pid)
{
	struct seccomp_notif req;

	CHECK_OK(receive(fd, &req));
	CHECK_OK(kill(pid, SIGUSR1));
	CHECK(TAP_AWAIT(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &req.id) != 0));
	CHECK_ERRNO(answer(fd, req.id, 0, 0, 0), ENOENT);
	CHECK_OK(receive(fd, &req));
	close(fd);
	CHECK_EXIT(pid, 0);
}

static void ask_killable(int to)
{
	struct sigaction sa = { .sa_handler = on_signal };

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	tell(to, listener(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	CHECK_EQ(syscall(SYS_getppid), MAGIC);
	CHECK_EQ(handled, 1);
	syscall(SYS_getppid);
}

static void do_not_interrupt(int fd, pid_t pid)
{
	struct seccomp_notif req;

	CHECK_OK(receive(fd, &req));
	CHECK_OK(kill(pid, SIGUSR1));
	tap_sleep_ms(50);
	CHECK_OK(answer(fd, req.id, MAGIC, 0, 0));
	CHECK_OK(receive(fd, &req));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERRNO(receive(fd, &req), ENOENT);
}

/* The tasks share their descriptors: what is given appears here, too. */
static void ask_for_files(int to)
{
	long fd;

	tell(to, listener(SYS_getppid, 0));
	fd = syscall(SYS_getppid);
	CHECK(fd >= 0 && fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
	CHECK_EQ(syscall(SYS_getppid), MAGIC);
}

static void give_files(int fd, pid_t pid)
{
	struct {
		struct seccomp_notif_addfd fd;
		char more[64];
	} big = { 0 };
	struct seccomp_notif_addfd add = { .newfd_flags = O_CLOEXEC };
	const unsigned long big_ioctl = SECCOMP_IOW(3, big);
	struct seccomp_notif req;
	long got;

	add.srcfd = (unsigned)open("/dev/null", O_RDONLY);
	CHECK_OK(receive(fd, &req));
	add.id = req.id + 9;
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), ENOENT);
	add.id = req.id;
	add.newfd = 90;
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
	add.flags = SECCOMP_ADDFD_FLAG_SETFD;
	CHECK_EQ(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), 90);
	CHECK_EQ(fcntl(90, F_GETFD), FD_CLOEXEC);
	add.flags = add.newfd = 0;
	add.newfd_flags = 1;
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
	add.newfd_flags = 0;
	got = CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
	CHECK_EQ(fcntl((int)got, F_GETFD), 0);
	big.fd = add;
	CHECK_OK(ioctl(fd, big_ioctl, &big));
	big.more[3] = 1;
	CHECK_ERRNO(ioctl(fd, big_ioctl, &big), E2BIG);
	add.srcfd = 999;
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EBADF);
	add.srcfd = 90;
	add.newfd_flags = O_CLOEXEC;
	add.flags = SECCOMP_ADDFD_FLAG_SEND;
	CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
	CHECK_OK(receive(fd, &req));
	CHECK_OK(answer(fd, req.id, MAGIC, 0, 0));
	CHECK_EXIT(pid, 0);
}

static void continues(void)
{
	in_child(ask_continue, let_continue);
}

static void interrupted(void)
{
	in_child(ask_interrupted, interrupt);
}

static void only_killed(void)
{
	in_child(ask_killable, do_not_interrupt);
}

static void files(void)
{
	in_child(ask_for_files, give_files);
}

int main(void)
{
	TAP_FORK(flags);
	TAP_FORK(answers);
	TAP_FORK(continues);
	TAP_FORK(interrupted);
	TAP_FORK(only_killed);
	TAP_FORK(files);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Native asynchronous I/O: io_setup, io_submit, io_getevents, io_pgetevents, io_cancel, io_destroy; eventfds that tell of completions.
 */
#include "tap.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>

#ifdef __x86_64__
enum { SETUP = 206, DESTROY, GETEVENTS, SUBMIT, CANCEL, PGETEVENTS = 333 };
#else
enum { SETUP = 0, DESTROY, SUBMIT, CANCEL, GETEVENTS, PGETEVENTS = 292 };
#endif

enum { PREAD, PWRITE, FSYNC, FDSYNC, PREADV = 7, PWRITEV };

struct iocb {
	uint64_t data;
	uint32_t key;
	int32_t rw_flags;
	uint16_t opcode;
	int16_t prio;
	uint32_t fd;
	uint64_t buf, nbytes;
	int64_t offset;
	uint64_t reserved2;
	uint32_t flags, resfd;
};
struct event {
	uint64_t data, obj;
	int64_t res, res2;
};
_Static_assert(sizeof(struct iocb) == 64, "struct iocb is ABI");

static unsigned long setup(unsigned n)
{
	unsigned long ctx = 0;

	CHECK_OK(syscall(SETUP, n, &ctx));
	CHECK(ctx != 0);
	return ctx;
}

static struct iocb prepare(int op, int fd, const void *buf, size_t n, long off)
{
	return (struct iocb){ .data = 0x1234,
			      .opcode = (uint16_t)op,
			      .fd = (uint32_t)fd,
			      .buf = (uintptr_t)buf,
			      .nbytes = n,
			      .offset = off };
}

static long submit(unsigned long ctx, struct iocb *cb)
{
	return syscall(SUBMIT, ctx, 1L, &cb);
}

static long get(unsigned long ctx, long min, long max, struct event *e, const struct timespec *ts)
{
	return syscall(GETEVENTS, ctx, min, max, e, ts);
}

/* Submit one, and wait for its result. */
static long run(unsigned long ctx, struct iocb *cb)
{
	struct event e = { 0 };

	if (submit(ctx, cb) != 1)
		return -errno;
	CHECK_EQ(get(ctx, 1, 1, &e, NULL), 1);
	CHECK_EQ(e.obj, (uintptr_t)cb);
	CHECK_EQ(e.data, cb->data);
	CHECK_EQ(e.res2, 0);
	return e.res;
}

static void reading_and_writing(void)
{
	unsigned long ctx = setup(8);
	int fd = (int)CHECK_OK(open("file", O_CREAT | O_RDWR, 0600));
	char text[16] = "";
	struct iovec iov[2] = { { text, 2 }, { text + 8, 3 } };
	struct iocb cb = prepare(PWRITE, fd, "hello", 5, 3);

	cb.key = 99;
	CHECK_EQ(run(ctx, &cb), 5);
	CHECK_EQ(cb.key, 0);
	cb = prepare(PREAD, fd, text, sizeof(text), 4);
	CHECK_EQ(run(ctx, &cb), 4);
	CHECK_STR(text, "ello");
	/* The file's own position has no part in it. */
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	memset(text, 0, sizeof(text));
	cb = prepare(PREADV, fd, iov, 2, 3);
	CHECK_EQ(run(ctx, &cb), 5);
	CHECK_STR(text, "he");
	CHECK_STR(text + 8, "llo");
	cb = prepare(PWRITEV, fd, iov, 2, 10);
	CHECK_EQ(run(ctx, &cb), 5);
	cb = prepare(PREAD, fd, text, 5, 100);
	CHECK_EQ(run(ctx, &cb), 0);
	cb = prepare(FSYNC, fd, NULL, 0, 0);
	CHECK_EQ(run(ctx, &cb), 0);
	cb = prepare(FDSYNC, fd, NULL, 0, 0);
	CHECK_EQ(run(ctx, &cb), 0);
	CHECK_OK(pread(fd, text, 5, 10));
	CHECK(!memcmp(text, "hello", 5));
	close(fd);
	CHECK_OK(unlink("file"));
	CHECK_OK(syscall(DESTROY, ctx));
}

/* An event that cannot be written stays. */
static void undeliverable(void)
{
	unsigned long ctx = setup(1);
	int fd = (int)CHECK_OK(open("file", O_CREAT | O_RDWR, 0600));
	struct iocb cb = prepare(PWRITE, fd, "hello", 5, 0);
	struct event e = { 0 };

	CHECK_EQ(submit(ctx, &cb), 1);
	CHECK_ERRNO(get(ctx, 1, 1, (void *)8, NULL), EFAULT);
	CHECK_ERRNO(get(ctx, 1, 1, (void *)8, NULL), EFAULT);
	CHECK_EQ(get(ctx, 1, 1, &e, NULL), 1);
	CHECK_EQ(e.obj, (uintptr_t)&cb);
	CHECK_EQ(e.res, 5);
	CHECK_EQ(run(ctx, &cb), 5); /* there is room again */
	close(fd);
	CHECK_OK(unlink("file"));
	CHECK_OK(syscall(DESTROY, ctx));
}

static void many(void)
{
	unsigned long ctx = setup(64);
	int fd = (int)CHECK_OK(open("file", O_CREAT | O_RDWR, 0600)), sum = 0, n = 0;
	struct timespec none = { 0, 0 };
	struct iocb cb[32], *list[32];
	struct event e[32];
	char bytes[32];

	for (int i = 0; i < 32; i++) {
		bytes[i] = (char)('A' + i);
		cb[i] = prepare(PWRITE, fd, &bytes[i], 1, i);
		cb[i].data = (uint64_t)i;
		list[i] = &cb[i];
	}
	CHECK_EQ(syscall(SUBMIT, ctx, 32L, list), 32);
	while (n < 32) {
		long got = get(ctx, 1, 10, e, NULL);

		REQUIRE(got >= 1 && got <= 10);
		for (long i = 0; i < got; i++) {
			CHECK_EQ(e[i].res, 1);
			sum += (int)e[i].data;
		}
		n += (int)got;
	}
	CHECK_EQ(n, 32);
	CHECK_EQ(sum, 31 * 32 / 2);
	CHECK_EQ(get(ctx, 0, 10, e, NULL), 0);
	CHECK_EQ(get(ctx, 1, 10, e, &none), 0);
	CHECK_EQ(pread(fd, bytes, 32, 0), 32);
	CHECK_EQ(bytes[31], 'A' + 31);
	close(fd);
	CHECK_OK(unlink("file"));
	CHECK_OK(syscall(DESTROY, ctx));
}

/* A bad one ends the list: what was before it is done. */
static void refused(void)
{
	unsigned long ctx = setup(8);
	int fd = (int)CHECK_OK(open("file", O_CREAT | O_RDWR, 0600));
	int ro = (int)CHECK_OK(open("file", O_RDONLY));
	struct iocb good = prepare(PWRITE, fd, "x", 1, 0), bad = prepare(PWRITE, -1, "x", 1, 0);
	struct iocb *list[3] = { &good, &bad, &good };
	struct event e[4];
	char byte;

	CHECK_EQ(syscall(SUBMIT, ctx, 3L, list), 1);
	CHECK_EQ(get(ctx, 1, 4, e, NULL), 1);
	CHECK_ERRNO(submit(ctx, &bad), EBADF);
	bad = prepare(PWRITE, ro, "x", 1, 0);
	CHECK_ERRNO(submit(ctx, &bad), EBADF);
	bad = prepare(77, fd, "x", 1, 0);
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad = prepare(PWRITE, fd, "x", 1, -1);
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad = prepare(PWRITE, fd, "x", (size_t)-1, 0);
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad = prepare(FSYNC, fd, NULL, 1, 0);
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad = prepare(PWRITE, fd, "x", 1, 0);
	bad.reserved2 = 1;
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad = prepare(PREADV, fd, (void *)8, 2, 0);
	CHECK_ERRNO(submit(ctx, &bad), EFAULT);
	bad = prepare(PWRITE, fd, "x", 1, 0);
	bad.flags = 1;
	bad.resfd = (uint32_t)fd;
	CHECK_ERRNO(submit(ctx, &bad), EINVAL);
	bad.resfd = (uint32_t)-1;
	CHECK_ERRNO(submit(ctx, &bad), EBADF);
	CHECK_ERRNO(submit(ctx, NULL), EFAULT);
	CHECK_ERRNO(syscall(SUBMIT, ctx, 1L, NULL), EFAULT);
	CHECK_ERRNO(syscall(SUBMIT, ctx, -1L, list), EINVAL);
	CHECK_EQ(syscall(SUBMIT, ctx, 0L, list), 0);
	CHECK_ERRNO(syscall(SUBMIT, ctx ^ 0x1000000, 1L, list), EINVAL);
	CHECK_ERRNO(syscall(SUBMIT, 0L, 1L, list), EINVAL);
	/* Bad memory is the operation's result. */
	bad = prepare(PREAD, fd, (void *)8, 1, 0);
	CHECK_EQ(run(ctx, &bad), -EFAULT);
	CHECK_EQ(get(ctx, 0, 4, e, NULL), 0);
	CHECK_EQ(pread(fd, &byte, 1, 0), 1);
	close(ro);
	close(fd);
	CHECK_OK(unlink("file"));
	CHECK_OK(syscall(DESTROY, ctx));
}

static void contexts(void)
{
	unsigned long ctx = 0, other;
	struct event e;
	struct iocb cb = { 0 };
	struct timespec none = { 0, 0 };
	pid_t child;

	CHECK_ERRNO(syscall(SETUP, 0, &ctx), EINVAL);
	CHECK_ERRNO(syscall(SETUP, 1, NULL), EFAULT);
	CHECK_ERRNO(syscall(SETUP, 0x7fffffff, &ctx), EINVAL);
	CHECK_ERRNO(syscall(SETUP, 0x00200000, &ctx), EAGAIN);
	ctx = 1;
	CHECK_ERRNO(syscall(SETUP, 1, &ctx), EINVAL);
	ctx = setup(1);
	other = setup(1);
	CHECK(ctx != other);
	CHECK_ERRNO(get(ctx, -1, 1, &e, &none), EINVAL);
	CHECK_ERRNO(get(ctx, 2, 1, &e, &none), EINVAL);
	CHECK_ERRNO(get(0, 1, 1, &e, &none), EINVAL);
	CHECK_ERRNO(get(ctx, 1, 1, &e, (void *)8), EFAULT);
	CHECK_ERRNO(syscall(CANCEL, ctx, NULL, &e), EFAULT);
	CHECK_ERRNO(syscall(CANCEL, ctx, &cb, &e), EINVAL);
	CHECK_ERRNO(syscall(CANCEL, 0L, &cb, &e), EINVAL);
	/* A child has none of them. */
	child = fork();
	if (child == 0)
		_exit(syscall(DESTROY, ctx) == -1 && errno == EINVAL ? 0 : 1);
	CHECK_EXIT(child, 0);
	CHECK_OK(syscall(DESTROY, ctx));
	CHECK_ERRNO(syscall(DESTROY, ctx), EINVAL);
	CHECK_ERRNO(get(ctx, 0, 1, &e, &none), EINVAL);
	CHECK_OK(syscall(DESTROY, other));
	CHECK_ERRNO(syscall(DESTROY, 0L), EINVAL);
}

static void told_by_eventfd(void)
{
	unsigned long ctx = setup(8);
	int fd = (int)CHECK_OK(open("file", O_CREAT | O_RDWR, 0600));
	int note = (int)CHECK_OK(eventfd(0, EFD_NONBLOCK));
	struct iocb cb = prepare(PWRITE, fd, "x", 1, 0);
	struct event e[4];
	uint64_t n = 0;

	cb.flags = 1;
	cb.resfd = (uint32_t)note;
	CHECK_EQ(submit(ctx, &cb), 1);
	CHECK_EQ(submit(ctx, &cb), 1);
	CHECK_EQ(get(ctx, 2, 4, e, NULL), 2);
	CHECK_EQ(read(note, &n, sizeof(n)), (long)sizeof(n));
	CHECK_EQ(n, 2);
	close(note);
	close(fd);
	CHECK_OK(unlink("file"));
	CHECK_OK(syscall(DESTROY, ctx));
}

static void limits(void)
{
	struct timespec soon = { 0, 20000000 };
	unsigned long ctx = setup(1);
	long long start = tap_now_ns();
	struct event e;
	long max = -1;
	FILE *f = fopen("/proc/sys/fs/aio-max-nr", "r");

	CHECK(f && fscanf(f, "%ld", &max) == 1 && max > 0);
	if (f)
		fclose(f);
	f = fopen("/proc/sys/fs/aio-nr", "r");
	CHECK(f && fscanf(f, "%ld", &max) == 1 && max > 0);
	if (f)
		fclose(f);
	CHECK_EQ(get(ctx, 1, 1, &e, &soon), 0);
	CHECK(tap_now_ns() - start >= 20000000);
	CHECK_OK(syscall(DESTROY, ctx));
}

static void on_alarm(int sig)
{
}

static unsigned long shared_ctx;

static int was_interrupted;

/* Again and again: a signal that comes before the wait does not count. */
static void *interrupt_main(void *main_thread)
{
	while (!__atomic_load_n(&was_interrupted, __ATOMIC_SEQ_CST)) {
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
		tap_sleep_ms(5);
	}
	return NULL;
}

/* A signal ends the wait; with a mask for its time, one that is blocked otherwise. */
static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct {
		const sigset_t *set;
		size_t size;
	} mask;
	unsigned long ctx = setup(1);
	pthread_t self = pthread_self(), t;
	sigset_t none, block;
	struct event e;

	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, interrupt_main, &self);
	CHECK_ERRNO(get(ctx, 1, 1, &e, NULL), EINTR);
	__atomic_store_n(&was_interrupted, 1, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	sigemptyset(&none);
	mask.set = &none;
	mask.size = 8;
	CHECK_ERRNO(syscall(PGETEVENTS, ctx, 1L, 1L, &e, NULL, &mask), EINTR);
	mask.size = 4;
	CHECK_ERRNO(syscall(PGETEVENTS, ctx, 1L, 1L, &e, NULL, &mask), EINVAL);
	CHECK_ERRNO(syscall(PGETEVENTS, ctx, 1L, 1L, &e, NULL, 8L), EFAULT);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	CHECK_OK(syscall(DESTROY, ctx));
}

static void *waiter(void *result)
{
	struct event e;

	*(long *)result = get(shared_ctx, 1, 1, &e, NULL) == -1 ? -errno : e.res;
	return NULL;
}

/* One thread waits for what another submits. */
static void other_thread(void)
{
	int fds[2];
	struct iocb cb;
	pthread_t t;
	long res = 0;

	CHECK_OK(pipe(fds));
	shared_ctx = setup(4);
	pthread_create(&t, NULL, waiter, &res);
	cb = prepare(PWRITE, fds[1], "abc", 3, 0);
	CHECK_EQ(submit(shared_ctx, &cb), 1);
	pthread_join(t, NULL);
	CHECK_EQ(res, 3);
	CHECK_OK(syscall(DESTROY, shared_ctx));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(reading_and_writing);
	TAP_RUN(undeliverable);
	TAP_RUN(many);
	TAP_RUN(refused);
	TAP_RUN(contexts);
	TAP_RUN(told_by_eventfd);
	TAP_RUN(limits);
	TAP_RUN(interrupted);
	TAP_RUN(other_thread);
	tap_rmdir(dir);
	return tap_done();
}

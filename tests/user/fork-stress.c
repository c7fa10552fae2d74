/* SPDX-License-Identifier: MIT */
/*
 * fork and copy-on-write under load: 1,000 children in batches, each of which sees its parent's
 * memory as it was at its fork, changes it, and changes nobody else's; shared mappings are seen by
 * all; grandchildren; many forks while threads write.
 */
#include "tap.h"
#include <pthread.h>
#include <sys/mman.h>

#define CHILDREN 1000
#define BATCH 20
#define PAGES 16
#define PAGE 4096

static unsigned char *private_area;
static uint32_t *shared_counts;
static unsigned data_word = 1;

static void fill(unsigned char value)
{
	for (int page = 0; page < PAGES; page++)
		private_area[page * PAGE + 17] = value + (unsigned char)page;
}

/* Return 0 when the area holds what fill(@value) wrote. */
static int verify(unsigned char value)
{
	for (int page = 0; page < PAGES; page++)
		if (private_area[page * PAGE + 17] != (unsigned char)(value + page))
			return 1;
	return 0;
}

static void child(unsigned number, unsigned char value)
{
	unsigned local = number;

	if (verify(value) || data_word != number)
		_exit(1);
	fill((unsigned char)(value + 100));
	data_word = ~number;
	__atomic_add_fetch(&shared_counts[number % 64], 1, __ATOMIC_SEQ_CST);
	if (verify((unsigned char)(value + 100)) || local != number)
		_exit(2);
	_exit(3);
}

static void thousand_children(void)
{
	pid_t pids[BATCH];
	uint32_t total = 0;

	for (unsigned n = 0; n < CHILDREN; n += BATCH) {
		for (unsigned i = 0; i < BATCH; i++) {
			unsigned char value = (unsigned char)(n + i);

			fill(value);
			data_word = n + i;
			pids[i] = fork();
			if (pids[i] == 0)
				child(n + i, value);
			REQUIRE(pids[i] > 0);
			if (verify(value) || data_word != n + i)
				CHECK(!"a child changed its parent's memory");
		}
		for (int i = 0; i < BATCH; i++)
			CHECK_EXIT(pids[i], 3);
	}
	for (int i = 0; i < 64; i++)
		total += shared_counts[i];
	CHECK_EQ(total, CHILDREN);
}

/* The child gets the parent's writes made before the fork and none of those made after it. */
static void snapshot(void)
{
	int fds[2];
	pid_t pid;
	char c;

	REQUIRE(pipe(fds) == 0);
	fill(1);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? verify(1) : 9);
	}
	fill(50);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(verify(50), 0);
	close(fds[0]);
	close(fds[1]);
}

static int chain(int depth)
{
	pid_t pid;

	fill((unsigned char)depth);
	if (depth == 8)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(chain(depth + 1));
	if (pid < 0 || tap_wait(pid) != 0)
		return 1;
	return verify((unsigned char)depth);
}

static void generations(void)
{
	CHECK_EQ(chain(0), 0);
}

/* A private mapping of a file: both sides' writes stay their own and do not reach the file. */
static void private_file(void)
{
	char name[] = "/tmp/cow.XXXXXX", c = 0;
	int fd = mkstemp(name);
	char *map;
	pid_t pid;

	REQUIRE(fd >= 0 && write(fd, "abcd", 4) == 4);
	unlink(name);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(map != MAP_FAILED);
	map[0] = 'P';
	pid = fork();
	if (pid == 0) {
		int wrong = map[0] != 'P' || map[1] != 'b';

		map[0] = 'C';
		map[1] = 'C';
		_exit(wrong || map[0] != 'C');
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(map[0], 'P');
	CHECK_EQ(map[1], 'b');
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(c, 'a');
	munmap(map, PAGE);
	close(fd);
}

/* Protection changes and unmapping in the child do not reach the parent. */
static void address_space_is_copied(void)
{
	pid_t pid;

	fill(3);
	pid = fork();
	if (pid == 0) {
		munmap(private_area, PAGES / 2 * PAGE);
		mprotect(private_area + PAGES / 2 * PAGE, PAGE, PROT_NONE);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(verify(3), 0);
	fill(4);
	CHECK_EQ(verify(4), 0);
}

/* The kernel writes through copy-on-write pages too. */
static void kernel_writes(void)
{
	int fds[2];
	pid_t pid;

	REQUIRE(pipe(fds) == 0);
	fill(10);
	pid = fork();
	if (pid == 0) {
		if (write(fds[1], "Z", 1) != 1 || read(fds[0], private_area + 17, 1) != 1)
			_exit(1);
		_exit(private_area[17] == 'Z' ? 0 : 2);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(private_area[17], 10);
	close(fds[0]);
	close(fds[1]);
}

static volatile int stop;

static void *write_all_the_time(void *arg)
{
	unsigned char *page = (unsigned char *)arg;

	for (unsigned value = 0; !stop; value++) {
		*(volatile unsigned *)page = value;
		if (*(volatile unsigned *)page != value) {
			CHECK(!"a thread lost a write over a fork");
			return NULL;
		}
	}
	return NULL;
}

static void fork_while_threads_write(void)
{
	pthread_t threads[3];

	stop = 0;
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, write_all_the_time,
				       private_area + i * PAGE) == 0);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK_EXIT(pid, 0);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	private_area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	shared_counts = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(private_area != MAP_FAILED && shared_counts != MAP_FAILED);
	TAP_RUN(snapshot);
	TAP_RUN(generations);
	TAP_RUN(private_file);
	TAP_RUN(address_space_is_copied);
	TAP_RUN(kernel_writes);
	TAP_RUN(fork_while_threads_write);
	TAP_RUN(thousand_children);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * A disk as a file: sizes, reading and writing through the page cache, mappings, partitions and their table.
 *
 * Needs the scratch disk that tests/guest.py gives the machine: /dev/vda with a GPT, whose second partition is 8 MiB of nothing. Without it
 * the test is skipped, for it overwrites what it finds.
 */
#include "tap.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define DISK  "/dev/vda"
#define PART  "/dev/vda2"
#define SIZE  (8 << 20)
#define BLOCK 4096

static char buf[64 * 1024], want[64 * 1024];
static off_t part_start; /* of PART on DISK, in bytes */

static void pattern(char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(seed * 31 + i * 7 + (i >> 8));
}

static int open_part(int flags)
{
	return (int)CHECK_OK(open(PART, flags));
}

static void sizes(void)
{
	int fd = open_part(O_RDONLY), block = 0, disk;
	uint64_t bytes = 0, whole = 0;
	unsigned long sectors = 0;
	struct stat st;

	CHECK_OK(ioctl(fd, BLKGETSIZE64, &bytes));
	CHECK_EQ(bytes, SIZE);
	CHECK_OK(ioctl(fd, BLKGETSIZE, &sectors));
	CHECK_EQ(sectors, SIZE / 512);
	CHECK_OK(ioctl(fd, BLKSSZGET, &block));
	CHECK_EQ(block, 512);
	CHECK_EQ(lseek(fd, 0, SEEK_END), SIZE);
	CHECK_ERRNO(lseek(fd, 1, SEEK_END), EINVAL);
	CHECK_ERRNO(ioctl(fd, BLKGETSIZE64, 8), EFAULT);
	CHECK_ERRNO(ioctl(fd, 0x1234, 0), ENOTTY);
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISBLK(st.st_mode));
	CHECK_EQ(minor(st.st_rdev), 2);
	disk = (int)CHECK_OK(open(DISK, O_RDONLY));
	CHECK_OK(ioctl(disk, BLKGETSIZE64, &whole));
	CHECK(whole > bytes);
	close(disk);
	close(fd);
}

/* /proc/partitions has both, the disk first, with major, minor, and the size in KiB; /proc/devices has the major number's driver. */
static void listed(void)
{
	FILE *f = fopen("/proc/partitions", "r");
	char line[256], name[64], driver[80];
	unsigned int major_, minor_, seen = 0;
	unsigned long long blocks;
	struct stat st;

	CHECK(f);
	CHECK_OK(stat(PART, &st));
	CHECK(fgets(line, sizeof(line), f) && !strcmp(line, "major minor  #blocks  name\n"));
	CHECK(fgets(line, sizeof(line), f) && !strcmp(line, "\n"));
	while (fgets(line, sizeof(line), f)) {
		char again[256];

		CHECK_EQ(sscanf(line, "%u %u %llu %63s", &major_, &minor_, &blocks, name), 4);
		snprintf(again, sizeof(again), "%4u  %7u %10llu %s\n", major_, minor_, blocks,
			 name);
		CHECK(!strcmp(line, again));
		if (!strcmp(name, "vda"))
			seen |= 1;
		if (!strcmp(name, "vda2")) {
			CHECK_EQ(major_, major(st.st_rdev));
			CHECK_EQ(minor_, minor(st.st_rdev));
			CHECK_EQ(blocks, SIZE / 1024);
			seen = seen == 1 ? 3 : seen;
		}
	}
	fclose(f);
	CHECK_EQ(seen, 3);
	f = fopen("/proc/devices", "r");
	CHECK(f);
	snprintf(driver, sizeof(driver), "%3u virtblk\n", major(st.st_rdev));
	while (fgets(line, sizeof(line), f) && strcmp(line, driver))
		;
	CHECK(!strcmp(line, driver));
	fclose(f);
}

/* What is written through one descriptor is read through another, whatever the pieces. */
static void pieces(void)
{
	static const struct {
		off_t at;
		size_t n;
	} piece[] = { { 0, 1 },	      { 511, 2 },	{ 4095, 2 },
		      { 8192, 4096 }, { 10000, 30000 }, { 65536, 65536 } };
	int fd = open_part(O_RDWR), other = open_part(O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(piece); i++) {
		pattern(want, piece[i].n, (unsigned)i);
		CHECK_EQ(pwrite(fd, want, piece[i].n, piece[i].at), piece[i].n);
		memset(buf, 0, piece[i].n);
		CHECK_EQ(pread(other, buf, piece[i].n, piece[i].at), piece[i].n);
		CHECK(!memcmp(buf, want, piece[i].n));
	}
	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(other));
	close(other);
	close(fd);
}

static void ends(void)
{
	int fd = open_part(O_RDWR);

	CHECK_EQ(pread(fd, buf, 10, SIZE), 0);
	CHECK_EQ(pread(fd, buf, 10, SIZE - 4), 4);
	CHECK_EQ(pwrite(fd, "12345678", 8, SIZE - 4), 4);
	CHECK_ERRNO(pwrite(fd, "x", 1, SIZE), ENOSPC);
	CHECK_EQ(pread(fd, buf, 4, SIZE - 4), 4);
	CHECK(!memcmp(buf, "1234", 4));
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	close(fd);
}

/* After fsync the bytes are on the disk, at the partition's place: the whole disk's own cache reads them from there. */
static void on_the_disk(void)
{
	int fd = open_part(O_RDWR), disk = (int)CHECK_OK(open(DISK, O_RDONLY));
	off_t at = 4 << 20;

	pattern(want, sizeof(want), 77);
	CHECK_EQ(pwrite(fd, want, sizeof(want), at), sizeof(want));
	CHECK_OK(fsync(fd));
	CHECK_EQ(pread(disk, buf, sizeof(buf), part_start + at), sizeof(buf));
	CHECK(!memcmp(buf, want, sizeof(buf)));
	/* and without fsync by O_SYNC */
	close(fd);
	fd = open_part(O_WRONLY | O_SYNC);
	pattern(want, BLOCK, 78);
	at += 1 << 20;
	CHECK_EQ(pwrite(fd, want, BLOCK, at), BLOCK);
	CHECK_EQ(pread(disk, buf, BLOCK, part_start + at), BLOCK);
	CHECK(!memcmp(buf, want, BLOCK));
	close(disk);
	close(fd);
}

/* Stores into a shared mapping reach the disk by msync, again and again, and what write() writes is seen in the mapping. */
static void mapped(void)
{
	int fd = open_part(O_RDWR), disk = (int)CHECK_OK(open(DISK, O_RDONLY));
	off_t at = 6 << 20;
	char *map = mmap(NULL, 16 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at), *mine;

	REQUIRE(map != MAP_FAILED);
	mine = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, at);
	REQUIRE(mine != MAP_FAILED);
	mine[5] = 'p';
	for (int round = 0; round < 3; round++) {
		char *p = map + round * 4 * BLOCK;

		map[5] = (char)('a' + round);
		p[7] = (char)('A' + round);
		CHECK_OK(msync(map, 16 * BLOCK, MS_SYNC));
		CHECK_OK(ioctl(disk, BLKFLSBUF, 0)); /* its own cache forgets */
		CHECK_EQ(pread(disk, buf, BLOCK, part_start + at + round * 4 * BLOCK), BLOCK);
		CHECK_EQ(buf[7], 'A' + round);
	}
	CHECK_EQ(map[5], 'c');
	CHECK_EQ(mine[5], 'p');
	CHECK_EQ(pwrite(fd, "seen", 4, at + BLOCK), 4);
	CHECK(!memcmp(map + BLOCK, "seen", 4));
	CHECK_OK(munmap(mine, BLOCK));
	CHECK_OK(munmap(map, 16 * BLOCK));
	/* Behind the end there is nothing to map. */
	map = mmap(NULL, 2 * BLOCK, PROT_READ, MAP_SHARED, fd, SIZE - BLOCK);
	REQUIRE(map != MAP_FAILED);
	CHECK_EQ(map[BLOCK - 4], '1');
	CHECK_OK(munmap(map, 2 * BLOCK));
	close(disk);
	close(fd);
}

static void claims(void)
{
	int fd = (int)CHECK_OK(open(PART, O_RDONLY | O_EXCL)), other, disk;

	CHECK_ERRNO(open(PART, O_RDONLY | O_EXCL), EBUSY);
	other = open_part(O_RDONLY);
	close(other);
	disk = (int)CHECK_OK(open(DISK, O_RDONLY));
	CHECK_ERRNO(ioctl(disk, BLKRRPART), EBUSY);
	CHECK_ERRNO(ioctl(fd, BLKRRPART), EINVAL);
	close(fd);
	CHECK_OK(ioctl(disk, BLKRRPART));
	fd = (int)CHECK_OK(open(PART, O_RDONLY | O_EXCL));
	close(fd);
	close(disk);
	CHECK_OK(mknod("/dev/no-disk", S_IFBLK | 0600, makedev(254, 13)));
	CHECK_ERRNO(open("/dev/no-disk", O_RDONLY), ENXIO);
	CHECK_OK(unlink("/dev/no-disk"));
}

/* Several processes, each on its own stripes of the same pages. */
static void stripes(void)
{
	enum { WRITERS = 4, ROUNDS = 40, STRIPE = 128 };

	for (int w = 0; w < WRITERS; w++) {
		if (fork() == 0) {
			int fd = open(PART, O_RDWR);
			char mine[STRIPE], got[STRIPE];

			for (int i = 0; i < ROUNDS; i++) {
				off_t at = (2 << 20) + (i * WRITERS + w) * STRIPE;

				pattern(mine, STRIPE, (unsigned)(i * WRITERS + w));
				if (pwrite(fd, mine, STRIPE, at) != STRIPE ||
				    (i % 8 == w && fsync(fd)) ||
				    pread(fd, got, STRIPE, at) != STRIPE ||
				    memcmp(mine, got, STRIPE))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;

		CHECK_OK(wait(&status));
		CHECK_EQ(status, 0);
	}
}

/* The table's entry of the second partition: 128 bytes each from the third sector on. */
static void find_start(void)
{
	int disk = open(DISK, O_RDONLY);
	uint64_t first = 0;

	REQUIRE(disk >= 0);
	CHECK_EQ(pread(disk, &first, 8, 1024 + 128 + 32), 8);
	part_start = (off_t)first * 512;
	close(disk);
}

int main(void)
{
	if (access(PART, R_OK | W_OK) || getuid() != 0)
		SKIP("there is no scratch disk");
	TAP_RUN(find_start);
	TAP_RUN(sizes);
	TAP_RUN(listed);
	TAP_RUN(pieces);
	TAP_RUN(ends);
	TAP_RUN(on_the_disk);
	TAP_RUN(mapped);
	TAP_RUN(claims);
	TAP_RUN(stripes);
	return tap_done();
}

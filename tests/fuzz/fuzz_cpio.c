/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the cpio reader: it ends, stays inside, and says why it refuses.
 */
#include <stdlib.h>

#include <err.h>
#include <lib/cpio.h>
#include <lib/string.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct cpio_reader r;
	struct cpio_entry e;
	size_t before = 0;
	u32 sum = 0;
	int ret;

	cpio_init(&r, data, size);
	while ((ret = cpio_next(&r, &e)) == CPIO_ENTRY) {
		CHECK(r.pos > before && r.pos <= size);
		before = r.pos;
		CHECK(e.name_len > 0 && strlen(e.name) == e.name_len);
		CHECK(e.data >= data && e.data + e.size <= data + size);
		for (size_t i = 0; i < e.size; i++)
			sum += e.data[i];
	}
	/* The sum is only there so that every byte is read. */
	CHECK(sum <= 255 * size);
	if (ret < 0)
		CHECK(ret == -EINVAL && r.why && r.where <= size);
	else if (ret == CPIO_GZIP)
		CHECK(cpio_is_gzip(data + r.pos, size - r.pos));
	else
		CHECK(ret == CPIO_END && r.pos == size);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* See mmc_model.h. Source of the card: SD Physical Layer 6.00, chapters 4 and 5; JESD84-B51. */
#include "mmc_model.h"

#include <hal/timer.h>
#include <hal/upcall.h>
#include <lib/printf.h>
#include <mm/slab.h>
#include <sleep.h>

#define RCA 0x1234u

struct card card;
bool controller_dead;
u64 model_now;
unsigned int model_lines, model_sleeps;
char model_line[256];
void (*model_irq)(void);

/* ---- a controller's status ---- */

struct model_status model_status;

/* A task sleeps for at most as long as it takes for something to happen. */
static void raise_irq(void)
{
	struct model_status *s = &model_status;

	if (controller_dead || !s->pending)
		return;
	model_now = max(model_now, s->due);
	model_arrive();
	if (*s->status & *s->enable) {
		s->interrupts++;
		mmc_status_interrupt(s->driver);
	}
}

void model_status_reset(u32 *status, u32 *enable, struct mmc_status *driver, bool with_irq)
{
	model_status.status = status;
	model_status.enable = enable;
	model_status.driver = driver;
	model_status.pending = 0;
	driver->has_irq = with_irq;
	model_irq = with_irq ? raise_irq : NULL;
}

void model_come(u32 bits)
{
	model_status.pending |= bits;
	model_status.due = model_now + model_status.latency;
}

void model_arrive(void)
{
	if (model_status.pending && model_now >= model_status.due) {
		*model_status.status |= model_status.pending;
		model_status.pending = 0;
	}
}

/* ---- the kernel ---- */

u64 hal_clock_ns(void)
{
	return model_now += 500;
}

void sleep_until_ns(u64 deadline_ns)
{
	model_sleeps++;
	model_now = max(model_now, deadline_ns);
}

void completion_signal(struct completion *c)
{
	c->signalled = true;
}

bool completion_wait(struct completion *c, u64 deadline_ns)
{
	bool was;

	if (model_irq)
		model_irq();
	was = c->signalled;
	if (!was)
		sleep_until_ns(deadline_ns);
	c->signalled = false;
	return was;
}

void cond_resched(void)
{
}

void klog(int level, const char *fmt, ...)
{
	va_list args;

	(void)level;
	if (level > 4)
		return;
	model_lines++;
	va_start(args, fmt);
	vsnprintf(model_line, sizeof(model_line), fmt, args);
	va_end(args);
}

void mutex_init(struct mutex *m)
{
	m->owner = 0;
}

void mutex_lock(struct mutex *m)
{
	assert_int_equal(m->owner, 0);
	m->owner = 1;
}

void mutex_unlock(struct mutex *m)
{
	assert_int_equal(m->owner, 1);
	m->owner = 0;
}

/* What a host has for good: there is one at a time. */
void *kzalloc(size_t size, unsigned int gfp)
{
	static u8 pool[MMC_BLOCK];

	(void)gfp;
	assert_true(size <= sizeof(pool));
	memset(pool, 0, sizeof(pool));
	return pool;
}

void disk_register(struct disk *disk)
{
	(void)disk;
}

/* ---- the card ---- */

static void set_bits(u32 reg[4], unsigned int at, unsigned int n, u32 v)
{
	for (unsigned int i = 0; i < n; i++, at++)
		if (v >> i & 1)
			reg[3 - at / 32] |= 1u << at % 32;
}

void card_csd(u32 csd[4])
{
	memset(csd, 0, 16);
	set_bits(csd, 96, 8, 0x32); /* 25 MHz */
	if (card.kind == CARD_SDHC) {
		set_bits(csd, 126, 2, 1);
		set_bits(csd, 48, 22, CARD_SECTORS / 1024 - 1);
		set_bits(csd, 80, 4, 9);
		return;
	}
	if (card.kind == CARD_EMMC) {
		set_bits(csd, 126, 2, 3);
		set_bits(csd, 122, 4, 4);
		set_bits(csd, 62, 12, 0xfff); /* the size is elsewhere */
		set_bits(csd, 47, 3, 7);
	} else {
		set_bits(csd, 62, 12, CARD_SECTORS / 512 - 1);
		set_bits(csd, 47, 3, 7);
	}
	set_bits(csd, 80, 4, 9);
}

void card_cid(u32 cid[4])
{
	static const char name[] = "MODEL6";
	unsigned int n = card.kind == CARD_EMMC ? 6 : 5;

	memset(cid, 0, 16);
	for (unsigned int i = 0; i < n; i++)
		set_bits(cid, 96 - 8 * i, 8, (u8)name[i]);
}

void card_insert(enum card_kind kind)
{
	memset(&card, 0, offsetof(struct card, data));
	memset(&card.never_ready, 0, sizeof(card) - offsetof(struct card, never_ready));
	card.kind = kind;
	card.width = 1;
	for (u32 i = 0; i < sizeof(card.data); i += 4) {
		u32 v = i * 2654435761u;

		memcpy(card.data + i, &v, 4);
	}
	controller_dead = false;
	model_lines = 0;
	model_sleeps = 0;
	model_line[0] = '\0';
}

static enum card_answer answer_r1(u32 response[4])
{
	response[0] = 4u << 9 | 1u << 8;
	return ANSWER_SHORT;
}

static enum card_answer begin_register(const u8 *p, u32 n, u32 response[4])
{
	memset(card.register_data, 0, sizeof(card.register_data));
	memcpy(card.register_data, p, n);
	card.reg = card.register_data;
	card.reading = true;
	return answer_r1(response);
}

static enum card_answer ready(u32 arg, u32 response[4])
{
	bool high = card.kind != CARD_SDSC && (arg & 1u << 30);

	response[0] = 0x00ff8000;
	if (!card.never_ready && ++card.asked > 2)
		response[0] |= 1u << 31 | (high ? 1u << 30 : 0);
	return ANSWER_SHORT;
}

static enum card_answer app_command(u32 opcode, u32 arg, u32 response[4])
{
	static const u8 scr[8] = { 0x02, 0x05 };

	switch (opcode) {
	case 6:
		card.width = arg == 2 ? 4 : 1;
		return answer_r1(response);
	case 41:
		return ready(arg, response);
	case 51:
		return begin_register(scr, sizeof(scr), response);
	default:
		return ANSWER_NONE;
	}
}

static enum card_answer begin_transfer(u32 opcode, u32 arg, u32 response[4])
{
	card.position = card.kind == CARD_SDSC ? arg / MMC_BLOCK : arg;
	assert_true(card.kind != CARD_SDSC || arg % MMC_BLOCK == 0);
	answer_r1(response);
	if (card.position >= CARD_SECTORS) {
		response[0] |= 1u << 31;
		return ANSWER_SHORT;
	}
	card.reg = NULL;
	card.writing = opcode >= 24;
	card.reading = !card.writing;
	return ANSWER_SHORT;
}

static enum card_answer mmc_only(u32 opcode, u32 arg, u32 response[4])
{
	u8 ext_csd[MMC_BLOCK] = { 0 };

	switch (opcode) {
	case 1:
		return ready(arg, response);
	case 6:
		if (arg >> 16 == (3 << 8 | 183))
			card.width = (arg >> 8 & 0xff) == 2 ? 8 : 4;
		return answer_r1(response);
	default:
		if (!card.selected)
			return ANSWER_NONE;
		ext_csd[213] = CARD_SECTORS >> 8;
		return begin_register(ext_csd, sizeof(ext_csd), response);
	}
}

static enum card_answer run_command(u32 opcode, u32 arg, u32 response[4])
{
	bool app = card.app, sd = card.kind != CARD_EMMC;

	card.app = false;
	if (app && sd)
		return app_command(opcode, arg, response);
	switch (opcode) {
	case 0:
		card.asked = 0;
		card.selected = false;
		return ANSWER_NONE;
	case 1:
	case 6:
		return sd ? ANSWER_NONE : mmc_only(opcode, arg, response);
	case 2:
		card_cid(response);
		return ANSWER_LONG;
	case 3:
		response[0] = sd ? RCA << 16 | 0x500 : 0x500;
		return ANSWER_SHORT;
	case 7:
		card.selected = true;
		return answer_r1(response);
	case 8:
		if (!sd)
			return mmc_only(opcode, arg, response);
		response[0] = (arg & 0xfff) ^ card.odd_voltage;
		return card.kind == CARD_SDHC ? ANSWER_SHORT : ANSWER_NONE;
	case 9:
		card_csd(response);
		return ANSWER_LONG;
	case 12:
		card.reading = false;
		card.writing = false;
		return answer_r1(response);
	case 13:
		answer_r1(response);
		response[0] |= card.error_status;
		if (card.busy && card.busy--)
			response[0] &= ~0xf00u;
		return ANSWER_SHORT;
	case 16:
		return answer_r1(response);
	case 17:
	case 18:
	case 24:
	case 25:
		return begin_transfer(opcode, arg, response);
	case 55:
		card.app = sd;
		return sd ? answer_r1(response) : ANSWER_NONE;
	default:
		return ANSWER_NONE;
	}
}

enum card_answer card_command(u32 opcode, u32 arg, u32 response[4])
{
	enum card_answer a;

	assert_true(opcode < 64);
	card.count[opcode]++;
	memset(response, 0, 16);
	if (card.kind == CARD_NONE || card.silent)
		return ANSWER_NONE;
	a = run_command(opcode, arg, response);
	if (a != ANSWER_NONE && card.bad_responses) {
		card.bad_responses--;
		return ANSWER_BAD_CRC;
	}
	return a;
}

int card_block(bool write, u8 *p, u32 n)
{
	if (card.silent || card.no_response_data || card.kind == CARD_NONE ||
	    (write ? !card.writing : !card.reading))
		return -1;
	if (card.reg) {
		assert_false(write);
		memcpy(p, card.reg, n);
		card.reading = false;
		return 0;
	}
	assert_int_equal(n, MMC_BLOCK);
	if (card.position >= CARD_SECTORS)
		return -1;
	if (card.bad_blocks) {
		card.bad_blocks--;
		if (!write)
			memset(p, 0x5a, n);
		return 1;
	}
	if (write)
		memcpy(card.data + card.position * MMC_BLOCK, p, n);
	else
		memcpy(p, card.data + card.position * MMC_BLOCK, n);
	card.position++;
	return 0;
}

/* ---- cases ---- */

static const struct model_driver *driver;

int model_start(const struct model_driver *d, struct mmc_host **host)
{
	*host = d->fresh();
	assert_int_equal(mmc_host_register(*host), 0);
	return (*host)->disk.ops->start(&(*host)->disk);
}

static int request_error;

static void request_ended(struct disk_request *rq, int error)
{
	(void)rq;
	request_error = error;
}

int model_transfer(struct mmc_host *host, bool write, u64 sector, u8 *buf, u32 n, u32 cut)
{
	struct disk_request rq = { .op = write ? DISK_WRITE : DISK_READ,
				   .sector = sector,
				   .nsectors = n,
				   .done = request_ended };

	for (u32 at = 0; at < n; at += cut)
		rq.segment[rq.nsegments++] =
			(struct disk_segment){ virt_to_phys(buf + at * MMC_BLOCK),
					       min(cut, n - at) * MMC_BLOCK };
	request_error = 1;
	host->disk.ops->submit(&host->disk, &rq);
	assert_int_not_equal(request_error, 1);
	return request_error;
}

static struct mmc_host *start_good(enum card_kind kind)
{
	struct mmc_host *host;

	card_insert(kind);
	assert_int_equal(model_start(driver, &host), 0);
	assert_int_equal(host->disk.nsectors, CARD_SECTORS);
	assert_int_equal(model_lines, 0);
	return host;
}

static void use(struct mmc_host *host)
{
	static u8 out[9 * MMC_BLOCK], in[9 * MMC_BLOCK];
	u64 rng = 12345;

	for (u32 i = 0; i < sizeof(out); i++)
		out[i] = (u8)test_random(&rng);
	for (u32 n = 1; n <= 9; n += 4) {
		u64 sector = 700 + n;

		assert_int_equal(model_transfer(host, false, sector, in, n, 2), 0);
		assert_memory_equal(in, card.data + sector * MMC_BLOCK, n * MMC_BLOCK);
		assert_int_equal(model_transfer(host, true, sector, out, n, 3), 0);
		assert_memory_equal(out, card.data + sector * MMC_BLOCK, n * MMC_BLOCK);
		assert_int_equal(model_transfer(host, false, sector, in, n, 9), 0);
		assert_memory_equal(in, out, n * MMC_BLOCK);
	}
	assert_int_equal(model_transfer(host, false, CARD_SECTORS - 1, in, 1, 1), 0);
	assert_int_equal(model_transfer(host, false, CARD_SECTORS - 1, in, 2, 1), -EIO);
	assert_int_equal(model_transfer(host, true, U64_MAX, in, 2, 1), -EIO);
	if (driver->idle)
		assert_true(driver->idle());
}

static void test_kinds(void **state)
{
	for (enum card_kind kind = CARD_SDSC; kind <= CARD_EMMC; kind++) {
		struct mmc_host *host;

		if (kind == CARD_EMMC && driver->fresh()->spi)
			continue;
		host = start_good(kind);
		assert_int_equal(host->card.block_address, kind != CARD_SDSC);
		assert_string_equal(host->card.product, kind == CARD_EMMC ? "MODEL6" : "MODEL");
		assert_false(host->disk.read_only);
		if (!host->spi && host->max_width > 1)
			assert_true(card.width >= 4);
		use(host);
		assert_int_equal(model_lines, 0);
	}
}

static void test_no_card(void **state)
{
	struct mmc_host *host;
	u64 begin;

	card_insert(CARD_NONE);
	begin = model_now;
	assert_int_equal(model_start(driver, &host), -ENOMEDIUM);
	assert_int_equal(model_lines, 0);
	assert_true(model_now - begin < 2000000000);
}

static void test_never_ready(void **state)
{
	struct mmc_host *host;
	u64 begin;

	card_insert(CARD_SDHC);
	card.never_ready = true;
	begin = model_now;
	assert_int_equal(model_start(driver, &host), -EIO);
	assert_int_equal(model_lines, 1);
	assert_non_null(strstr(model_line, "does not get ready"));
	assert_true(model_now - begin < 3000000000);
}

/* One that dies in the middle: its answers stop after the first few. */
static void test_dies(void **state)
{
	struct mmc_host *host = start_good(CARD_SDHC);
	u8 buf[MMC_BLOCK];
	u64 begin = model_now;

	card.silent = true;
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 2);
	assert_non_null(strstr(model_line, "ETIMEDOUT"));
	assert_true(model_now - begin < 10000000000);
	card.silent = false; /* and comes back: the controller is still of use */
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), 0);
}

static void test_no_data(void **state)
{
	struct mmc_host *host = start_good(CARD_SDHC);
	static u8 buf[4 * MMC_BLOCK];
	u64 begin = model_now;

	card.no_response_data = true;
	assert_int_equal(model_transfer(host, false, 1, buf, 4, 4), -EIO);
	assert_int_equal(model_transfer(host, true, 1, buf, 4, 4), -EIO);
	assert_int_equal(model_lines, 2);
	assert_true(model_now - begin < 20000000000);
	card.no_response_data = false;
	use(host);
}

static void test_crc(void **state)
{
	struct mmc_host *host = start_good(CARD_SDHC);
	static u8 buf[4 * MMC_BLOCK];

	card.bad_blocks = 2;
	assert_int_equal(model_transfer(host, false, 1, buf, 4, 4), 0);
	assert_memory_equal(buf, card.data + MMC_BLOCK, sizeof(buf));
	card.bad_blocks = 2;
	memset(buf, 0x11, sizeof(buf));
	assert_int_equal(model_transfer(host, true, 1, buf, 4, 4), 0);
	assert_memory_equal(buf, card.data + MMC_BLOCK, sizeof(buf));
	assert_int_equal(model_lines, 0);
	card.bad_blocks = 1000;
	assert_int_equal(model_transfer(host, false, 1, buf, 4, 4), -EIO);
	assert_int_equal(model_lines, 1);
	assert_non_null(strstr(model_line, "EILSEQ"));
	card.bad_blocks = 0;
	use(host);
}

static void test_crc_of_response(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK];

	card_insert(CARD_SDHC);
	card.bad_responses = 2;
	assert_int_equal(model_start(driver, &host), 0);
	card.bad_responses = 1;
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), 0);
	assert_memory_equal(buf, card.data + MMC_BLOCK, sizeof(buf));
	assert_int_equal(model_lines, 0);
}

static void test_dead_controller(void **state)
{
	struct mmc_host *host;
	u64 begin;
	u8 buf[MMC_BLOCK];

	host = start_good(CARD_SDHC);
	controller_dead = true;
	begin = model_now;
	for (int i = 0; i < 20; i++)
		assert_int_equal(model_transfer(host, i & 1, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 1);
	assert_non_null(strstr(model_line, "given up"));
	assert_true(model_now - begin < 2000000000);
	/* From the beginning. */
	card_insert(CARD_SDHC);
	host = driver->fresh();
	assert_int_equal(mmc_host_register(host), 0);
	controller_dead = true;
	begin = model_now;
	assert_int_equal(host->disk.ops->start(&host->disk), -EIO);
	assert_int_equal(model_lines, 1);
	assert_true(model_now - begin < 2000000000);
	controller_dead = false;
}

void model_late_transfer(const struct model_driver *d, bool with_irq, u8 fill)
{
	static u8 buf[8 * MMC_BLOCK];
	struct mmc_host *host;

	model_status.latency = 300000;
	model_status.interrupts = 0;
	assert_int_equal(model_start(d, &host), 0);
	assert_int_equal(host->disk.nsectors, CARD_SECTORS);
	model_sleeps = 0;
	assert_int_equal(model_transfer(host, false, 3, buf, 8, 3), 0);
	assert_memory_equal(buf, card.data + 3 * MMC_BLOCK, sizeof(buf));
	memset(buf, fill, sizeof(buf));
	assert_int_equal(model_transfer(host, true, 3, buf, 8, 3), 0);
	assert_memory_equal(buf, card.data + 3 * MMC_BLOCK, sizeof(buf));
	assert_true(with_irq ? model_status.interrupts > 8 : model_sleeps > 8);
	assert_true(with_irq || !model_status.interrupts);
	assert_int_equal(*model_status.enable, 0);
	model_status.latency = 0;
}

int model_main(const struct model_driver *d, const struct CMUnitTest *more, size_t n)
{
	const struct CMUnitTest common[] = {
		cmocka_unit_test(test_kinds),		cmocka_unit_test(test_no_card),
		cmocka_unit_test(test_never_ready),	cmocka_unit_test(test_dies),
		cmocka_unit_test(test_no_data),		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_crc_of_response), cmocka_unit_test(test_dead_controller),
	};
	struct CMUnitTest all[ARRAY_SIZE(common) + 32];

	driver = d;
	if (n > 32)
		abort();
	memcpy(all, common, sizeof(common));
	if (n)
		memcpy(all + ARRAY_SIZE(common), more, n * sizeof(*more));
	return _cmocka_run_group_tests("mmc", all, ARRAY_SIZE(common) + n, NULL, NULL);
}

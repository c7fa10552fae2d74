/* SPDX-License-Identifier: MIT */
/* The packed count of workers: limits, and that threads which join, work and leave at the same time keep to them. */
#include "test_lib.h"

#include <pthread.h>

#include <kernel/defer_count.h>

#define MAX	5u
#define MIN	1u
#define THREADS 8
#define ROUNDS	20000

static u32 shared;

static void test_limits(void **state)
{
	u32 c = 0;

	(void)state;
	assert_true(defer_all_busy(c));
	assert_false(defer_count_leave(&c, 0));
	for (unsigned int i = 1; i <= MAX; i++) {
		assert_true(defer_count_join(&c, MAX));
		assert_int_equal(defer_total(c), i);
		assert_int_equal(defer_busy(c), 0);
		assert_false(defer_all_busy(c));
	}
	assert_false(defer_count_join(&c, MAX));
	for (unsigned int i = 1; i <= MAX; i++) {
		assert_int_equal(defer_busy(defer_count_begin(&c)), i);
		assert_int_equal(defer_all_busy(c), i == MAX);
	}
	for (unsigned int i = 0; i < MAX; i++)
		defer_count_end(&c);
	for (unsigned int i = MAX; i > MIN; i--)
		assert_true(defer_count_leave(&c, MIN));
	assert_false(defer_count_leave(&c, MIN));
	assert_int_equal(c, DEFER_ONE_WORKER);
}

/* Each thread is a worker that comes, is busy, and goes. */
static void *come_and_go(void *wrong)
{
	for (int i = 0; i < ROUNDS; i++) {
		u32 now;

		if (!defer_count_join(&shared, MAX))
			continue;
		now = defer_count_begin(&shared);
		if (defer_total(now) > MAX || defer_busy(now) > defer_total(now))
			__atomic_fetch_add((u32 *)wrong, 1, __ATOMIC_SEQ_CST);
		defer_count_end(&shared);
		if (!defer_count_leave(&shared, 0))
			__atomic_fetch_add((u32 *)wrong, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	u32 wrong = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &wrong), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(shared, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

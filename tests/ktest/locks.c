/* SPDX-License-Identifier: MIT */
/* Locks under contention: what they guard is never seen in between, and nobody is forgotten. */
#include <kernel/sched.h>
#include <kernel/wait.h>
#include <lock.h>

#include "ktest.h"

#define THREADS 8

static struct spinlock spin = SPINLOCK_INIT(RANK_ANY);
static struct mutex mutex;
static struct rwsem sem;
static u64 a, b;

static void spin_worker(unsigned int self)
{
	(void)self;
	for (unsigned int i = 0; i < 5000; i++) {
		spin_lock(&spin);
		EXPECT(a == b);
		a++;
		barrier();
		b++;
		spin_unlock(&spin);
		if (i % 64 == 0)
			cond_resched();
	}
}

static void test_spinlock(void)
{
	a = b = 0;
	ktest_parallel(THREADS, spin_worker, true);
	EXPECT(a == THREADS * 5000 && b == a);
}

static void mutex_worker(unsigned int self)
{
	for (unsigned int i = 0; i < 500; i++) {
		if (i % 8 == 7 && !mutex_trylock(&mutex))
			mutex_lock(&mutex);
		else if (i % 8 != 7)
			mutex_lock(&mutex);
		EXPECT((mutex.owner & ~MUTEX_WAITERS) == (unsigned long)current);
		EXPECT(a == b);
		a++;
		/* Others find it taken by one who is not running. */
		if ((i + self) % 16 == 0)
			sched_yield_current();
		b++;
		mutex_unlock(&mutex);
		cond_resched();
	}
}

static void test_mutex(void)
{
	a = b = 0;
	mutex_init(&mutex);
	ktest_parallel(THREADS, mutex_worker, true);
	EXPECT(a == THREADS * 500 && b == a);
	EXPECT(!mutex_is_locked(&mutex) && mutex_trylock(&mutex));
	EXPECT(!mutex_trylock(&mutex));
	mutex_unlock(&mutex);
}

static u32 readers;

static void rwsem_worker(unsigned int self)
{
	for (unsigned int i = 0; i < 500; i++) {
		if ((i + self) % 8 == 0) {
			rwsem_down_write(&sem);
			EXPECT(__atomic_load_n(&readers, __ATOMIC_SEQ_CST) == 0 && a == b);
			a++;
			if (i % 16 == 0)
				sched_yield_current();
			b++;
			if (i % 3 == 0) {
				rwsem_downgrade(&sem);
				EXPECT(a == b);
				rwsem_up_read(&sem);
			} else {
				rwsem_up_write(&sem);
			}
			continue;
		}
		rwsem_down_read(&sem);
		__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
		EXPECT(a == b);
		if (i % 32 == 0)
			sched_yield_current();
		__atomic_fetch_sub(&readers, 1, __ATOMIC_SEQ_CST);
		rwsem_up_read(&sem);
		cond_resched();
	}
}

/* Each leaves when the other has come. */
static void reader_pair(unsigned int self)
{
	rwsem_down_read(&sem);
	__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&readers, __ATOMIC_SEQ_CST) < 2)
		sched_yield_current();
	rwsem_up_read(&sem);
}

static void test_rwsem(void)
{
	a = b = 0;
	readers = 0;
	rwsem_init(&sem);
	ktest_parallel(THREADS, rwsem_worker, true);
	EXPECT(a == THREADS * 500 / 8 && b == a);
	ktest_parallel(2, reader_pair, false);
	EXPECT(sem.count == 0 && sem.waiting == 0);
}

const struct ktest ktest_locks[] = {
	{ "spinlock", test_spinlock, false },
	{ "mutex", test_mutex, false },
	{ "rwsem", test_rwsem, false },
	KTEST_END,
};

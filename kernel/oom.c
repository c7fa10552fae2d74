/* SPDX-License-Identifier: MIT */
/*
 * Out of memory. What fails in a system call is the call's error; a page fault has no other way than to make room. The process
 * with most resident pages is killed, oom_score_adj weighing for or against it; process 1 is only killed by its own fault. While a victim is on its way out nobody else is
 * killed, for at most VICTIM_NS.
 *
 * Locking: oom_lock for the victim; tasklist_lock, inside nothing, for looking at a process.
 * Source: Linux Documentation/filesystems/proc.rst (oom_score_adj), proc_pid_oom_score(5).
 */
#include <hal/timer.h>
#include <kernel/oom.h>
#include <kernel/printk.h>
#include <kernel/signal.h>
#include <kernel/task.h>
#include <mm/page.h>
#include <mm/vm.h>

#define VICTIM_NS (5ULL * 1000 * 1000 * 1000)
#define PAUSE_NS  (10ULL * 1000 * 1000)

static struct mutex oom_lock = MUTEX_INIT(oom_lock);
static pid_t victim;
static u64 victim_until_ns;

static struct vm *process_vm_get(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct vm *vm = NULL;
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_link) {
		vm = task_vm_get(t);
		if (vm)
			break;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return vm;
}

/* Pages that its end would free, and what its adjustment adds. Return: false: has no memory of its own. */
static bool badness(struct process *p, u64 total, s64 *points)
{
	struct vm *vm = process_vm_get(p);

	if (!vm)
		return false;
	*points = (s64)(READ_ONCE(vm->rss_anon) + READ_ONCE(vm->rss_file)) +
		  READ_ONCE(p->oom_adj) * ((s64)total / 1000);
	vm_put(vm);
	return true;
}

static u64 total_pages(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	return st.total;
}

unsigned int oom_score(struct process *p)
{
	u64 total = total_pages();
	s64 points;

	if (READ_ONCE(p->oom_adj) == OOM_ADJ_MIN || !badness(p, total, &points))
		return 0;
	points = (1000 + points * 1000 / (s64)total) * 2 / 3;
	return points > 0 ? (unsigned int)points : 0;
}

/* The process to kill, with a reference; NULL: there is none but process 1. */
static struct process *choose(void)
{
	struct process *best = NULL;
	u64 total = total_pages();
	s64 most = S64_MIN, points;

	for (pid_t nr = 2; (nr = pid_next(nr)) != 0; nr++) {
		struct process *p = process_find_get(nr);

		if (!p)
			continue;
		if (READ_ONCE(p->oom_adj) != OOM_ADJ_MIN && !READ_ONCE(p->group_exit) &&
		    badness(p, total, &points) && points > most) {
			if (best)
				process_put(best);
			best = p;
			most = points;
		} else {
			process_put(p);
		}
	}
	return best;
}

static bool victim_leaves(void)
{
	struct process *p = victim ? process_find_get(victim) : NULL;
	struct vm *vm = p ? process_vm_get(p) : NULL;
	bool r = vm && hal_clock_ns() < victim_until_ns;

	if (vm)
		vm_put(vm);
	if (p)
		process_put(p);
	return r;
}

/* Return: false: nobody but current's process can be killed. */
static bool kill_one(void)
{
	struct process *p = choose();
	bool own = !p || p == current->process;

	if (!own) {
		victim = p->pid->nr;
		victim_until_ns = hal_clock_ns() + VICTIM_NS;
		pr_err("out of memory: killing %s (pid %d)\n", p->leader->comm, victim);
		(void)sig_send_process(p, SIGKILL, NULL);
	}
	if (p)
		process_put(p);
	return !own;
}

bool oom_relief(void)
{
	bool hope;

	if (READ_ONCE(current->process->group_exit))
		return false;
	mutex_lock(&oom_lock);
	hope = victim_leaves() ? victim != task_pid(current) : kill_one();
	mutex_unlock(&oom_lock);
	if (hope) {
		task_prepare_sleep(TASK_KILLABLE);
		if (sleep_interrupted(TASK_KILLABLE))
			task_finish_sleep();
		else
			(void)schedule_until(hal_clock_ns() + PAUSE_NS);
	}
	return hope;
}

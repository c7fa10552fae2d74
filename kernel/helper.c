/* SPDX-License-Identifier: MIT */
/*
 * Programs that the kernel itself starts: helper_start().
 *
 * The new process begins as a kernel thread, which opens what the program is to find open, loads it, and from then on is an ordinary
 * user task. Who asked for it sleeps until the program is loaded, or cannot be. What both look at is counted: the
 * one who asked may be gone before the other has finished waking it.
 *
 * Source: core(5) on what such a program may count on.
 */
#include <kernel/files.h>
#include <kernel/helper.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <mm/slab.h>

struct helper {
	refcount_t refs;
	char *const *argv;
	struct file *input;
	struct waitq wait;
	int result;
	bool done;
};

static void helper_put(struct helper *h)
{
	if (refcount_dec_and_test(&h->refs))
		kfree(h);
}

static int helper_exec(struct helper *h)
{
	static char *const no_env[] = { NULL };
	struct exec_args args = { .filename = h->argv[0],
				  .argv = (uaddr_t)h->argv,
				  .envp = (uaddr_t)no_env,
				  .kernel = true };
	int r = files_helper_input(h->input);

	if (r)
		return r;
	args.file = exec_open(h->argv[0]);
	if (IS_ERR(args.file))
		return PTR_ERR(args.file);
	r = do_exec(&args);
	exec_close(args.file);
	return r;
}

static void helper_main(void *arg)
{
	struct helper *h = arg;
	int r = helper_exec(h);

	h->result = r;
	WRITE_ONCE(h->done, true);
	waitq_wake_all(&h->wait);
	helper_put(h);
	if (r)
		do_group_exit(0);
	user_task_loop(current);
}

int helper_start(char *const *argv, struct file *input)
{
	struct helper *h = kzalloc(sizeof(*h), 0);
	int r;

	if (!h) {
		files_helper_drop(input);
		return -ENOMEM;
	}
	refcount_set(&h->refs, 2);
	h->argv = argv;
	h->input = input;
	waitq_init(&h->wait);
	r = helper_task_start(helper_main, h);
	if (r) {
		files_helper_drop(input);
		kfree(h);
		return r;
	}
	wait_event(&h->wait, READ_ONCE(h->done));
	r = h->result;
	helper_put(h);
	return r;
}

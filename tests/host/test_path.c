/* SPDX-License-Identifier: MIT */
/*
 * Path resolution and names on tmpfs. Random operations are made on Caelum's file system and on a tmpfs of the Linux that
 * runs this test, and must give the same results, errno by errno. Without root rights, or without a tmpfs, only Caelum's side
 * runs, with its own checks.
 */
#include "test_lib.h"

#include <fs/internal.h>
#include <lib/string.h>
#include <uapi/fcntl.h>
#include <uapi/stat.h>

#include "kernel_stubs.h"
#include "path_ops.h"

static bool linux_side;

static int setup(void **state)
{
	(void)state;
	path_ops_init();
	linux_side = !linux_ops_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (linux_side)
		linux_ops_fini();
	return 0;
}

static long do_op(enum path_op_kind kind, const char *a, const char *b, struct path_result *out)
{
	static struct path_op op;
	static struct path_result r;

	op.kind = kind;
	op.flags = 0;
	op.size = 100;
	strscpy(op.a, a, sizeof(op.a));
	strscpy(op.b, b ? b : "", sizeof(op.b));
	path_ops_run(&op, out ? out : &r);
	return out ? out->ret : r.ret;
}

static void test_basic(void **state)
{
	static struct path_result r;

	(void)state;
	assert_int_equal(do_op(OP_MKDIR, "/a", NULL, NULL), 0);
	assert_int_equal(do_op(OP_MKDIR, "/a", NULL, NULL), -EEXIST);
	assert_int_equal(do_op(OP_MKDIR, "/a/b/c", NULL, NULL), -ENOENT);
	assert_int_equal(do_op(OP_SYMLINK, "/a/loop", "loop", NULL), 0);
	assert_int_equal(do_op(OP_STAT, "/a/loop", NULL, NULL), -ELOOP);
	assert_int_equal(do_op(OP_LSTAT, "/a/loop", NULL, &r), 0);
	assert_int_equal(r.size, 4);
	assert_int_equal(do_op(OP_CHDIR, "a", NULL, NULL), 0);
	assert_int_equal(do_op(OP_MKDIR, "b", NULL, NULL), 0);
	assert_int_equal(do_op(OP_CHDIR, "b", NULL, NULL), 0);
	assert_int_equal(do_op(OP_RENAME, "/a", "/x", NULL), 0);
	assert_int_equal(do_op(OP_GETCWD, "", NULL, &r), 0);
	assert_string_equal(r.text, "/x/b");
	assert_int_equal(do_op(OP_RENAME, "/x", "/x/b/y", NULL), -EINVAL);
	assert_int_equal(do_op(OP_RMDIR, "/x", NULL, NULL), -ENOTEMPTY);
	assert_int_equal(do_op(OP_RMDIR, "/x/b", NULL, NULL), 0);
	assert_int_equal(do_op(OP_GETCWD, "", NULL, NULL), -ENOENT);
	assert_int_equal(do_op(OP_MKDIR, "z", NULL, NULL), -ENOENT);
	path_ops_clear();
	assert_int_equal(path_ops_leaks(), 0);
}

static bool quick_is_good(const struct path *p, u64 seen)
{
	bool good;

	reader_begin();
	good = path_get_quick(p, seen);
	if (good)
		path_put(p);
	return good;
}

static struct dentry *quick_find(struct dentry *dir, u64 seen)
{
	struct dentry *d;

	reader_begin();
	d = d_lookup_quick(dir, "name", 4, seen);
	reader_end();
	return d;
}

/* What a walk without references found is good until a name or a mount moves, or what it found has ended. */
static void test_quick_walk(void **state)
{
	struct path p;
	u64 seen;

	(void)state;
	assert_int_equal(do_op(OP_MKDIR, "/a", NULL, NULL), 0);
	assert_int_equal(do_op(OP_MKDIR, "/a/name", NULL, NULL), 0);
	assert_int_equal(path_lookup(AT_FDCWD, "/a/name", 0, &p), 0);
	seen = tree_changes_read();
	assert_int_equal(seen & TREE_CHANGING, 0);
	assert_int_equal(do_op(OP_MKDIR, "/a/other", NULL, NULL), 0);
	assert_true(quick_is_good(&p, seen));
	assert_ptr_equal(quick_find(p.dentry->parent, seen), p.dentry);
	assert_int_equal(do_op(OP_RENAME, "/a/other", "/b", NULL), 0);
	assert_false(quick_is_good(&p, seen));
	assert_null(quick_find(p.dentry->parent, seen));
	seen = tree_changes_read();
	assert_true(quick_is_good(&p, seen));
	assert_ptr_equal(quick_find(p.dentry->parent, seen), p.dentry);
	tree_change_begin(&tree_changes.mounts);
	assert_false(quick_is_good(&p, seen));
	assert_int_not_equal(tree_changes_read() & TREE_CHANGING, 0);
	tree_change_end(&tree_changes.mounts);
	assert_false(quick_is_good(&p, seen));
	assert_int_equal(do_op(OP_RMDIR, "/a/name", NULL, NULL), 0);
	assert_null(quick_find(p.dentry->parent, tree_changes_read()));
	path_put(&p);
	path_ops_clear();
	assert_int_equal(path_ops_leaks(), 0);
}

static void show(const struct path_op *op, const struct path_result *k, const struct path_result *l)
{
	print_message("%s(\"%.60s\", \"%.60s\") flags %u: Caelum %ld mode %o nlink %u size %llu "
		      "\"%.40s\", Linux %ld mode %o nlink %u "
		      "size %llu \"%.40s\"\n",
		      path_op_name(op->kind), op->a, op->b, op->flags, k->ret, k->mode, k->nlink,
		      k->size, k->text, l->ret, l->mode, l->nlink, l->size, l->text);
}

/* Both refuse, and more than one thing is wrong: which is said first is nobody's business. */
static bool either_will_do(const struct path_op *op, const struct path_result *k,
			   const struct path_result *l)
{
	bool two = op->kind == OP_LINK || op->kind == OP_RENAME || op->kind == OP_SYMLINK;

	if (k->ret >= 0 || l->ret >= 0)
		return false;
	if (k->ret == -ELOOP || l->ret == -ELOOP)
		return true;
	if (op->kind == OP_OPEN2)
		return k->ret == -EXDEV || l->ret == -EXDEV;
	return two && (!*op->a || !*op->b || strlen(op->a) > 4000 || strlen(op->b) > 4000);
}

static void test_as_linux(void **state)
{
	static struct path_op op;
	static struct path_result k, l;
	unsigned int different = 0;
	u64 rng = 0x2545f4914f6cdd1dULL;

	(void)state;
	if (!linux_side)
		print_message("no root rights or no tmpfs: Caelum's side alone\n");
	for (unsigned int round = 0; round < 400; round++) {
		unsigned char bytes[1200];
		const unsigned char *pos = bytes;
		size_t left = sizeof(bytes);

		for (size_t i = 0; i < sizeof(bytes); i++) {
			u64 x = test_random(&rng);

			/* Long names and long paths are rare. */
			bytes[i] = (u8)(x >> 8) >= 0xf8 && (x & 15) ? (u8)(x >> 16) & 0x7f
								    : (u8)(x >> 8);
		}
		while (path_op_decode(&pos, &left, &op)) {
			path_ops_run(&op, &k);
			if (!linux_side)
				continue;
			linux_ops_run(&op, &l);
			if (!either_will_do(&op, &k, &l) &&
			    (k.ret != l.ret || k.mode != l.mode || k.nlink != l.nlink ||
			     k.size != l.size || strcmp(k.text, l.text))) {
				show(&op, &k, &l);
				different++;
			}
			if (different >= 10)
				break;
		}
		path_ops_clear();
		if (linux_side)
			linux_ops_clear();
		assert_int_equal(path_ops_leaks(), 0);
		assert_true(different < 10);
	}
	assert_int_equal(different, 0);
}

/* Every allocation fails once: nothing leaks, and the tree can still be removed. */
static void test_out_of_memory(void **state)
{
	static struct path_op op;
	static struct path_result r;
	u64 rng = 77;

	(void)state;
	for (unsigned int n = 0; n < 1500; n++) {
		unsigned char bytes[200];
		const unsigned char *pos = bytes;
		size_t left = sizeof(bytes);

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (u8)test_random(&rng) % 0xf8;
		if (n % 2)
			stubs_fail_at(n / 8);
		else
			stubs_fail_one(n / 8);
		while (path_op_decode(&pos, &left, &op))
			path_ops_run(&op, &r);
		stubs_fail_never();
		path_ops_clear();
		assert_int_equal(path_ops_leaks(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_quick_walk),
		cmocka_unit_test(test_as_linux),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: MIT */
/*
 * User access: range checks around uaccess_asm.S, and single words.
 * Contracts and context: <hal/paging.h>.
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/extable.h>
#include <hal/paging.h>

size_t riscv64_user_copy(void *dst, const void *src, size_t n);
size_t riscv64_user_copy_v(void *dst, const void *src, size_t n);
size_t riscv64_user_clear(void *dst, size_t n);
long riscv64_user_strncpy(char *dst, const char *src, size_t n);

static __always_inline bool range_ok(uaddr_t addr, size_t n)
{
	return n <= USER_END && addr <= USER_END - n;
}

/* From here on vectors are shorter, although the program's must be saved and loaded again. */
#define VECTOR_MIN 512

static size_t copy_by_vectors(void *dst, const void *src, size_t n)
{
	size_t left;

	riscv64_v_borrow();
	left = riscv64_user_copy_v(dst, src, n);
	riscv64_v_give_back();
	return left;
}

/* Where a page is not there, one page by words, which may wait for it. */
static __noinline size_t copy_long(void *dst, const void *src, size_t n)
{
	while (n >= VECTOR_MIN) {
		size_t left = copy_by_vectors(dst, src, n), done = n - left, piece;

		if (!left)
			return 0;
		piece = min(left, (size_t)PAGE_SIZE);
		left = riscv64_user_copy((char *)dst + done, (const char *)src + done, piece);
		done += piece - left;
		if (left)
			return n - done;
		dst = (char *)dst + done;
		src = (const char *)src + done;
		n -= done;
	}
	return riscv64_user_copy(dst, src, n);
}

static __always_inline size_t copy(void *dst, const void *src, size_t n)
{
	if (n >= VECTOR_MIN && riscv64_vlenb)
		return copy_long(dst, src, n);
	return riscv64_user_copy(dst, src, n);
}

size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n)
{
	return likely(range_ok(src, n)) ? copy(dst, (const void *)src, n) : n;
}

size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return likely(range_ok(dst, n)) ? copy((void *)dst, src, n) : n;
}

size_t hal_clear_user(uaddr_t dst, size_t n)
{
	return likely(range_ok(dst, n)) ? riscv64_user_clear((void *)dst, n) : n;
}

long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	size_t room;
	long len;

	if (src >= USER_END)
		return -EFAULT;
	room = min(n, (size_t)(USER_END - src));
	len = riscv64_user_strncpy(dst, (const char *)src, room);
	/* No NUL before the end of user addresses: the next byte would have faulted. */
	return len == (long)room && room < n ? -EFAULT : len;
}

#define USER_LOAD(insn, val, addr, err)                                                            \
	__asm__ __volatile__("	csrs sstatus, %3\n"                                                \
			     "1:	" insn " %1, (%2)\n"                                               \
			     "2:	csrc sstatus, %3\n"                                                \
			     ".subsection 1\n"                                                     \
			     "3:	li %0, %4\n"                                                       \
			     "	li %1, 0\n"                                                        \
			     "	j 2b\n"                                                            \
			     ".previous\n" __EXTABLE("1b", "3b")                                   \
			     : "+r"(err), "=&r"(val)                                               \
			     : "r"(addr), "r"(SR_SUM), "i"(-EFAULT)                                \
			     : "memory")

#define USER_STORE(insn, val, addr, err)                                                           \
	__asm__ __volatile__("	csrs sstatus, %3\n"                                                \
			     "1:	" insn " %1, (%2)\n"                                               \
			     "2:	csrc sstatus, %3\n"                                                \
			     ".subsection 1\n"                                                     \
			     "3:	li %0, %4\n"                                                       \
			     "	j 2b\n"                                                            \
			     ".previous\n" __EXTABLE("1b", "3b")                                   \
			     : "+r"(err)                                                           \
			     : "r"(val), "r"(addr), "r"(SR_SUM), "i"(-EFAULT)                      \
			     : "memory")

int hal_get_user32(u32 *val, uaddr_t src)
{
	unsigned long v;
	int err = 0;

	if (unlikely(!range_ok(src, 4)))
		return -EFAULT;
	USER_LOAD("lwu", v, src, err);
	*val = (u32)v;
	return err;
}

int hal_get_user64(u64 *val, uaddr_t src)
{
	unsigned long v;
	int err = 0;

	if (unlikely(!range_ok(src, 8)))
		return -EFAULT;
	USER_LOAD("ld", v, src, err);
	*val = v;
	return err;
}

int hal_put_user32(uaddr_t dst, u32 val)
{
	int err = 0;

	if (unlikely(!range_ok(dst, 4)))
		return -EFAULT;
	USER_STORE("sw", val, dst, err);
	return err;
}

int hal_put_user64(uaddr_t dst, u64 val)
{
	int err = 0;

	if (unlikely(!range_ok(dst, 8)))
		return -EFAULT;
	USER_STORE("sd", val, dst, err);
	return err;
}

int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old)
{
	unsigned long seen = 0, fail;
	int err = 0;

	if (unlikely(!range_ok(addr, 4) || (addr & 3)))
		return -EFAULT;
	__asm__ __volatile__("	csrs sstatus, %6\n"
			     "1:	lr.w.aqrl %1, (%3)\n"
			     "	bne %1, %4, 3f\n"
			     "2:	sc.w.aqrl %2, %5, (%3)\n"
			     "	bnez %2, 1b\n"
			     "3:	csrc sstatus, %6\n"
			     ".subsection 1\n"
			     "4:	li %0, %7\n"
			     "	j 3b\n"
			     ".previous\n" __EXTABLE("1b", "4b") __EXTABLE("2b", "4b")
			     : "+r"(err), "+&r"(seen), "=&r"(fail)
			     : "r"(addr), "r"((long)(s32)expected), "r"(desired), "r"(SR_SUM),
			       "i"(-EFAULT)
			     : "memory");
	*old = (u32)seen;
	return err;
}

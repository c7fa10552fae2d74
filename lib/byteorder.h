/* SPDX-License-Identifier: MIT */
/*
 * Numbers in files and on wires: little endian, big endian, not aligned.
 *
 * Types __le32, __be32 and so on only document what a structure holds. get_ and put_ work at any
 * address. Every Caelum machine is little endian; this is asserted here, once.
 */
#ifndef LIB_BYTEORDER_H
#define LIB_BYTEORDER_H

#include <compiler.h>
#include <types.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Caelum is little endian only");

#ifndef CAELUM_HOST
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;
typedef u16 __be16;
typedef u32 __be32;
typedef u64 __be64;
#else
#include <linux/types.h>
#endif

#define swab16(x)	__builtin_bswap16(x)
#define swab32(x)	__builtin_bswap32(x)
#define swab64(x)	__builtin_bswap64(x)

#define cpu_to_le16(x)	((u16)(x))
#define cpu_to_le32(x)	((u32)(x))
#define cpu_to_le64(x)	((u64)(x))
#define le16_to_cpu(x)	((u16)(x))
#define le32_to_cpu(x)	((u32)(x))
#define le64_to_cpu(x)	((u64)(x))
#define cpu_to_be16(x)	((u16)swab16(x))
#define cpu_to_be32(x)	((u32)swab32(x))
#define cpu_to_be64(x)	((u64)swab64(x))
#define be16_to_cpu(x)	((u16)swab16(x))
#define be32_to_cpu(x)	((u32)swab32(x))
#define be64_to_cpu(x)	((u64)swab64(x))

#define __DEFINE_UNALIGNED(bits)							\
struct __unaligned_u##bits {								\
	u##bits v;									\
} __packed __attribute__((__may_alias__));						\
static __always_inline u##bits get_le##bits(const void *p)				\
{											\
	return ((const struct __unaligned_u##bits *)p)->v;				\
}											\
static __always_inline u##bits get_be##bits(const void *p)				\
{											\
	return swab##bits(get_le##bits(p));						\
}											\
static __always_inline void put_le##bits(void *p, u##bits v)				\
{											\
	((struct __unaligned_u##bits *)p)->v = v;					\
}											\
static __always_inline void put_be##bits(void *p, u##bits v)				\
{											\
	put_le##bits(p, swab##bits(v));							\
}

__DEFINE_UNALIGNED(16)
__DEFINE_UNALIGNED(32)
__DEFINE_UNALIGNED(64)

#endif /* LIB_BYTEORDER_H */

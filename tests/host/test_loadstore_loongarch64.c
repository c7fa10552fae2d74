/* SPDX-License-Identifier: MIT */
/* Loads and stores of loongarch64: every form, vectors' too, and what is none. The instruction words come from an assembler. */
#include "loadstore.h"

static const struct expectation expected[] = {
	{ 0x2c000481, 16, false, false, FILE_VECTOR, 1, 4, 0, 0 },  /* vld */
	{ 0x2c7ffc82, 16, true, false, FILE_VECTOR, 2, 4, 0, 0 },   /* vst */
	{ 0x2c800483, 32, false, false, FILE_VECTOR, 3, 4, 0, 0 },  /* xvld */
	{ 0x2cc00484, 32, true, false, FILE_VECTOR, 4, 4, 0, 0 },   /* xvst */
	{ 0x38401481, 16, false, false, FILE_VECTOR, 1, 4, 0, 0 },  /* vldx */
	{ 0x38441481, 16, true, false, FILE_VECTOR, 1, 4, 0, 0 },   /* vstx */
	{ 0x38481481, 32, false, false, FILE_VECTOR, 1, 4, 0, 0 },  /* xvldx */
	{ 0x384c1481, 32, true, false, FILE_VECTOR, 1, 4, 0, 0 },   /* xvstx */
	{ 0x30bffc81, 1, false, false, FILE_REPLICA, 1, 4, 0, 16 }, /* vldrepl.b */
	{ 0x305ffc81, 2, false, false, FILE_REPLICA, 1, 4, 0, 16 }, /* vldrepl.h */
	{ 0x302ffc81, 4, false, false, FILE_REPLICA, 1, 4, 0, 16 }, /* vldrepl.w */
	{ 0x3017fc81, 8, false, false, FILE_REPLICA, 1, 4, 0, 16 }, /* vldrepl.d */
	{ 0x32bffc81, 1, false, false, FILE_REPLICA, 1, 4, 0, 32 }, /* xvldrepl.b */
	{ 0x325ffc81, 2, false, false, FILE_REPLICA, 1, 4, 0, 32 }, /* xvldrepl.h */
	{ 0x322ffc81, 4, false, false, FILE_REPLICA, 1, 4, 0, 32 }, /* xvldrepl.w */
	{ 0x3217fc81, 8, false, false, FILE_REPLICA, 1, 4, 0, 32 }, /* xvldrepl.d */
	{ 0x31bffc81, 1, true, false, FILE_ELEMENT, 1, 4, 15, 0 },  /* vstelm.b 15 */
	{ 0x315ffc81, 2, true, false, FILE_ELEMENT, 1, 4, 7, 0 },   /* vstelm.h 7 */
	{ 0x312ffc81, 4, true, false, FILE_ELEMENT, 1, 4, 3, 0 },   /* vstelm.w 3 */
	{ 0x3117fc81, 8, true, false, FILE_ELEMENT, 1, 4, 1, 0 },   /* vstelm.d 1 */
	{ 0x33fffc81, 1, true, false, FILE_ELEMENT, 1, 4, 31, 0 },  /* xvstelm.b 31 */
	{ 0x337ffc81, 2, true, false, FILE_ELEMENT, 1, 4, 15, 0 },  /* xvstelm.h 15 */
	{ 0x333ffc81, 4, true, false, FILE_ELEMENT, 1, 4, 7, 0 },   /* xvstelm.w 7 */
	{ 0x331ffc81, 8, true, false, FILE_ELEMENT, 1, 4, 3, 0 },   /* xvstelm.d 3 */
	{ 0x284004a4, 2, false, true, FILE_INTEGER, 4, 4, 0, 0 },   /* ld.h */
	{ 0x2a4004a4, 2, false, false, FILE_INTEGER, 4, 4, 0, 0 },  /* ld.hu */
	{ 0x240004a4, 4, false, true, FILE_INTEGER, 4, 4, 0, 0 },   /* ldptr.w */
	{ 0x270008a4, 8, true, false, FILE_INTEGER, 4, 4, 0, 0 },   /* stptr.d */
	{ 0x380c18a4, 8, false, false, FILE_INTEGER, 4, 4, 0, 0 },  /* ldx.d */
	{ 0x381818a4, 4, true, false, FILE_INTEGER, 4, 4, 0, 0 },   /* stx.w */
	{ 0x2b0004a1, 4, false, false, FILE_FP, 1, 4, 0, 0 },	    /* fld.s */
	{ 0x383c18a1, 8, true, false, FILE_FP, 1, 4, 0, 0 },	    /* fstx.d */
	{ 0x383018a1, 4, false, false, FILE_FP, 1, 4, 0, 0 },	    /* fldx.s */
	{ 0x2bc00ca3, 8, true, false, FILE_FP, 3, 4, 0, 0 },	    /* fst.d */
};

static const u32 neither[] = {
	0x200004a4, /* ll.w */
	0x230008a4, /* sc.d */
	0x386114c4, /* amadd.w */
	0x387998a4, /* ldgt.d */
	0x2ac00480, /* preld */
	0x387498a1, /* fldgt.d */
	0x2c004a4,  /* addi.d */
	0x30000481, /* an element of no size */
	0x0,	    /* all zeros */
};

int main(void)
{
	return run_load_store_tests(expected, ARRAY_SIZE(expected), neither, ARRAY_SIZE(neither));
}

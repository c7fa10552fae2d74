/* SPDX-License-Identifier: MIT */
/* Loads and stores of riscv64: every form, and what is none. The instruction words come from an assembler. */
#include "loadstore.h"

static const struct expectation expected[] = {
	{ 0x159503, 2, false, true, FILE_INTEGER, 10, 4, 0, 0 },  /* lh */
	{ 0x15d503, 2, false, false, FILE_INTEGER, 10, 4, 0, 0 }, /* lhu */
	{ 0x15a503, 4, false, true, FILE_INTEGER, 10, 4, 0, 0 },  /* lw */
	{ 0x15e503, 4, false, false, FILE_INTEGER, 10, 4, 0, 0 }, /* lwu */
	{ 0x15b503, 8, false, false, FILE_INTEGER, 10, 4, 0, 0 }, /* ld */
	{ 0xa590a3, 2, true, false, FILE_INTEGER, 10, 4, 0, 0 },  /* sh */
	{ 0x1f5a0a3, 4, true, false, FILE_INTEGER, 31, 4, 0, 0 }, /* sw */
	{ 0xa5b0a3, 8, true, false, FILE_INTEGER, 10, 4, 0, 0 },  /* sd */
	{ 0x159507, 2, false, false, FILE_FP, 10, 4, 0, 0 },	  /* flh */
	{ 0x15a507, 4, false, false, FILE_FP, 10, 4, 0, 0 },	  /* flw */
	{ 0x15bf87, 8, false, false, FILE_FP, 31, 4, 0, 0 },	  /* fld */
	{ 0xa590a7, 2, true, false, FILE_FP, 10, 4, 0, 0 },	  /* fsh */
	{ 0xa5a0a7, 4, true, false, FILE_FP, 10, 4, 0, 0 },	  /* fsw */
	{ 0xa5b0a7, 8, true, false, FILE_FP, 10, 4, 0, 0 },	  /* fsd */
	{ 0x41c8, 4, false, true, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.lw */
	{ 0x6588, 8, false, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.ld */
	{ 0xc1c8, 4, true, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.sw */
	{ 0xe588, 8, true, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.sd */
	{ 0x2588, 8, false, false, FILE_FP, 10, 2, 0, 0 },	  /* c.fld */
	{ 0xa588, 8, true, false, FILE_FP, 10, 2, 0, 0 },	  /* c.fsd */
	{ 0x4512, 4, false, true, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.lwsp */
	{ 0x6fa2, 8, false, false, FILE_INTEGER, 31, 2, 0, 0 },	  /* c.ldsp */
	{ 0xc22a, 4, true, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.swsp */
	{ 0xe47e, 8, true, false, FILE_INTEGER, 31, 2, 0, 0 },	  /* c.sdsp */
	{ 0x2fa2, 8, false, false, FILE_FP, 31, 2, 0, 0 },	  /* c.fldsp */
	{ 0xa47e, 8, true, false, FILE_FP, 31, 2, 0, 0 },	  /* c.fsdsp */
	{ 0x85a8, 2, false, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.lhu */
	{ 0x85e8, 2, false, true, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.lh */
	{ 0x8da8, 2, true, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.sh */
	{ 0x81c8, 1, false, false, FILE_INTEGER, 10, 2, 0, 0 },	  /* c.lbu */
};

static const u32 neither[] = {
	0x1005a52f, /* lr.w */
	0xb6352f,   /* amoadd.d */
	0x2056087,  /* vle32.v */
	0x20570a7,  /* vse64.v */
	0x505,	    /* c.addi */
	0x852e,	    /* c.mv */
	0xc101,	    /* c.beqz */
	0x8502,	    /* c.jr */
	0x150513,   /* addi */
	0x7003,	    /* a load of no size */
	0x4023,	    /* a store of no size */
	0x0,	    /* all zeros */
};

int main(void)
{
	return run_load_store_tests(expected, ARRAY_SIZE(expected), neither, ARRAY_SIZE(neither));
}

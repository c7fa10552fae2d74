/* SPDX-License-Identifier: MIT */
/*
 * Arguments of probe events: `NAME=FETCHARG:TYPE` becomes a short program, which a hit runs into the event's record.
 * Source: Linux's Documentation/trace/kprobetrace.rst and uprobetracer.rst.
 */
#ifndef KERNEL_TRACE_FETCH_H
#define KERNEL_TRACE_FETCH_H

#include <kernel/trace.h>
#include <types.h>

#define FETCH_MAX_ARGS	 128
#define FETCH_MAX_OPS	 16
#define FETCH_MAX_STRING 256 /* bytes a string argument takes at most, its end included */
#define FETCH_MAX_NAME	 32
#define FETCH_MAX_TEXT	 64

struct uctx;

enum fetch_code {
	FETCH_REG,     /* value: offset in struct uctx */
	FETCH_STACK,   /* the stack pointer */
	FETCH_STACK_N, /* value: word number */
	FETCH_IMM,     /* value */
	FETCH_FILE,    /* value: offset in the probed file, becomes its address */
	FETCH_COMM,    /* the task's name */
	FETCH_TEXT,    /* an immediate string: fetch_arg->literal */
	FETCH_DEREF,   /* value: offset to add, then a word from there */
	FETCH_DEREF_USER,
};

struct fetch_op {
	u8 code; /* enum fetch_code */
	s64 value;
};

enum fetch_class {
	CLASS_UNSIGNED,
	CLASS_SIGNED,
	CLASS_HEX,
	CLASS_CHAR,
	CLASS_SYMBOL,
	CLASS_STRING,
	CLASS_USTRING,
	CLASS_SYMSTR /* the name of what the value points to, as a string */
};

struct fetch_arg {
	char *name,
		*text; /* own copies: left and right of '=', the latter without type for an argument without one */
	char *literal;	 /* own; NULL: none */
	u8 cls;		 /* enum fetch_class */
	u8 size;	 /* bytes of an element; of a string's location: 4 */
	u8 count;	 /* elements; 0: no array */
	u8 shift, width; /* of a bit field, width 0: none */
	bool has_type;
	u8 nops;
	u16 offset; /* in the record */
	struct fetch_op op[FETCH_MAX_OPS];
};

/* Where a program runs: what it can name. */
enum fetch_place { FETCH_KERNEL = 1, FETCH_RETURN = 2, FETCH_ENTRY = 4 };

/* What is wrong with a command, and where. */
struct fetch_error {
	const char *message; /* NULL: nothing */
	const char *at;	     /* within the text that was parsed */
};

/**
 * fetch_parse() - one argument. @index: its number, for the name of one without. @place: enum fetch_place bits.
 * @a: filled; to be given back by fetch_free(), also after an error. @text is changed but put back.
 * Return: 0, -EINVAL with @err filled, -ENOMEM.
 */
int fetch_parse(struct fetch_arg *a, char *text, unsigned int index, unsigned int place,
		struct fetch_error *err);
void fetch_free(struct fetch_arg *a);
/** fetch_layout() - give the arguments their place in a record that begins with @offset bytes. Return: bytes of the record without strings. */
size_t fetch_layout(struct fetch_arg *args, unsigned int n, size_t offset);
/** fetch_field() - describe an argument as a field of the event. */
void fetch_field(const struct fetch_arg *a, struct trace_field *f);

/* How a program of arguments reaches the probed side. */
struct fetch_source {
	const struct uctx *u;
	const char *comm;
	u64 file_base; /* added to FETCH_FILE's value */
	/* Copy @n bytes. 0 or -EFAULT. */
	int (*read)(void *dst, unsigned long addr, size_t n, bool user);
	/* Copy a string of at most @n bytes, its end included. Its length with the end, or -EFAULT. */
	int (*read_string)(char *dst, unsigned long addr, size_t n, bool user);
	unsigned long sp;
};

/**
 * fetch_run() - put the arguments into @record.
 * @fixed: what fetch_layout() returned; strings go behind. @room: bytes of @record
 * Return: length of the whole record.
 */
size_t fetch_run(const struct fetch_arg *args, unsigned int n, const struct fetch_source *src,
		 void *record, size_t fixed, size_t room);
/** fetch_print() - " name=value" for each argument. */
void fetch_print(struct printbuf *pb, const struct fetch_arg *args, unsigned int n,
		 const struct trace_entry *e, size_t len);
/** fetch_print_fmt() - what the format file says of them: with @values the list of expressions, else the conversions. */
void fetch_print_fmt(struct printbuf *pb, const struct fetch_arg *args, unsigned int n,
		     bool values);
/** fetch_is_name() - is @s a C identifier? */
bool fetch_is_name(const char *s);

#endif

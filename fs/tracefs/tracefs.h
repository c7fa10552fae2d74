/* SPDX-License-Identifier: MIT */
/*
 * tracefs: what /sys/kernel/tracing shows. Source: Linux's Documentation/trace/ftrace.rst, events.rst.
 *
 * A file of text is a struct tracefs_file; whoever has files for the top directory (probes) adds them with tracefs_add_file()
 * at boot. An inode's node says what a file is about: an event, a system, a CPU, an option.
 */
#ifndef FS_TRACEFS_H
#define FS_TRACEFS_H

#include <fs/internal.h>
#include <kernel/trace/buffer.h>

struct tracefs_node {
	const struct tracefs_file *file; /* NULL: a directory */
	const struct tracefs_dir *dir;	 /* a directory's kind */
	char *system;			 /* own copy; NULL: not about one */
	struct trace_instance *in;	 /* may be gone while no file of it is open */
	u32 event;			 /* trace_event->id; 0: none */
	int cpu;			 /* TRACE_ALL_CPUS: none */
	unsigned int option;		 /* index of an option */
};

struct tracefs_file {
	const char *name;
	u32 mode;      /* permissions */
	bool top_only; /* of those that an instance has not */
	/* The text, anew for each read from the start. trace_mutex held. 0 or -Exxx. */
	int (*show)(struct printbuf *pb, const struct tracefs_node *n);
	/* One write: @text of @len bytes and a terminator, to be changed at will. trace_mutex held. 0 (all of it was taken) or -Exxx. */
	int (*write)(const struct tracefs_node *n, char *text, size_t len);
	/* It was opened with O_TRUNC. trace_mutex held. 0 or -Exxx. NULL: means nothing. */
	int (*truncate)(const struct tracefs_node *n);
	const struct file_ops *fops; /* other than text */
};

/** tracefs_add_file() - a file of the top directory. @file stays in place. Boot, or under trace_mutex. */
void tracefs_add_file(const struct tracefs_file *file);

/**
 * tracefs_each_line() - call @fn for each line of what was written, without its newline; text after # and empty lines are left out.
 * Return: 0, or what @fn said first that was not 0.
 */
int tracefs_each_line(char *text, int (*fn)(char *line));
/** tracefs_trim() - take white space off both ends. */
char *tracefs_trim(char *text);

/* ---- inside tracefs ---- */

struct tracefs_dir {
	u32 mode;
	const struct tracefs_file *files; /* up to a NULL name */
	/* Names of its own making: a node for one, or a call for each. trace_mutex held. */
	int (*lookup)(const struct tracefs_node *dir, const char *name, struct tracefs_node *out);
	void (*list)(const struct tracefs_node *dir,
		     void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx);
};

static inline struct tracefs_node *tracefs_node(const struct inode *i)
{
	return i->priv;
}

extern const struct tracefs_file tracefs_root_files[];
extern const struct tracefs_dir tracefs_events_dir, tracefs_percpu_dir, tracefs_options_dir;
extern const struct file_ops tracefs_trace_ops, tracefs_pipe_ops, tracefs_marker_ops,
	tracefs_raw_marker_ops, tracefs_snapshot_ops;
int tracefs_trace_truncate(const struct tracefs_node *n);
/** tracefs_use() - an opened file keeps its instance until tracefs_unuse(). 0, -ENODEV: it is gone. */
int tracefs_use(const struct tracefs_node *n);
void tracefs_unuse(const struct tracefs_node *n);
/* probes.c */
void tracefs_probes_init(void);
/* events.c */
int tracefs_show_available(struct printbuf *pb, const struct tracefs_node *n);
int tracefs_show_set_event(struct printbuf *pb, const struct tracefs_node *n);
int tracefs_write_set_event(const struct tracefs_node *n, char *text, size_t len);
int tracefs_clear_set_event(const struct tracefs_node *n);
int tracefs_show_pids(struct printbuf *pb, const struct tracefs_node *n);
int tracefs_write_pids(const struct tracefs_node *n, char *text, size_t len);
int tracefs_clear_pids(const struct tracefs_node *n);
int tracefs_show_no_pids(struct printbuf *pb, const struct tracefs_node *n);
int tracefs_write_no_pids(const struct tracefs_node *n, char *text, size_t len);
int tracefs_clear_no_pids(const struct tracefs_node *n);

#endif

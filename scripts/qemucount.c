/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU: how often each translated block runs, on all CPUs, between two user instructions.
 *
 *	-plugin qemucount.so,entry=ADDR[:ADDR]...,end=ADDR,kernel=ADDR,out=FILE
 *
 * Counting begins, or begins anew, when a CPU executes the instruction at an @entry, and ends at the next one at @end; all are
 * addresses below @kernel, where the kernel begins. Each time FILE gets a line `entry ADDRESS`, a line `ADDRESS INSTRUCTIONS TIMES` for
 * each block of the kernel's, and one with the address 0 for all others: INSTRUCTIONS 1, TIMES how many. After the @end
 * there is a line `end`. An entry 1 is the machine's reset. With QEMU's
 * one-insn-per-tb a block is an instruction.
 *
 * Each CPU adds to counters of its own, without calls, so the machine runs at some two thirds of its speed and CPUs meet as they do without.
 * A block that an exception leaves early counts as a whole. Source: QEMU's documentation of its plugin interface, version 4; the
 * distribution has no header of it, so what is used is declared here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define SLOTS	(1u << 17) /* of blocks; the first is for user code */
#define ENTRIES 64

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
struct u64_entry {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};
enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_sum(struct u64_entry entry);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*fn)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op,
						       struct u64_entry entry, uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned int cpu, void *arg), int flags,
					    void *arg);

EXPORT int qemu_plugin_version = 4;

/* Blocks are told apart by address and length; the entry is written before its block runs, by one translator at a time. */
static struct block {
	uint64_t address, length, before;
} blocks[SLOTS];
static struct qemu_plugin_scoreboard *score;
static uint64_t entries[ENTRIES], end, kernel;
static uint64_t begun; /* the entry that was executed last, until the end is */
static const char *out;

static struct u64_entry counter(size_t slot)
{
	return (struct u64_entry){ score, slot * sizeof(uint64_t) };
}

/* Write what has run since the entry, with a last line if it was the end that came, and count anew. */
static void write_counts(uint64_t entry, const char *last)
{
	FILE *f = fopen(out, "a");

	if (!f)
		return;
	fprintf(f, "entry %llx\n", (unsigned long long)entry);
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t sum = blocks[i].length ? qemu_plugin_u64_sum(counter(i)) : 0;

		if (sum != blocks[i].before)
			fprintf(f, "%llx %llu %llu\n", (unsigned long long)blocks[i].address,
				(unsigned long long)blocks[i].length,
				(unsigned long long)(sum - blocks[i].before));
		blocks[i].before = sum;
	}
	fputs(last, f);
	fclose(f);
}

static void on_entry(unsigned int cpu, void *arg)
{
	uint64_t before = __atomic_exchange_n(&begun, *(uint64_t *)arg, __ATOMIC_SEQ_CST);

	(void)cpu;
	if (before) {
		write_counts(before, "");
		return;
	}
	for (size_t i = 0; i < SLOTS; i++)
		if (blocks[i].length)
			blocks[i].before = qemu_plugin_u64_sum(counter(i));
}

static void on_end(unsigned int cpu, void *arg)
{
	uint64_t before = __atomic_exchange_n(&begun, 0, __ATOMIC_SEQ_CST);

	(void)cpu;
	(void)arg;
	if (before)
		write_counts(before, "end\n");
}

/* The slot of a block of the kernel's, taken if it is new; 0: there are too many. */
static size_t slot_of(uint64_t address, uint64_t length)
{
	size_t first = (address ^ length << 11) * 0x9e3779b97f4a7c15u >> 47;

	for (size_t i = 0; i < SLOTS; i++) {
		size_t slot = (first + i) % SLOTS;
		uint64_t none = 0;

		if (!slot)
			continue;
		if (__atomic_compare_exchange_n(&blocks[slot].address, &none, address, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			blocks[slot].length = length;
			return slot;
		}
		if (none == address && blocks[slot].length == length)
			return slot;
	}
	return 0;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb), length = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (address >= kernel) {
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
			tb, INLINE_ADD_U64, counter(slot_of(address, length)), 1);
		return;
	}
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD_U64, counter(0), length);
	for (size_t i = 0; i < length; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t at = qemu_plugin_insn_vaddr(insn);

		if (at == end)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
		for (uint64_t *e = entries; *e; e++)
			if (at == *e)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_entry, CB_NO_REGS,
								       e);
	}
}

/* Addresses between colons; those that there is no room for are never reached. */
static void take_entries(char *text)
{
	for (size_t i = 0; i < ENTRIES - 1 && *text; i++) {
		entries[i] = strtoull(text, &text, 16);
		text += *text == ':';
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value++)
			return -1;
		if (!strncmp(argv[i], "entry=", 6))
			take_entries(value);
		else if (!strncmp(argv[i], "end=", 4))
			end = strtoull(value, NULL, 16);
		else if (!strncmp(argv[i], "kernel=", 7))
			kernel = strtoull(value, NULL, 16);
		else if (!strncmp(argv[i], "out=", 4))
			out = strdup(value);
	}
	if (!entries[0] || !end || !kernel || !out)
		return -1;
	begun = entries[0] == 1;
	score = qemu_plugin_scoreboard_new(SLOTS * sizeof(uint64_t));
	blocks[0].length = 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}

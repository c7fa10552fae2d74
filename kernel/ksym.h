/* SPDX-License-Identifier: MIT */
/* The kernel's own functions by name and address; the table is made when the kernel is linked (scripts/genksyms.py). Any context, no locks. */
#ifndef KERNEL_KSYM_H
#define KERNEL_KSYM_H

#include <types.h>

struct printbuf;

#define KSYM_NAME 128 /* bytes of the longest name, end included */

/** ksym_address() - where function @name begins; 0: there is none. Of several with one name the first. */
unsigned long ksym_address(const char *name);
/** ksym_start() - where the function that contains @addr begins; 0: @addr is no kernel code. */
unsigned long ksym_start(unsigned long addr);
/** ksym_lookup() - name, offset in it and size of the function that contains @addr. @name: KSYM_NAME bytes. Return: false: no kernel code. */
bool ksym_lookup(unsigned long addr, char *name, unsigned long *offset, unsigned long *size);
/** ksym_print() - "name+0x1/0x20", or the number. */
void ksym_print(struct printbuf *pb, unsigned long addr);
/** ksym_at() - the @i-th function by address, for /proc/kallsyms; false behind the last. */
bool ksym_at(unsigned int i, unsigned long *addr, char *name);

#endif

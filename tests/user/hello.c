/* SPDX-License-Identifier: MIT */
/*
 * The smallest useful program: one line through stdio, and relocated data that must be right
 * (hello-pie is the same source as a static-pie, which relocates itself).
 */
#include <stdio.h>
#include <string.h>

static const char *const words[] = { "Hello", "from", "user", "space" };
static const char *const *table = words;

int main(void)
{
	if (strcmp(table[3], "space") != 0)
		return 1;
	printf("%s %s %s %s\n", table[0], table[1], table[2], table[3]);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Which port is the console.
 *
 * Drivers register their ports; the best becomes active: the one that the last console= on the
 * command line names, else the one the firmware chose, else the first. Until there is one, output
 * goes to the crate's hal_early_putc().
 *
 * Locking: ports are registered on the boot CPU while it probes devices; the active port is a single
 * pointer that other contexts only read.
 */
#include <compiler.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <lib/cmdline.h>
#include <lib/string.h>

static struct hal_console *ports;
static struct hal_console *active;
static int active_rank = -1;

/* 2: named on the command line (options after a comma do not matter), 1: the firmware's choice, 0: any. */
static int port_rank(const struct hal_console *con)
{
	char name[32];

	if (cmdline_get(boot_info.cmdline, "console", name, sizeof(name)) > 0) {
		size_t n = strcspn(name, ",");

		if (strlen(con->name) == n && strncmp(con->name, name, n) == 0)
			return 2;
	}
	return con->preferred ? 1 : 0;
}

void hal_console_register(struct hal_console *con)
{
	int rank = port_rank(con);

	con->next = ports;
	ports = con;
	if (rank > active_rank) {
		active_rank = rank;
		WRITE_ONCE(active, con);
	}
}

void hal_console_write(const char *buf, size_t n)
{
	struct hal_console *con = READ_ONCE(active);

	if (con) {
		con->write(con, buf, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		hal_early_putc(buf[i]);
}

void hal_console_rx_enable(bool on)
{
	struct hal_console *con = READ_ONCE(active);

	if (con && con->rx_enable)
		con->rx_enable(con, on);
}

/* SPDX-License-Identifier: MIT */
/*
 * Error numbers as text, from the one table lib/errno.def.
 */
#include <compiler.h>
#include <err.h>
#include <lib/errno_name.h>
#include <types.h>

static const struct {
	const char *name;
	const char *text;
} errors[] = {
#define E(symbol, text)	[symbol] = { #symbol, text },
#include <lib/errno.def>
};

static const char *const restart_names[] = {
	"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK",
};

/* Also right for INT_MIN, whose negative is no int. */
static unsigned int magnitude(int error)
{
	return error < 0 ? -(unsigned int)error : (unsigned int)error;
}

const char *errno_name(int error)
{
	unsigned int n = magnitude(error);

	if (n < ARRAY_SIZE(errors) && errors[n].name)
		return errors[n].name;
	if (n >= ERESTARTSYS && n - ERESTARTSYS < ARRAY_SIZE(restart_names))
		return restart_names[n - ERESTARTSYS];
	return "E?";
}

const char *errno_text(int error)
{
	unsigned int n = magnitude(error);

	if (n == 0)
		return "Success";
	if (n < ARRAY_SIZE(errors) && errors[n].text)
		return errors[n].text;
	return "Unknown error";
}

/* SPDX-License-Identifier: MIT */
/* /proc/net/unix. Source: proc_pid_net(5). */
#include <fs/internal.h>
#include <fs/procfs/net.h>
#include <net/unix/unix.h>

/* The states of a socket as Linux numbers them: free, unconnected, connecting, connected, disconnecting. */
static int state_number(const struct unix_sock *u)
{
	bool connected = u->state == UNIX_CONNECTED;

	if (u->s.file)
		return connected ? 3 : 1;
	return connected ? 2 : 4;
}

static void show_name(struct printbuf *pb, const struct unix_addr *a)
{
	int n = a->len - 2, i = 0;

	printbuf_putc(pb, ' ');
	if (a->path[0]) {
		n--; /* the 0 */
	} else {
		printbuf_putc(pb, '@');
		i++;
	}
	for (; i < n; i++)
		printbuf_putc(pb, a->path[i] ? a->path[i] : '@');
}

static void show_one(struct unix_sock *u, void *arg)
{
	struct printbuf *pb = arg;
	const struct unix_addr *a;

	spin_lock(&u->lock);
	printbuf_printf(pb, "%016x: %08X %08X %08X %04X %02X %5llu", 0,
			(u32)refcount_read(&u->refs), 0, u->state == UNIX_LISTENING ? 0x10000 : 0,
			u->s.type, state_number(u), u->s.inode ? u->s.inode->ino : 0);
	a = smp_load_acquire(&u->addr);
	if (a)
		show_name(pb, a);
	spin_unlock(&u->lock);
	printbuf_putc(pb, '\n');
}

static int unix_show(struct printbuf *pb, struct task *t)
{
	printbuf_puts(pb, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	unix_each(show_one, pb);
	return 0;
}

void unix_proc_init(void)
{
	proc_net_add("unix", unix_show);
}

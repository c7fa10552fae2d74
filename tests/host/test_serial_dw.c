/* SPDX-License-Identifier: MIT */
/* DesignWare's UART, as the JH7110 and the CV1800B have it, against a model of its registers: drivers/serial/ns16550.c. */
#include "board_model.h"

#include <err.h>
#include <hal/console.h>
#include <hal/irq.h>
#include <hal/upcall.h>

#define UART 0x10000000ULL
#define REG(n) (UART + 4 * (n))

enum { DATA, IER, IIR, LCR, MCR, LSR, USR = 31 };
#define DLAB 0x80

/* What the port has besides the words of its registers. */
static u32 lcr, divisor;
static unsigned int busy;   /* so many stores to LCR are ignored */
static bool busy_irq, full; /* @full: nothing leaves the FIFO */
static char sent[64], typed[64];
static unsigned int nsent, ntyped, at_typed, fifo, nlooks;

static void model_written(u64 addr, u32 value)
{
	switch ((addr - UART) / 4) {
	case DATA:
		if (lcr & DLAB) {
			divisor = (divisor & ~0xffu) | value;
		} else {
			assert_true(fifo++ < 16 && nsent < sizeof(sent));
			sent[nsent++] = (char)value;
		}
		break;
	case IER:
		if (lcr & DLAB)
			divisor = (divisor & 0xff) | value << 8;
		break;
	case LCR:
		if (busy) {
			busy--;
			busy_irq = true;
		} else {
			lcr = value;
		}
		break;
	default:
		break;
	}
}

static u32 model_read(u64 addr)
{
	switch ((addr - UART) / 4) {
	case DATA:
		return at_typed < ntyped ? (u32)(u8)typed[at_typed++] : 0;
	case IIR:
		return busy_irq ? 0xc7 : 0xc1;
	case LCR:
		return lcr;
	case LSR:
		nlooks++;
		fifo = full ? fifo : 0;
		return (fifo ? 0 : 0x60u) | (at_typed < ntyped);
	case USR:
		busy_irq = false;
		return 0;
	default:
		return *word_at(addr);
	}
}

static hal_irq_handler handler;
static void *handler_arg;

int hal_irq_request_fdt(const void *fdt, int node, unsigned int index, hal_irq_handler fn,
			void *arg, const char *name)
{
	handler = fn;
	handler_arg = arg;
	return 0;
}

int hal_irq_request(struct irq_chip *chip, unsigned int hwirq, hal_irq_handler fn, void *arg,
		    const char *name)
{
	fail();
	return 0;
}

static char received[64];
static unsigned int nreceived, room;

bool upcall_console_rx(u8 byte)
{
	if (nreceived == room)
		return false;
	received[nreceived++] = (char)byte;
	return nreceived < room;
}

static void uart_tree(u32 clock)
{
	fresh();
	region_add(UART, 0x100);
	lcr = 3;
	divisor = nlooks = busy = nsent = ntyped = at_typed = fifo = nreceived = 0;
	full = busy_irq = false;
	room = sizeof(received);
	tree_begin(2, 2);
	tree_device("uart", "snps,dw-apb-uart", UART, 0x100);
	fdt_property_u32(tree, "reg-shift", 2);
	fdt_property_u32(tree, "reg-io-width", 4);
	if (clock)
		fdt_property_u32(tree, "clock-frequency", clock);
	fdt_end_node(tree);
	tree_end();
}

/* Without a clock the divisor is the firmware's; with one it is set, though the firmware's last bytes are still on the line. */
static void test_setup(void **state)
{
	uart_tree(0);
	busy = 5;
	assert_int_equal(probe("ns16550", "/uart"), 0);
	assert_int_equal(lcr, 3);
	assert_int_equal(divisor, 0);
	assert_int_equal(nsent, 0);
	assert_int_equal(*word_at(REG(MCR)), 0x0b);
	uart_tree(24000000);
	busy = 5;
	assert_int_equal(probe("ns16550", "/uart"), 0);
	assert_int_equal(lcr, 3);
	assert_int_equal(divisor, 13);
	assert_int_equal(nsent, 0);
	assert_false(busy_irq);
}

static void test_output(void **state)
{
	static const char text[] = "more than sixteen bytes at a time";

	uart_tree(0);
	hal_console_write(text, sizeof(text) - 1);
	assert_int_equal(nsent, sizeof(text) - 1);
	assert_memory_equal(sent, text, nsent);
	/* It never drains: bytes are lost, and soon no more is waited for. */
	full = true;
	fifo = 1;
	hal_console_write(text, 3);
	nlooks = 0;
	hal_console_write(text, 3);
	assert_in_range(nlooks, 1, 1000);
	assert_int_equal(nsent, sizeof(text) - 1);
	/* Once it has drained, the next stop is waited for with patience again. */
	full = false;
	hal_console_write(text, 3);
	assert_int_equal(nsent, sizeof(text) - 1 + 3);
	full = true;
	nlooks = 0;
	hal_console_write(text, 3);
	assert_in_range(nlooks, 100000, 10000000);
	full = false;
}

static void test_input(void **state)
{
	uart_tree(0);
	memcpy(typed, "hello", 5);
	ntyped = 5;
	busy_irq = true;
	handler(handler_arg);
	assert_int_equal(nreceived, 5);
	assert_memory_equal(received, "hello", 5);
	assert_false(busy_irq);
	/* The kernel's buffer is full: no more interrupts until it says so. */
	at_typed = 0;
	room = 7;
	*word_at(REG(IER)) = 1;
	handler(handler_arg);
	assert_int_equal(nreceived, 7);
	assert_int_equal(*word_at(REG(IER)), 0);
	hal_console_rx_enable(true);
	assert_int_equal(*word_at(REG(IER)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setup),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_input),
	};

	return cmocka_run_group_tests_name("serial_dw", tests, NULL, NULL);
}

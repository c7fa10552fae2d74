/* SPDX-License-Identifier: MIT */
/*
 * Questions to a Raspberry Pi's firmware: a message in memory, whose address goes through a mailbox there and back.
 *
 *	word 0	bytes of the message		2	the property		5	which one
 *	     1	0; the answer: ANSWERED		3	bytes of its value	6	the answer
 *						4	0; the answer: ANSWERED | bytes		7	0: no more properties
 *
 * The firmware's processor does not see the CPU's caches; it has the first GiB of RAM, where the kernel's image is, at BUS_RAM.
 * Source: BCM2835 mailboxes and their property interface as the maker documents them; Linux Documentation/devicetree/bindings/
 * mailbox/brcm,bcm2835-mbox.txt, arm/bcm/raspberrypi,bcm2835-firmware.yaml.
 *
 * No locking: device probing, boot CPU.
 */
#include <compiler.h>
#include <drivers/firmware/raspberrypi.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <libfdt.h>

#define MBOX_READ     0x00
#define MBOX_STATUS   0x18 /* of what is to be read: EMPTY */
#define MBOX_WRITE    0x20
#define MBOX_WSTATUS  0x38 /* of what was written: FULL */
#define MBOX_SIZE     0x40
#define STATUS_FULL   (1u << 31)
#define STATUS_EMPTY  (1u << 30)
#define CHANNEL_MASK  15u
#define CHANNEL	      8u /* properties */
#define BUS_RAM	      0xc0000000u
#define ANSWERED      (1u << 31)
#define PATIENCE_NS   100000000ULL

enum { LENGTH, STATE, TAG, VALUE_BYTES, TAG_STATE, ID, VALUE, END, WORDS };

static u32 message[16] __aligned(64); /* lines of the cache that nothing else is in */
static char *regs;
static bool silent;

/* Until the status has @bit no more. */
static bool await(unsigned int status, u32 bit)
{
	u64 end = hal_clock_ns() + PATIENCE_NS;

	while (readl(regs + status) & bit) {
		if (hal_clock_ns() > end)
			return false;
		hal_cpu_relax();
	}
	return true;
}

/* Messages to others, which a loader may have asked for, are read and forgotten. */
static bool __init exchange(u32 word)
{
	u64 end = hal_clock_ns() + PATIENCE_NS;

	if (!await(MBOX_WSTATUS, STATUS_FULL))
		return false;
	writel(word, regs + MBOX_WRITE);
	while (hal_clock_ns() < end && await(MBOX_STATUS, STATUS_EMPTY))
		if (readl(regs + MBOX_READ) == word)
			return true;
	return false;
}

static int __init map_mailbox(const void *fdt)
{
	int firmware = fdt_find_compatible(fdt, -1, "raspberrypi,bcm2835-firmware");
	int mbox = firmware < 0 ? -1 : fdt_find_phandle(fdt, firmware, "mboxes", 0);

	if (mbox < 0 || !fdt_node_is_compatible(fdt, mbox, "brcm,bcm2835-mbox") ||
	    fdt_map_regs(fdt, mbox, 0, MBOX_SIZE, &regs, NULL))
		return -ENODEV;
	return 0;
}

int __init rpi_firmware_ask(const void *fdt, u32 tag, u32 id, u32 *value)
{
	paddr_t pa = arch_image_to_phys(message);

	if (silent)
		return -ETIMEDOUT;
	if ((!regs && map_mailbox(fdt)) || pa >= ~BUS_RAM)
		return -ENODEV;
	message[LENGTH] = WORDS * sizeof(u32);
	message[STATE] = message[TAG_STATE] = message[VALUE] = message[END] = 0;
	message[TAG] = tag;
	message[VALUE_BYTES] = 2 * sizeof(u32);
	message[ID] = id;
	io_cache_flush(message, sizeof(message));
	silent = !exchange(BUS_RAM | (u32)pa | CHANNEL);
	if (silent) {
		klog(4, "raspberrypi: the firmware does not answer\n");
		return -ETIMEDOUT;
	}
	io_cache_flush(message, sizeof(message));
	if (READ_ONCE(message[STATE]) != ANSWERED || !(READ_ONCE(message[TAG_STATE]) & ANSWERED))
		return -EIO;
	*value = READ_ONCE(message[VALUE]);
	return 0;
}

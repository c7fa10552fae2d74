/* SPDX-License-Identifier: MIT */
/*
 * The kernel as a UEFI application: what runs before the kernel, in the firmware's environment.
 *
 *	efi_stub_main()		the entry that the image's PE header names
 *
 * It gathers the command line (load options), the initrd (the LINUX_EFI_INITRD_MEDIA_GUID device path's LoadFile2, or
 * the file that initrd= names on the volume the kernel came from), the device tree or the ACPI root, and the memory map,
 * leaves boot services, and hands over in the way the architecture's ordinary entry expects: efi_stub_enter().
 *
 * This code runs at the address where the firmware put it, which is not the one it is linked at: it refers to
 * everything relative to the program counter, so there are no initialised pointers, no jump tables, and on x86_64
 * it is compiled as position-independent.
 * Source: UEFI Specification 2.10; Linux Documentation/admin-guide/efi-stub.rst.
 */
#include "efi.h"
#include "stub.h"

#include <compiler.h>
#include <lib/string.h>

#define EFI_PAGE	 4096
#define MAP_SIZE	 (EFI_HANDOFF_SIZE - EFI_MAP_OFFSET)
#define MAP_ATTEMPTS	 8
#define FILE_MODE_READ	 1
#define NAME_MAX_UNITS	 256
#define CMDLINE_SIZE	 4096

GUID(loaded_image_guid, 0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11, 0x8e, 0x3f, 0x00, 0xa0,
     0xc9, 0x69, 0x72, 0x3b);
GUID(file_system_guid, 0x22, 0x5b, 0x4e, 0x96, 0x59, 0x64, 0xd2, 0x11, 0x8e, 0x39, 0x00, 0xa0, 0xc9,
     0x69, 0x72, 0x3b);
GUID(load_file2_guid, 0x8f, 0xa9, 0x06, 0x40, 0xfc, 0xf2, 0xdf, 0x4d, 0x90, 0x55, 0xaa, 0xfa, 0x0d,
     0xf2, 0xcc, 0x5d);
GUID(tree_guid, 0xd5, 0x21, 0xb6, 0xb1, 0x9c, 0xf1, 0xa5, 0x41, 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69,
     0xaa, 0xe0);
GUID(acpi2_guid, 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c,
     0x88, 0x81);
GUID(acpi1_guid, 0x30, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11, 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f,
     0xc1, 0x4d);

/* A vendor media device path with the GUID 5568e427-68fc-4f3d-ac74-ca555231cc68, and the end of the path. */
struct initrd_path {
	struct efi_device_path vendor;
	struct efi_guid guid;
	struct efi_device_path end;
};

static const struct initrd_path initrd_path = {
	.vendor = { 4, 3, { 20, 0 } },
	.guid = { { 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52,
		    0x31, 0xcc, 0x68 } },
	.end = { 0x7f, 0xff, { 4, 0 } },
};

/* ---- Words for the person at the console ---- */

static void say(struct efi_boot *boot, const char *text)
{
	u16 unit[2] = { 0, 0 };

	for (; *text; text++) {
		unit[0] = (u8)*text;
		boot->systab->con_out->output_string(boot->systab->con_out, unit);
	}
}

static efi_status fail(struct efi_boot *boot, const char *why)
{
	say(boot, "caelum: ");
	say(boot, why);
	say(boot, "\r\n");
	return EFI_ERROR | 3; /* EFI_UNSUPPORTED */
}

/* ---- Memory ---- */

u64 efi_stub_alloc(struct efi_boot *boot, u64 size)
{
	u64 addr = EFI_STUB_MAX_ADDRESS;
	u64 npages = DIV_ROUND_UP(size, EFI_PAGE);

	/* Of type code: a firmware that forbids to execute data lets the kernel start there. */
	if (boot->systab->boot->allocate_pages(EFI_ALLOCATE_MAX, EFI_LOADER_CODE, npages, &addr))
		return 0;
	return addr;
}

/* ---- The command line: UTF-16, of which only ASCII can mean something here ---- */

static void take_options(struct efi_boot *boot, const struct efi_loaded_image *image)
{
	const u16 *units = image->options;
	char *out = (char *)boot->cmdline;
	u32 n = units ? image->options_size / 2 : 0;
	u32 len = 0;

	for (u32 i = 0; i < n && units[i] && len < CMDLINE_SIZE - 1; i++)
		out[len++] = units[i] < 0x80 ? (char)units[i] : '?';
	out[len] = '\0';
}

/* ---- The initrd ---- */

static efi_status initrd_from_firmware(struct efi_boot *boot)
{
	struct efi_boot_services *bs = boot->systab->boot;
	struct efi_device_path *path = (struct efi_device_path *)&initrd_path.vendor;
	struct efi_load_file2 *loader;
	efi_handle handle;
	void *found;
	efi_status err;
	u64 size = 0;

	err = bs->locate_device_path(&load_file2_guid, &path, &handle);
	if (!err)
		err = bs->handle_protocol(handle, &load_file2_guid, &found);
	if (err)
		return err;
	loader = found;
	err = loader->load_file(loader, path, false, &size, NULL);
	if (err != EFI_BUFFER_TOO_SMALL)
		return err ? err : EFI_NOT_FOUND;
	boot->initrd = efi_stub_alloc(boot, size);
	if (!boot->initrd)
		return EFI_ERROR;
	err = loader->load_file(loader, path, false, &size, (void *)boot->initrd);
	boot->initrd_size = err ? 0 : size;
	return err;
}

/* The word after initrd= in the command line as a file name of the firmware: UTF-16, with backslashes. */
static bool initrd_name(const char *cmdline, u16 *name)
{
	u32 len = 0;

	while (*cmdline && memcmp(cmdline, "initrd=", 7) != 0) {
		cmdline += strcspn(cmdline, " ");
		cmdline += strspn(cmdline, " ");
	}
	if (!*cmdline)
		return false;
	for (cmdline += 7; *cmdline && *cmdline != ' ' && len < NAME_MAX_UNITS - 1; cmdline++)
		name[len++] = *cmdline == '/' ? '\\' : (u8)*cmdline;
	name[len] = 0;
	return len > 0;
}

static efi_status read_all(struct efi_boot *boot, struct efi_file *file)
{
	efi_status err = file->set_position(file, ~0ULL); /* the end */
	u64 size = 0;

	if (!err)
		err = file->get_position(file, &size);
	if (!err)
		err = file->set_position(file, 0);
	if (err || !size)
		return err ? err : EFI_NOT_FOUND;
	boot->initrd = efi_stub_alloc(boot, size);
	if (!boot->initrd)
		return EFI_ERROR;
	err = file->read(file, &size, (void *)boot->initrd);
	boot->initrd_size = err ? 0 : size;
	return err;
}

static efi_status initrd_from_file(struct efi_boot *boot, const struct efi_loaded_image *image,
				   const u16 *name)
{
	struct efi_file_system *fs;
	struct efi_file *root, *file;
	void *found;
	efi_status err;

	err = boot->systab->boot->handle_protocol(image->device, &file_system_guid, &found);
	if (err)
		return err;
	fs = found;
	err = fs->open_volume(fs, &root);
	if (err)
		return err;
	err = root->open(root, &file, name, FILE_MODE_READ, 0);
	if (!err) {
		err = read_all(boot, file);
		file->close(file);
	}
	root->close(root);
	return err;
}

static efi_status take_initrd(struct efi_boot *boot, const struct efi_loaded_image *image)
{
	u16 name[NAME_MAX_UNITS];
	efi_status err;

	err = initrd_from_firmware(boot);
	if (err == EFI_NOT_FOUND && initrd_name((const char *)boot->cmdline, name))
		return initrd_from_file(boot, image, name);
	return err == EFI_NOT_FOUND ? 0 : err;
}

/* ---- Tables ---- */

static u64 config_table(const struct efi_systab *st, const struct efi_guid *guid)
{
	for (u64 i = 0; i < st->ntables; i++)
		if (memcmp(&st->tables[i].guid, guid, sizeof(*guid)) == 0)
			return st->tables[i].table;
	return 0;
}

static void take_tables(struct efi_boot *boot)
{
	boot->tree = config_table(boot->systab, &tree_guid);
	boot->rsdp = config_table(boot->systab, &acpi2_guid);
	if (!boot->rsdp)
		boot->rsdp = config_table(boot->systab, &acpi1_guid);
}

/* ---- The way out ---- */

/* The map changes with every allocation, also those of leaving: try again until the key fits. */
static efi_status leave_boot_services(struct efi_boot *boot, efi_handle handle)
{
	struct efi_boot_services *bs = boot->systab->boot;
	efi_status err = EFI_ERROR;

	for (unsigned int i = 0; i < MAP_ATTEMPTS && err; i++) {
		u64 key;

		boot->map_size = MAP_SIZE;
		err = bs->get_memory_map(&boot->map_size, (void *)boot->map, &key, &boot->desc_size,
					 &boot->desc_version);
		if (!err)
			err = bs->exit_boot_services(handle, key);
	}
	return err;
}

static efi_status gather(struct efi_boot *boot, const struct efi_loaded_image *image)
{
	boot->cmdline = efi_stub_alloc(boot, CMDLINE_SIZE);
	boot->handoff = efi_stub_alloc(boot, EFI_HANDOFF_SIZE);
	if (!boot->cmdline || !boot->handoff)
		return fail(boot, "no memory for the loader's data");
	boot->map = boot->handoff + EFI_MAP_OFFSET;
	take_options(boot, image);
	take_tables(boot);
	if (take_initrd(boot, image))
		return fail(boot, "the initrd cannot be read");
	return 0;
}

efi_status EFIAPI efi_stub_main(efi_handle handle, struct efi_systab *systab)
{
	struct efi_boot boot = { .systab = systab };
	struct efi_loaded_image *image;
	const char *why;
	void *found;

	if (systab->boot->handle_protocol(handle, &loaded_image_guid, &found))
		return fail(&boot, "this is not a loaded image");
	image = found;
	boot.image = image->image_base;
	if (gather(&boot, image))
		return EFI_ERROR | 3;
	why = efi_stub_prepare(&boot);
	if (why)
		return fail(&boot, why);
	if (leave_boot_services(&boot, handle))
		return fail(&boot, "the firmware does not end boot services");
	efi_stub_enter(&boot);
}

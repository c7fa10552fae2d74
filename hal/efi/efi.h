/* SPDX-License-Identifier: MIT */
/*
 * What of UEFI the kernel uses: the tables and functions that the stub calls, and the memory map that it leaves.
 * Source: UEFI Specification 2.10, chapters 4, 7, 8, 9, 10 and 13.
 */
#ifndef HAL_EFI_EFI_H
#define HAL_EFI_EFI_H

#include <types.h>

/* Functions of the firmware have the Microsoft convention on x86_64. */
#ifdef __x86_64__
#define EFIAPI __attribute__((ms_abi))
#else
#define EFIAPI
#endif

typedef u64 efi_status;
typedef void *efi_handle;

#define EFI_ERROR		(1ULL << 63)
#define EFI_BUFFER_TOO_SMALL	(EFI_ERROR | 5)
#define EFI_NOT_FOUND		(EFI_ERROR | 14)
#define EFI_SYSTAB_SIGNATURE	0x5453595320494249ULL

enum efi_memory_type {
	EFI_RESERVED,
	EFI_LOADER_CODE,
	EFI_LOADER_DATA,
	EFI_BOOT_CODE,
	EFI_BOOT_DATA,
	EFI_RUNTIME_CODE,
	EFI_RUNTIME_DATA,
	EFI_CONVENTIONAL,
	EFI_UNUSABLE,
	EFI_ACPI_RECLAIM,
	EFI_ACPI_NVS,
	EFI_MMIO,
	EFI_MMIO_PORT,
	EFI_PAL_CODE,
	EFI_PERSISTENT,
	EFI_UNACCEPTED,
};

/* Descriptors lie desc_size bytes apart, which may be more than this structure has. */
struct efi_memory_desc {
	u32 type, pad;
	u64 phys, virt, npages, attribute;
};

struct efi_guid {
	u8 b[16];
};

struct efi_config_table {
	struct efi_guid guid;
	u64 table;
};

struct efi_table_header {
	u64 signature;
	u32 revision, size, crc32, reserved;
};

struct efi_text_output {
	void *reset;
	efi_status(EFIAPI *output_string)(struct efi_text_output *self, const u16 *text);
};

struct efi_device_path {
	u8 type, subtype;
	u8 length[2];
};

struct efi_load_file2 {
	efi_status(EFIAPI *load_file)(struct efi_load_file2 *self,
				      const struct efi_device_path *path, bool boot_policy,
				      u64 *size, void *buffer);
};

struct efi_loaded_image {
	u32 revision;
	efi_handle parent;
	struct efi_systab *systab;
	efi_handle device;
	struct efi_device_path *file_path;
	void *reserved;
	u32 options_size;
	void *options;
	void *image_base;
	u64 image_size;
};

struct efi_file {
	u64 revision;
	efi_status(EFIAPI *open)(struct efi_file *self, struct efi_file **out, const u16 *name,
				 u64 mode, u64 attr);
	efi_status(EFIAPI *close)(struct efi_file *self);
	void *remove;
	efi_status(EFIAPI *read)(struct efi_file *self, u64 *size, void *buffer);
	void *write;
	efi_status(EFIAPI *get_position)(struct efi_file *self, u64 *position);
	efi_status(EFIAPI *set_position)(struct efi_file *self, u64 position);
};

struct efi_file_system {
	u64 revision;
	efi_status(EFIAPI *open_volume)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_riscv_boot {
	u64 revision;
	efi_status(EFIAPI *get_boot_hartid)(struct efi_riscv_boot *self, u64 *hart);
};

enum efi_allocate_type { EFI_ALLOCATE_ANY, EFI_ALLOCATE_MAX, EFI_ALLOCATE_ADDRESS };

/* Only the members that are called have a type. */
struct efi_boot_services {
	struct efi_table_header header;
	void *raise_tpl, *restore_tpl;
	efi_status(EFIAPI *allocate_pages)(enum efi_allocate_type how, enum efi_memory_type type,
					   u64 npages, u64 *addr);
	efi_status(EFIAPI *free_pages)(u64 addr, u64 npages);
	efi_status(EFIAPI *get_memory_map)(u64 *size, void *map, u64 *key, u64 *desc_size,
					   u32 *desc_version);
	void *allocate_pool, *free_pool;
	void *create_event, *set_timer, *wait_for_event, *signal_event, *close_event, *check_event;
	void *install_protocol, *reinstall_protocol, *uninstall_protocol;
	efi_status(EFIAPI *handle_protocol)(efi_handle handle, const struct efi_guid *guid,
					    void **out);
	void *reserved, *register_notify, *locate_handle;
	efi_status(EFIAPI *locate_device_path)(const struct efi_guid *guid,
					       struct efi_device_path **path, efi_handle *out);
	void *install_config_table;
	void *load_image, *start_image, *exit, *unload_image;
	efi_status(EFIAPI *exit_boot_services)(efi_handle image, u64 key);
	void *get_next_count, *stall, *set_watchdog;
	void *connect, *disconnect, *open_protocol, *close_protocol, *open_protocol_info;
	void *protocols_per_handle, *locate_handle_buffer;
	efi_status(EFIAPI *locate_protocol)(const struct efi_guid *guid, void *registration,
					    void **out);
};

struct efi_systab {
	struct efi_table_header header;
	u16 *vendor;
	u32 vendor_revision;
	efi_handle con_in_handle;
	void *con_in;
	efi_handle con_out_handle;
	struct efi_text_output *con_out;
	efi_handle stderr_handle;
	void *stderr_out;
	void *runtime;
	struct efi_boot_services *boot;
	u64 ntables;
	struct efi_config_table *tables;
};

/* What the stub gathered, for the architecture's last step. */
struct efi_boot {
	struct efi_systab *systab;
	const u8 *image; /* where the firmware put the kernel */
	u64 cmdline;	 /* physical addresses, of a NUL-terminated string, ... */
	u64 initrd, initrd_size;
	u64 map, map_size, desc_size;
	u32 desc_version;
	u64 tree;    /* of the firmware, or 0 */
	u64 rsdp;    /* 0: no ACPI */
	u64 hart;    /* RISC-V */
	u64 kernel;  /* where the kernel was allocated, and ... */
	u64 handoff; /* ... a block of EFI_HANDOFF_SIZE bytes for what it is given */
};

#define EFI_HANDOFF_SIZE 0x60000
#define EFI_MAP_OFFSET	 0x40000 /* of the memory map in the block; the device tree, or what PVH wants, before it */

#endif

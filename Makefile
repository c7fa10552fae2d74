# SPDX-License-Identifier: MIT
# Caelum's build.
#
#   make ARCH=riscv64 defconfig all         configure and build into build/riscv64
#   make ARCH=riscv64 menuconfig            also: olddefconfig, savedefconfig
#   make ARCH=riscv64 run                   an interactive shell under QEMU
#   make check                              host tests (ASan, UBSan)
#   make fuzz-smoke                         every fuzz target for a few seconds
#   make lint                               layers, format, SPDX lines, function length, generated files
#   make test                               all of it, and the guest tests on all architectures
#
# Variables: ARCH=x86_64|riscv64|aarch64|loongarch64, O=directory, V=1 for whole commands,
# FRAGMENTS="debug smp" with defconfig (names under configs/), CROSS_COMPILE=riscv64-linux-gnu- for GCC.
#
# Sources are listed in a file objs.mk in each directory: `obj-y += foo.o sub/` and
# `obj-$(CONFIG_X) += bar.o`; `cflags-foo.o += ...` adds options for one object. Objects that `cold-y` names as well are
# compiled for size: what runs at boot, or at a person's pace.

silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:

HOST_ARCH := $(shell uname -m)
ARCHES    := x86_64 riscv64 aarch64 loongarch64
ARCH      ?= $(if $(filter $(HOST_ARCH),$(ARCHES)),$(HOST_ARCH),x86_64)
ifeq ($(filter $(ARCH),$(ARCHES) host),)
$(error ARCH=$(ARCH) is not one of: $(ARCHES))
endif

O         ?= build/$(ARCH)
DEPS      := build/deps
PYTHON    ?= $(or $(wildcard /usr/bin/python3),python3)
export ARCH PYTHON

Q := $(if $(filter 1,$(V)),,@)
log = $(if $(filter 1,$(V)),,@$(if $(silent),,printf '  %-7s %s\n' $1 $(patsubst $(CURDIR)/%,%,$(or $2,$@));))

KCONFIG_TARGETS := defconfig olddefconfig menuconfig savedefconfig
NOCONFIG_TARGETS := $(KCONFIG_TARGETS) clean distclean help lint format check check-% fuzz fuzz-% test bootstrap doctor

# Configuring and building in one command: configure first, then read the configuration anew.
ifneq ($(and $(filter $(KCONFIG_TARGETS),$(MAKECMDGOALS)),$(filter-out $(KCONFIG_TARGETS),$(MAKECMDGOALS))),)
.PHONY: $(MAKECMDGOALS) in-order
$(MAKECMDGOALS): in-order ; @:
in-order:
	$(Q)set -e; for goal in $(MAKECMDGOALS); do $(MAKE) --no-print-directory $$goal; done
else

all: kernel
.PHONY: all kernel FORCE help
FORCE:

help:
	@sed -n '2,16s/^# \{0,1\}//p' Makefile

# ---- configuration -----------------------------------------------------------------------------

kconfig := $(PYTHON) scripts/kconfig.py --out $(O)
kconfig_files := Kconfig $(wildcard */Kconfig */*/Kconfig) kernel/Kconfig.linux

.PHONY: $(KCONFIG_TARGETS)
defconfig: | $(O)
	$(Q)$(kconfig) defconfig configs/$(ARCH)_defconfig $(FRAGMENTS:%=configs/%.config)
olddefconfig menuconfig: | $(O)
	$(Q)$(kconfig) $@
savedefconfig: | $(O)
	$(Q)$(kconfig) $@ configs/$(ARCH)_defconfig

$(O):
	@mkdir -p $@

ifeq ($(filter-out $(NOCONFIG_TARGETS),$(or $(MAKECMDGOALS),all)),)
else
$(O)/.config: | $(O)
	$(Q)$(kconfig) defconfig configs/$(ARCH)_defconfig
$(O)/include/config.mk: $(O)/.config $(kconfig_files)
	$(Q)$(kconfig) sync
include $(O)/include/config.mk
endif

# ---- tools -------------------------------------------------------------------------------------

ifneq ($(CROSS_COMPILE),)
CC_DEFAULT := $(CROSS_COMPILE)gcc
LD         ?= $(CROSS_COMPILE)ld
NM         ?= $(CROSS_COMPILE)nm
OBJCOPY    ?= $(CROSS_COMPILE)objcopy
AR_DEFAULT := $(CROSS_COMPILE)ar
LD_DEFAULT := $(CROSS_COMPILE)ld
else
CC_DEFAULT := clang-19
AR_DEFAULT := llvm-ar-19
LD_DEFAULT := ld.lld-19
NM         ?= llvm-nm-19
OBJCOPY    ?= llvm-objcopy-19
endif
ifeq ($(origin CC),default)
CC := $(CC_DEFAULT)
endif
ifeq ($(origin LD),default)
LD := $(LD_DEFAULT)
endif
ifeq ($(origin AR),default)
AR := $(AR_DEFAULT)
endif

cc_version  := $(shell $(CC) --version 2>/dev/null | head -n1)
cc_is_clang := $(findstring clang,$(cc_version))

# ---- kernel options ----------------------------------------------------------------------------

arch_flags_x86_64 := -mcmodel=kernel -mno-red-zone -mno-mmx -mno-sse -mno-sse2 -mno-avx -msoft-float \
	-fcf-protection=none
arch_flags_riscv64 := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany $(if $(cc_is_clang),-mrelax,-mno-relax)
arch_flags_aarch64 := -mgeneral-regs-only -mno-outline-atomics -mbranch-protection=none
arch_flags_loongarch64 := -mabi=lp64s -msoft-float
arch_asflags_riscv64 := -march=rv64gc -mabi=lp64 $(if $(cc_is_clang),-mrelax,-mno-relax)
arch_asflags_loongarch64 := -mabi=lp64s

ifneq ($(cc_is_clang),)
target_flags := --target=$(ARCH)-linux-gnu$(if $(filter loongarch64,$(ARCH)),sf) -fdirect-access-external-data
cc_include   := $(shell $(CC) -print-resource-dir)/include
cc_warnings  := -Wno-gnu-variable-sized-type-not-at-end -Wno-address-of-packed-member
else
target_flags := -fno-pie
cc_include   := $(shell $(CC) -print-file-name=include)
cc_warnings  := -Wno-address-of-packed-member
endif

includes = -I. -Iarch/$(ARCH)/include -Iinclude -Ihal/include -I$(O)/include -I$(O) \
	-isystem $(cc_include) -include $(O)/include/generated/autoconf.h
third_party_includes := -DZ_SOLO -DZ_CONST -idirafter lib/third_party/include \
	-idirafter $(DEPS)/src/device-tree-compiler/libfdt \
	-idirafter $(DEPS)/src/zlib -idirafter $(DEPS)/src/bearssl/inc -idirafter $(DEPS)/src/bearssl/src

common_flags = $(target_flags) -ffreestanding -nostdinc -g $(arch_flags_$(ARCH)) \
	$(includes) $(third_party_includes) -ffile-prefix-map=$(CURDIR)/=
warnings := -Wall -Wextra -Werror=implicit -Werror=implicit-function-declaration -Werror=int-conversion \
	-Werror=return-type -Werror=incompatible-pointer-types -Wmissing-prototypes -Wvla \
	-Wframe-larger-than=2048 -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	$(cc_warnings)
ubsan_checks := bounds,shift,integer-divide-by-zero,unreachable,bool,enum,vla-bound
kcflags = -std=gnu17 -O2 -fno-pic -fno-strict-aliasing -fno-common -fno-stack-protector \
	-fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffunction-sections -fdata-sections \
	$(if $(CONFIG_FRAME_POINTER),-fno-omit-frame-pointer -fno-optimize-sibling-calls \
	$(if $(filter x86_64 aarch64,$(ARCH)),-mno-omit-leaf-frame-pointer),-fomit-frame-pointer) \
	$(if $(CONFIG_UBSAN),-fsanitize=$(ubsan_checks) $(if $(cc_is_clang),-fsanitize-trap=all,-fsanitize-undefined-trap-on-error)) $(if $(CONFIG_WERROR),-Werror)
cflags   = $(common_flags) $(kcflags) $(warnings)
asflags  = $(target_flags) -nostdinc -g -D__ASSEMBLER__ -D__ASSEMBLY__ \
	$(or $(arch_asflags_$(ARCH)),$(arch_flags_$(ARCH))) $(includes) $(third_party_includes) \
	$(if $(cc_is_clang),-Wno-unused-command-line-argument)

# ---- what is built -----------------------------------------------------------------------------

# walk,DIR/ - append DIR's objects and those of the directories it names to all_objs
define walk
obj-y :=
obj- :=
cold-y :=
include $1objs.mk
all_objs += $$(addprefix $1,$$(filter %.o,$$(obj-y)))
cold_objs += $$(addprefix $1,$$(filter $$(cold-y),$$(obj-y)))
$$(foreach d,$$(filter %/,$$(obj-y)),$$(eval $$(call walk,$1$$d)))
endef

all_objs :=
cold_objs :=
ifdef CONFIG_HAL_CRATE
hal_crate := $(patsubst "%",%,$(CONFIG_HAL_CRATE))
$(eval $(call walk,./))
endif
objs     := $(patsubst ./%,$(O)/%,$(all_objs))
$(patsubst ./%,$(O)/%,$(cold_objs)): cflags-size := -Os
builtin  := $(O)/initramfs.o $(O)/kconfig.o
lds      := $(O)/arch/$(ARCH)/kernel.lds
third    := $(O)/third_party.a

kernel: $(O)/caelum.elf $(O)/Image $(O)/compile_commands.json

generated := $(O)/include/generated/.syscalls $(O)/include/generated/version.h

# A change of options or of this file rebuilds what it touches.
flags_text = $(CC) $(cc_version) $(cflags) $(asflags) $(cold_objs) $(foreach v,$(sort $(filter cflags-%,$(.VARIABLES))),$v=$($v))
$(O)/.flags: FORCE | $(O)
	@echo '$(flags_text)' | cmp -s - $@ || echo '$(flags_text)' > $@

$(O)/%.o: %.c $(O)/.flags | $(generated)
	@mkdir -p $(@D)
	$(call log,CC)$(CC) $(cflags) $(cflags-size) $(cflags-$(*F).o) -MD -MP $(if $(cc_is_clang),-MJ $@.json) -c -o $@ $<
$(O)/%.o: %.S $(O)/.flags | $(generated)
	@mkdir -p $(@D)
	$(call log,AS)$(CC) $(asflags) $(cflags-$(*F).o) -MD -MP -c -o $@ $<
# Generated sources.
$(O)/%.o: $(O)/%.c $(O)/.flags | $(generated)
	@mkdir -p $(@D)
	$(call log,CC)$(CC) $(cflags) -MD -MP -c -o $@ $<

$(lds): arch/$(ARCH)/kernel.lds.S $(O)/.flags
	@mkdir -p $(@D)
	$(call log,LDS)$(CC) -E -P -x assembler-with-cpp $(asflags) -D__LINKER_SCRIPT__ -MD -MP -MT $@ \
		-MF $@.d -o $@ $<

ldflags := -nostdlib -static --no-dynamic-linker -z max-page-size=4096 -z noexecstack --build-id=none \
	--gc-sections --discard-locals -z norelro
link = $(LD) $(if $(cc_is_clang),,--no-warn-rwx-segments) $(ldflags) $(ldflags-arch) -T $(lds) \
	-Map $(O)/caelum.map -o $1 $(objs) $(builtin) $(third) $(O)/ksyms.o
# The kernel holds a table of its own functions: link, make the table, and again, until it describes what it is part of.
$(O)/caelum.elf: $(lds) $(objs) $(builtin) $(third) scripts/genksyms.py
	$(call log,LD)set -e; test -f $(O)/ksyms.S || $(PYTHON) scripts/genksyms.py $(NM) - $(O)/ksyms.S; \
	for pass in 1 2 3 4 5; do \
		$(CC) $(asflags) -c -o $(O)/ksyms.o $(O)/ksyms.S; \
		$(call link,$(O)/caelum.tmp); \
		if [ "$$($(PYTHON) scripts/genksyms.py $(NM) $(O)/caelum.tmp $(O)/ksyms.S)" = same ]; then break; fi; \
		test $$pass != 5; \
	done; mv $(O)/caelum.tmp $@

# x86_64's is a bzImage: the head, which is not loaded with the kernel, in front of it.
ifeq ($(ARCH),x86_64)
$(O)/Image: $(O)/caelum.elf
	$(call log,OBJCOPY)$(OBJCOPY) -O binary -j .setup --set-section-flags .setup=alloc,load,contents,readonly $< $@
	$(Q)$(OBJCOPY) -O binary --strip-all $< $@.kernel && cat $@.kernel >> $@ && rm $@.kernel
else
$(O)/Image: $(O)/caelum.elf
	$(call log,OBJCOPY)$(OBJCOPY) -O binary --strip-all $< $@
endif

$(O)/compile_commands.json: $(objs)
	$(Q)(echo '['; cat /dev/null $(wildcard $(addsuffix .json,$(objs))) | sed '$$s/,$$//'; echo ']') > $@

# The system call table: one text file gives the C table, the prototypes, and the strace formats.
ifneq ($(wildcard syscall/syscalls.tbl),)
# What includes the headers is rebuilt in the same run that writes them.
$(O)/include/generated/syscall_table.h $(O)/include/generated/syscall_proto.h: $(O)/include/generated/.syscalls ;
$(O)/include/generated/.syscalls: syscall/syscalls.tbl scripts/gensyscalls.py
	@mkdir -p $(@D)
	$(call log,GEN,syscalls)$(PYTHON) scripts/gensyscalls.py syscall/syscalls.tbl $(@D) && touch $@
else
$(O)/include/generated/.syscalls:
	@mkdir -p $(@D) && touch $@
endif

VERSION := 0.1
$(O)/include/generated/version.h: Makefile
	@mkdir -p $(@D)
	@printf '#define CAELUM_VERSION "%s"\n' '$(VERSION)' > $@

# The vDSO (hal/vdso.h): user code, linked by itself and then included by image.S.
vdso_dir  := $(O)/hal/common/vdso
vdso_objs := $(vdso_dir)/clock.o $(O)/arch/$(ARCH)/vdso_calls.o
vdso_model_x86_64 := small
vdso_model_riscv64 := medany
vdso_model_aarch64 := small
vdso_model_loongarch64 := normal
$(vdso_objs): kcflags := -std=gnu17 -O2 -fPIC -mcmodel=$(vdso_model_$(ARCH)) -fno-stack-protector -fasynchronous-unwind-tables
$(vdso_dir)/vdso.lds: hal/common/vdso/vdso.lds.S $(O)/.flags
	@mkdir -p $(@D)
	$(call log,LDS)$(CC) -E -P -x assembler-with-cpp $(asflags) -D__LINKER_SCRIPT__ -MD -MP -MT $@ \
		-MF $@.d -o $@ $<
$(vdso_dir)/vdso.so: $(vdso_dir)/vdso.lds $(vdso_objs)
	$(call log,LD)$(LD) -shared -soname=linux-vdso.so.1 -nostdlib --hash-style=both --build-id=none \
		--eh-frame-hdr -Bsymbolic -z max-page-size=4096 --strip-debug -T $< -o $@ $(vdso_objs)
$(vdso_dir)/image.o: $(vdso_dir)/vdso.so
-include $(vdso_objs:.o=.d) $(vdso_dir)/vdso.lds.d

# The initramfs that is part of the image: CONFIG_INITRAMFS_SOURCE is a directory or a cpio archive.
initramfs_source := $(patsubst "%",%,$(CONFIG_INITRAMFS_SOURCE))
initramfs_files  := $(if $(initramfs_source),$(shell find $(initramfs_source) 2>/dev/null))
$(O)/initramfs.cpio: $(initramfs_files) scripts/mkcpio.py $(O)/.flags $(O)/include/config.mk
	$(call log,CPIO)$(if $(initramfs_source),$(PYTHON) scripts/mkcpio.py -o $@ $(initramfs_source),: > $@)
$(O)/initramfs.S: Makefile
	@printf '%s\n' '.section .rodata.initramfs, "a"' '.globl __initramfs_start, __initramfs_end' '.balign 8' \
		'__initramfs_start:' '.incbin "initramfs.cpio"' '__initramfs_end:' '.byte 0' > $@
$(O)/initramfs.o: $(O)/initramfs.S $(O)/initramfs.cpio $(O)/.flags
	$(call log,AS)$(CC) $(asflags) -c -o $@ $<

# The configuration, as /proc/config.gz shows it.
$(O)/kconfig.gz: $(O)/include/config.mk Makefile
	$(Q)gzip -9 -n < $< > $@
$(O)/kconfig.S: Makefile
	@printf '%s\n' '.section .rodata.kconfig, "a"' '.globl __kconfig_start, __kconfig_end' \
		'__kconfig_start:' '.incbin "kconfig.gz"' '__kconfig_end:' > $@
$(O)/kconfig.o: $(O)/kconfig.S $(O)/kconfig.gz $(O)/.flags
	$(call log,AS)$(CC) $(asflags) -c -o $@ $<

include lib/third_party/third_party.mk

-include $(objs:.o=.d) $(lds).d

# ---- running -----------------------------------------------------------------------------------

.PHONY: run bootstrap doctor
run: kernel
	$(Q)./caelum shell -a $(ARCH)
bootstrap:
	$(Q)scripts/bootstrap
doctor:
	$(Q)./caelum doctor

# ---- tests and checks --------------------------------------------------------------------------

include tests/tests.mk

.PHONY: clean distclean
clean:
	rm -rf $(O)
distclean:
	rm -rf $(filter-out $(DEPS),$(wildcard build/*))

endif

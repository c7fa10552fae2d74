# SPDX-License-Identifier: MIT
# Third-party code that is compiled into the kernel, from the Debian source packages that
# scripts/bootstrap unpacks under build/deps/src. It becomes an archive: only what is called is linked.
#
#   libfdt   (device-tree-compiler)  #include <libfdt.h>
#   inflate  (zlib, with Z_SOLO: the caller gives zalloc and zfree)  #include <zlib.h>
#   ChaCha20 and SHA-256 (bearssl)  #include <bearssl_block.h>, <bearssl_hash.h>
#
# Its own headers come after ours; lib/third_party/include maps the few libc headers it wants to lib/.

tp_src := $(DEPS)/src

tp_fdt_dir      := $(tp_src)/device-tree-compiler/libfdt
# No jump tables: the EFI stub calls it before the kernel is where it is linked.
tp_fdt_flags    := -fno-jump-tables
tp_fdt_objs     := fdt.o fdt_ro.o fdt_rw.o fdt_wip.o fdt_addresses.o fdt_strerror.o fdt_check.o
tp_zlib_dir     := $(tp_src)/zlib
tp_zlib_objs    := inflate.o inffast.o inftrees.o zutil.o adler32.o crc32.o

tp_bearssl_dir  := $(tp_src)/bearssl/src
tp_bearssl_objs := symcipher/chacha20_ct.o hash/sha2small.o codec/dec32le.o codec/enc32le.o codec/dec32be.o \
	codec/enc32be.o
tp_bearssl_flags := -DBR_USE_URANDOM=0 -DBR_USE_WIN32_RAND=0 -DBR_USE_UNIX_TIME=0 -DBR_USE_WIN32_TIME=0 \
	-DBR_AES_X86NI=0 -DBR_SSE2=0 -DBR_RDRAND=0 -DBR_USE_GETENTROPY=0

third_objs :=

# third_lib,NAME - rules for one library
define third_lib
third_objs += $$(addprefix $$(O)/third_party/$1/,$$(tp_$1_objs))
$$(O)/third_party/$1/%.o: $$(tp_$1_dir)/%.c $$(O)/.flags
	@mkdir -p $$(@D)
	$$(call log,CC)$$(CC) $$(common_flags) $$(kcflags) -w $$(tp_$1_flags) -I$$(tp_$1_dir) -MD -MP -c -o $$@ $$<
endef
$(foreach l,fdt zlib bearssl,$(eval $(call third_lib,$l)))

$(third): $(third_objs)
	$(call log,AR)rm -f $@ && $(AR) rcs $@ $^

-include $(third_objs:.o=.d)

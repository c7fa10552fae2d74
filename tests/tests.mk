# SPDX-License-Identifier: MIT
# Tests and checks. Included by the top Makefile.
#
# tests/host/test_X.c is one cmocka program, tests/fuzz/fuzz_X.c one libFuzzer target. The portable
# objects each is linked with are named in tests/host/objs.mk and tests/fuzz/objs.mk:
#   objs-test_X := lib/string.o lib/printf.o
# and options for its linking in ldflags-test_X.
# All of it is compiled with ASan and UBSan, -DCAELUM_HOST, against hal/host/include, into build/host.

host_o      := build/host
HOSTCC      ?= clang-19
host_flags  := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -DCAELUM_HOST -I. -Ihal/host/include -Iinclude -Ihal/include \
	-I$(host_o)/include -include $(host_o)/include/generated/autoconf.h \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	-Wno-gnu-variable-sized-type-not-at-end
host_tp     := -I$(DEPS)/src/device-tree-compiler/libfdt -I$(DEPS)/src/zlib

-include tests/host/objs.mk
-include tests/fuzz/objs.mk

host_tests   := $(patsubst tests/host/%.c,%,$(wildcard tests/host/test_*.c))
fuzz_targets := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

$(host_o)/include/generated/autoconf.h: $(kconfig_files) configs/host_defconfig scripts/kconfig.py
	@mkdir -p $(host_o)
	$(Q)ARCH=host $(PYTHON) scripts/kconfig.py --out $(host_o) defconfig configs/host_defconfig
	$(Q)ARCH=host $(PYTHON) scripts/kconfig.py --out $(host_o) sync && touch $@

# Kernel objects, for tests and, with coverage instrumentation, for fuzzing.
$(host_o)/test/%.o: %.c tests/tests.mk | $(host_o)/include/generated/autoconf.h
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) $(host_flags) $(host_tp) -MD -MP -c -o $@ $<
$(host_o)/fuzz/%.o: %.c tests/tests.mk | $(host_o)/include/generated/autoconf.h
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) $(host_flags) $(host_tp) -fsanitize=fuzzer-no-link -O2 -MD -MP -c -o $@ $<
# Third-party sources keep their own warnings.
$(host_o)/test/libfdt/%.o: $(DEPS)/src/device-tree-compiler/libfdt/%.c
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) $(host_tp) -g -O1 -w -fsanitize=address,undefined -c -o $@ $<
$(host_o)/fuzz/libfdt/%.o: $(DEPS)/src/device-tree-compiler/libfdt/%.c
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) $(host_tp) -g -O2 -w -fsanitize=address,undefined,fuzzer-no-link -c -o $@ $<
$(host_o)/test/zlib/%.o: $(DEPS)/src/zlib/%.c
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) -g -O1 -w -DZ_SOLO -fsanitize=address -c -o $@ $<
$(host_o)/fuzz/zlib/%.o: $(DEPS)/src/zlib/%.c
	@mkdir -p $(@D)
	$(call log,HOSTCC)$(HOSTCC) -g -O2 -w -DZ_SOLO -fsanitize=address,fuzzer-no-link -c -o $@ $<

define host_test
$(host_o)/$1: $(host_o)/test/tests/host/$1.o $(addprefix $(host_o)/test/,$(objs-$1))
	$$(call log,HOSTLD)$$(HOSTCC) -fsanitize=address,undefined $$(ldflags-$1) -o $$@ $$^ -lcmocka -lpthread
check-$1: $(host_o)/$1
	$$(Q)$$<
-include $(host_o)/test/tests/host/$1.d $(patsubst %.o,$(host_o)/test/%.d,$(objs-$1))
endef
$(foreach t,$(host_tests),$(eval $(call host_test,$t)))

define fuzz_target
$(host_o)/$1: $(host_o)/fuzz/tests/fuzz/$1.o $(addprefix $(host_o)/fuzz/,$(objs-$1))
	$$(call log,HOSTLD)$$(HOSTCC) -fsanitize=address,undefined,fuzzer $$(ldflags-$1) -o $$@ $$^
fuzz-$1: $(host_o)/$1
	$$(Q)mkdir -p $(host_o)/corpus/$1 && $$< -max_total_time=$$(or $$(FUZZ_SECONDS),600) \
		$(host_o)/corpus/$1 $(wildcard tests/fuzz/corpus/$(1:fuzz_%=%))
-include $(host_o)/fuzz/tests/fuzz/$1.d $(patsubst %.o,$(host_o)/fuzz/%.d,$(objs-$1))
endef
$(foreach t,$(fuzz_targets),$(eval $(call fuzz_target,$t)))

.PHONY: check host-tests fuzz-smoke fuzz-targets lint format test
host-tests: $(host_tests:%=$(host_o)/%)
fuzz-targets: $(fuzz_targets:%=$(host_o)/%)

# Every host test; one line at the end says how many cases passed.
check: host-tests
	$(Q)$(PYTHON) scripts/run-host-tests.py $(host_tests:%=$(host_o)/%) tests/test_tools.py

# Each fuzz target over a fixed number of inputs; a crash or a slow input fails.
FUZZ_RUNS ?= 20000
fuzz-smoke: fuzz-targets
	$(Q)$(PYTHON) scripts/run-fuzz.py --runs $(FUZZ_RUNS) $(fuzz_targets:%=$(host_o)/%)

lint:
	$(Q)$(PYTHON) scripts/lint.py

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-19 -i

test:
	$(Q)./caelum test

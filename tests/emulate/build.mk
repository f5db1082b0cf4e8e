# SPDX-License-Identifier: GPL-2.0-or-later
# The emulator's tests: the sources of vmm/emulate built for the host with ASan and UBSan.
#   check-emulate   all tests, one summary line
#   fuzz-emulate    libFuzzer for FUZZ_SECONDS (60), starting from tests/regress/emulate
#   bench-emulate   instructions per emulation of common MMIO moves, counted by callgrind

emulate_DIR    := $(O)/tests/emulate
emulate_CC     ?= gcc
emulate_FUZZCC ?= clang
emulate_CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -I. -MMD -MP
emulate_SAN    := -fsanitize=address,undefined -fno-sanitize-recover=undefined

emulate_C      := $(sort $(wildcard vmm/emulate/*.c) \
	$(filter-out tests/emulate/fuzz_emulate.c,$(wildcard tests/emulate/*.c)))
emulate_FUZZ_C := $(sort $(wildcard vmm/emulate/*.c)) tests/emulate/fuzz_emulate.c \
	tests/emulate/fuzz_one.c tests/emulate/harness.c
emulate_OBJS   := $(emulate_C:%.c=$(emulate_DIR)/%.o)
emulate_FAST   := $(emulate_C:%.c=$(emulate_DIR)/fast/%.o)
emulate_FOBJS  := $(emulate_FUZZ_C:%.c=$(emulate_DIR)/fuzz/%.o)
FUZZ_SECONDS   ?= 60

CHECKS  += check-emulate
FUZZERS += fuzz-emulate
HELP    += 'make bench-emulate|instructions per emulated MMIO move (valgrind)'

$(emulate_DIR)/fast/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(emulate_CC) $(emulate_CFLAGS) -c $< -o $@

$(emulate_DIR)/fuzz/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(emulate_FUZZCC) $(emulate_CFLAGS) $(emulate_SAN) -fsanitize=fuzzer-no-link -c $< -o $@

$(emulate_DIR)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(emulate_CC) $(emulate_CFLAGS) $(emulate_SAN) -c $< -o $@

$(emulate_DIR)/test-emulate: $(emulate_OBJS)
	$(call say,LINK,$@)
	$(Q)$(emulate_CC) $(emulate_SAN) $^ -o $@ -lZydis

$(emulate_DIR)/bench-emulate: $(emulate_FAST)
	$(call say,LINK,$@)
	$(Q)$(emulate_CC) $^ -o $@ -lZydis

$(emulate_DIR)/fuzz-emulate: $(emulate_FOBJS)
	$(call say,LINK,$@)
	$(Q)$(emulate_FUZZCC) $(emulate_SAN) -fsanitize=fuzzer $^ -o $@

.PHONY: check-emulate fuzz-emulate bench-emulate
check-emulate: $(emulate_DIR)/test-emulate
	$(Q)timeout 900 $<

bench-emulate: $(emulate_DIR)/bench-emulate
	$(Q)$< bench

fuzz-emulate: $(emulate_DIR)/fuzz-emulate
	$(Q)mkdir -p $(emulate_DIR)/corpus
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=512 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix=$(emulate_DIR)/crash- $(emulate_DIR)/corpus tests/regress/emulate

-include $(emulate_OBJS:.o=.d) $(emulate_FAST:.o=.d) $(emulate_FOBJS:.o=.d)

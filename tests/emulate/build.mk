# SPDX-License-Identifier: GPL-2.0-or-later
# The emulator's tests: the sources of vmm/emulate built for the host with ASan and UBSan.
#   check-emulate   all tests, one summary line
#   fuzz-emulate    libFuzzer for FUZZ_SECONDS (60), starting from tests/regress/emulate
#   bench-emulate   instructions per emulation of common MMIO moves, counted by callgrind

emulate_DIR    := $(O)/tests/emulate
emulate_CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -I.
emulate_SAN    := -fno-sanitize-recover=undefined

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

$(call objects,plain,$(emulate_DIR)/fast,,$(emulate_CFLAGS))
$(call objects,fuzz,$(emulate_DIR)/fuzz,,$(emulate_CFLAGS) $(emulate_SAN))
$(call objects,asan,$(emulate_DIR),,$(emulate_CFLAGS) $(emulate_SAN))
$(call program,asan,$(emulate_DIR)/test-emulate,$(emulate_OBJS),,-lZydis)
$(call program,plain,$(emulate_DIR)/bench-emulate,$(emulate_FAST),,-lZydis)
$(call program,fuzz,$(emulate_DIR)/fuzz-emulate,$(emulate_FOBJS))

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

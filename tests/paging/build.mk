# SPDX-License-Identifier: GPL-2.0-or-later
# Shadow page tables under a model of processors (model.h), on the machine of tests/fuzz (its variables: fuzz_*).
#   check-paging    30 seeds, with the sanitizers
#   fuzz-paging     libFuzzer for FUZZ_SECONDS
#   paging-mutants  faults made on purpose are noticed: some minutes

paging_DIR   := $(O)/tests/paging
paging_TESTS := $(addprefix tests/paging/,audit.c drive.c model.c oracle.c)
paging_GOBJS := $(filter-out %/tests/fuzz/fuzz.o,$(fuzz_VMM:%.c=$(fuzz_DIR)/gcc/%.o)) $(paging_TESTS:%.c=$(fuzz_DIR)/gcc/%.o) \
	$(addprefix $(fuzz_DIR)/gcc-host/tests/,fuzz/host.o fuzz/work.o paging/run.o)
paging_COBJS := $(filter-out %/tests/fuzz/fuzz.o,$(fuzz_VMM:%.c=$(fuzz_DIR)/clang/%.o)) $(paging_TESTS:%.c=$(fuzz_DIR)/clang/%.o) \
	$(addprefix $(fuzz_DIR)/clang-host/tests/,fuzz/host.o fuzz/work.o paging/run.o)

CHECKS  += check-paging
FUZZERS += fuzz-paging

$(fuzz_DIR)/clang-host/tests/paging/run.o: fuzz_COMMON += -DPLINTH_FUZZER

$(paging_DIR)/model: $(paging_GOBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(fuzz_LINK) -o $@ $(paging_GOBJS)

$(paging_DIR)/fuzz: $(paging_COBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(fuzz_LINK) -fsanitize=fuzzer -o $@ $(paging_COBJS)

.PHONY: check-paging fuzz-paging
check-paging: $(paging_DIR)/model
	$(Q)$(fuzz_ENV) timeout 120 $< 2> $(paging_DIR)/log || { tail -30 $(paging_DIR)/log; false; }

fuzz-paging: $(paging_DIR)/fuzz
	$(Q)mkdir -p $(paging_DIR)/corpus
	$(Q)$(fuzz_ENV) $< -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -len_control=0 \
		-timeout=20 -print_final_stats=0 -verbosity=0 -artifact_prefix=$(paging_DIR)/crash- $(paging_DIR)/corpus

.PHONY: paging-mutants
paging-mutants: $(paging_DIR)/model
	$(Q)tests/paging/mutants $(paging_DIR) '$(CC) $(fuzz_CFLAGS) --param asan-globals=0' '$(CC) $(fuzz_LINK)' $(paging_GOBJS)

-include $(paging_GOBJS:.o=.d) $(paging_COBJS:.o=.d)

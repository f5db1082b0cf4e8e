# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the device model, by what they look at; each folder's build.mk says which checks it has.

DM_TESTS := tests/device-model

# AFL++ for FUZZ_SECONDS: $(1) is the name of the folder in tests/regress, $(2) the program.
DM_AFL := $(shell command -v afl-fuzz)
define afl_run
	$(Q)rm -rf $(DM_OUT)/afl/$(1) && mkdir -p $(DM_OUT)/afl/$(1)/tmp
	$(Q)cd $(DM_OUT)/afl/$(1) && AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 \
		AFL_NO_AFFINITY=1 ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 TMPDIR=$$PWD/tmp \
		afl-fuzz -V $(FUZZ_SECONDS) -m none -t 5000+ -i $(CURDIR)/tests/regress/$(1) -o out \
		-- $(abspath $(2)) > log 2>&1 || { tail -5 log; exit 1; }
	$(Q)rm -rf $(DM_OUT)/afl/$(1)/tmp; crashes=$$(ls $(DM_OUT)/afl/$(1)/out/default/crashes | grep -c '^id'); \
	runs=$$(sed -n 's/^execs_done *: //p' $(DM_OUT)/afl/$(1)/out/default/fuzzer_stats); \
	echo "afl-dm-$(1): $$runs runs, $$crashes crashes"; \
	[ $$crashes = 0 ] || { echo "they are in $(DM_OUT)/afl/$(1)/out/default/crashes"; exit 1; }
endef

# libFuzzer, likewise; $(3) are more of its options.
define fuzz_run
	$(Q)mkdir -p $(DM_OUT)/corpus/$(1)
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(2) -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=20 \
		-print_final_stats=0 -verbosity=0 -artifact_prefix=$(DM_OUT)/crash-$(1)- $(3) \
		$(DM_OUT)/corpus/$(1) tests/regress/$(1)
endef
FUZZ_SECONDS ?= 60

include $(DM_TESTS)/hw/build.mk
include $(DM_TESTS)/ui/build.mk
include $(DM_TESTS)/block/build.mk
include $(DM_TESTS)/pv/build.mk
include $(DM_TESTS)/fuzz/build.mk
include $(DM_TESTS)/net/build.mk

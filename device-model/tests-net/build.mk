# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the network cards and back ends (included by device-model/build.mk, after tests-fuzz).
#   check-dm-net                    register scripts on ours and on QEMU; what the fuzzers start from
#   fuzz-dm-rtl8139, fuzz-dm-ne2k   libFuzzer for FUZZ_SECONDS (60), from tests/regress/{rtl8139,ne2k}
#   afl-dm-rtl8139, afl-dm-ne2k     the same by AFL++, where it is installed

DM_NET_DIR   := device-model/tests-net
DM_NET_OUT   := $(DM_OUT)/tests-net
DM_NET_CARDS := rtl8139 ne2k
# The device model with a compiler that libFuzzer knows is built by tests-fuzz.
DM_NET_FOBJ  := $(filter-out %/fuzz_ports.o,$(DM_FUZZ_OBJ))
DM_NET_AOBJ  := $(filter-out $(DM_FUZZ_OUT)/afl-obj/fuzz_%.o,$(DM_AFL_OBJ))

CHECKS  += check-dm-net
FUZZERS += $(DM_NET_CARDS:%=fuzz-dm-%) $(if $(DM_AFL),$(DM_NET_CARDS:%=afl-dm-%))

$(DM_NET_OUT)/fuzz_%.o: $(DM_NET_DIR)/fuzz_nic.c
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_CFLAGS) $(DM_SANITIZE) -fsanitize=fuzzer-no-link -DFUZZ_CARD='"$*"' -MMD -MP -c -o $@ $<

$(DM_NET_CARDS:%=$(DM_NET_OUT)/fuzz-%): $(DM_NET_OUT)/fuzz-%: $(DM_NET_OUT)/fuzz_%.o $(DM_NET_FOBJ)
	$(call say,LD,$@)
	$(Q)clang $(DM_SANITIZE) -fsanitize=fuzzer -o $@ $^ $(DM_LIBS)

$(DM_NET_OUT)/afl_%.o: $(DM_NET_DIR)/fuzz_nic.c
	$(call say,CC-AFL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_CFLAGS) $(DM_SANITIZE) -DFUZZ_CARD='"$*"' -MMD -MP -c -o $@ $<

$(DM_NET_CARDS:%=$(DM_NET_OUT)/afl-%): $(DM_NET_OUT)/afl-%: $(DM_NET_OUT)/afl_%.o $(DM_NET_AOBJ)
	$(call say,LD,$@)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_SANITIZE) -fsanitize=fuzzer -o $@ $^ $(DM_LIBS)

$(DM_NET_OUT)/replay_%.o: $(DM_NET_DIR)/fuzz_nic.c
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_CFLAGS) $(DM_SANITIZE) -DFUZZ_CARD='"$*"' -MMD -MP -c -o $@ $<

$(DM_NET_CARDS:%=$(DM_NET_OUT)/replay-%): $(DM_NET_OUT)/replay-%: $(DM_NET_OUT)/replay_%.o \
		$(DM_FUZZ_OUT)/asan/replay.o $(filter-out %/main.o,$(DM_ASAN_OBJ))
	$(call say,LD,$@)
	$(Q)$(CC) $(DM_SANITIZE) -o $@ $^ $(DM_LIBS)

.PHONY: check-dm-net $(DM_NET_CARDS:%=fuzz-dm-%) $(DM_NET_CARDS:%=afl-dm-%)
check-dm-net: $(DM_OUT)/plinth-dm-asan $(DM_NET_CARDS:%=$(DM_NET_OUT)/replay-%)
	$(Q)python3 $(DM_NET_DIR)/run.py --device-model $< --work $(DM_NET_OUT)/work \
		$(DM_NET_CARDS:%=--replay $(DM_NET_OUT)/replay-%)

$(DM_NET_CARDS:%=fuzz-dm-%): fuzz-dm-%: $(DM_NET_OUT)/fuzz-%
	$(Q)mkdir -p $(DM_NET_OUT)/corpus-$*
	$(Q)ASAN_OPTIONS=detect_leaks=0 $< -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
		-rss_limit_mb=1024 -timeout=20 -print_final_stats=0 -verbosity=0 -close_fd_mask=2 \
		-artifact_prefix=$(DM_NET_OUT)/crash-$*- $(DM_NET_OUT)/corpus-$* tests/regress/$*

$(DM_NET_CARDS:%=afl-dm-%): afl-dm-%: $(DM_NET_OUT)/afl-%
	$(call afl_run,$*,$<)

-include $(wildcard $(DM_NET_OUT)/*.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the paravirtual back ends (included by device-model/build.mk).
#   check-dm-pv    the block ring; whole back ends with small libraries in the place of Xen's
#                  and a process that was taken over, behind the real confinement
#   fuzz-dm-pv     libFuzzer on the same for FUZZ_SECONDS (60), from tests/regress/pv; afl-dm-pv: AFL++
#   fuzz-dm-keeper, afl-dm-keeper   the same on requests to the privileged part, from tests/regress/keeper

DM_PV_DIR  := device-model/tests-pv
DM_PV_OUT  := $(DM_OUT)/tests-pv
DM_PV_TEST := $(addprefix $(DM_PV_OUT)/,test-blkif test-devices test-keeper replay-pv replay-keeper)
DM_PV_BLKIF_SRC := $(DM_PV_DIR)/test_blkif.c device-model/pv/blkif.c $(DM_BLOCK_LIB)
DM_PV_KEEPER := $(wildcard device-model/core/keeper*.c) $(addprefix device-model/core/,json.c xen_grant.c xen_store.c) \
	$(DM_PV_DIR)/fake_xen.c
DM_PV_LIB  := $(sort $(wildcard device-model/pv/*.c) $(DM_BLOCK_LIB) device-model/core/display.c \
	device-model/core/input.c $(DM_PV_KEEPER) $(DM_PV_DIR)/fake_confine.c)
DM_PV_FLAGS := $(DM_BLOCK_FLAGS) $(shell pkg-config --cflags pixman-1)
DM_PV_HEADERS := $(wildcard device-model/pv/*.h $(DM_PV_DIR)/*.h device-model/block/*.h device-model/core/*.h)

CHECKS  += check-dm-pv
FUZZERS += fuzz-dm-pv fuzz-dm-keeper $(if $(DM_AFL),afl-dm-pv afl-dm-keeper)

$(DM_PV_OUT)/test-blkif: $(DM_PV_BLKIF_SRC) $(DM_PV_HEADERS)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_BLOCK_FLAGS) -o $@ $(DM_PV_BLKIF_SRC) -lz

$(DM_PV_OUT)/test-devices: $(DM_PV_LIB) $(DM_PV_DIR)/test_devices.c $(DM_PV_HEADERS)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_PV_FLAGS) -o $@ $(filter %.c,$^) -lz -lpixman-1

$(DM_PV_OUT)/test-keeper: $(DM_PV_KEEPER) $(DM_BLOCK_CORE) device-model/core/confine.c device-model/core/confine_calls.c \
		device-model/core/options.c device-model/core/options_dev.c device-model/core/options_net.c \
		$(addprefix $(DM_PV_DIR)/,taken_over.c test_keeper.c test_requests.c test_ends.c test_files.c test_moves.c) $(DM_PV_HEADERS)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_PV_FLAGS) -Wl,--wrap=open64,--wrap=keeper_xen_map -o $@ $(sort $(filter %.c,$^))

$(DM_PV_OUT)/replay-pv: $(DM_PV_LIB) $(DM_PV_DIR)/fuzz_pv.c device-model/tests-fuzz/replay.c $(DM_PV_HEADERS)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_PV_FLAGS) -o $@ $(filter %.c,$^) -lz -lpixman-1

$(DM_PV_OUT)/fuzz-pv: $(DM_PV_LIB) $(DM_PV_DIR)/fuzz_pv.c $(DM_PV_HEADERS)
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_PV_FLAGS) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lz -lpixman-1

$(DM_PV_OUT)/afl-pv: $(DM_PV_LIB) $(DM_PV_DIR)/fuzz_pv.c $(DM_PV_HEADERS)
	$(call say,CC-AFL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_PV_FLAGS) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lz -lpixman-1

DM_PV_KEEPER_FUZZ := $(DM_PV_KEEPER) $(DM_BLOCK_CORE) $(DM_PV_DIR)/fake_confine.c $(DM_PV_DIR)/fuzz_keeper.c
DM_PV_KEEPER_WRAP := -Wl,--wrap=open64,--wrap=keeper_xen_map

$(DM_PV_OUT)/replay-keeper: $(DM_PV_KEEPER_FUZZ) device-model/tests-fuzz/replay.c $(DM_PV_HEADERS)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_PV_FLAGS) $(DM_PV_KEEPER_WRAP) -o $@ $(sort $(filter %.c,$^))

$(DM_PV_OUT)/fuzz-keeper: $(DM_PV_KEEPER_FUZZ) $(DM_PV_HEADERS)
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_PV_FLAGS) $(DM_PV_KEEPER_WRAP) -fsanitize=fuzzer -o $@ $(sort $(filter %.c,$^))

$(DM_PV_OUT)/afl-keeper: $(DM_PV_KEEPER_FUZZ) $(DM_PV_HEADERS)
	$(call say,CC-AFL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_PV_FLAGS) $(DM_PV_KEEPER_WRAP) -fsanitize=fuzzer -o $@ \
		$(sort $(filter %.c,$^))

.PHONY: check-dm-pv $(addprefix fuzz-dm-,pv keeper) $(addprefix afl-dm-,pv keeper)
check-dm-pv: $(DM_PV_TEST)
	$(Q)timeout 60 $(DM_PV_OUT)/test-blkif
	$(Q)timeout 60 $(DM_PV_OUT)/test-devices 2> $(DM_PV_OUT)/devices.log
	$(Q)timeout 300 $(DM_PV_OUT)/test-keeper 2> $(DM_PV_OUT)/keeper.log
	$(Q)for d in pv keeper; do \
		ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_PV_OUT)/replay-$$d tests/regress/$$d/* \
			2> $(DM_PV_OUT)/fuzz-$$d.log || { tail -20 $(DM_PV_OUT)/fuzz-$$d.log; exit 1; }; \
	done

fuzz-dm-pv fuzz-dm-keeper: fuzz-dm-%: $(DM_PV_OUT)/fuzz-%
	$(Q)mkdir -p $(DM_PV_OUT)/corpus-$*
	$(Q)ASAN_OPTIONS=detect_leaks=0 $< -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
		-rss_limit_mb=1024 -timeout=20 -print_final_stats=0 -verbosity=0 -close_fd_mask=2 \
		-artifact_prefix=$(DM_PV_OUT)/crash-$*- $(DM_PV_OUT)/corpus-$* tests/regress/$*

afl-dm-pv afl-dm-keeper: afl-dm-%: $(DM_PV_OUT)/afl-%
	$(call afl_run,$*,$<)

# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the paravirtual back ends and of the privileged part (included by tests/device-model/build.mk).
#   check-dm-pv    the block ring; whole back ends with small libraries in the place of Xen's
#                  and a process that was taken over, behind the real confinement
#   fuzz-dm-pv     libFuzzer on the same for FUZZ_SECONDS (60), from tests/regress/pv; afl-dm-pv: AFL++
#   fuzz-dm-keeper, afl-dm-keeper   the same on requests to the privileged part, from tests/regress/keeper

DM_PV_DIR  := $(DM_TESTS)/pv
DM_PV_OUT  := $(DM_OUT)/tests-pv
DM_PV_CHECK := tests/check.c tests/check.h
DM_PV_FLAGS := $(DM_BLOCK_FLAGS) $(shell pkg-config --cflags pixman-1)
DM_PV_HEADERS := $(wildcard $(addsuffix /*.h,$(DM_DIR)/pv $(DM_DIR)/block $(DM_DIR)/core $(DM_PV_DIR)))
DM_PV_KEEPER := $(wildcard $(DM_DIR)/core/keeper*.c) $(addprefix $(DM_DIR)/core/,json.c xen_grant.c xen_store.c) \
	$(DM_PV_DIR)/fake_xen.c $(DM_PV_HEADERS)
DM_PV_LIB  := $(sort $(wildcard $(DM_DIR)/pv/*.c) $(DM_BLOCK_LIB) $(addprefix $(DM_DIR)/core/,display.c input.c) \
	$(DM_PV_KEEPER) $(DM_PV_DIR)/fake_confine.c)
DM_PV_TAKEN := $(addprefix $(DM_PV_DIR)/,taken_over.c $(addprefix test_,keeper.c requests.c ends.c files.c moves.c)) \
	$(DM_PV_CHECK) $(DM_PV_KEEPER) $(DM_BLOCK_CORE) $(addprefix $(DM_DIR)/core/,confine.c confine_calls.c options.c options_dev.c options_net.c)
DM_PV_WRAP := -Wl,--wrap=open64,--wrap=keeper_xen_map
# The fuzz targets: what they are of, and how they are linked.
DM_PV_OF_pv      := $(DM_PV_LIB) $(DM_PV_DIR)/fuzz_pv.c
DM_PV_OF_keeper  := $(filter-out %/keeper_images.c,$(DM_PV_KEEPER)) $(DM_BLOCK_CORE) \
	$(addprefix $(DM_PV_DIR)/,fake_confine.c fuzz_keeper.c)
DM_PV_OPT_keeper := $(DM_PV_WRAP)

CHECKS  += check-dm-pv
FUZZERS += fuzz-dm-pv fuzz-dm-keeper $(if $(DM_AFL),afl-dm-pv afl-dm-keeper)

$(call program,asan,$(DM_PV_OUT)/test-blkif,$(DM_PV_DIR)/test_blkif.c $(DM_PV_CHECK) $(DM_DIR)/pv/blkif.c $(DM_BLOCK_LIB) \
	$(DM_PV_HEADERS),$(DM_PV_FLAGS),-lz)
$(call program,asan,$(DM_PV_OUT)/test-devices,$(DM_PV_LIB) $(DM_PV_CHECK) $(DM_PV_DIR)/test_devices.c,$(DM_PV_FLAGS),-lz -lpixman-1)
$(call program,asan,$(DM_PV_OUT)/test-keeper,$(DM_PV_TAKEN),$(DM_PV_FLAGS) $(DM_PV_WRAP))
$(foreach t,pv keeper,\
	$(call program,asan,$(DM_PV_OUT)/replay-$t,$(DM_PV_OF_$t) $(DM_TESTS)/fuzz/replay.c,$(DM_PV_FLAGS) $(DM_PV_OPT_$t),-lz -lpixman-1)\
	$(foreach f,fuzz afl,$(call program,$f,$(DM_PV_OUT)/$f-$t,$(DM_PV_OF_$t),$(DM_PV_FLAGS) $(DM_PV_OPT_$t),-lz -lpixman-1)))

.PHONY: check-dm-pv $(addprefix fuzz-dm-,pv keeper) $(addprefix afl-dm-,pv keeper)
check-dm-pv: $(addprefix $(DM_PV_OUT)/,test-blkif test-devices test-keeper replay-pv replay-keeper)
	$(Q)timeout 60 $(DM_PV_OUT)/test-blkif
	$(Q)timeout 60 $(DM_PV_OUT)/test-devices 2> $(DM_PV_OUT)/devices.log
	$(Q)timeout 300 $(DM_PV_OUT)/test-keeper 2> $(DM_PV_OUT)/keeper.log
	$(Q)for d in pv keeper; do \
		ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_PV_OUT)/replay-$$d tests/regress/$$d/* \
			2> $(DM_PV_OUT)/fuzz-$$d.log || { tail -20 $(DM_PV_OUT)/fuzz-$$d.log; exit 1; }; \
	done

fuzz-dm-pv fuzz-dm-keeper: fuzz-dm-%: $(DM_PV_OUT)/fuzz-%
	$(call fuzz_run,$*,$<,-max_len=4096 -close_fd_mask=2)

afl-dm-pv afl-dm-keeper: afl-dm-%: $(DM_PV_OUT)/afl-%
	$(call afl_run,$*,$<)

# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the paravirtual back ends (included by device-model/build.mk).

DM_PV_TEST := $(DM_OUT)/tests-pv/test-blkif
DM_PV_TEST_SRC := device-model/tests-pv/test_blkif.c device-model/pv/blkif.c $(DM_BLOCK_LIB)

CHECKS += check-dm-pv

$(DM_PV_TEST): $(DM_PV_TEST_SRC) device-model/pv/blkif.h
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_BLOCK_FLAGS) -o $@ $(DM_PV_TEST_SRC) -lz

.PHONY: check-dm-pv
check-dm-pv: $(DM_PV_TEST)
	$(Q)timeout 60 $<

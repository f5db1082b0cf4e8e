# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the network cards and back ends (included by tests/device-model/build.mk, after fuzz).
#   check-dm-net                    register scripts on ours and on QEMU; what the fuzzers start from
#   fuzz-dm-rtl8139, fuzz-dm-ne2k   libFuzzer for FUZZ_SECONDS (60), from tests/regress/{rtl8139,ne2k}
#   afl-dm-rtl8139, afl-dm-ne2k     the same by AFL++, where it is installed

DM_NET_DIR   := $(DM_TESTS)/net
DM_NET_OUT   := $(DM_OUT)/tests-net
DM_NET_CARDS := rtl8139 ne2k
# The device model in each flavour is built by fuzz.
DM_NET_LIB_fuzz := $(DM_FUZZ_LIB:%=$(DM_FUZZ_OUT)/fuzz/%)
DM_NET_LIB_afl  := $(DM_FUZZ_LIB:%=$(DM_FUZZ_OUT)/afl/%)
DM_NET_LIB_asan := $(filter-out %/main.o,$(DM_ASAN_OBJ)) $(DM_FUZZ_OUT)/asan/tests/replay.o

CHECKS  += check-dm-net
FUZZERS += $(DM_NET_CARDS:%=fuzz-dm-%) $(if $(DM_AFL),$(DM_NET_CARDS:%=afl-dm-%))

define DM_NET_PROGRAM
$(call objects,$(1),$(DM_NET_OUT)/$(1)-$(2),$(DM_NET_DIR)/,$(DM_CFLAGS) $(DM_SANITIZE) -Itests -DFUZZ_CARD='"$(2)"')
$(call program,$(1),$(DM_NET_OUT)/$(1)/$(2),$(DM_NET_OUT)/$(1)-$(2)/fuzz_nic.o $(DM_NET_LIB_$(1)),$(DM_SANITIZE),$(DM_LIBS))
endef
$(foreach f,fuzz afl asan,$(foreach c,$(DM_NET_CARDS),$(call DM_NET_PROGRAM,$f,$c)))

.PHONY: check-dm-net $(DM_NET_CARDS:%=fuzz-dm-%) $(DM_NET_CARDS:%=afl-dm-%)
check-dm-net: $(DM_OUT)/plinth-dm-asan $(DM_NET_CARDS:%=$(DM_NET_OUT)/asan/%)
	$(Q)python3 $(DM_TESTS)/run.py net --device-model $< --work $(DM_NET_OUT)/work \
		$(DM_NET_CARDS:%=--replay $(DM_NET_OUT)/asan/%)

$(DM_NET_CARDS:%=fuzz-dm-%): fuzz-dm-%: $(DM_NET_OUT)/fuzz/%
	$(call fuzz_run,$*,$<,-max_len=4096 -close_fd_mask=2)

$(DM_NET_CARDS:%=afl-dm-%): afl-dm-%: $(DM_NET_OUT)/afl/%
	$(call afl_run,$*,$<)

-include $(wildcard $(DM_NET_OUT)/*/*.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets of devices behind ports, and of what else comes from outside (included by tests/device-model/build.mk).
#   fuzz-dm-NAME    libFuzzer for FUZZ_SECONDS (60), from tests/regress/NAME
#   afl-dm-NAME     the same by AFL++, where it is installed
#   check-dm-fuzz   those files once, with the sanitizers
# All are one program, which goes by its name. AFL++ brings a driver for the same functions; its processes come and go,
# so their files are in TMPDIR.

DM_FUZZ_DIR  := $(DM_TESTS)/fuzz
DM_FUZZ_OUT  := $(DM_OUT)/tests-fuzz
DM_FUZZ_OWN  := fuzz_ports fuzz_devices fuzz_text
DM_FUZZ_LIB  := $(patsubst $(DM_DIR)/%.c,%.o,$(filter-out $(DM_DIR)/main.c,$(DM_SRC)))
DM_FUZZ_DEVICES := fdc uhci ide pc ps2 uart vga qmp vnc vnctls ws options state
DM_FUZZ_WRAP := -Wl,--wrap=log_fatal,--wrap=qmp_open_path
DM_FUZZ_FLAGS := $(DM_CFLAGS) $(DM_SANITIZE) -Itests
# What each flavour's program is of: the device model, and the targets.
DM_FUZZ_OBJ_fuzz := $(addprefix $(DM_FUZZ_OUT)/fuzz/,$(DM_FUZZ_LIB) $(DM_FUZZ_OWN:%=tests/%.o))
DM_FUZZ_OBJ_afl  := $(addprefix $(DM_FUZZ_OUT)/afl/,$(DM_FUZZ_LIB) $(DM_FUZZ_OWN:%=tests/%.o))
DM_FUZZ_OBJ_asan := $(filter-out %/main.o,$(DM_ASAN_OBJ)) $(addprefix $(DM_FUZZ_OUT)/asan/tests/,$(DM_FUZZ_OWN:%=%.o) replay.o)

CHECKS  += check-dm-fuzz
FUZZERS += $(DM_FUZZ_DEVICES:%=fuzz-dm-%) $(if $(DM_AFL),$(DM_FUZZ_DEVICES:%=afl-dm-%))

$(foreach f,fuzz afl asan,$(call objects,$f,$(DM_FUZZ_OUT)/$f/tests,$(DM_FUZZ_DIR)/,$(DM_FUZZ_FLAGS)))
$(foreach f,fuzz afl,$(call objects,$f,$(DM_FUZZ_OUT)/$f,$(DM_DIR)/,$(DM_FUZZ_FLAGS)))
$(foreach f,fuzz afl asan,$(call program,$f,$(DM_FUZZ_OUT)/$f-all,$(DM_FUZZ_OBJ_$f),$(DM_SANITIZE) $(DM_FUZZ_WRAP),$(DM_LIBS)))

define DM_FUZZ_NAMES
$(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/$(1)-%): $(DM_FUZZ_OUT)/$(1)-all
	$$(Q)ln -sf $(1)-all $$@
endef
$(foreach f,fuzz afl asan,$(eval $(call DM_FUZZ_NAMES,$f)))

.PHONY: check-dm-fuzz $(DM_FUZZ_DEVICES:%=fuzz-dm-%) $(DM_FUZZ_DEVICES:%=afl-dm-%)
check-dm-fuzz: $(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/asan-%)
	$(Q)failed=0; for d in $(DM_FUZZ_DEVICES); do \
		ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_FUZZ_OUT)/asan-$$d tests/regress/$$d/* \
			2> $(DM_FUZZ_OUT)/$$d.log || { failed=1; tail -20 $(DM_FUZZ_OUT)/$$d.log; }; \
	done; n=$$(ls $(DM_FUZZ_DEVICES:%=tests/regress/%/*) | wc -l); \
	if [ $$failed = 0 ]; then echo "check-dm-fuzz: $$n passed, 0 failed"; \
	else echo "check-dm-fuzz: 0 passed, 1 failed"; exit 1; fi

$(DM_FUZZ_DEVICES:%=fuzz-dm-%): fuzz-dm-%: $(DM_FUZZ_OUT)/fuzz-%
	$(call fuzz_run,$*,$<,-max_len=4096)

$(DM_FUZZ_DEVICES:%=afl-dm-%): afl-dm-%: $(DM_FUZZ_OUT)/afl-%
	$(call afl_run,$*,$<)

-include $(patsubst %.o,%.d,$(DM_FUZZ_OBJ_fuzz) $(DM_FUZZ_OBJ_afl) $(filter $(DM_FUZZ_OUT)/%,$(DM_FUZZ_OBJ_asan)))

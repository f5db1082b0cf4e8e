# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets of devices behind ports, and of what else comes from outside (included by device-model/build.mk).
#   fuzz-dm-NAME    libFuzzer for FUZZ_SECONDS (60), from tests/regress/NAME
#   afl-dm-NAME     the same by AFL++, where it is installed
#   check-dm-fuzz   those files once, with the sanitizers
# All are one program, which goes by its name.

DM_FUZZ_DIR  := device-model/tests-fuzz
DM_FUZZ_OUT  := $(DM_OUT)/tests-fuzz
DM_FUZZ_LIB  := $(filter-out $(DM_DIR)/main.c,$(DM_SRC))
DM_FUZZ_OBJ  := $(DM_FUZZ_LIB:$(DM_DIR)/%.c=$(DM_FUZZ_OUT)/obj/%.o) $(DM_FUZZ_OUT)/obj/fuzz_ports.o
DM_FUZZ_TARGETS := fuzz_devices fuzz_text
DM_FUZZ_DEVICES := fdc uhci ide pc ps2 uart vga qmp vnc vnctls ws options state
DM_FUZZ_WRAP := -Wl,--wrap=log_fatal,--wrap=qmp_open_path
FUZZ_SECONDS ?= 60

CHECKS  += check-dm-fuzz
FUZZERS += $(DM_FUZZ_DEVICES:%=fuzz-dm-%) $(if $(DM_AFL),$(DM_FUZZ_DEVICES:%=afl-dm-%))

$(DM_FUZZ_OUT)/obj/%.o: $(DM_DIR)/%.c
	$(call say,CC-FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_CFLAGS) $(DM_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(DM_FUZZ_OUT)/obj/fuzz_%.o: $(DM_FUZZ_DIR)/fuzz_%.c
	$(call say,CC-FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_CFLAGS) $(DM_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(DM_FUZZ_OUT)/fuzz-all: $(DM_FUZZ_OBJ) $(DM_FUZZ_TARGETS:%=$(DM_FUZZ_OUT)/obj/%.o)
	$(call say,LD,$@)
	$(Q)clang $(DM_SANITIZE) $(DM_FUZZ_WRAP) -fsanitize=fuzzer -o $@ $^ $(DM_LIBS)

$(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/fuzz-%): $(DM_FUZZ_OUT)/fuzz-all
	$(Q)ln -sf fuzz-all $@

$(DM_FUZZ_OUT)/asan/%.o: $(DM_FUZZ_DIR)/%.c
	$(call say,CC-ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_CFLAGS) $(DM_SANITIZE) -MMD -MP -c -o $@ $<

$(DM_FUZZ_OUT)/replay-all: $(addprefix $(DM_FUZZ_OUT)/asan/,fuzz_ports.o $(DM_FUZZ_TARGETS:%=%.o) replay.o) \
		$(filter-out $(DM_OUT)/asan/main.o,$(DM_ASAN_OBJ))
	$(call say,LD,$@)
	$(Q)$(CC) $(DM_SANITIZE) $(DM_FUZZ_WRAP) -o $@ $^ $(DM_LIBS)

$(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/replay-%): $(DM_FUZZ_OUT)/replay-all
	$(Q)ln -sf replay-all $@

.PHONY: check-dm-fuzz $(DM_FUZZ_DEVICES:%=fuzz-dm-%)
check-dm-fuzz: $(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/replay-%)
	$(Q)failed=0; for d in $(DM_FUZZ_DEVICES); do \
		ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_FUZZ_OUT)/replay-$$d tests/regress/$$d/* \
			2> $(DM_FUZZ_OUT)/$$d.log || { failed=1; tail -20 $(DM_FUZZ_OUT)/$$d.log; }; \
	done; n=$$(ls $(DM_FUZZ_DEVICES:%=tests/regress/%/*) | wc -l); \
	if [ $$failed = 0 ]; then echo "check-dm-fuzz: $$n passed, 0 failed"; \
	else echo "check-dm-fuzz: 0 passed, 1 failed"; exit 1; fi

$(DM_FUZZ_DEVICES:%=fuzz-dm-%): fuzz-dm-%: $(DM_FUZZ_OUT)/fuzz-%
	$(Q)mkdir -p $(DM_FUZZ_OUT)/corpus-$*
	$(Q)ASAN_OPTIONS=detect_leaks=0 $< -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
		-rss_limit_mb=1024 -timeout=20 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix=$(DM_FUZZ_OUT)/crash-$*- $(DM_FUZZ_OUT)/corpus-$* tests/regress/$*

# AFL++ brings a driver for the same functions; its processes come and go, so their files are in TMPDIR.
DM_AFL_OBJ := $(DM_FUZZ_OBJ:$(DM_FUZZ_OUT)/obj/%=$(DM_FUZZ_OUT)/afl-obj/%) \
	$(DM_FUZZ_TARGETS:%=$(DM_FUZZ_OUT)/afl-obj/%.o)

$(DM_FUZZ_OUT)/afl-obj/%.o: $(DM_DIR)/%.c
	$(call say,CC-AFL,$<)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_CFLAGS) $(DM_SANITIZE) -MMD -MP -c -o $@ $<

$(DM_FUZZ_OUT)/afl-obj/fuzz_%.o: $(DM_FUZZ_DIR)/fuzz_%.c
	$(call say,CC-AFL,$<)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_CFLAGS) $(DM_SANITIZE) -MMD -MP -c -o $@ $<

$(DM_FUZZ_OUT)/afl-all: $(DM_AFL_OBJ)
	$(call say,LD,$@)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_SANITIZE) $(DM_FUZZ_WRAP) -fsanitize=fuzzer -o $@ $^ $(DM_LIBS)

$(DM_FUZZ_DEVICES:%=$(DM_FUZZ_OUT)/afl-%): $(DM_FUZZ_OUT)/afl-all
	$(Q)ln -sf afl-all $@

.PHONY: $(DM_FUZZ_DEVICES:%=afl-dm-%)
$(DM_FUZZ_DEVICES:%=afl-dm-%): afl-dm-%: $(DM_FUZZ_OUT)/afl-%
	$(call afl_run,$*,$<)

-include $(DM_AFL_OBJ:.o=.d)
-include $(DM_FUZZ_OBJ:.o=.d) $(DM_FUZZ_TARGETS:%=$(DM_FUZZ_OUT)/obj/%.d) $(wildcard $(DM_FUZZ_OUT)/asan/*.d)

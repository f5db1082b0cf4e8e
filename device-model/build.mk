# SPDX-License-Identifier: GPL-2.0-or-later
# The device model: one program per guest, plus the same sources with sanitizers for the tests.
# Every .c file in core/ block/ net/ hw/ ui/ pv/ belongs to it; a new device is a new file.

DM_DIR   := device-model
DM_OUT   := $(O)/device-model
DM_SRC   := $(sort $(wildcard $(DM_DIR)/*.c $(addprefix $(DM_DIR)/,$(addsuffix /*.c,core block net hw ui pv))))
DM_OBJ   := $(DM_SRC:$(DM_DIR)/%.c=$(DM_OUT)/obj/%.o)
DM_ASAN_OBJ := $(DM_SRC:$(DM_DIR)/%.c=$(DM_OUT)/asan/%.o)

DM_PKGS  := pixman-1 zlib libvncserver gnutls slirp
DM_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wno-unused-parameter -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D__XEN_TOOLS__ -fno-strict-aliasing -fno-common -fPIE -pthread \
	-I$(DM_DIR) -Ivmm/include/public $(shell pkg-config --cflags $(DM_PKGS))
DM_LIBS  := -pie -Wl,-z,relro,-z,now -pthread -lxendevicemodel -lxenforeignmemory -lxenevtchn \
	-lxencall -lxengnttab -lxenstore -lxentoolcore $(shell pkg-config --libs $(DM_PKGS)) $(DM_EXTRA_LIBS)
DM_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE \
	-fno-omit-frame-pointer -O1

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

ALL += $(DM_OUT)/plinth-dm
CHECKS += check-device-model
INSTALLS += install-device-model

$(DM_OUT)/plinth-dm: $(DM_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ $(DM_LIBS)

# The tests' program has the VMM's RTC behind its qtest protocol.
DM_RTC_OBJ := $(DM_OUT)/asan/tests/qtest_rtc.o $(addprefix $(DM_OUT)/asan-vmm/,device-model/tests/qtest_rtc_vmm.o \
	vmm/hvm/vrtc.o lib/date.o)
DM_RTC_FLAGS = -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-address-of-packed-member -fPIE \
	$(DM_SANITIZE) -fno-sanitize=alignment $(devices_VMMFLAGS) -Ivmm -I$(DM_DIR)

$(DM_OUT)/asan-vmm/%.o: %.c | $(O)/xen-include/xen
	$(call say,CC-ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_RTC_FLAGS) -MMD -MP -c -o $@ $<

$(DM_OUT)/plinth-dm-asan: $(DM_ASAN_OBJ) $(DM_RTC_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(DM_SANITIZE) -o $@ $^ $(DM_LIBS)

$(DM_OUT)/obj/%.o: $(DM_DIR)/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_CFLAGS) -MMD -MP -c -o $@ $<

$(DM_OUT)/asan/%.o: $(DM_DIR)/%.c
	$(call say,CC-ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_CFLAGS) $(DM_SANITIZE) -MMD -MP -c -o $@ $<

.PHONY: check-device-model install-device-model device-model
device-model: $(DM_OUT)/plinth-dm

# Forbidden system calls behind the filter of the real program, for test_confine.py.
$(DM_OUT)/confine_call: $(DM_OUT)/obj/core/confine_calls.o $(DM_OUT)/obj/core/log.o $(DM_DIR)/tests/confine_call.c
	$(call say,CC,$@)
	$(Q)$(CC) $(DM_CFLAGS) -o $@ $^ -pie -pthread

# For domain 0 in the laboratory: what restricted Xen handles can do.
$(DM_OUT)/restricted: $(DM_OUT)/obj/core/confine_calls.o $(DM_OUT)/obj/core/log.o $(DM_DIR)/tests/restricted.c
	$(call say,CC,$@)
	$(Q)$(CC) $(DM_CFLAGS) -o $@ $^ -pie -pthread -lxendevicemodel -lxenforeignmemory -lxenevtchn -lxencall \
		-lxentoolcore

# Two machines in one process.
$(DM_OUT)/two_machines: $(DM_OUT)/asan/tests/two_machines.o $(filter-out %/main.o,$(DM_ASAN_OBJ))
	$(call say,LD,$@)
	$(Q)$(CC) $(DM_SANITIZE) -o $@ $^ $(DM_LIBS)

check-device-model: $(DM_OUT)/plinth-dm-asan $(DM_OUT)/confine_call $(DM_OUT)/two_machines
	$(Q)ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_OUT)/two_machines 2> $(DM_OUT)/two_machines.log || \
		{ cat $(DM_OUT)/two_machines.log; exit 1; }
	$(Q)python3 $(DM_DIR)/tests/run.py --device-model $(DM_OUT)/plinth-dm-asan \
		--work $(DM_OUT)/tests

install-device-model: $(DM_OUT)/plinth-dm
	$(Q)install -D -m 755 $< $(DESTDIR)$(PREFIX)/lib/plinth/bin/plinth-dm

-include $(DM_OBJ:.o=.d) $(DM_ASAN_OBJ:.o=.d) $(DM_RTC_OBJ:.o=.d) $(DM_OUT)/asan/tests/two_machines.d

-include device-model/tests-ui/build.mk
include device-model/tests-block/build.mk
include device-model/tests-pv/build.mk
include device-model/tests-fuzz/build.mk
include device-model/tests-net/build.mk

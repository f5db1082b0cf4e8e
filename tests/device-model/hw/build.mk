# SPDX-License-Identifier: GPL-2.0-or-later
# Register scripts on the device model and on QEMU, its process and its confinement (included by
# tests/device-model/build.mk).
#   check-device-model   all of them

CHECKS += check-device-model

# The tests' program has the VMM's RTC behind its qtest protocol.
DM_RTC_OBJ := $(DM_OUT)/tests-hw/qtest_rtc.o $(addprefix $(DM_OUT)/asan-vmm/,$(DM_TESTS)/hw/qtest_rtc_vmm.o \
	vmm/hvm/vrtc.o lib/date.o)
DM_RTC_FLAGS = -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-address-of-packed-member -fPIE \
	$(DM_SANITIZE) -fno-sanitize=alignment $(devices_VMMFLAGS) -Ivmm -I$(DM_DIR) -Itests

$(call objects,asan,$(DM_OUT)/asan-vmm,,$$(DM_RTC_FLAGS),$(O)/xen-include/xen)
$(call objects,asan,$(DM_OUT)/tests-hw,$(DM_TESTS)/hw/,$(DM_CFLAGS) $(DM_SANITIZE) -Itests)
$(call objects,asan,$(DM_OUT)/tests-hw,tests/,$(DM_CFLAGS) $(DM_SANITIZE))
$(call program,asan,$(DM_OUT)/plinth-dm-asan,$(DM_ASAN_OBJ) $(DM_RTC_OBJ),$(DM_SANITIZE),$(DM_LIBS))
# Forbidden system calls behind the filter of the real program, for test_confine.py.
$(call program,plain,$(DM_OUT)/confine_call,$(DM_OUT)/obj/core/confine_calls.o $(DM_OUT)/obj/core/log.o \
	$(DM_TESTS)/hw/confine_call.c,$(DM_CFLAGS),-pie -pthread)
# For domain 0 in the laboratory: what restricted Xen handles can do.
$(call program,plain,$(DM_OUT)/restricted,$(DM_OUT)/obj/core/confine_calls.o $(DM_OUT)/obj/core/log.o \
	$(DM_TESTS)/hw/restricted.c,$(DM_CFLAGS),-pie -pthread -lxendevicemodel -lxenforeignmemory -lxenevtchn -lxencall \
	-lxentoolcore)
# Two machines in one process.
$(call program,asan,$(DM_OUT)/two_machines,$(addprefix $(DM_OUT)/tests-hw/,two_machines.o check.o) $(filter-out %/main.o,$(DM_ASAN_OBJ)),\
	$(DM_SANITIZE),$(DM_LIBS))

.PHONY: check-device-model
check-device-model: $(DM_OUT)/plinth-dm-asan $(DM_OUT)/confine_call $(DM_OUT)/two_machines
	$(Q)ASAN_OPTIONS=detect_leaks=0 timeout 60 $(DM_OUT)/two_machines 2> $(DM_OUT)/two_machines.log || \
		{ cat $(DM_OUT)/two_machines.log; exit 1; }
	$(Q)python3 $(DM_TESTS)/run.py hw --device-model $(DM_OUT)/plinth-dm-asan --work $(DM_OUT)/tests

-include $(DM_RTC_OBJ:.o=.d) $(DM_OUT)/tests-hw/two_machines.d

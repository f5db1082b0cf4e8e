# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the hypervisor's inner parts over the machine on the host that the fuzzers of tests/fuzz use.

machine_DIR  := $(O)/tests/machine
machine_OBJS := $(patsubst %.c,$(machine_DIR)/%.o,$(sort $(wildcard tests/machine/test_*.c)) vmx/ept.c)
machine_HOST := $(machine_DIR)/main.o
machine_FAKE := $(addprefix $(fuzz_DIR)/gcc/,$(filter-out tests/fuzz/fuzz.o tests/fuzz/calls.o,$(fuzz_VMM:%.c=%.o))) \
	$(fuzz_DIR)/gcc-host/tests/fuzz/host.o

$(machine_OBJS): $(machine_DIR)/%.o: %.c | $(O)/xen-include/xen
	$(call say,CC-ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(fuzz_CFLAGS) -Itests/unit -Itests/fuzz -c -o $@ $<

$(machine_HOST): tests/machine/main.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(fuzz_COMMON) -Itests/unit -c -o $@ $<

$(machine_DIR)/machine-tests: $(machine_OBJS) $(machine_HOST) $(machine_FAKE) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(fuzz_LINK) -o $@ $(filter %.o,$^)

.PHONY: check-machine
check-machine: $(machine_DIR)/machine-tests
	$(Q)$(fuzz_ENV) $<
CHECKS += check-machine

-include $(machine_OBJS:.o=.d) $(machine_HOST:.o=.d)

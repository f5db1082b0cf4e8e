# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of hvmloader: the logic that takes its surroundings as arguments, on the host with sanitizers, and the tables.

HVMLOADER_TESTS := tests/hvmloader
HVMLOADER_TEST_OBJ := $(HVMLOADER_PURE:%=$(HVMLOADER_O)/host/%.o) $(HVMLOADER_O)/host/blobs.o $(HVMLOADER_O)/host-all/check.o \
	$(patsubst $(HVMLOADER_TESTS)/%.c,$(HVMLOADER_O)/host-tests/%.o,$(wildcard $(HVMLOADER_TESTS)/*.c))
HVMLOADER_TEST_CFLAGS := $(HVMLOADER_WARN) -g -O1 -fno-pie -fno-sanitize-recover=undefined -Ihvmloader

CHECKS += check-hvmloader

$(call objects,asan,$(HVMLOADER_O)/host,hvmloader/,$(HVMLOADER_TEST_CFLAGS))
$(call objects,asan,$(HVMLOADER_O)/host-all,tests/,$(HVMLOADER_TEST_CFLAGS))
$(call objects,asan,$(HVMLOADER_O)/host-tests,$(HVMLOADER_TESTS)/,$(HVMLOADER_TEST_CFLAGS))

$(HVMLOADER_O)/host/blobs.o: hvmloader/blobs.S $(HVMLOADER_AMLS)
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)$(CC) -Wa,-I,$(HVMLOADER_O) -c -o $@ $<

$(call program,asan,$(HVMLOADER_O)/test_hvmloader,$(HVMLOADER_TEST_OBJ),$(HVMLOADER_TEST_CFLAGS) -no-pie)

.PHONY: check-hvmloader
check-hvmloader: $(HVMLOADER_O)/test_hvmloader $(HVMLOADER_O)/hvmloader
	$(Q)sh $(HVMLOADER_TESTS)/check_tables.sh $(HVMLOADER_O)/test_hvmloader \
		$(HVMLOADER_O)/tables $(HVMLOADER_O)/hvmloader

-include $(HVMLOADER_TEST_OBJ:.o=.d)

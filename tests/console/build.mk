# SPDX-License-Identifier: GPL-2.0-or-later
# The VMM's console and guests' text on the host, with a UART that is as slow as a real one, under ASan and UBSan.

console_DIR  := $(O)/tests/console
console_VMM  := vmm/base/stretch.c vmm/base/log.c vmm/base/panic.c vmm/console/panic.c vmm/console/console.c vmm/console/output.c vmm/console/serial.c vmm/console/screen.c vmm/console/font.c \
	vmm/hvm/debug_port.c
console_OBJS := $(console_VMM:%.c=$(console_DIR)/%.o) $(patsubst %.c,$(console_DIR)/%.o,$(wildcard tests/console/*.c)) \
	$(console_DIR)/tests/unit/unit.o
console_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -fno-omit-frame-pointer \
	-fno-sanitize=alignment -fno-sanitize-recover=all
console_VMMFLAGS = $(devices_VMMFLAGS) -DPLINTH_HOST_CPU=test_cpu -include tests/console/ports.h -Itests/unit -Itests/console \
	-fno-builtin -DPLINTH_STRETCH=1

$(call objects,asan,$(console_DIR)/tests/unit,tests/unit/,$(console_CFLAGS) -Itests/unit -DUNIT_NAME='"check-console"')

# The options' section gets a name for which the linker makes start and stop symbols.
$(console_DIR)/%.o: %.c | $(O)/xen-include/xen
	$(Q)mkdir -p $(@D)
	$(Q)$(cc_asan) $(console_CFLAGS) $(console_VMMFLAGS) -MMD -MP -c -o $@ $<
	$(Q)objcopy --rename-section .options=test_options --rename-section .debug_keys=test_keys $@

# The tests' own one ends the test.
$(addprefix $(console_DIR)/,vmm/base/panic.o tests/console/test_panic.o): console_VMMFLAGS += -Dpanic=vmm_panic

$(call program,asan,$(console_DIR)/console,$(console_OBJS))

-include $(console_OBJS:.o=.d)

.PHONY: check-console
check-console: $(console_DIR)/console
	$(Q)timeout 60 $<
CHECKS += check-console

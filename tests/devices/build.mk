# SPDX-License-Identifier: GPL-2.0-or-later
# The in-VMM timers and interrupt controllers on the host, under ASan and UBSan, alone and beside QEMU's devices.

devices_DIR   := $(O)/tests/devices
devices_VMM   := vmm/hvm/vpit.c vmm/hvm/vrtc.c vmm/hvm/pmtimer.c vmm/hvm/vhpet.c vmm/hvm/vpic.c vmm/hvm/vioapic.c \
	vmm/hvm/irq.c vmm/hvm/vlapic.c vmm/hvm/vlapic_timer.c lib/date.c
devices_TESTS := tests/devices/board.c tests/devices/test_timers.c tests/devices/test_lapic_timer.c tests/devices/test_irq.c tests/devices/test_qemu.c
devices_OBJS  := $(devices_VMM:%.c=$(devices_DIR)/%.o) $(devices_TESTS:%.c=$(devices_DIR)/%.o) \
	$(devices_DIR)/tests/devices/main.o

devices_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -fno-omit-frame-pointer \
	-fno-sanitize=alignment -fno-sanitize-recover=all
devices_VMMFLAGS := -nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(O)/xen-include \
	-include vmm/include/types.h -Ivmm/include -Ivmm/hvm -I. -Itests/devices -D__XEN_TOOLS__ \
	-D__XEN_INTERFACE_VERSION__=0x00041300 -DPLINTH_DEBUG=1 -ffreestanding

$(devices_DIR)/tests/devices/main.o: devices_VMMFLAGS :=

$(call objects,asan,$(devices_DIR),,$(devices_CFLAGS) $$(devices_VMMFLAGS),$(O)/xen-include/xen)
$(call program,asan,$(devices_DIR)/devices,$(devices_OBJS))

-include $(devices_OBJS:.o=.d)

.PHONY: check-devices
check-devices: $(devices_DIR)/devices
	$(Q)timeout 60 $<
CHECKS += check-devices

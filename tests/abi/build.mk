# SPDX-License-Identifier: GPL-2.0-or-later
# Host tests of the ABI's pure parts: CPU policies, borrowed virtual time, event channels, grants, under ASan and UBSan.

abi_DIR  := $(O)/abi
abi_VMM  := vmm/hvm/policy.c vmm/sched/sched_bvt.c vmm/domain/event.c vmm/domain/event_ops.c \
	vmm/domain/event_2l.c vmm/domain/event_fifo.c vmm/domain/grant.c
abi_TESTS := $(sort $(wildcard tests/abi/test_*.c)) tests/abi/mock.c
abi_OBJS := $(abi_VMM:%.c=$(abi_DIR)/%.o) $(abi_TESTS:%.c=$(abi_DIR)/%.o) $(abi_DIR)/tests/unit/unit.o
abi_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -fno-omit-frame-pointer \
	-fno-sanitize=alignment -fno-sanitize-recover=all
# Tests include the hypervisor's headers, never libc's; unit.c the other way round.
abi_VMMFLAGS := -Ivmm/include -Ivmm -Itests/abi -Itests/unit -I. -fno-builtin -DPLINTH_DEBUG=1 -D__XEN_TOOLS__ \
	-include vmm/include/types.h

$(call objects,asan,$(abi_DIR)/tests/unit,tests/unit/,$(abi_CFLAGS) -Itests/unit -DUNIT_NAME='"check-abi"')
$(call objects,asan,$(abi_DIR),,$(abi_CFLAGS) $(abi_VMMFLAGS))

$(call program,asan,$(abi_DIR)/abi,$(abi_OBJS))

-include $(abi_OBJS:.o=.d)

.PHONY: check-abi
check-abi: $(abi_DIR)/abi
	$(Q)$<
CHECKS += check-abi

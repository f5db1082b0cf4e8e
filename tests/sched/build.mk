# SPDX-License-Identifier: GPL-2.0-or-later
# The scheduler on a simulated machine of up to four CPUs, under ASan and UBSan.

sched_DIR    := $(O)/sched
sched_VMM    := vmm/sched/sched.c vmm/sched/sched_bvt.c vmm/sched/sched_rrobin.c vmm/sched/sched_atropos.c vmm/sched/pause.c vmm/cpu/timer.c vmm/cpu/timer_heap.c \
	vmm/base/spinlock.c
sched_TESTS  := $(sort $(wildcard tests/sched/*.c))
sched_OBJS   := $(sched_VMM:%.c=$(sched_DIR)/%.o) $(sched_TESTS:%.c=$(sched_DIR)/%.o) $(sched_DIR)/tests/unit/unit.o
sched_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -fno-omit-frame-pointer \
	-fno-sanitize=alignment -fno-sanitize-recover=all
# Tests include the hypervisor's headers, never libc's; unit.c the other way round.
sched_VMMFLAGS := -Ivmm/include -Ivmm -Itests/sched -Itests/unit -I. -fno-builtin -DPLINTH_DEBUG=1 -D__XEN_TOOLS__ \
	'-DPLINTH_HOST_CPU=(*sim_cpu)' -fno-strict-aliasing --param asan-globals=0 -include vmm/include/types.h

$(call objects,asan,$(sched_DIR)/tests/unit,tests/unit/,$(sched_CFLAGS) -Itests/unit -DUNIT_NAME='"check-sched"')
$(call objects,asan,$(sched_DIR),,$(sched_CFLAGS) $(sched_VMMFLAGS))

$(sched_DIR)/sched: $(sched_OBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) -no-pie -fsanitize=address,undefined -Wl,-T,tests/fuzz/sections.ld -o $@ $(sched_OBJS)

-include $(sched_OBJS:.o=.d)

.PHONY: check-sched
check-sched: $(sched_DIR)/sched
	$(Q)$<
CHECKS += check-sched

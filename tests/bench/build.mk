# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark payload: the framework of tests/payload and the files here, as $(O)/payload/bench.elf and bench.iso.

BENCH_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
BENCH_OBJS := $(patsubst $(BENCH_DIR)%.c,$(O)/payload/bench/%.o,$(wildcard $(BENCH_DIR)*.c))

$(O)/payload/bench/%.o: $(BENCH_DIR)%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(PAYLOAD_CFLAGS) -m32 -c $< -o $@

.SECONDEXPANSION:
$(O)/payload/bench.elf: $$(patsubst %,$(O)/payload/32/%.o,$$(PAYLOAD_BASE) hostile hostile_xen hostile_guess hostile_smp hostile_tick) $(BENCH_OBJS) $$(PAYLOAD_DIR)payload.lds
	$(call say,LD,$@)
	$(Q)$(CC) -m32 $(PAYLOAD_LDFLAGS) -T $(PAYLOAD_DIR)payload.lds -o $@ $(filter %.o,$^)

$(O)/payload/bench.iso: $(O)/payload/bench.elf
	$(call payload_iso,$<,bench=1)

LAB_FILES += $(O)/payload/bench.iso

# What counts a hypervisor's instructions, and the program in dom0 that says when.
BENCH_COUNT := $(BENCH_DIR)count
$(O)/bench/count.so: $(BENCH_COUNT)/count.c $(BENCH_COUNT)/mark.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

$(O)/bench/mark: $(BENCH_COUNT)/mark.S $(BENCH_COUNT)/mark.h
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noseparate-code \
		-Wl,-Ttext=$$(sed -n 's/^#define MARK_ADDRESS //p' $(BENCH_COUNT)/mark.h) -o $@ $<

.PHONY: bench-migrate
bench-migrate:
	$(Q)tools/deps build run
	$(Q)$(MAKE) lab-parts lab-guests $(O)/bench/count.so $(O)/bench/mark
	$(Q)O=$(O) tests/bench/run-migrate
HELP += 'make bench-migrate|saving, restoring and migrating a PVH guest, and the peer'

.PHONY: check-bench
check-bench:
	$(Q)tests/bench/check
CHECKS += check-bench

.PHONY: bench-pv
bench-pv:
	$(Q)tools/deps build run
	$(Q)$(MAKE) lab-parts lab-guests
	$(Q)tests/bench/run-pv
HELP += 'make bench-pv|start, disk and network of a PVH guest beside the peer'

.PHONY: bench-sched
bench-sched:
	$(Q)$(MAKE) all lab-parts lab-guests
	$(Q)O=$(O) tests/bench/run-sched
HELP += 'make bench-sched|lateness of timers, caps, dom0 beside busy guests, and the peer'

# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets of the hypercalls: the hypervisor over a machine on the host (machine.h), a family each.
#   fuzz-hc-FAMILY   libFuzzer for FUZZ_SECONDS (60), from tests/regress/hypercall/FAMILY
#   check-fuzz       those files and some pseudo-random inputs, with the sanitizers
#   check-hypercalls cases_*.c on the same machine: what a call answers, and where the limits are
# All are one program, which goes by its name.

fuzz_DIR      := $(O)/tests/fuzz
fuzz_FAMILIES := memory event grant sched vcpu hvm dm physdev platform domctl sysctl console version multicall context
fuzz_REGRESS  := tests/regress/hypercall
fuzz_VMM      := $(filter-out vmm/sched/run.c,$(sort $(wildcard vmm/sched/*.c vmm/paging/*.c vmm/paging/shadow/*.c \
	vmm/domain/*.c vmm/hvm/*.c vmm/life/*.c vmm/abi/*.c vmm/emulate/*.c))) vmm/mm/page.c vmm/mm/buddy.c vmm/mm/owner.c \
	vmm/cpu/predictions.c vmm/cpu/timer.c vmm/cpu/timer_heap.c vmm/base/spinlock.c vmm/base/calls.c vmm/cpu/publish.c vmm/cpu/smp.c \
	vmm/cpu/call.c \
	vmm/cpu/fpu.c vmm/console/keys.c \
	vmm/dom0/memory.c lib/date.c svm/npt.c \
	$(addprefix tests/fuzz/,calls.c check.c context.c fuzz.c machine.c made.c stubs.c)
fuzz_HOST     := tests/fuzz/host.c tests/fuzz/work.c tests/fuzz/family.c
fuzz_COMMON   := -DDIRECTMAP_VIRT=0x200000000000UL -g -O1 -fno-pie -fno-omit-frame-pointer -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
# Tables that the linker collects must not get red zones between their entries.
fuzz_CFLAGS   := $(fuzz_COMMON) -isystem $(O)/xen-include -Ivmm/include -I. -D__XEN_TOOLS__ \
	-D__XEN_INTERFACE_VERSION__=0x00041300 -DPLINTH_DEBUG=1 -DPLINTH_HOST_THREADS=fake_this_cpu -Dstrlcpy=vmm_strlcpy \
	-include vmm/include/types.h -std=gnu11 -fno-strict-aliasing -fno-builtin -Wno-address-of-packed-member
# The test's own code is not what is to be covered.
fuzz_COVER    := -fsanitize=fuzzer-no-link
fuzz_CLANG    := -mllvm -asan-globals=0 -Wno-unused-command-line-argument
# Each basic block of the hypervisor counts (work.c); not those of the lock, where threads wait.
fuzz_COUNT    := -fsanitize-coverage=trace-pc
fuzz_WRAPPED  := memset memcpy memmove hypercall_preempt p2m_flush buddy_alloc buddy_free
fuzz_LINK     := -no-pie -fsanitize=address,undefined $(fuzz_WRAPPED:%=-Wl,--wrap=%) -Wl,-T,tests/fuzz/sections.ld
fuzz_COBJS    := $(fuzz_VMM:%.c=$(fuzz_DIR)/clang/%.o) $(fuzz_HOST:%.c=$(fuzz_DIR)/clang-host/%.o)
fuzz_GOBJS    := $(fuzz_VMM:%.c=$(fuzz_DIR)/gcc/%.o) \
	$(addprefix $(fuzz_DIR)/gcc-host/,$(fuzz_HOST:%.c=%.o) tests/fuzz/replay.o)
FUZZ_SECONDS  ?= 60
# No leaks by the sanitizer's count: the heap is counted block by block.
fuzz_ENV      := ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0

fuzz_CASES    := $(sort $(wildcard tests/fuzz/cases*.c))
fuzz_COBJECTS := $(filter-out $(fuzz_DIR)/gcc/tests/fuzz/fuzz.o,$(fuzz_VMM:%.c=$(fuzz_DIR)/gcc/%.o)) \
	$(fuzz_CASES:%.c=$(fuzz_DIR)/gcc/%.o) $(fuzz_DIR)/gcc/vmx/ept.o $(addprefix $(fuzz_DIR)/gcc-host/tests/fuzz/,host.o work.o run_cases.o)

CHECKS  += check-fuzz check-hypercalls
FUZZERS += $(fuzz_FAMILIES:%=fuzz-hc-%)

$(fuzz_DIR)/clang/tests/%.o $(fuzz_DIR)/clang/vmm/mm/buddy.o $(fuzz_DIR)/clang/vmm/base/spinlock.o: fuzz_COVER :=

$(fuzz_DIR)/gcc/tests/%.o $(fuzz_DIR)/gcc/vmm/base/spinlock.o: fuzz_COUNT :=

$(call objects,clang,$(fuzz_DIR)/clang-host,,$$(fuzz_COMMON))
$(call objects,clang,$(fuzz_DIR)/clang,,$(fuzz_CFLAGS) $(fuzz_CLANG) $$(fuzz_COVER),$(O)/xen-include/xen)
$(call objects,asan,$(fuzz_DIR)/gcc-host,,$$(fuzz_COMMON))
$(call objects,asan,$(fuzz_DIR)/gcc,,$(fuzz_CFLAGS) $$(fuzz_COUNT) --param asan-globals=0,$(O)/xen-include/xen)

$(fuzz_DIR)/fuzz-all: $(fuzz_COBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)clang $(fuzz_LINK) -fsanitize=fuzzer -o $@ $(fuzz_COBJS)

$(fuzz_DIR)/replay-all: $(fuzz_GOBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(fuzz_LINK) -o $@ $(fuzz_GOBJS)

$(fuzz_FAMILIES:%=$(fuzz_DIR)/fuzz-%): $(fuzz_DIR)/fuzz-all
	$(Q)ln -sf fuzz-all $@

$(fuzz_FAMILIES:%=$(fuzz_DIR)/replay-%): $(fuzz_DIR)/replay-all
	$(Q)ln -sf replay-all $@

$(fuzz_DIR)/cases: $(fuzz_COBJECTS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(fuzz_LINK) -o $@ $(fuzz_COBJECTS)

.PHONY: check-hypercalls
check-hypercalls: $(fuzz_DIR)/cases
	$(Q)$(fuzz_ENV) timeout 120 $<

.PHONY: check-fuzz $(fuzz_FAMILIES:%=fuzz-hc-%)
check-fuzz: $(fuzz_FAMILIES:%=$(fuzz_DIR)/replay-%)
	$(Q)failed=0; for f in $(fuzz_FAMILIES); do \
		$(fuzz_ENV) timeout 120 $(fuzz_DIR)/replay-$$f -n 20 $$(ls $(fuzz_REGRESS)/$$f/* 2>/dev/null) \
			2> $(fuzz_DIR)/$$f.log || { failed=$$((failed + 1)); tail -30 $(fuzz_DIR)/$$f.log; }; \
	done; n=$$(echo $(fuzz_FAMILIES) | wc -w); \
	echo "check-fuzz: $$((n - failed)) passed, $$failed failed"; [ $$failed = 0 ]

$(fuzz_FAMILIES:%=fuzz-hc-%): fuzz-hc-%: $(fuzz_DIR)/fuzz-%
	$(Q)mkdir -p $(fuzz_DIR)/corpus-$* $(fuzz_REGRESS)/$*
	$(Q)$(fuzz_ENV) $< -detect_leaks=0 -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -len_control=0 -rss_limit_mb=2048 \
		-timeout=20 -print_final_stats=0 -verbosity=0 -artifact_prefix=$(fuzz_DIR)/crash-$*- \
		$(fuzz_DIR)/corpus-$* $(fuzz_REGRESS)/$*

-include $(fuzz_COBJS:.o=.d) $(fuzz_GOBJS:.o=.d) $(fuzz_COBJECTS:.o=.d)

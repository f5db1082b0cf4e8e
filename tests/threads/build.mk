# SPDX-License-Identifier: GPL-2.0-or-later
# The machine of tests/fuzz (its variables: fuzz_*) with several CPUs, a thread each.
#   check-threads   pairs of calls that meet, and random ones, by seeds: with the address and the thread sanitizer
#   fuzz-threads    the same with other seeds for FUZZ_SECONDS, with both

threads_DIR   := $(O)/tests/threads
threads_TESTS := $(sort $(wildcard tests/threads/*.c))
threads_VMM   := $(filter-out tests/fuzz/fuzz.c,$(fuzz_VMM))
threads_MODEL := tests/paging/audit tests/paging/oracle
threads_AOBJS := $(threads_VMM:%.c=$(fuzz_DIR)/gcc/%.o) $(threads_MODEL:%=$(fuzz_DIR)/gcc/%.o) $(addprefix $(fuzz_DIR)/gcc-host/tests/fuzz/,host.o work.o) \
	$(threads_TESTS:%.c=$(threads_DIR)/asan/%.o)
threads_TOBJS := $(threads_VMM:%.c=$(threads_DIR)/tsan/%.o) $(threads_MODEL:%=$(threads_DIR)/tsan/%.o) $(addprefix $(threads_DIR)/tsan/tests/fuzz/,host.o work.o) \
	$(threads_TESTS:%.c=$(threads_DIR)/tsan/%.o) $(threads_DIR)/tsan/tests/threads/tsan/marked.o

# The thread sanitizer keeps addresses like the other's RAM for itself.
threads_ASAN  := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
threads_RAM   := -UDIRECTMAP_VIRT -DDIRECTMAP_VIRT=0x1000000000UL
threads_PLAIN := $(filter-out $(threads_ASAN) -DDIRECTMAP_VIRT=%,$(fuzz_CFLAGS)) $(threads_RAM)
threads_HOSTC := $(filter-out $(threads_ASAN) -DDIRECTMAP_VIRT=%,$(fuzz_COMMON)) $(threads_RAM)
threads_AFLAGS := $(fuzz_CFLAGS) --param asan-globals=0
threads_TFLAGS := $(threads_PLAIN)
# Fences, which it does not know, stand only before and after accesses to what guests share.
# Volatile accesses are the ones that are meant to meet others (tsan/marked.c).
threads_TSAN  := -fsanitize=thread --param=tsan-distinguish-volatile=1 -fsanitize-coverage=trace-pc -Wno-tsan
# What guests write while it is read is their business: copies of their memory are not looked at.
threads_COPY  := -Dmemcpy=guest_memcpy -Dmemmove=guest_memmove

CHECKS  += check-threads
FUZZERS += fuzz-threads

# Host code, which turns the threads and is not looked at.
$(threads_DIR)/asan/tests/threads/turns.o: threads_AFLAGS := $(threads_HOSTC)
$(addprefix $(threads_DIR)/tsan/tests/,fuzz/host.o fuzz/work.o threads/turns.o threads/tsan/marked.o): threads_TFLAGS := $(threads_HOSTC)
$(addprefix $(threads_DIR)/tsan/tests/,fuzz/host.o fuzz/work.o threads/%.o): threads_TSAN :=

# What guests do to their memory is theirs.
$(threads_DIR)/tsan/tests/fuzz/made.o: threads_TSAN :=

$(threads_DIR)/tsan/vmm/paging/guest_copy.o $(threads_DIR)/tsan/vmm/domain/grant_copy.o: threads_TSAN += $(threads_COPY)

$(call objects,plain,$(threads_DIR)/asan,,$$(threads_AFLAGS),$(O)/xen-include/xen)
$(call objects,tsan,$(threads_DIR)/tsan,,$$(threads_TFLAGS) $$(threads_TSAN),$(O)/xen-include/xen)

$(threads_DIR)/threads-asan: $(threads_AOBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(fuzz_LINK) -pthread -o $@ $(threads_AOBJS)

$(threads_DIR)/threads-tsan: $(threads_TOBJS) tests/fuzz/sections.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(filter-out -fsanitize=%,$(fuzz_LINK)) -fsanitize=thread -pthread -o $@ $(threads_TOBJS)

threads_ENV := $(fuzz_ENV) TSAN_OPTIONS=exitcode=66:history_size=4:suppressions=tests/threads/tsan/suppressions
# Where the kernel scatters addresses more than the thread sanitizer knows, it must not.
threads_RUN := $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: check-threads fuzz-threads
check-threads: $(threads_DIR)/threads-asan $(threads_DIR)/threads-tsan
	$(Q)good=0; bad=0; for f in asan tsan; do \
		out=$$($(threads_ENV) timeout 300 $(threads_RUN) $(threads_DIR)/threads-$$f 2> $(threads_DIR)/$$f.log) || \
			tail -60 $(threads_DIR)/$$f.log; \
		set -- $$(echo "$${out:-1 failed} " | sed 's/[^0-9 ]//g'); \
		good=$$((good + $$([ -n "$$out" ] && echo $$1 || echo 0))); bad=$$((bad + $$([ -n "$$out" ] && echo $$2 || echo 1))); \
	done; echo "check-threads: $$good passed, $$bad failed"; [ $$bad = 0 ]

# Each case again and again with other seeds, in turn and with all threads at once.
fuzz-threads: $(threads_DIR)/threads-asan $(threads_DIR)/threads-tsan
	$(Q)for f in asan tsan; do for how in "" --free; do \
		$(threads_ENV) $(threads_RUN) $(threads_DIR)/threads-$$f $$how --seed $$(date +%s) \
			--seconds $$(($(FUZZ_SECONDS) / 4)) || exit 1; \
	done; done

-include $(threads_AOBJS:.o=.d) $(threads_TOBJS:.o=.d)

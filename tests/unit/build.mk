# SPDX-License-Identifier: GPL-2.0-or-later
# Host unit tests of the hypervisor's pure parts, under ASan and UBSan.

unit_DIR := $(O)/unit
# Sources of the hypervisor that run on the host as they are.
unit_VMM := lib/date.c vmm/base/e820.c vmm/boot/multiboot.c vmm/base/cmdline.c vmm/cpu/acpi_tables.c \
	vmm/mm/buddy.c vmm/cpu/predictions.c vmm/cpu/timer_heap.c vmm/cpu/publish.c vmx/controls.c vmx/ept.c vmx/hazards.c vmx/check.c \
	vmx/check_controls.c svm/intr.c
unit_LIB := lib/string.c lib/printf.c
unit_TESTS := $(sort $(wildcard tests/unit/test_*.c))

unit_OBJS := $(unit_VMM:%.c=$(unit_DIR)/%.o) $(unit_LIB:%.c=$(unit_DIR)/%.o) \
	$(unit_TESTS:%.c=$(unit_DIR)/%.o) $(unit_DIR)/tests/unit/unit.o

unit_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -fno-omit-frame-pointer \
	-fno-sanitize-recover=all
# Tests include "lib.h" and friends, never libc's headers.
unit_VMMFLAGS := -include vmm/include/types.h -Ivmm/include -Ivmm -I. -isystem $(vmm_XENINC) -Itests/unit -fno-builtin -DPLINTH_DEBUG=1

$(unit_LIB:%.c=$(unit_DIR)/%.o) $(unit_DIR)/tests/unit/test_lib.o: unit_RENAME := -include tests/unit/rename.h
unit_RENAME := -Dstrtoull=plinth_strtoull -Dstrlcpy=plinth_strlcpy -Dstrlcat=plinth_strlcat
# The harness is libc's.
$(unit_DIR)/tests/unit/unit.o: unit_VMMFLAGS := -Itests/unit
$(unit_DIR)/tests/unit/unit.o: unit_RENAME :=

$(addprefix $(unit_DIR)/,vmm/cpu/publish.o tests/unit/test_publish.o tests/unit/test_svm_debug.o): unit_VMMFLAGS += -DPLINTH_HOST_CPU=unit_cpu

unit_LINK := -Wl,--defsym=_options_start=__start_unit_options,--defsym=_options_end=__stop_unit_options

# Prerequisites are expanded here, before vmm/build.mk names its folder.
$(call objects,asan,$(unit_DIR),,$(unit_CFLAGS) $$(unit_VMMFLAGS) $$(unit_RENAME),$(O)/xen-include/xen)
$(call program,asan,$(unit_DIR)/unit,$(unit_OBJS),,$(unit_LINK))

-include $(unit_OBJS:.o=.d)

.PHONY: check-unit
check-unit: $(unit_DIR)/unit
	$(Q)$<
CHECKS += check-unit

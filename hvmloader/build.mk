# SPDX-License-Identifier: GPL-2.0-or-later
# hvmloader: a 32-bit freestanding image, its AML tables (by iasl) (its tests: tests/hvmloader).

HVMLOADER_O      := $(O)/hvmloader
HVMLOADER_CC     ?= gcc
HVMLOADER_IASL   ?= iasl
HVMLOADER_PURE   := util arena xenstore config e820 pci pci_place mtrr_plan acpi acpi_madt \
		    acpi_numa smbios legacy_mp legacy_pir seabios
HVMLOADER_SRC    := main machine hypercall console memory xenbus mtrr smp string $(HVMLOADER_PURE)
HVMLOADER_AML    := dsdt ssdt_s3 ssdt_s4 ssdt_slate ssdt_cpus16 ssdt_cpus128

HVMLOADER_DEFS   := -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
HVMLOADER_WARN   := -std=gnu11 -Wall -Wextra -Werror -MMD -MP $(HVMLOADER_DEFS)
HVMLOADER_CFLAGS := $(HVMLOADER_WARN) -m32 -march=i686 -mgeneral-regs-only -Os -g -ffreestanding \
		    -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
		    -fno-strict-aliasing -fcf-protection=none

HVMLOADER_OBJ    := $(HVMLOADER_SRC:%=$(HVMLOADER_O)/%.o) $(HVMLOADER_O)/entry.o \
		    $(HVMLOADER_O)/blobs.o
HVMLOADER_AMLS   := $(HVMLOADER_AML:%=$(HVMLOADER_O)/%.aml)

ALL      += $(HVMLOADER_O)/hvmloader
INSTALLS += install-hvmloader

.PHONY: install-hvmloader

$(HVMLOADER_O)/hvmloader: $(HVMLOADER_OBJ) hvmloader/hvmloader.lds
	$(call say,LD,$@)
	$(Q)ld -m elf_i386 -static -nostdlib --build-id=none -z noexecstack --no-warn-rwx-segments \
		-T hvmloader/hvmloader.lds -o $@ $(HVMLOADER_OBJ)

$(HVMLOADER_O)/%.o: hvmloader/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HVMLOADER_CC) $(HVMLOADER_CFLAGS) -c -o $@ $<

$(HVMLOADER_O)/entry.o: hvmloader/entry.S
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(HVMLOADER_CC) $(HVMLOADER_CFLAGS) -c -o $@ $<

$(HVMLOADER_O)/blobs.o: hvmloader/blobs.S $(HVMLOADER_AMLS)
	$(call say,AS,$@)
	$(Q)$(HVMLOADER_CC) $(HVMLOADER_CFLAGS) -Wa,-I,$(HVMLOADER_O) -c -o $@ $<

# Warning 3168: Processor() is old. It is there for systems that know nothing newer.
define HVMLOADER_RUN_IASL
$(call say,IASL,$@)
$(Q)mkdir -p $(@D); \
out=$$($(HVMLOADER_IASL) -we -vw 3168 -I $(HVMLOADER_O)/asl -I hvmloader/asl \
	-p $(basename $@) $< 2>&1) || { echo "$$out"; rm -f $@; exit 1; }
endef

$(HVMLOADER_O)/asl/gen_prt.asl: hvmloader/asl/gen_pci.sh
	@mkdir -p $(@D)
	$(Q)sh $< $(@D)

$(HVMLOADER_O)/asl/ssdt_cpus%.asl: hvmloader/asl/gen_cpus.sh
	@mkdir -p $(@D)
	$(Q)sh $< $* > $@

$(HVMLOADER_O)/ssdt_cpus%.aml: $(HVMLOADER_O)/asl/ssdt_cpus%.asl
	$(HVMLOADER_RUN_IASL)

.SECONDARY: $(HVMLOADER_O)/asl/ssdt_cpus16.asl $(HVMLOADER_O)/asl/ssdt_cpus128.asl

$(HVMLOADER_O)/%.aml: hvmloader/asl/%.asl hvmloader/asl/pci_links.asl \
		hvmloader/asl/isa_devices.asl $(HVMLOADER_O)/asl/gen_prt.asl
	$(HVMLOADER_RUN_IASL)

install-hvmloader: $(HVMLOADER_O)/hvmloader
	$(Q)install -D -m 0644 $< $(DESTDIR)$(PREFIX)/lib/plinth/boot/hvmloader

-include $(wildcard $(HVMLOADER_O)/*.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor image: every C and assembly file of lib/, vmm/, svm/ and vmx/, linked twice so that the
# second link can carry the symbol table that nm made from the first.
#   DEBUG=1   adds the lock-order checks (host tests always have them)
#   STRETCH=1 measures how long it goes on with interrupts off (debug key s); $(O)/plinth-stretch is such an image

DEBUG   ?= 0
STRETCH ?= 0

vmm_CC      ?= gcc
vmm_OBJ     := $(O)/vmm-obj
vmm_XENINC  := $(O)/xen-include
vmm_IMAGE   := $(O)/plinth
vmm_BUDGET  := 1048576

vmm_C   := $(sort $(wildcard lib/*.c vmm/*/*.c vmm/*/*/*.c svm/*.c vmx/*.c))
vmm_S   := $(sort $(wildcard vmm/*/*.S vmm/*/*/*.S svm/*.S vmx/*.S))
vmm_OBJS := $(vmm_C:%.c=$(vmm_OBJ)/%.o) $(vmm_S:%.S=$(vmm_OBJ)/%.S.o)

vmm_CPPFLAGS := -nostdinc -isystem $(shell $(vmm_CC) -print-file-name=include) -isystem $(vmm_XENINC) \
	-Ivmm/include -I. -D__XEN_TOOLS__ -D__XEN_INTERFACE_VERSION__=0x00041300 \
	-DPLINTH_DEBUG=$(DEBUG) -DPLINTH_STRETCH=$(STRETCH) -MMD -MP
vmm_ARCHFLAGS := -m64 -mno-red-zone -mcmodel=kernel -fno-pic -fno-pie -g
vmm_CFLAGS := -include vmm/include/types.h -std=gnu11 -ffreestanding $(vmm_ARCHFLAGS) -mgeneral-regs-only -fno-stack-protector \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	-fcf-protection=none -ffunction-sections -fdata-sections -O2 -Wall -Wextra -Werror \
	-Wno-address-of-packed-member
vmm_LDFLAGS := -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections \
	--no-warn-rwx-segments --build-id=none -T vmm/link.ld

ALL += $(vmm_IMAGE)
HELP += 'make DEBUG=1|build the hypervisor with lock-order checks'

$(vmm_XENINC)/xen:
	$(Q)mkdir -p $(@D)
	$(Q)ln -sfn /usr/include/xen $@

# Remembers the flags, so that a changed DEBUG= rebuilds.
vmm_FLAGSUM := $(vmm_OBJ)/flags
.PHONY: vmm-force
$(vmm_FLAGSUM): vmm-force
	$(Q)mkdir -p $(@D); echo '$(vmm_CC) $(vmm_CPPFLAGS) $(vmm_CFLAGS)' | cmp -s - $@ || \
		echo '$(vmm_CC) $(vmm_CPPFLAGS) $(vmm_CFLAGS)' > $@

$(vmm_OBJ)/%.o: %.c $(vmm_FLAGSUM) | $(vmm_XENINC)/xen
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(vmm_CC) $(vmm_CPPFLAGS) $(vmm_CFLAGS) -c -o $@ $<

$(vmm_OBJ)/%.S.o: %.S $(vmm_FLAGSUM) | $(vmm_XENINC)/xen
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(vmm_CC) $(vmm_CPPFLAGS) $(vmm_ARCHFLAGS) -D__ASSEMBLY__ -c -o $@ $<

# Text addresses do not depend on the table's size (it lies behind the text): one extra pass is enough.
$(vmm_OBJ)/pass1: $(vmm_OBJS) vmm/link.ld
	$(call say,LD,$@)
	$(Q)ld $(vmm_LDFLAGS) -o $@ $(vmm_OBJS)

$(vmm_OBJ)/symtab.S: $(vmm_OBJ)/pass1 vmm/base/symtab.awk
	$(call say,SYM,$@)
	$(Q)nm -n $< | awk -f vmm/base/symtab.awk > $@

$(vmm_OBJ)/symtab.o: $(vmm_OBJ)/symtab.S
	$(Q)$(vmm_CC) $(vmm_ARCHFLAGS) -c -o $@ $<

$(vmm_IMAGE): $(vmm_OBJS) $(vmm_OBJ)/symtab.o vmm/link.ld vmm/check-image
	$(call say,LD,$@)
	$(Q)ld $(vmm_LDFLAGS) -Map=$(vmm_OBJ)/plinth.map -o $@.syms $(vmm_OBJS) $(vmm_OBJ)/symtab.o
	$(Q)vmm/check-image $@.syms $(vmm_OBJ)/pass1 $(vmm_BUDGET)
	$(Q)strip -g -o $@ $@.syms

# Of objects of its own, so that neither image makes the other one stale.
.PHONY: $(O)/plinth-stretch
$(O)/plinth-stretch:
	$(Q)$(MAKE) --no-print-directory O=$(O)/stretch STRETCH=1 $(O)/stretch/plinth
	$(Q)cp $(O)/stretch/plinth $@

-include $(vmm_OBJS:.o=.d)

.PHONY: vmm-install
vmm-install: $(vmm_IMAGE)
	$(Q)install -D -m 0644 $(vmm_IMAGE) $(DESTDIR)/boot/plinth
	$(Q)install -D -m 0644 $(vmm_IMAGE).syms $(DESTDIR)/usr/lib/debug/boot/plinth
INSTALLS += vmm-install

# Each room uses lower floors only.
.PHONY: check-floors
check-floors: $(vmm_OBJS)
	$(Q)tools/floors --objects $(vmm_OBJ)
CHECKS += check-floors

# SPDX-License-Identifier: GPL-2.0-or-later
# Test payloads: the same files as 32-bit and 64-bit images in $(O)/payload (README.md there says how to run them).
#   payload32.elf payload64.elf   Multiboot 1 (GRUB) and PVH (xl type="pvh", QEMU -kernel)
#   payload32.iso payload64.iso   all tests, for an HVM guest's CD drive
#   hostile-KIND.iso              one hostile program each
#   reset.iso                     a soft reset, for a guest whose configuration lets the tools do it
#   payload32-dom0 payload64-dom0 in dom0's place: at 32 MiB, where the hypervisor is not, as 64-bit ELF files

PAYLOAD_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
PAYLOAD_OUT  = $(O)/payload
PAYLOAD_TESTS := test_cpuid test_viridian test_msr test_exc test_paging test_irq test_apic test_timer test_debug test_fpu test_mmio test_mmio_vec \
	test_pio test_ram test_smp test_xen test_task test_real \
	test_reset
PAYLOAD_BASE := multiboot start entry trap lib print console platform xen apic time smp smp_entry main
PAYLOAD_SRCS := $(PAYLOAD_BASE) hostile hostile_xen hostile_guess hostile_smp hostile_tick real real_entry $(PAYLOAD_TESTS)
PAYLOAD_KINDS := triple ud stack ports msrs mmio hypercalls soak tick nosave

PAYLOAD_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-pic -no-pie \
	-mno-red-zone -mgeneral-regs-only -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-toplevel-reorder -fcf-protection=none \
	-Wno-address-of-packed-member -Wno-array-bounds -Wno-clobbered -I. -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ -MMD -MP
PAYLOAD_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none,-z,max-page-size=4096,-z,noexecstack,--no-warn-rwx-segments

define payload_objects
$(PAYLOAD_OUT)/$(1)/%.o: $(PAYLOAD_DIR)%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(PAYLOAD_CFLAGS) -m$(1) -c $$< -o $$@

$(PAYLOAD_OUT)/$(1)/%.o: $(PAYLOAD_DIR)%.S
	@mkdir -p $$(@D)
	$$(call say,AS,$$@)
	$$(Q)$$(CC) $$(PAYLOAD_CFLAGS) -m$(1) -c $$< -o $$@

$(PAYLOAD_OUT)/payload$(1).elf: \
		$(PAYLOAD_SRCS:%=$(PAYLOAD_OUT)/$(1)/%.o) $(PAYLOAD_DIR)payload.lds
	$$(call say,LD,$$@)
	$$(Q)$$(CC) -m$(1) $$(PAYLOAD_LDFLAGS) -T $(PAYLOAD_DIR)payload.lds -o $$@.full $$(filter %.o,$$^)
	$$(Q)objcopy -O elf32-i386 $$@.full $$@

$(PAYLOAD_OUT)/payload$(1)-dom0: \
		$(PAYLOAD_SRCS:%=$(PAYLOAD_OUT)/$(1)/%.o) $(PAYLOAD_DIR)payload.lds
	$$(call say,LD,$$@)
	$$(Q)$$(CC) -m$(1) $$(PAYLOAD_LDFLAGS) -Wl,--defsym=image_base=0x2000000 -T $(PAYLOAD_DIR)payload.lds \
		-o $$@.full $$(filter %.o,$$^)
	$$(Q)objcopy -O elf64-x86-64 $$@.full $$@
endef
$(eval $(call payload_objects,32))
$(eval $(call payload_objects,64))
-include $(wildcard $(PAYLOAD_OUT)/*/*.d)

PAYLOAD_GRUB := biosdisk iso9660 multiboot boot
# $(call payload_iso,ELF,OPTIONS): GRUB with one command built in, so that no menu costs time.
define payload_iso
	@mkdir -p $@.d/boot
	$(Q)cp $(1) $@.d/boot/payload.elf
	$(Q)printf 'multiboot (cd)/boot/payload.elf %s\nboot\n' '$(2)' > $@.d.cfg
	$(Q)grub-mkimage -O i386-pc-eltorito -p /boot -c $@.d.cfg -o $@.d/boot/grub.img $(PAYLOAD_GRUB)
	$(call say,ISO,$@)
	$(Q)xorriso -as mkisofs -quiet -R -b boot/grub.img -no-emul-boot -boot-load-size 4 -boot-info-table \
		-o $@ $@.d >$@.log 2>&1 || { cat $@.log >&2; exit 1; }
	$(Q)rm -rf $@.d $@.d.cfg $@.log
endef

$(PAYLOAD_OUT)/payload%.iso: $(PAYLOAD_OUT)/payload%.elf
	$(call payload_iso,$<,)

$(PAYLOAD_OUT)/hostile-%.iso: $(PAYLOAD_OUT)/payload32.elf
	$(call payload_iso,$<,hostile=$* $(if $(filter soak,$*),seconds=600))

$(PAYLOAD_OUT)/reset.iso: $(PAYLOAD_OUT)/payload64.elf
	$(call payload_iso,$<,tests=reset reset=1)

PAYLOAD_IMAGES := $(foreach w,32 64,payload$(w).elf payload$(w).iso) reset.iso $(PAYLOAD_KINDS:%=hostile-%.iso)
LAB_FILES += $(PAYLOAD_IMAGES:%=$(PAYLOAD_OUT)/%) $(foreach w,32 64,$(PAYLOAD_OUT)/payload$(w)-dom0)

# Compiled by make check, so that a header's change cannot break them unseen. The CD images need more than a compiler.
PAYLOAD_ELFS := $(foreach w,32 64,$(PAYLOAD_OUT)/payload$(w).elf $(PAYLOAD_OUT)/payload$(w)-dom0) $(PAYLOAD_OUT)/bench.elf
.PHONY: check-payload
check-payload: $(PAYLOAD_ELFS)
	$(Q)$(PAYLOAD_DIR)check-images $^
CHECKS += check-payload

# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware images of Debian's packages seabios and ipxe-qemu: found, checked, copied. None is
# committed.

FIRMWARE_O     := $(O)/firmware
FIRMWARE_FILES := bios-256k.bin vgabios-stdvga.bin pxe-rtl8139.rom pxe-ne2k_pci.rom
FIRMWARE_STAMP := $(FIRMWARE_O)/.fetched

ALL      += $(FIRMWARE_STAMP)
CHECKS   += check-firmware
INSTALLS += install-firmware

.PHONY: check-firmware install-firmware

# The packages' files are older than our build as a rule, so the stamp depends on the script alone;
# `make clean` fetches anew.
$(FIRMWARE_STAMP): firmware/fetch.sh
	$(call say,FETCH,$(FIRMWARE_O))
	$(Q)sh firmware/fetch.sh $(FIRMWARE_O)
	$(Q)touch $@

check-firmware: $(FIRMWARE_STAMP)
	$(Q)sh tests/firmware/check_fetch.sh $(FIRMWARE_O)/tests

install-firmware: $(FIRMWARE_STAMP)
	$(Q)install -d $(DESTDIR)$(PREFIX)/lib/plinth/boot
	$(Q)install -m 0644 $(FIRMWARE_FILES:%=$(FIRMWARE_O)/%) $(DESTDIR)$(PREFIX)/lib/plinth/boot/

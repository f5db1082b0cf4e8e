# SPDX-License-Identifier: GPL-2.0-or-later
# What an administrator gets: make install and uninstall, kernels for domain 0, GRUB's entries, and the
# example configurations as Debian's own xl reads them.

install_DIR := $(O)/install-tests

CHECKS += check-install check-xm check-options
.PHONY: check-install check-xm check-options

$(install_DIR)/fake_xen.so: tests/install/fake_xen.c tests/install/fake_zero.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wall -Wextra -Werror -Wno-unused-parameter -O1 -shared -fPIC -o $@ $^

check-install: $(ALL) $(install_DIR)/fake_xen.so
	$(Q)tests/install/check --out $(O)

check-xm: $(install_DIR)/fake_xen.so
	$(Q)tests/install/check-xm --out $(O)

check-options: $(install_DIR)/fake_xen.so $(O)/device-model/plinth-dm $(O)/hvmloader/hvmloader
	$(Q)tests/install/check-options --out $(O)

# Not one of CHECKS: it needs root and the network (apt brings Debian's Xen tools into a folder).
.PHONY: check-deb
check-deb: deb
	$(Q)tests/install/check-deb --out $(O) $(O)/plinth_$(DEB_VERSION)_amd64.deb

HELP += 'check-deb|make deb, then install, upgrade, remove and purge it in a Debian of its own (root, network)'

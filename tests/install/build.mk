# SPDX-License-Identifier: GPL-2.0-or-later
# What an administrator gets: make install and uninstall, kernels for domain 0, GRUB's entries, and the
# example configurations as Debian's own xl reads them.

install_DIR := $(O)/install-tests

CHECKS += check-install check-xm
.PHONY: check-install check-xm

$(install_DIR)/no_xen.so: tests/install/no_xen.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wall -Wextra -Werror -O1 -shared -fPIC -o $@ $<

check-install: $(ALL) $(install_DIR)/no_xen.so
	$(Q)tests/install/check --out $(O)

check-xm: $(install_DIR)/no_xen.so
	$(Q)tests/install/check-xm --out $(O)

# Not one of CHECKS: it needs root and the network (apt brings Debian's Xen tools into a folder).
.PHONY: check-deb
check-deb: deb
	$(Q)tests/install/check-deb --out $(O) $(O)/plinth_$(DEB_VERSION)_amd64.deb

HELP += 'check-deb|make deb, then install, upgrade, remove and purge it in a Debian of its own (root, network)'

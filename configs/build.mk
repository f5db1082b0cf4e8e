# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what GRUB, the kernel packages and xl need to find Plinth, the guest examples and the
# manual pages. The hypervisor itself is vmm/'s.

configs_XEN := $(DESTDIR)/etc/xen
configs_DOC := $(DESTDIR)$(PREFIX)/share/doc/plinth/examples

INSTALLS += install-configs
.PHONY: install-configs
install-configs:
	$(Q)for page in $(wildcard docs/man/*.[1-8]); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done
	$(Q)install -D -m 755 configs/20_plinth $(DESTDIR)/etc/grub.d/20_plinth
	$(Q)install -D -m 755 configs/kernel-postinst $(DESTDIR)/etc/kernel/postinst.d/zz-plinth
	$(Q)install -D -m 755 configs/kernel-postrm $(DESTDIR)/etc/kernel/postrm.d/zz-plinth
	$(Q)install -D -m 644 configs/xl.conf $(configs_XEN)/xl.conf
	$(Q)install -d $(configs_DOC)
	$(Q)install -m 644 configs/*.cfg $(configs_DOC)

# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what GRUB, the kernel packages and xl need to find Plinth, the guest examples and the
# manual pages, and takes all of the installation away again. The hypervisor itself is vmm/'s.

configs_SHARE := $(DESTDIR)$(PREFIX)/share
configs_DOC   := $(configs_SHARE)/doc/plinth/examples
# Files below /etc, where an administrator's changes are kept: source:target
configs_ETC   := 20_plinth:grub.d/20_plinth kernel-postinst:kernel/postinst.d/zz-plinth \
		 kernel-postrm:kernel/postrm.d/zz-plinth xl.conf:xen/xl.conf
configs_each   = for pair in $(configs_ETC); do configs/conffile $(1) configs/$${pair%%:*} \
		 $(DESTDIR)/etc/$${pair\#*:} $(configs_SHARE)/plinth || exit 1; done

# make install GRUB_DEFAULT=plinth: GRUB starts Plinth when nobody chooses. Without it that stays as it is.
GRUB_DEFAULT ?=
configs_DEFAULT = tools/plinth-grub-default --root '$(or $(DESTDIR),/)'

INSTALLS += install-configs
.PHONY: install-configs install-etc uninstall
install-configs: install-etc
	$(Q)for page in $(wildcard docs/man/*.[1-8]); do \
		install -D -m 644 $$page $(configs_SHARE)/man/man$${page##*.}/$${page##*/}; \
	done
	$(Q)install -D -m 644 configs/plinth-extract-vmlinux.bash \
		$(configs_SHARE)/bash-completion/completions/plinth-extract-vmlinux
	$(Q)install -d $(configs_DOC)
	$(Q)install -m 644 configs/*.cfg configs/xl.conf $(configs_DOC)

install-etc:
	$(Q)case '$(GRUB_DEFAULT)' in plinth | '') ;; \
		*) echo 'make install: GRUB_DEFAULT is plinth or nothing' >&2; exit 1 ;; esac
	$(Q)$(call configs_each,install)
	$(if $(GRUB_DEFAULT),$(Q)$(configs_DEFAULT) on)

# What an installation into an empty folder has is what goes, so this list cannot be out of date.
configs_STAGE = $(abspath $(O))/uninstall
uninstall:
	$(Q)rm -rf $(configs_STAGE)
	$(Q)$(MAKE) -s install DESTDIR=$(configs_STAGE) GRUB_DEFAULT=
	$(Q)$(call configs_each,remove)
	$(Q)$(configs_DEFAULT) off
	$(Q)cd $(configs_STAGE) && rm -rf etc .$(PREFIX)/share/plinth && \
		find . ! -type d -printf '$(DESTDIR)/%P\0' | xargs -0 rm -f
	$(Q)rm -f $(DESTDIR)/boot/vmlinux-*.plinth
	$(Q)for part in lib/plinth share/doc/plinth share/plinth; do \
		[ ! -d $(DESTDIR)$(PREFIX)/$$part ] || \
		find $(DESTDIR)$(PREFIX)/$$part -depth -type d -empty -delete; done
	$(Q)rm -rf $(configs_STAGE)

HELP += 'uninstall|remove what make install put under DESTDIR; changed files in /etc stay'

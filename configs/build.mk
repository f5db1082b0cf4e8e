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

# In a package (PACKAGED=1) dpkg keeps the administrator's changes, and xl.conf is another package's.
PACKAGED     ?=
configs_plain = for pair in $(filter-out xl.conf:%,$(configs_ETC)); do \
		install -D -m "$$(stat -c %a configs/$${pair%%:*})" configs/$${pair%%:*} \
			$(DESTDIR)/etc/$${pair\#*:} || exit 1; done

# make install GRUB_DEFAULT=plinth: GRUB starts Plinth when nobody chooses. Without it that stays as it is.
GRUB_DEFAULT ?=
configs_DEFAULT = tools/plinth-grub-default --root '$(or $(DESTDIR),/)'

INSTALLS += install-configs
.PHONY: install-configs install-etc uninstall
install-configs: install-etc
	$(Q)for page in $(wildcard docs/man/*.[1-8]); do \
		install -D -m 644 $$page $(configs_SHARE)/man/man$${page##*.}/$${page##*/}; \
	done
	$(Q)for file in $(wildcard configs/*.bash); do \
		name=$${file##*/}; \
		install -D -m 644 $$file $(configs_SHARE)/bash-completion/completions/$${name%.bash}; \
	done
	$(Q)install -d $(configs_DOC)
	$(Q)install -m 644 configs/*.cfg configs/xl.conf $(configs_DOC)

install-etc:
	$(Q)case '$(GRUB_DEFAULT)' in plinth | '') ;; \
		*) echo 'make install: GRUB_DEFAULT is plinth or nothing' >&2; exit 1 ;; esac
	$(Q)$(if $(PACKAGED),$(configs_plain),$(call configs_each,install))
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

# plinth_VERSION_amd64.deb under $(O), by debhelper. A tree of git's counts its commits' time into the
# version, so that what is built later is newer. There is one at a time, as docs/install.md names it by a pattern.
configs_GIT = $(shell git log -1 --date=format:%Y%m%d%H%M%S --format=+git%cd.%h 2>/dev/null)
DEB_VERSION ?= $(shell sed -n '1s/.*(\(.*\)).*/\1/p' configs/debian/changelog)$(configs_GIT)
configs_DEB = $(abspath $(O))/deb

.PHONY: deb
deb:
	$(Q)tools/deps --check build deb
	$(Q)$(MAKE) --no-print-directory all
	$(Q)rm -rf $(configs_DEB) $(O)/plinth_*_amd64.deb
	$(Q)$(MAKE) -s --no-print-directory PACKAGED=1 GRUB_DEFAULT= PREFIX=/usr DESTDIR=$(configs_DEB)/stage install
	$(Q)cp -a configs/debian $(configs_DEB)/debian
	$(call say,DEB,$(O)/plinth_$(DEB_VERSION)_amd64.deb)
	$(Q)cd $(configs_DEB) && { env -u MAKEFLAGS -u MFLAGS DEB_RULES_REQUIRES_ROOT=no debian/rules binary \
		DEST=$(abspath $(O)) DEB_VERSION='$(DEB_VERSION)' >log 2>&1 || { cat log >&2; exit 1; }; }
	$(Q)rm -rf $(configs_DEB)

HELP += 'deb|a Debian package under $(O)/ (DEB_VERSION=$(DEB_VERSION))' \
	'uninstall|remove what make install put under DESTDIR; changed files in /etc stay'

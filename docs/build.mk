# SPDX-License-Identifier: GPL-2.0-or-later
# Documentation: compared with the source by check-docs, installed beside the guest examples. The
# manual pages are installed by configs/build.mk.

docs_DIR := $(DESTDIR)$(PREFIX)/share/doc/plinth

CHECKS   += check-docs
INSTALLS += install-docs

.PHONY: check-docs install-docs
check-docs:
	$(Q)docs/check

install-docs:
	$(Q)install -D -m 644 README.md $(docs_DIR)/README.md
	$(Q)install -D -m 644 COPYING $(docs_DIR)/COPYING
	$(Q)install -d $(docs_DIR)/docs
	$(Q)install -m 644 $(wildcard docs/*.md) $(docs_DIR)/docs
	$(Q)if [ -d docs/images ]; then install -d $(docs_DIR)/docs/images && \
		install -m 644 docs/images/* $(docs_DIR)/docs/images; fi

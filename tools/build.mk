# SPDX-License-Identifier: GPL-2.0-or-later
# The laboratory (dom0, guests, runs) and the helpers that are installed. Also works by itself:
# make -f tools/build.mk lab-dom0

O ?= build
Q ?= @
TOOLS_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
TOOLS_DOM0 := $(O)/dom0

# Debian packages: fetched once, again only when the list changes.
$(O)/debs/kernels: $(TOOLS_DIR)/fetch-debs
	@echo '  FETCH   Debian packages for dom0'
	$(Q)$(TOOLS_DIR)/fetch-debs $(O)

$(TOOLS_DOM0)/base.cpio: $(O)/debs/kernels $(TOOLS_DIR)/mk-dom0 $(wildcard $(TOOLS_DIR)/dom0/*init) \
		$(TOOLS_DIR)/dom0/agent
	@echo '  DOM0    user space'
	$(Q)$(TOOLS_DIR)/mk-dom0 $(O) base

$(TOOLS_DOM0)/modules-6.1.cpio: $(O)/debs/kernels $(TOOLS_DIR)/plinth-extract-vmlinux \
		$(TOOLS_DIR)/dom0/modules.list
	@echo '  DOM0    kernels and modules'
	$(Q)$(TOOLS_DIR)/mk-dom0 $(O) kernels

.PHONY: lab-dom0
lab-dom0: $(TOOLS_DOM0)/base.cpio $(TOOLS_DOM0)/modules-6.1.cpio

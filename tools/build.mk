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

$(TOOLS_DOM0)/base.cpio: $(O)/debs/kernels $(TOOLS_DIR)/mk-dom0 $(TOOLS_DIR)/dom0/init \
		$(TOOLS_DIR)/dom0/agent
	@echo '  DOM0    user space'
	$(Q)$(TOOLS_DIR)/mk-dom0 $(O) base

$(TOOLS_DOM0)/modules-6.1.cpio: $(O)/debs/kernels $(TOOLS_DIR)/plinth-extract-vmlinux \
		$(TOOLS_DIR)/dom0/modules.list $(TOOLS_DIR)/dom0/domu-init $(TOOLS_DIR)/mk-dom0
	@echo '  DOM0    kernels and modules'
	$(Q)$(TOOLS_DIR)/mk-dom0 $(O) kernels

.PHONY: lab-dom0
lab-dom0: $(TOOLS_DOM0)/base.cpio $(TOOLS_DOM0)/modules-6.1.cpio

# Guest images. A sub-make asks for the kernel's version only when it is needed.
$(O)/guests/debian.img: $(TOOLS_DIR)/mk-debian-guest $(wildcard $(TOOLS_DIR)/guest/lab-*) $(O)/debs/kernels
	@echo '  GUEST   Debian 12 disk'
	$(Q)$(TOOLS_DIR)/mk-debian-guest $(O)/guests $(O)/debs \
		$$(awk '$$1 == "6.1" { print $$2 }' $(O)/debs/kernels)

TOOLS_PAYLOADS := $(addprefix $(PAYLOAD_OUT)/,$(PAYLOAD_IMAGES))
TOOLS_GUEST_FILES := $(wildcard configs/*.cfg) $(TOOLS_DIR)/guest/rescue.cfg
$(O)/guests/guests.img: $(O)/guests/debian.img $(TOOLS_DIR)/mk-guests $(TOOLS_GUEST_FILES) \
		$(TOOLS_DOM0)/base.cpio $(TOOLS_DOM0)/modules-6.1.cpio $(TOOLS_PAYLOADS)
	@echo '  GUEST   data disk'
	$(Q)$(TOOLS_DIR)/mk-guests $(O) configs $(TOOLS_PAYLOADS)

# More for dom0, for a few cases of test-extended.
TOOLS_EXTRAS := $(patsubst %,$(TOOLS_DOM0)/extra-%.cpio,hosts xendomains libvirt)
$(TOOLS_EXTRAS): $(TOOLS_DOM0)/extra-%.cpio: $(TOOLS_DIR)/mk-extras $(TOOLS_DOM0)/base.cpio
	@echo '  DOM0    more: $*'
	$(Q)$(TOOLS_DIR)/mk-extras $(O) $*

.PHONY: lab-extras
lab-extras: $(TOOLS_EXTRAS)

# A program for small guests, to be put behind their initramfs.
$(TOOLS_DOM0)/clockwatch.cpio: $(TOOLS_DIR)/guest/clockwatch.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(TOOLS_DOM0)/clockwatch/bin
	$(Q)$(CC) -O2 -Wall -Wextra -Werror -static -o $(TOOLS_DOM0)/clockwatch/bin/clockwatch $<
	$(Q)cd $(TOOLS_DOM0)/clockwatch && printf 'bin\nbin/clockwatch\n' | cpio -o -H newc -R 0:0 --quiet > $(abspath $@)

LAB_FILES += $(TOOLS_DOM0)/clockwatch.cpio

.PHONY: lab-guests
lab-guests: lab-dom0 $(O)/guests/guests.img $(LAB_FILES)

# Our own installed files, as the initramfs takes them. Runs each time; make decides what is stale.
# TOOLS_STAGE='install-device-model install-hvmloader install-firmware' takes only some.
TOOLS_STAGE ?= install
.PHONY: lab-parts
lab-parts: $(TOOLS_DOM0)/base.cpio
	$(Q)rm -rf $(O)/stage
	$(Q)$(MAKE) -s $(TOOLS_STAGE) DESTDIR=$(abspath $(O))/stage
	$(Q)$(TOOLS_DIR)/mk-dom0 $(O) parts $(O)/stage

# make run [GUEST=configs/NAME.cfg] [HV=plinth|xen] [DM=plinth|xen] [LOADER=plinth|xen] [VT=amd|intel] [MODEL=name]
HV     ?= plinth
DM     ?= plinth
LOADER ?= plinth
VT     ?= amd
MODEL  ?= corei7_haswell_4770
GUEST  ?= configs/linux.cfg
TOOLS_RUN = --guest $(GUEST) --hv $(HV) --dm $(DM) --loader $(LOADER) --vt $(VT) --model $(MODEL) $(if $(CPU),--cpu $(CPU))

.PHONY: run test test-extended test-intel bench lint gdb install-tools
# The packages come first, in a make of their own: the rest of the build looks for libraries.
run:
	$(Q)$(TOOLS_DIR)/deps build run $(if $(filter intel,$(VT)),test)
	$(Q)$(MAKE) lab-parts lab-guests
	$(Q)O=$(O) $(TOOLS_DIR)/run $(TOOLS_RUN)

test:
	$(Q)$(TOOLS_DIR)/deps build run test
	$(Q)O=$(O) tests/lib/run-all

# What does not fit into make test's time, or does not pass everywhere yet: tests/guests/EXTENDED.
test-extended:
	$(Q)$(TOOLS_DIR)/deps build run test
	$(Q)$(MAKE) lab-parts lab-guests lab-extras
	$(Q)O=$(O) tests/lib/run-guests --extended --budget 14400

# The whole-boot tests once more, in Bochs on VT-x.
test-intel:
	$(Q)$(TOOLS_DIR)/deps build run test
	$(Q)$(MAKE) lab-parts lab-guests
	$(Q)O=$(O) tests/lib/run-guests --combo intel --budget 28800

bench:
	$(Q)$(TOOLS_DIR)/deps build run
	$(Q)if [ -x tests/bench/run ]; then $(MAKE) lab-parts lab-guests $(O)/plinth-stretch && \
		O=$(O) tests/bench/run && O=$(O) tests/bench/run-stretch; \
		else echo 'bench: tests/bench/run is not there'; exit 1; fi
	$(Q)O=$(O) tests/bench/run-sched
	$(Q)$(MAKE) bench-migrate

lint:
	$(Q)$(TOOLS_DIR)/lint

gdb:
	$(Q)$(TOOLS_DIR)/deps build run test
	$(Q)$(MAKE) $(O)/plinth lab-dom0
	$(Q)O=$(O) $(TOOLS_DIR)/gdb

HELP += 'run|boot Plinth, dom0 and a guest in QEMU (GUEST=configs/NAME.cfg, HV=plinth or xen), or in Bochs (VT=intel)' \
	'test|make check and the whole-boot tests (up to 40 minutes)' \
	'test-extended|also the cases of tests/guests/EXTENDED (hours)' \
	'test-intel|the whole-boot tests on VT-x, in Bochs (hours; BOCHS=PROGRAM for a faster build of it)' \
	'bench|the numbers, beside the peer' \
	'lint|format and static checks' \
	'gdb|boot in QEMU, halted, with gdb attached'

INSTALLS += install-tools
install-tools:
	$(Q)install -D -m 755 $(TOOLS_DIR)/plinth-extract-vmlinux \
		$(DESTDIR)$(PREFIX)/bin/plinth-extract-vmlinux
	$(Q)for tool in plinth-grub-default plinth-libvirt-rule xm; do \
		install -D -m 755 $(TOOLS_DIR)/$$tool $(DESTDIR)$(PREFIX)/sbin/$$tool; done

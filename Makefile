# SPDX-License-Identifier: GPL-2.0-or-later
# Entry points only. The rules live in the build.mk of each folder, which append to:
#   ALL       files that `make` builds: what is installed, by packages of deps.list's group build alone
#   LAB_FILES files that only whole boots need (`make lab-guests` builds them, with group run)
#   CHECKS    phony targets of `make check` (host-only, fast, no root)
#   FUZZERS   phony targets of `make fuzz`
#   INSTALLS  phony targets of `make install` (honour DESTDIR and PREFIX)
#   HELP      lines for `make help`, as "target|text"

O       ?= build
PREFIX  ?= /usr
DESTDIR ?=
V       ?=
Q       := $(if $(V),,@)

# One line per step, the whole command with V=1.
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

include tests/flavours.mk
include $(sort $(wildcard */build.mk tests/*/build.mk))

.PHONY: all check fuzz install clean help
all: $(ALL)

# Side by side on all CPUs, each one's output in one piece, unless make was given -j itself.
# What tools say is read by the tests: in English.
check: export LC_ALL := C.UTF-8
check:
	$(Q)tools/deps --check build check
	$(Q)+$(MAKE) --no-print-directory --output-sync=target \
		$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) $(CHECKS)

fuzz: $(FUZZERS)

# On the running system (no DESTDIR), domain 0's kernels are unpacked at once.
install: all $(INSTALLS)
	$(if $(DESTDIR),,$(Q)$(PREFIX)/bin/plinth-extract-vmlinux --update /boot)
	$(if $(DESTDIR),,@echo 'installed; run update-grub for the menu entries')

clean:
	$(Q)rm -rf $(O)

help:
	@printf '%s\n' 'make                build the hypervisor, hvmloader and device model' \
		'make check          host-only tests (under a minute, no root)' \
		'make fuzz           every fuzz target for a minute' \
		'make install        install under DESTDIR (PREFIX=$(PREFIX))' \
		'make clean          remove $(O)/'
	@printf '%s\n' $(HELP) | sed 's/^make //' | sort -u | \
		awk -F'|' 'NF==2 { printf "make %-14s %s\n", $$1, $$2 }'

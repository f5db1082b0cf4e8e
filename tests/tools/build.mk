# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the laboratory around an emulator that is only a stand-in, and tools/floors over small houses.

CHECKS += check-tools
.PHONY: check-tools

check-tools:
	$(Q)tests/tools/check
	$(Q)tests/tools/check-floors

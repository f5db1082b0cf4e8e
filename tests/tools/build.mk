# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the laboratory around an emulator that is only a stand-in.

CHECKS += check-tools
.PHONY: check-tools

check-tools:
	$(Q)tests/tools/check

# SPDX-License-Identifier: GPL-2.0-or-later
# Models of the protocols between CPUs, verified by SPIN: as they are, and that each fault is found.

.PHONY: check-model
check-model:
	$(Q)tests/model/check $(O)/model
CHECKS += check-model

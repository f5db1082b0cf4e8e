# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the display, the VNC server, PS/2 and the UART (included by tests/device-model/build.mk).

DM_UI_DIR  := $(DM_TESTS)/ui
DM_UI_OUT  := $(DM_OUT)/tests-ui
DM_UI_FUZZ := $(DM_UI_OUT)/fuzz_vga

CHECKS  += check-dm-ui
FUZZERS += fuzz-dm-vga-random

$(call program,asan,$(DM_UI_FUZZ),$(DM_UI_DIR)/fuzz_vga.c $(addprefix $(DM_DIR)/hw/vga_,draw.c frame.c \
	graphics.c mem.c regs.c text.c timing.c vbe.c) $(DM_DIR)/hw/vga.h,-std=gnu11 -g -O1 -Wall -Wextra -Werror \
	-Wno-unused-parameter -D_GNU_SOURCE -fno-sanitize-recover=undefined -I$(DM_DIR))
$(call program,plain,$(DM_UI_OUT)/vnc_client,$(DM_UI_DIR)/vnc_client.c,-std=gnu11 -O1 -g -Wall -Wextra \
	-Wno-unused-parameter $(shell pkg-config --cflags libvncclient),$(shell pkg-config --libs libvncclient))

.PHONY: check-dm-ui fuzz-dm-vga-random
check-dm-ui: $(DM_OUT)/plinth-dm-asan $(DM_UI_FUZZ) $(DM_UI_OUT)/vnc_client
	$(Q)$(DM_UI_FUZZ) 4000 > $(DM_UI_OUT)/fuzz.log
	$(Q)ASAN_OPTIONS=detect_leaks=0 python3 $(DM_TESTS)/run.py ui --device-model $(DM_OUT)/plinth-dm-asan \
		--vnc-client $(DM_UI_OUT)/vnc_client --work $(DM_UI_OUT)/scratch

fuzz-dm-vga-random: $(DM_UI_FUZZ)
	$(Q)$(DM_UI_FUZZ) 60s $$(date +%s)

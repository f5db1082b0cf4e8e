# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the display, the VNC server, PS/2 and the UART (included by device-model/build.mk).

DM_UI_DIR  := device-model/tests-ui
DM_UI_OUT  := $(O)/device-model/tests-ui
DM_UI_FUZZ := $(DM_UI_OUT)/fuzz_vga
DM_UI_FUZZ_SRC := $(DM_UI_DIR)/fuzz_vga.c $(addprefix device-model/hw/vga_,draw.c frame.c \
	graphics.c mem.c regs.c text.c timing.c vbe.c)

CHECKS  += check-dm-ui
FUZZERS += fuzz-dm-vga-random

$(DM_UI_FUZZ): $(DM_UI_FUZZ_SRC) device-model/hw/vga.h
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wno-unused-parameter -D_GNU_SOURCE \
		-fsanitize=address,undefined -fno-sanitize-recover=undefined -Idevice-model \
		-o $@ $(DM_UI_FUZZ_SRC)

$(DM_UI_OUT)/vnc_client: $(DM_UI_DIR)/vnc_client.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -g -Wall -Wextra -Wno-unused-parameter $$(pkg-config --cflags libvncclient) \
		-o $@ $< $$(pkg-config --libs libvncclient)

.PHONY: check-dm-ui fuzz-dm-vga-random
check-dm-ui: $(O)/device-model/plinth-dm-asan $(DM_UI_FUZZ) $(DM_UI_OUT)/vnc_client
	$(Q)mkdir -p $(DM_UI_OUT)/scratch
	$(Q)$(DM_UI_FUZZ) 4000 > $(DM_UI_OUT)/scratch/fuzz.log
	$(Q)ASAN_OPTIONS=detect_leaks=0 python3 $(DM_UI_DIR)/run.py --device-model $(O)/device-model/plinth-dm-asan \
		--vnc-client $(DM_UI_OUT)/vnc_client --work $(DM_UI_OUT)/scratch

fuzz-dm-vga-random: $(DM_UI_FUZZ)
	$(Q)$(DM_UI_FUZZ) 60s $$(date +%s)

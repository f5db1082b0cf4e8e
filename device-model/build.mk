# SPDX-License-Identifier: GPL-2.0-or-later
# The device model: one program per guest, and the same objects with sanitizers for the tests (tests/device-model).
# Every .c file in core/ block/ net/ hw/ ui/ pv/ belongs to it; a new device is a new file.

DM_DIR   := device-model
DM_OUT   := $(O)/device-model
DM_SRC   := $(sort $(wildcard $(DM_DIR)/*.c $(addprefix $(DM_DIR)/,$(addsuffix /*.c,core block net hw ui pv))))
DM_OBJ   := $(DM_SRC:$(DM_DIR)/%.c=$(DM_OUT)/obj/%.o)
DM_ASAN_OBJ := $(DM_SRC:$(DM_DIR)/%.c=$(DM_OUT)/asan/%.o)

DM_PKGS  := pixman-1 zlib libvncserver gnutls slirp
DM_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wno-unused-parameter -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D__XEN_TOOLS__ -fno-strict-aliasing -fno-common -fPIE -pthread \
	-I$(DM_DIR) -Ivmm/include/public $(shell pkg-config --cflags $(DM_PKGS))
DM_LIBS  := -pie -Wl,-z,relro,-z,now -pthread -lxendevicemodel -lxenforeignmemory -lxenevtchn \
	-lxencall -lxengnttab -lxenstore -lxentoolcore $(shell pkg-config --libs $(DM_PKGS)) $(DM_EXTRA_LIBS)
DM_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE \
	-fno-omit-frame-pointer -O1

ALL += $(DM_OUT)/plinth-dm
INSTALLS += install-device-model

$(DM_OUT)/plinth-dm: $(DM_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ $(DM_LIBS)

$(call objects,plain,$(DM_OUT)/obj,$(DM_DIR)/,$(DM_CFLAGS))
$(call objects,asan,$(DM_OUT)/asan,$(DM_DIR)/,$(DM_CFLAGS) $(DM_SANITIZE))

.PHONY: install-device-model device-model
device-model: $(DM_OUT)/plinth-dm

install-device-model: $(DM_OUT)/plinth-dm
	$(Q)install -D -m 755 $< $(DESTDIR)$(PREFIX)/lib/plinth/bin/plinth-dm

-include $(DM_OBJ:.o=.d) $(DM_ASAN_OBJ:.o=.d)


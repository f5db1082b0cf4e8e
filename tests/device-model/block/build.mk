# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the image formats (included by tests/device-model/build.mk): the block layer as a program, driven by
# scripts with qemu-img as the judge, and as a fuzz target.
#   check-dm-block   all scripts, a few seconds each
#   soak-dm-block    random operations and kills for SOAK_SECONDS (300)
#   fuzz-dm-qcow2    libFuzzer on images and requests for FUZZ_SECONDS (60); afl-dm-qcow2: AFL++

DM_BLOCK_DIR  := $(DM_TESTS)/block
DM_BLOCK_OUT  := $(DM_OUT)/tests-block
DM_BLOCK_CORE := $(addprefix $(DM_DIR)/core/,image_lock.c json.c log.c loop.c timer.c util.c)
DM_BLOCK_LIB  := $(filter-out %/failure.c,$(wildcard $(DM_DIR)/block/*.c)) $(DM_BLOCK_CORE)
DM_BLOCK_HEADERS := $(wildcard $(DM_DIR)/block/*.h $(DM_BLOCK_DIR)/*.h)
DM_BLOCKIO    := $(DM_BLOCK_OUT)/blockio
DM_BLOCK_FLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wno-unused-parameter -D_GNU_SOURCE \
	-D_FILE_OFFSET_BITS=64 -fno-strict-aliasing -pthread -I$(DM_DIR) -Itests -fno-sanitize-recover=undefined
DM_BLOCK_WRAP := -Wl,--wrap=block_file_write,--wrap=block_file_sync,--wrap=block_file_punch \
	-Wl,--wrap=pwrite64,--wrap=pread64,--wrap=preadv64v2,--wrap=fdatasync,--wrap=fstatfs64
DM_BLOCK_FUZZ := $(filter-out %/block.c %/log.c %/loop.c %/json.c %/timer.c,$(DM_BLOCK_LIB)) $(DM_BLOCK_DIR)/fuzz_qcow2.c
SOAK_SECONDS  ?= 300

CHECKS  += check-dm-block
FUZZERS += fuzz-dm-qcow2 $(if $(DM_AFL),afl-dm-qcow2)
HELP    += 'make soak-dm-block|random disk operations and kills, for five minutes'

$(call program,asan,$(DM_BLOCKIO),$(DM_BLOCK_LIB) $(addprefix $(DM_BLOCK_DIR)/,blockio.c record.c fault.c) \
	$(DM_BLOCK_HEADERS),$(DM_BLOCK_FLAGS) $(DM_BLOCK_WRAP),-lz)
$(call program,fuzz,$(DM_BLOCK_OUT)/fuzz-qcow2,$(DM_BLOCK_FUZZ) $(DM_BLOCK_HEADERS),$(DM_BLOCK_FLAGS),-lz)
$(call program,afl,$(DM_BLOCK_OUT)/afl-qcow2,$(DM_BLOCK_FUZZ) $(DM_BLOCK_HEADERS),$(DM_BLOCK_FLAGS),-lz)

.PHONY: check-dm-block soak-dm-block fuzz-dm-qcow2 afl-dm-qcow2
check-dm-block: $(DM_BLOCKIO)
	$(Q)python3 $(DM_TESTS)/run.py block --blockio $(DM_BLOCKIO) --work $(DM_BLOCK_OUT)/work

soak-dm-block: $(DM_BLOCKIO)
	$(Q)python3 $(DM_TESTS)/run.py block --blockio $(DM_BLOCKIO) --work $(DM_BLOCK_OUT)/work --soak $(SOAK_SECONDS)

fuzz-dm-qcow2: $(DM_BLOCK_OUT)/fuzz-qcow2
	$(call fuzz_run,qcow2,$<,-max_len=20000)

afl-dm-qcow2: $(DM_BLOCK_OUT)/afl-qcow2
	$(call afl_run,qcow2,$<)

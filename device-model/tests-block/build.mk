# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the image formats (included by device-model/build.mk): the block layer as a program, driven by
# scripts with qemu-img as the judge, and as a fuzz target.
#   check-dm-block   all scripts, a few seconds each
#   soak-dm-block    random operations and kills for SOAK_SECONDS (300)
#   fuzz-dm-qcow2    libFuzzer on images and requests for FUZZ_SECONDS (60)

DM_BLOCK_DIR  := device-model/tests-block
DM_BLOCK_OUT  := $(DM_OUT)/tests-block
DM_BLOCK_SRC  := $(wildcard device-model/block/*.c)
DM_BLOCK_CORE := $(addprefix device-model/core/,image_lock.c json.c log.c loop.c timer.c util.c)
DM_BLOCK_LIB  := $(filter-out %/failure.c,$(DM_BLOCK_SRC)) $(DM_BLOCK_CORE)
DM_BLOCKIO    := $(DM_BLOCK_OUT)/blockio
DM_BLOCK_FLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wno-unused-parameter -D_GNU_SOURCE \
	-D_FILE_OFFSET_BITS=64 -fno-strict-aliasing -pthread -Idevice-model \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
SOAK_SECONDS  ?= 300
FUZZ_SECONDS  ?= 60

CHECKS  += check-dm-block
FUZZERS += fuzz-dm-qcow2 $(if $(DM_AFL),afl-dm-qcow2)
HELP    += 'make soak-dm-block|random disk operations and kills, for five minutes'

$(DM_BLOCKIO): $(DM_BLOCK_LIB) $(DM_BLOCK_DIR)/blockio.c $(DM_BLOCK_DIR)/record.c \
		$(DM_BLOCK_DIR)/fault.c $(DM_BLOCK_DIR)/fault.h $(wildcard device-model/block/*.h)
	$(call say,CC-ASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(DM_BLOCK_FLAGS) -Wl,--wrap=block_file_write,--wrap=block_file_sync \
		-Wl,--wrap=block_file_punch -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=preadv64v2,--wrap=fdatasync,--wrap=fstatfs64 -o $@ $(filter %.c,$^) -lz

$(DM_BLOCK_OUT)/fuzz-qcow2: $(filter-out %/block.c %/log.c %/loop.c %/json.c %/timer.c,$(DM_BLOCK_LIB)) \
		$(DM_BLOCK_DIR)/fuzz_qcow2.c $(wildcard device-model/block/*.h)
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(DM_BLOCK_FLAGS) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lz

$(DM_BLOCK_OUT)/afl-qcow2: $(filter-out %/block.c %/log.c %/loop.c %/json.c %/timer.c,$(DM_BLOCK_LIB)) \
		$(DM_BLOCK_DIR)/fuzz_qcow2.c $(wildcard device-model/block/*.h)
	$(call say,CC-AFL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)AFL_QUIET=1 afl-clang-fast $(DM_BLOCK_FLAGS) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lz

.PHONY: check-dm-block soak-dm-block fuzz-dm-qcow2 afl-dm-qcow2
check-dm-block: $(DM_BLOCKIO)
	$(Q)python3 $(DM_BLOCK_DIR)/run.py --blockio $(DM_BLOCKIO) --work $(DM_BLOCK_OUT)/work

soak-dm-block: $(DM_BLOCKIO)
	$(Q)python3 $(DM_BLOCK_DIR)/run.py --blockio $(DM_BLOCKIO) --work $(DM_BLOCK_OUT)/work \
		--soak $(SOAK_SECONDS)

fuzz-dm-qcow2: $(DM_BLOCK_OUT)/fuzz-qcow2
	$(Q)mkdir -p $(DM_BLOCK_OUT)/corpus
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -rss_limit_mb=1024 -timeout=20 \
		-print_final_stats=0 -verbosity=0 -artifact_prefix=$(DM_BLOCK_OUT)/crash- \
		$(DM_BLOCK_OUT)/corpus tests/regress/qcow2

afl-dm-qcow2: $(DM_BLOCK_OUT)/afl-qcow2
	$(call afl_run,qcow2,$<)

# SPDX-License-Identifier: GPL-2.0-or-later
# Ways to compile for tests. A flavour is a compiler and what it is told beside the flags of the sources.
#   plain   as it is
#   asan    AddressSanitizer and UBSan; the flags say more of them
#   fuzz    clang with libFuzzer, afl: AFL++, each with the same
#   tsan, clang   the flags say for which files there is a sanitizer
cc_plain := $(CC)
cc_asan  := $(CC) -fsanitize=address,undefined
cc_fuzz  := clang -fsanitize=address,undefined
cc_afl   := AFL_QUIET=1 afl-clang-fast -fsanitize=address,undefined
cc_tsan  := $(CC)
cc_clang := clang
fuzzer_object_fuzz := -fsanitize=fuzzer-no-link
fuzzer_fuzz := -fsanitize=fuzzer
fuzzer_afl  := -fsanitize=fuzzer
tag_plain := CC
tag_asan  := CC-ASAN
tag_fuzz  := CC-FUZZ
tag_afl   := CC-AFL
tag_tsan  := CC-TSAN
tag_clang := CC-FUZZ

# $(call objects,FLAVOUR,FOLDER,SOURCES,FLAGS,FIRST): FOLDER/NAME.o is made of SOURCESname.c; FIRST is there before.
define objects_rule
$(2)/%.o: $(3)%.c $(if $(5),| $(5))
	$$(call say,$(tag_$(1)),$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(cc_$(1)) $(fuzzer_object_$(1)) $(4) -MMD -MP -c -o $$@ $$<
endef
objects = $(eval $(call objects_rule,$1,$2,$3,$4,$5))

# $(call program,FLAVOUR,PROGRAM,FILES,FLAGS,LIBRARIES): of the sources and objects among FILES; headers may be, too.
define program_rule
$(2): $(3)
	$$(call say,$(if $(filter %.c,$(3)),$(tag_$(1)),LD),$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(cc_$(1)) $(fuzzer_$(1)) $(4) -o $$@ $$(sort $$(filter %.c %.o,$$^)) $(5)
endef
program = $(eval $(call program_rule,$1,$2,$3,$4,$5))

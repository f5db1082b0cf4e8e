#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check_tables.sh TESTPROGRAM DIR IMAGE: run the unit tests, then show the tables that they dumped
# to tools written by others: iasl (decode, compile again), acpiexec (evaluate), dmidecode,
# biosdecode. IMAGE is the loader itself. Prints one summary line.
set -u

program=$1
dir=$2
image=$3
passed=0
failed=0
skipped=0

fail() {
	failed=$((failed + 1))
	echo "check-hvmloader: $*"
}

pass() {
	passed=$((passed + 1))
}

# expect_text WHO TEXT REGEX
expect_text() {
	if printf '%s' "$2" | grep -q "$3"; then
		pass
	else
		fail "$1: no $3"
	fi
}

have() {
	command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

unit_tests() {
	out=$("$program" "$dir")
	last=$(printf '%s\n' "$out" | tail -n 1)
	case $last in
	*[0-9]" "[0-9]*)
		passed=$((passed + ${last% *}))
		failed=$((failed + ${last#* }))
		printf '%s\n' "$out" | sed '$d'
		;;
	*)
		fail "the unit tests did not end: $last"
		;;
	esac
}

# Every table must decode without a complaint; the AML ones must compile again. Warning 3128: the
# disassembler names the 64-bit fields that our source writes in halves; 3168 as in build.mk.
decode_tables() {
	for t in "$dir"/acpi-*.dat; do
		case $t in
		*-OEMT.dat) continue ;;
		esac
		out=$(cd "$dir" && iasl -d "$(basename "$t")" 2>&1)
		if [ $? -ne 0 ] || printf '%s' "$out" | grep -qi -e error -e invalid -e checksum ||
			grep -qi -e '\*\*\*\*' -e 'invalid' "${t%.dat}.dsl"; then
			fail "iasl -d $t: $out"
		else
			pass
		fi
	done
	for t in "$dir"/acpi-full-*SDT.dsl "$dir"/acpi-max-*SDT.dsl; do
		if out=$(iasl -we -vw 3168 -vw 3128 -p "${t%.dsl}-again" "$t" 2>&1); then
			pass
		else
			fail "compiling $t again: $out"
		fi
	done
}

# evaluate OBJECT REGEX: acpiexec runs our AML; its emulated memory and ports start as zeros.
evaluate() {
	out=$(timeout 60 acpiexec -b "execute $1" "$dir"/acpi-two-99-DSDT.dat \
		"$dir"/acpi-two-0[4-6]-SSDT.dat 2>&1)
	if printf '%s' "$out" | grep -q "ACPI Error" || ! printf '%s' "$out" | grep -q "$2"; then
		fail "acpiexec $1: $(printf '%s' "$out" | tail -n 5)"
	else
		pass
	fi
}

decode_smbios() {
	for t in "$dir"/smbios-*.bin; do
		out=$(dmidecode --from-dump "$t" 2>&1)
		if printf '%s' "$out" | grep -qi -e broken -e invalid -e 'out of spec' \
			-e truncated -e wrong -e 'bad '; then
			fail "dmidecode $t: $out"
		else
			pass
		fi
	done
	out=$(dmidecode --from-dump "$dir/smbios-small.bin")
	for want in 'UUID: 00112233-4455-6677-8899-aabbccddeeff' 'Manufacturer: Xen' \
		'Size: 240 MB' 'Max Speed: 2600 MHz' 'SMBIOS 2.4 present'; do
		expect_text dmidecode "$out" "$want"
	done
	out=$(dmidecode --from-dump "$dir/smbios-large.bin")
	for want in 'Manufacturer: Example Computers' 'String 3: second' \
		'Ending Address: 0x009FFFFFFFF'; do
		expect_text dmidecode "$out" "$want"
	done
}

decode_pir() {
	out=$(biosdecode -d "$dir/first-mib.bin" 2>&1)
	for want in 'PCI Interrupt Routing 1.0 present' 'Router Device: 00:01.0' 'Device: 00:1f'; do
		expect_text biosdecode "$out" "$want"
	done
}

# libxenguest: one segment at 1 MiB, 32-bit, and no Xen note.
check_image() {
	out=$(readelf -hlnW "$image")
	for want in 'Class: *ELF32' 'LOAD *0x[0-9a-f]* 0x00100000 0x00100000'; do
		expect_text "$image" "$out" "$want"
	done
	if printf '%s' "$out" | grep -q Xen; then fail "$image has a Xen note"; else pass; fi
}

PATH=$PATH:/usr/sbin
rm -rf "$dir"
mkdir -p "$dir"
unit_tests
check_image
if have iasl && have acpiexec; then
	decode_tables
	evaluate '\_SB.PCI0._CRS' 'Length 8[0-9A-F]\|Length 7[0-9A-F]\|Length 6[0-9A-F]'
	evaluate '\_SB.LNKA._CRS' '23 01 00 18 79 00'
	evaluate '\_SB.C001._MAT' '00 08 01 00 00 00 00 00'
	evaluate '\_SB.C001._STA' 'Integer.*0000000000000000'
	evaluate '\_S5' 'Package'
else
	skipped=$((skipped + 1))
fi
if have dmidecode && have biosdecode; then
	decode_smbios
	decode_pir
else
	skipped=$((skipped + 1))
fi
echo "check-hvmloader: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

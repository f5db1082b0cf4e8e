#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check_fetch.sh DIR: does fetch.sh take good images and refuse damaged ones, with the reason?
set -u

dir=$1
script=$(dirname "$0")/../../firmware/fetch.sh
passed=0
failed=0

# Fresh copies of the package files below $dir/root.
fresh() {
	rm -rf "$dir"
	mkdir -p "$dir/root/usr/share/seabios" "$dir/root/usr/lib/ipxe/qemu"
	cp /usr/share/seabios/bios-256k.bin /usr/share/seabios/vgabios-stdvga.bin \
		"$dir/root/usr/share/seabios/"
	cp /usr/lib/ipxe/qemu/pxe-rtl8139.rom /usr/lib/ipxe/qemu/pxe-ne2k_pci.rom \
		"$dir/root/usr/lib/ipxe/qemu/"
}

# poke FILE OFFSET OCTAL
poke() {
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# expect NAME REGEX: fetch must fail with a message; an empty REGEX means it must succeed.
expect() {
	out=$(FIRMWARE_ROOT="$dir/root" sh "$script" "$dir/out" 2>&1)
	status=$?
	if [ -z "$2" ] && [ $status -eq 0 ] && [ "$(ls "$dir/out" | wc -l)" -eq 4 ]; then
		passed=$((passed + 1))
	elif [ -n "$2" ] && [ $status -ne 0 ] && echo "$out" | grep -q "$2" &&
		[ ! -e "$dir/out/bios-256k.bin" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "check-firmware: $1: status $status, said: $out"
	fi
}

bios=$dir/root/usr/share/seabios/bios-256k.bin
vga=$dir/root/usr/share/seabios/vgabios-stdvga.bin
rtl=$dir/root/usr/lib/ipxe/qemu/pxe-rtl8139.rom

fresh; expect "good images" ""
fresh; rm "$bios"; expect "no BIOS" "package seabios"
fresh; rm "$rtl"; expect "no network ROM" "package ipxe-qemu"
fresh; truncate -s 131072 "$bios"; expect "short BIOS" "131072 bytes"
fresh; poke "$bios" 262128 000; expect "no reset vector" "far jump"
fresh; sed -i 's/XenHVMSeaBIOS/xEnHVMSeaBIOS/' "$bios"; expect "no Xen support" "without Xen"
fresh; poke "$vga" 0 000; expect "no signature" "55 AA"
fresh; poke "$vga" 100 "$(printf '%o' $((255 - $(od -An -tu1 -j100 -N1 "$vga"))))"
expect "bad checksum" "checksum"
fresh; truncate -s 1024 "$rtl"; expect "cut ROM" "declares"
fresh; cp "$rtl" "$dir/root/usr/lib/ipxe/qemu/pxe-ne2k_pci.rom"; expect "other device" "another PCI"
fresh; cp "$vga" "$rtl"; expect "other class" "not for a network"
rm -rf "$dir"

echo "check-firmware: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

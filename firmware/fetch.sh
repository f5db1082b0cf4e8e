#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch.sh DIR: find SeaBIOS, the VGA BIOS and the iPXE option ROMs of Debian's packages (seabios,
# ipxe-qemu), check what can be checked, and copy them to DIR. FIRMWARE_ROOT is put before the paths
# (for an unpacked package). No download, nothing is built.
#
# Checks: bios-256k.bin is 256 KiB, has a far jump at the reset vector, calls itself SeaBIOS and was
# built with Xen support; option ROMs (PCI Firmware Specification 3.0, 5.1) start with 55 AA, their
# declared length fits the file and the bytes of that length sum to zero; the PCI data structure of
# the network ROMs fits the device that they are for.
set -eu

dir=$1
root=${FIRMWARE_ROOT:-}
failed=0

complain() {
	echo "firmware: $*" >&2
	failed=1
}

# find_in FILE PACKAGE DIR...: print the first path that exists.
find_in() {
	file=$1 package=$2
	shift 2
	for d; do
		if [ -f "$root$d/$file" ]; then
			echo "$root$d/$file"
			return 0
		fi
	done
	echo "firmware: $file not found; it is in Debian's package $package" >&2
	return 1
}

byte() {
	od -An -tu1 -j"$2" -N1 "$1" | tr -d ' '
}

word() {
	echo $(($(byte "$1" "$2") + 256 * $(byte "$1" $(($2 + 1)))))
}

check_bios() {
	size=$(wc -c < "$1")
	[ "$size" -eq 262144 ] || { complain "$1: $size bytes, not 262144"; return; }
	[ "$(byte "$1" 262128)" -eq 234 ] || complain "$1: no far jump at the reset vector"
	grep -qa SeaBIOS "$1" || complain "$1: does not call itself SeaBIOS"
	grep -qa XenHVMSeaBIOS "$1" || complain "$1: was built without Xen support"
}

check_rom() {
	size=$(wc -c < "$1")
	[ "$(word "$1" 0)" -eq 43605 ] || { complain "$1: does not start with 55 AA"; return; }
	len=$(($(byte "$1" 2) * 512))
	if [ "$len" -eq 0 ] || [ "$len" -gt "$size" ]; then
		complain "$1: declares $len bytes, has $size"
		return
	fi
	sum=$(od -An -v -tu1 -N"$len" "$1" |
		awk '{ for (i = 1; i <= NF; i++) s += $i } END { print s % 256 }')
	[ "$sum" -eq 0 ] || complain "$1: checksum is $sum, not 0"
}

# check_network FILE VENDOR DEVICE (decimal): the PCI data structure (5.1.2) is a network
# controller's. Vendor and device may be 0: such a ROM is for several devices, and the device model
# writes the numbers of its own device there, because SeaBIOS compares them.
check_network() {
	pcir=$(word "$1" 24)
	if [ "$(od -An -c -j"$pcir" -N4 "$1" | tr -d ' ')" != PCIR ]; then
		complain "$1: no PCI data structure"
		return
	fi
	[ "$(byte "$1" $((pcir + 15)))" -eq 2 ] || complain "$1: is not for a network controller"
	id="$(word "$1" $((pcir + 4))) $(word "$1" $((pcir + 6)))"
	[ "$id" = "$2 $3" ] || [ "$id" = "0 0" ] || complain "$1: is for another PCI device"
}

mkdir -p "$dir"

bios=$(find_in bios-256k.bin seabios /usr/share/seabios /usr/share/qemu) || exit 1
check_bios "$bios"
vga=$(find_in vgabios-stdvga.bin seabios /usr/share/seabios /usr/share/qemu) || exit 1
check_rom "$vga"
rtl=$(find_in pxe-rtl8139.rom ipxe-qemu /usr/lib/ipxe/qemu /usr/share/qemu) || exit 1
check_rom "$rtl"
check_network "$rtl" 4332 33081
ne2k=$(find_in pxe-ne2k_pci.rom ipxe-qemu /usr/lib/ipxe/qemu /usr/share/qemu) || exit 1
check_rom "$ne2k"
check_network "$ne2k" 4332 32809

[ "$failed" -eq 0 ] || exit 1
cp "$bios" "$vga" "$rtl" "$ne2k" "$dir/"

# SPDX-License-Identifier: GPL-2.0-or-later
# Turns `nm -n` into the table that base/symbols.c reads: offsets of functions from the image's
# start, offsets of their names, the names.
$2 ~ /^[tT]$/ && $3 !~ /^\./ {
	if ($1 == last)
		next
	last = $1
	addr[n] = $1
	name[n++] = $3
}
END {
	print "\t.section .symtab_data, \"a\""
	print "\t.balign 8"
	print "\t.globl symbol_count, symbol_table, symbol_names"
	print "symbol_count:\n\t.long " n
	print "symbol_table:"
	for (i = 0; i < n; i++) {
		printf "\t.long 0x%s - 0xffffffff80000000, %d\n", addr[i], off
		off += length(name[i]) + 1
	}
	print "symbol_names:"
	for (i = 0; i < n; i++)
		printf "\t.asciz \"%s\"\n", name[i]
	print "\t.section .note.GNU-stack, \"\", @progbits"
}

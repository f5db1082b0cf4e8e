// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port I/O: widths, string forms with REP, page faults and direction in the middle, user access
 * by the I/O bitmap.
 */
#include "payload.h"

static u8 buffer[8192] __attribute__((aligned(4096)));

TEST(pio_empty, "pio: an empty port reads all ones in each width")
{
	NEED(inb(0x1234) == 0xff, "something is at port 0x1234");
	CHECK(inw(0x1234) == 0xffff, "16 bits: %x", inw(0x1234));
	CHECK(inl(0x1234) == 0xffffffff, "32 bits: %x", inl(0x1234));
	return NULL;
}

TEST(pio_upper, "pio: IN leaves the upper bits of the register alone")
{
	ulong v = (ulong)0x1122334455667788ull;

	asm volatile("inb $0x80, %%al" : "+a"(v));
	CHECK((v & ~0xfful) == ((ulong)0x1122334455667788ull & ~0xfful), "AL: %lx", v);
	v = (ulong)0x1122334455667788ull;
	asm volatile("inw %%dx, %%ax" : "+a"(v) : "d"(0x1234));
	CHECK((v & ~0xfffful) == ((ulong)0x1122334455667788ull & ~0xfffful), "AX: %lx", v);
	v = ~0ul;
	asm volatile("inl %%dx, %%eax" : "+a"(v) : "d"(0x1234));
	CHECK(v == 0xffffffff, "EAX: %lx", v);
	return NULL;
}

TEST(pio_ins, "pio: REP INS in each width and both directions")
{
	ulong d = (ulong)buffer, c = 10;

	NEED(inb(0x1234) == 0xff, "something is at port 0x1234");
	memset(buffer, 0, sizeof(buffer));
	asm volatile("rep insb" : "+D"(d), "+c"(c) : "d"(0x1234) : "memory");
	CHECK(!c && d == (ulong)buffer + 10, "INSB ends at %lx count %lu", d, c);
	CHECK(buffer[9] == 0xff && buffer[10] == 0, "INSB wrote the wrong bytes");
	c = 5;
	asm volatile("rep insw" : "+D"(d), "+c"(c) : "d"(0x1234) : "memory");
	CHECK(!c && d == (ulong)buffer + 20 && buffer[19] == 0xff && !buffer[20], "INSW");
	c = 3;
	d = (ulong)buffer + 100;
	asm volatile("std; rep insl; cld" : "+D"(d), "+c"(c) : "d"(0x1234) : "memory");
	CHECK(!c && d == (ulong)buffer + 88, "INSL down ends at %lx", d);
	CHECK(buffer[103] == 0xff && buffer[92] == 0xff && !buffer[91] && !buffer[104],
	      "INSL down");
	c = 0;
	asm volatile("rep insb" : "+D"(d), "+c"(c) : "d"(0x1234) : "memory");
	CHECK(d == (ulong)buffer + 88, "REP with a count of zero moved");
	return NULL;
}

TEST(pio_ins_long, "pio: REP INSW over a page boundary")
{
	ulong d = (ulong)buffer + 4096 - 511, c = 512, i;

	memset(buffer, 0, sizeof(buffer));
	asm volatile("rep insw" : "+D"(d), "+c"(c) : "d"(0x1234) : "memory");
	CHECK(!c && d == (ulong)buffer + 4096 - 511 + 1024, "ends at %lx count %lu", d, c);
	for (i = 4096 - 511; i < 4096 - 511 + 1024; i++)
		CHECK(buffer[i] == 0xff, "byte %lu is %x", i, buffer[i]);
	CHECK(!buffer[4096 - 512] && !buffer[i], "wrote beyond its ends");
	return NULL;
}

/* IDENTIFY PACKET DEVICE of a CD drive (ATA/ATAPI-4, 8.13): its data is the same each time. */
static bool identify_cd(u16 base, ulong to)
{
	ulong c = 128;
	u32 tries = 10000;
	u8 status;

	outb(base + 0x206, 2); /* no interrupts */
	outb(base + 6, 0xa0);
	if (inb(base + 7) == 0xff)
		return false;
	outb(base + 7, 0xa1);
	do
		status = inb(base + 0x206);
	while (--tries && (status & 0x80 || !(status & 9)));
	if (!(status & 8) || status & 0x80)
		return false;
	asm volatile("rep insl" : "+D"(to), "+c"(c) : "d"(base) : "memory");
	return !c;
}

TEST(pio_ins_cross, "pio: a device's REP INSL with an element across pages")
{
	ulong at = (ulong)buffer + 4096 - 254;
	u16 base = identify_cd(0x170, (ulong)buffer) ? 0x170 : 0x1f0;

	NEED(base == 0x170 || identify_cd(base, (ulong)buffer), "no CD drive");
	memset(buffer + 512, 0xa5, sizeof(buffer) - 512);
	CHECK(identify_cd(base, at), "no data at the second time");
	CHECK(!memcmp((void *)at, buffer, 512), "the data differs");
	CHECK(buffer[4096 - 255] == 0xa5 && buffer[4096 + 258] == 0xa5, "wrote beyond its ends");
	return NULL;
}

TEST(pio_outs, "pio: OUTS sends what memory holds")
{
	ulong s = (ulong)buffer, c = 3;

	NEED(plat.has_rtc, "no CMOS to look at the result");
	memcpy(buffer, "\x7c\x7d\x7e", 3);
	asm volatile("rep outsb"
		     : "+S"(s), "+c"(c)
		     : "d"(0x70)
		     : "memory"); /* the last index stays */
	outb(0x71, 0x5b);
	CHECK(!c && s == (ulong)buffer + 3, "ends at %lx count %lu", s, c);
	CHECK(cmos_read(0x7e) == 0x5b, "the last byte was not 0x7e");
	return NULL;
}

TEST(pio_word_split, "pio: a 16-bit write reaches both byte registers")
{
	NEED(plat.has_rtc && !plat.is_tcg, "no CMOS");
	cmos_write(0x7c, 0);
	outw(0x70, 0x337c);
	NEED(cmos_read(0x7c) == 0x33, "this machine does not split");
	return NULL;
}

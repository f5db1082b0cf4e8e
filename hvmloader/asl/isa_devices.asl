/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices behind the PIIX3's ISA bridge. Included by dsdt.asl in Device (ISA). The present bits
 * come from the ACPI information page; the loader probed the ports.
 */
Device (SYSR)
{
	Name (_HID, EisaId ("PNP0C02"))
	Name (_UID, 0x01)
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0010, 0x0010, 0x00, 0x10)
		IO (Decode16, 0x0022, 0x0022, 0x00, 0x1E)
		IO (Decode16, 0x0044, 0x0044, 0x00, 0x1C)
		IO (Decode16, 0x0062, 0x0062, 0x00, 0x02)
		IO (Decode16, 0x0065, 0x0065, 0x00, 0x0B)
		IO (Decode16, 0x0072, 0x0072, 0x00, 0x0E)
		IO (Decode16, 0x0080, 0x0080, 0x00, 0x01)
		IO (Decode16, 0x0084, 0x0084, 0x00, 0x03)
		IO (Decode16, 0x0088, 0x0088, 0x00, 0x01)
		IO (Decode16, 0x008C, 0x008C, 0x00, 0x03)
		IO (Decode16, 0x0090, 0x0090, 0x00, 0x10)
		IO (Decode16, 0x00A2, 0x00A2, 0x00, 0x1E)
		IO (Decode16, 0x00E0, 0x00E0, 0x00, 0x10)
		/* ELCR, SMI command, PCI and CPU hot-plug, GPE0, PM1a and PM timer */
		IO (Decode16, 0x04D0, 0x04D0, 0x00, 0x02)
		IO (Decode16, 0xAE00, 0xAE00, 0x00, 0x18)
		IO (Decode16, 0xAF00, 0xAF00, 0x00, 0x20)
		IO (Decode16, 0xAFE0, 0xAFE0, 0x00, 0x04)
		IO (Decode16, 0xB000, 0xB000, 0x00, 0x40)
	})
}
Device (PIC)
{
	Name (_HID, EisaId ("PNP0000"))
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0020, 0x0020, 0x00, 0x02)
		IO (Decode16, 0x00A0, 0x00A0, 0x00, 0x02)
		IRQNoFlags () {2}
	})
}
Device (DMA)
{
	Name (_HID, EisaId ("PNP0200"))
	Name (_CRS, ResourceTemplate ()
	{
		DMA (Compatibility, BusMaster, Transfer8) {4}
		IO (Decode16, 0x0000, 0x0000, 0x00, 0x10)
		IO (Decode16, 0x0081, 0x0081, 0x00, 0x03)
		IO (Decode16, 0x0087, 0x0087, 0x00, 0x01)
		IO (Decode16, 0x0089, 0x0089, 0x00, 0x03)
		IO (Decode16, 0x008F, 0x008F, 0x00, 0x01)
		IO (Decode16, 0x00C0, 0x00C0, 0x00, 0x20)
	})
}
Device (TMR)
{
	Name (_HID, EisaId ("PNP0100"))
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0040, 0x0040, 0x00, 0x04)
		IRQNoFlags () {0}
	})
}
Device (RTC)
{
	Name (_HID, EisaId ("PNP0B00"))
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0070, 0x0070, 0x00, 0x02)
		IRQNoFlags () {8}
	})
}
Device (SPKR)
{
	Name (_HID, EisaId ("PNP0800"))
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0061, 0x0061, 0x00, 0x01)
	})
}
Device (FPU)
{
	Name (_HID, EisaId ("PNP0C04"))
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x00F0, 0x00F0, 0x00, 0x10)
		IRQNoFlags () {13}
	})
}
Device (PS2K)
{
	Name (_HID, EisaId ("PNP0303"))
	Name (_CID, EisaId ("PNP030B"))
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.KBCP)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0060, 0x0060, 0x00, 0x01)
		IO (Decode16, 0x0064, 0x0064, 0x00, 0x01)
		IRQNoFlags () {1}
	})
}
Device (PS2M)
{
	Name (_HID, EisaId ("PNP0F13"))
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.KBCP)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IRQNoFlags () {12}
	})
}
Device (FDC0)
{
	Name (_HID, EisaId ("PNP0700"))
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.FDCP)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x03F0, 0x03F0, 0x01, 0x06)
		IO (Decode16, 0x03F7, 0x03F7, 0x01, 0x01)
		IRQNoFlags () {6}
		DMA (Compatibility, NotBusMaster, Transfer8) {2}
	})
}
Device (UAR1)
{
	Name (_HID, EisaId ("PNP0501"))
	Name (_UID, 0x01)
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.COM1)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x03F8, 0x03F8, 0x08, 0x08)
		IRQNoFlags () {4}
	})
}
Device (UAR2)
{
	Name (_HID, EisaId ("PNP0501"))
	Name (_UID, 0x02)
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.COM2)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x02F8, 0x02F8, 0x08, 0x08)
		IRQNoFlags () {3}
	})
}
Device (LTP1)
{
	Name (_HID, EisaId ("PNP0400"))
	Name (_UID, 0x01)
	Method (_STA, 0, NotSerialized)
	{
		If (\_SB.LPT1)
		{
			Return (0x0F)
		}
		Return (0x00)
	}
	Name (_CRS, ResourceTemplate ()
	{
		IO (Decode16, 0x0378, 0x0378, 0x08, 0x08)
		IRQNoFlags () {7}
	})
}

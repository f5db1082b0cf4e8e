/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four PCI interrupt links of the PIIX3 (its datasheet, PIRQRC[A:D], configuration 0x60-0x63):
 * bit 7 = not routed, bits 3:0 = ISA interrupt. Included by dsdt.asl in Scope (\_SB).
 */
Name (LPRS, ResourceTemplate ()
{
	IRQ (Level, ActiveLow, Shared) {5, 10, 11}
})
Method (LSTA, 1, NotSerialized)
{
	If (And (Arg0, 0x80))
	{
		Return (0x09)
	}
	Return (0x0B)
}
Name (LBUF, ResourceTemplate ()
{
	IRQ (Level, ActiveLow, Shared) {}
})
Method (LCRS, 1, Serialized)
{
	CreateWordField (LBUF, 0x01, LIRQ)
	If (And (Arg0, 0x80))
	{
		Store (0x00, LIRQ)
	}
	Else
	{
		ShiftLeft (0x01, And (Arg0, 0x0F), LIRQ)
	}
	Return (LBUF)
}
Method (LSRS, 1, NotSerialized)
{
	CreateWordField (Arg0, 0x01, SIRQ)
	FindSetRightBit (SIRQ, Local0)
	If (Local0)
	{
		Return (Subtract (Local0, 0x01))
	}
	Return (0x80)
}
Device (LNKA)
{
	Name (_HID, EisaId ("PNP0C0F"))
	Name (_UID, 0x01)
	Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRA)) }
	Method (_PRS, 0, NotSerialized) { Return (LPRS) }
	Method (_DIS, 0, NotSerialized) { Or (\_SB.PCI0.ISA.PIRA, 0x80, \_SB.PCI0.ISA.PIRA) }
	Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRA)) }
	Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRA) }
}
Device (LNKB)
{
	Name (_HID, EisaId ("PNP0C0F"))
	Name (_UID, 0x02)
	Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRB)) }
	Method (_PRS, 0, NotSerialized) { Return (LPRS) }
	Method (_DIS, 0, NotSerialized) { Or (\_SB.PCI0.ISA.PIRB, 0x80, \_SB.PCI0.ISA.PIRB) }
	Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRB)) }
	Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRB) }
}
Device (LNKC)
{
	Name (_HID, EisaId ("PNP0C0F"))
	Name (_UID, 0x03)
	Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRC)) }
	Method (_PRS, 0, NotSerialized) { Return (LPRS) }
	Method (_DIS, 0, NotSerialized) { Or (\_SB.PCI0.ISA.PIRC, 0x80, \_SB.PCI0.ISA.PIRC) }
	Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRC)) }
	Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRC) }
}
Device (LNKD)
{
	Name (_HID, EisaId ("PNP0C0F"))
	Name (_UID, 0x04)
	Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRD)) }
	Method (_PRS, 0, NotSerialized) { Return (LPRS) }
	Method (_DIS, 0, NotSerialized) { Or (\_SB.PCI0.ISA.PIRD, 0x80, \_SB.PCI0.ISA.PIRD) }
	Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRD)) }
	Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRD) }
}

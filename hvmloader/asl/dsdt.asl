/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DSDT of the emulated PC: i440FX/PIIX3/PIIX4 with the interrupt wiring of the Xen HVM ABI.
 *
 * What differs between guests (serial ports, HPET, PCI windows, VM generation ID) is read from the
 * ACPI information page, struct acpi_info in acpi.h, which must agree with Field (INFO) below.
 * CPUs are in ssdt_cpus*.asl, sleep states in ssdt_s3.asl and ssdt_s4.asl, _PRT and hot-plug slots
 * come from gen_pci.sh. Specification: ACPI 2.0c and later; ACPI 6.4 section 19 for the language.
 * _OSI-dependent behaviour is avoided on purpose; old systems (ACPI 1.0b) parse all of this.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "PLINTH", "HVMDSDT", 0)
{
	/* Soft off: SLP_TYP 0 of the PIIX4 (PM1a_CNT bits 12:10). */
	Name (\_S5, Package (0x04) { 0x00, 0x00, 0x00, 0x00 })

	/* 0 = interrupts through the PIC, 1 = through the IO-APIC (ACPI 5.8.1). */
	Name (\PICD, 0x00)
	Method (\_PIC, 1, NotSerialized)
	{
		Store (Arg0, \PICD)
	}

	Scope (\_SB)
	{
		OperationRegion (BIOS, SystemMemory, 0xFC000000, 0x40)
		Field (BIOS, ByteAcc, NoLock, Preserve)
		{
			COM1, 1,
			COM2, 1,
			LPT1, 1,
			HPTP, 1,
			FDCP, 1,
			KBCP, 1,
			Offset (0x04),
			PMIN, 32,	/* first byte of the PCI window below 4 GiB */
			PLEN, 32,	/* its length */
			VGIA, 32,	/* address of the VM generation ID, 0 = none */
			HMIL, 32,	/* first byte of the PCI window above 4 GiB */
			HMIH, 32,
			HLNL, 32,	/* its length, 0 = no such window */
			HLNH, 32,
			HMXL, 32,	/* its last byte */
			HMXH, 32
		}

		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Name (_UID, 0x00)
			Method (_STA, 0, NotSerialized)
			{
				If (HPTP)
				{
					Return (0x0F)
				}
				Return (0x00)
			}
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFED00000, 0x00000400)
			})
		}

		/* VM generation ID, found by _CID and _DDN (Microsoft's specification). */
		Device (VGEN)
		{
			Name (_HID, "XEN0000")
			Name (_CID, "VM_Gen_Counter")
			Name (_DDN, "VM_Gen_Counter")
			Method (_STA, 0, NotSerialized)
			{
				If (VGIA)
				{
					Return (0x0F)
				}
				Return (0x00)
			}
			Name (PAIR, Package (0x02) { 0x00, 0x00 })
			Method (ADDR, 0, Serialized)
			{
				Store (VGIA, Index (PAIR, 0x00))
				Return (PAIR)
			}
		}

		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0x00)
			Name (_BBN, 0x00)

			Name (LOWR, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0x0000, 0x0000, 0x00FF, 0x0000, 0x0100)
				IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange,
					0x0000, 0x0000, 0x0CF7, 0x0000, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange,
					0x0000, 0x0D00, 0xFFFF, 0x0000, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					Cacheable, ReadWrite,
					0x00000000, 0x000A0000, 0x000BFFFF, 0x00000000, 0x00020000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0x00000000, 0xF0000000, 0xFBFFFFFF, 0x00000000, 0x0C000000,
					,, LMEM)
			})
			/* Apart: systems that know no QWord descriptor never see one. */
			Name (HIGR, ResourceTemplate ()
			{
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0x0000000000000000, 0x0000000100000000, 0x000000010FFFFFFF,
					0x0000000000000000, 0x0000000010000000, ,, HMEM)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (LOWR, \_SB.PCI0.LMEM._MIN, LMIN)
				CreateDWordField (LOWR, \_SB.PCI0.LMEM._MAX, LMAX)
				CreateDWordField (LOWR, \_SB.PCI0.LMEM._LEN, LLEN)
				Store (PMIN, LMIN)
				Store (PLEN, LLEN)
				Subtract (Add (PMIN, PLEN), 0x01, LMAX)
				If (LEqual (Or (HLNL, HLNH), 0x00))
				{
					Return (LOWR)
				}
				/* In halves: some systems' integers have 32 bits. */
				CreateDWordField (HIGR, 0x0E, HMN0)
				CreateDWordField (HIGR, 0x12, HMN1)
				CreateDWordField (HIGR, 0x16, HMX0)
				CreateDWordField (HIGR, 0x1A, HMX1)
				CreateDWordField (HIGR, 0x26, HLN0)
				CreateDWordField (HIGR, 0x2A, HLN1)
				Store (HMIL, HMN0)
				Store (HMIH, HMN1)
				Store (HMXL, HMX0)
				Store (HMXH, HMX1)
				Store (HLNL, HLN0)
				Store (HLNH, HLN1)
				Return (ConcatenateResTemplate (LOWR, HIGR))
			}

			Include ("gen_prt.asl")
			Include ("gen_slots.asl")

			Device (ISA)
			{
				Name (_ADR, 0x00010000)
				OperationRegion (PIRQ, PCI_Config, 0x60, 0x04)
				Field (PIRQ, ByteAcc, NoLock, Preserve)
				{
					PIRA, 8,
					PIRB, 8,
					PIRC, 8,
					PIRD, 8
				}
				Include ("isa_devices.asl")
			}
		}

		Include ("pci_links.asl")
	}

	Scope (\_GPE)
	{
		/* PCI hot-plug of the PIIX4 PM device. */
		Method (_E01, 0, NotSerialized)
		{
			\_SB.PCI0.PHPE ()
		}
	}
}

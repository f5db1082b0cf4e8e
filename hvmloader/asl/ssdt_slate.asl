/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Laptop/slate indicator (Windows, PNP0C60), for domains that have acpi_laptop_slate. */
DefinitionBlock ("ssdt_slate.aml", "SSDT", 2, "PLINTH", "SSDTSLAT", 0)
{
	Scope (\_SB)
	{
		Device (CONV)
		{
			Name (_HID, EisaId ("PNP0C60"))
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suspend to disk: the power goes off, as for S5. Loaded when the configuration has acpi_s4. */
DefinitionBlock ("ssdt_s4.aml", "SSDT", 2, "PLINTH", "SSDT_S4", 0)
{
	Name (\_S4, Package (0x04) { 0x00, 0x00, 0x00, 0x00 })
}

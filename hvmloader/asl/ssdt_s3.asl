/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suspend to RAM: SLP_TYP 1 of the PIIX4. Loaded when the domain's configuration has acpi_s3. */
DefinitionBlock ("ssdt_s3.aml", "SSDT", 2, "PLINTH", "SSDT_S3", 0)
{
	Name (\_S3, Package (0x04) { 0x01, 0x01, 0x00, 0x00 })
}

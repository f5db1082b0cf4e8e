/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiled AML tables, embedded by blobs.S.
 */
#ifndef HVMLOADER_BLOBS_H
#define HVMLOADER_BLOBS_H

#include "acpi.h"

extern const struct acpi_blob blob_dsdt, blob_ssdt_s3, blob_ssdt_s4, blob_ssdt_slate;
extern const struct acpi_blob blob_ssdt_cpus16, blob_ssdt_cpus128;

#endif

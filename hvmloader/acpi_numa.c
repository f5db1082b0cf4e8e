/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual NUMA for the guest: SRAT (ACPI 6.4, 5.2.16: which processor and memory is on which node)
 * and SLIT (5.2.17: distances). Built only for domains whose configuration has virtual nodes.
 */
#include "acpi.h"
#include "util.h"

bool acpi_build_srat(struct arena *a, const struct acpi_input *in, uint32_t *gpa)
{
	const struct acpi_numa *n = &in->numa;
	uint32_t size =
		(uint32_t)(sizeof(struct acpi_srat) + in->nr_vcpus * sizeof(struct acpi_srat_cpu) +
			   n->nr_memory * sizeof(struct acpi_srat_memory));
	struct acpi_srat *s = arena_alloc(a, size, 16, gpa);
	struct acpi_srat_memory *m;
	struct acpi_srat_cpu *c;

	if (!s)
		return false;
	s->reserved1 = 1;
	c = (struct acpi_srat_cpu *)(s + 1);
	for (uint32_t i = 0; i < in->nr_vcpus; i++, c++)
		*c = (struct acpi_srat_cpu){
			.type = 0,
			.length = sizeof(*c),
			.domain_lo = (uint8_t)n->vcpu_node[i],
			.apic_id = (uint8_t)in->apic_ids[i],
			.flags = 1,
		};
	m = (struct acpi_srat_memory *)c;
	for (uint32_t i = 0; i < n->nr_memory; i++, m++)
		*m = (struct acpi_srat_memory){
			.type = 1,
			.length = sizeof(*m),
			.domain = n->memory[i].node,
			.base = n->memory[i].start,
			.size = n->memory[i].end - n->memory[i].start,
			.flags = 1,
		};
	acpi_seal(&s->h, "SRAT", size, 3);
	return true;
}

bool acpi_build_slit(struct arena *a, const struct acpi_input *in, uint32_t *gpa)
{
	uint32_t n = in->numa.nr_nodes;
	uint32_t size = (uint32_t)sizeof(struct acpi_slit) + n * n;
	struct acpi_slit *s = arena_alloc(a, size, 16, gpa);
	uint8_t *matrix;

	if (!s)
		return false;
	matrix = (uint8_t *)(s + 1);
	s->nr_localities = n;
	for (uint32_t i = 0; i < n * n; i++)
		matrix[i] = (uint8_t)in->numa.distance[i];
	acpi_seal(&s->h, "SLIT", size, 1);
	return true;
}

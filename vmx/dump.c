// SPDX-License-Identifier: GPL-2.0-or-later
/* The VMCS in readable form, every field by name, for crashes and debug keys. */
#include "vmx.h"

static void dump_fields(void)
{
	char line[160];
	unsigned int used = 0;
	uint64_t value;

	for (unsigned int i = 0; i < vmcs_nr_fields; i++) {
		const struct vmcs_field_name *f = &vmcs_field_names[i];

		if (!vmread_safe((enum vmcs_field)f->encoding, &value))
			continue; /* this CPU does not have it */
		used += (unsigned int)snprintf(line + used, sizeof(line) - used, "  %-22s %016lx",
					       f->name, value);
		if (used > 80) {
			printk("%s\n", line);
			used = 0;
		}
	}
	if (used)
		printk("%s\n", line);
}

void vmx_dump(struct vcpu *v)
{
	const struct vmx_vcpu *vv = vmx_vcpu(v);

	if (v->running && v->cpu != cpu_id()) {
		printk("VMCS of d%uv%u: active on CPU %u, not shown\n", v->domain->domid, v->id,
		       v->cpu);
		return;
	}
	vmx_load(v);
	printk("VMCS of d%uv%u: last exit %x (%s), on CPU %u, VPID %u%s\n", v->domain->domid, v->id,
	       vv->exit_reason, vmx_exit_name(vv->exit_reason), vv->cpu, vv->vpid,
	       vv->launched ? "" : ", not launched");
	dump_fields();
}

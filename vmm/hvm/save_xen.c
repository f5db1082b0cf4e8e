/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that Xen saves of a vCPU and that stand for nothing here: machine checks (VMCE_VCPU), the register TSC_ADJUST,
 * enlightenments (VIRIDIAN_*). What loses nothing is taken, and goes into the next image as it came.
 */
#include "save.h"

static int vmce_save(struct domain *d, unsigned int instance, void *buf, uint32_t *len)
{
	const struct vcpu *v = domain_vcpu(d, instance);

	(void)len;
	if (!v)
		return -ENOENT;
	memcpy(buf, v->hvm.vmce, sizeof(v->hvm.vmce));
	return 0;
}

static int vmce_load(struct domain *d, unsigned int instance, const void *buf, uint32_t len)
{
	struct vcpu *v = domain_vcpu(d, instance);

	(void)len;
	if (!v)
		return -EINVAL;
	memcpy(v->hvm.vmce, buf, sizeof(v->hvm.vmce));
	return 0;
}
HVM_SAVE_HANDLER(VMCE_VCPU, SAVE_PER_VCPU, sizeof(struct hvm_vmce_vcpu), vmce_save, vmce_load);

static int adjust_save(struct domain *d, unsigned int instance, void *buf, uint32_t *len)
{
	(void)buf; /* zero */
	(void)len;
	return domain_vcpu(d, instance) ? 0 : -ENOENT;
}

static int adjust_load(struct domain *d, unsigned int instance, const void *buf, uint32_t len)
{
	const struct hvm_tsc_adjust *r = buf;

	(void)len;
	if (!domain_vcpu(d, instance))
		return -EINVAL;
	if (!r->tsc_adjust)
		return 0;
	printk(LOG_ERR "d%uv%u: the register TSC_ADJUST, %#lx in the saved state, is not there\n",
	       d->domid, instance, r->tsc_adjust);
	return -EOPNOTSUPP;
}
HVM_SAVE_HANDLER(TSC_ADJUST, SAVE_PER_VCPU, sizeof(struct hvm_tsc_adjust), adjust_save,
		 adjust_load);

static int viridian_save(struct domain *d, unsigned int instance, void *buf, uint32_t *len)
{
	(void)d;
	(void)instance;
	(void)buf;
	(void)len;
	return -ENOENT;
}

static int viridian_load(struct domain *d, unsigned int instance, const void *buf, uint32_t len)
{
	(void)instance;
	(void)buf;
	(void)len;
	printk(LOG_ERR "d%u: the guest was told of viridian, which is not there\n", d->domid);
	return -EOPNOTSUPP;
}
HVM_SAVE_HANDLER(VIRIDIAN_DOMAIN, SAVE_PER_DOMAIN, sizeof(struct hvm_viridian_domain_context),
		 viridian_save, viridian_load);
HVM_SAVE_HANDLER(VIRIDIAN_VCPU, SAVE_PER_VCPU, sizeof(struct hvm_viridian_vcpu_context),
		 viridian_save, viridian_load);

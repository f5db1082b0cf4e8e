/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records that Xen saves and that stand for nothing here: the register TSC_ADJUST. What loses nothing is taken. */
#include "units.h"

static int adjust_save(const struct hvm_instance *at, void *buf)
{
	(void)at;
	(void)buf; /* zero */
	return sizeof(struct hvm_tsc_adjust);
}

static int adjust_load(const struct hvm_instance *at, const void *buf)
{
	const struct hvm_tsc_adjust *r = buf;

	if (!r->tsc_adjust)
		return 0;
	printk(LOG_ERR "d%uv%u: the register TSC_ADJUST, %#lx in the saved state, is not there\n",
	       at->d->domid, at->nr, r->tsc_adjust);
	return -EOPNOTSUPP;
}

static const struct hvm_record records[] = {
	HVM_RECORD(TSC_ADJUST, SAVE_PER_VCPU, sizeof(struct hvm_tsc_adjust), adjust_save,
		   adjust_load),
};

const struct hvm_unit xen_unit = {
	.name = "what Xen's images have besides",
	.needs = UNIT_ANY,
	UNIT_SAVES(records),
};

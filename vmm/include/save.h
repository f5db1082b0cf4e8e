/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of HVM domains: records of xen/hvm/save.h. Each part of the VMM that has state registers
 * a handler for its record type (HVM_SAVE_HANDLER); hvm/save.c strings them together.
 */
#ifndef PLINTH_SAVE_H
#define PLINTH_SAVE_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/hvm/save.h>

struct hvm_save_handler {
	const char *name;
	uint16_t type;	   /* HVM_SAVE_CODE() */
	uint8_t instances; /* enum hvm_save_instances */
	uint32_t max_len;  /* of one record, without the descriptor */
	/*
	 * Write the record of this instance (a vCPU's id, or 0..; the domain is paused) to buf of max_len
	 * zeroed bytes and its length to *len. 0, -ENOENT = no such instance or nothing to save.
	 */
	int (*save)(struct domain *d, unsigned int instance, void *buf, uint32_t *len);
	/* Check a record of len bytes wholly, then set the state. 0 or -errno. */
	int (*load)(struct domain *d, unsigned int instance, const void *buf, uint32_t len);
	/* What load checks first, where a guest can bring its state to where that fails; or NULL. */
	int (*check)(struct domain *d, unsigned int instance, const void *buf, uint32_t len);
};

enum hvm_save_instances { SAVE_PER_DOMAIN = 1, SAVE_TWO = 2, SAVE_PER_VCPU = 255 };

/* max: the record's length, or the largest if it varies. Saved in order of type. */
#define HVM_SAVE_HANDLER_CHECKED(rec, inst, max, save_fn, load_fn, check_fn)            \
	static const struct hvm_save_handler __used __aligned(8) __section(".hvm_save") \
		hvm_save_handler_##rec = {                                              \
			#rec, HVM_SAVE_CODE(rec), inst, max, save_fn, load_fn, check_fn \
		}
#define HVM_SAVE_HANDLER(rec, inst, max, save_fn, load_fn) \
	HVM_SAVE_HANDLER_CHECKED(rec, inst, max, save_fn, load_fn, NULL)

/* Bytes that hvm_save may write at most. */
int hvm_save_size(struct domain *d);
/* All records of d, paused, between HEADER and END. *len: bytes written. */
int hvm_save(struct domain *d, void *buf, size_t *len);
/* Would hvm_load take these records, which hvm_save has just made of d? 0, or -EOPNOTSUPP; logged. */
int hvm_save_check(struct domain *d, const void *buf, size_t len);
/* Would d be restored, if it were saved now? It is paused meanwhile. 0, -ENOMEM, -EOPNOTSUPP; logged. */
int hvm_restorable(struct domain *d);
/* One record without its descriptor; buf of hvm_save_record_max() bytes. -ENOENT. */
int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance, void *buf,
		 size_t *len);
size_t hvm_save_record_max(void);
/* HEADER, records in any number, END. The first bad record ends it: -EINVAL, -ENOENT; logged. */
int hvm_load(struct domain *d, const void *buf, size_t len);

#endif

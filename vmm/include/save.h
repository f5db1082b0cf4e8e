/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of HVM domains: records of xen/hvm/save.h. Each unit of vmm/hvm has a list of those that hold its state;
 * life/save.c strings them together.
 */
#ifndef PLINTH_SAVE_H
#define PLINTH_SAVE_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/hvm/save.h>

enum hvm_save_instances { SAVE_PER_DOMAIN = 1, SAVE_TWO = 2, SAVE_PER_VCPU = 255 };

/* Whose record it is. */
struct hvm_instance {
	struct domain *d; /* paused */
	struct vcpu *v;	  /* of SAVE_PER_VCPU */
	unsigned int nr;  /* a vCPU's id, or 0.. */
	uint32_t len;	  /* of the record that is loaded; behind it are zeros up to max_len */
};

/* A kind of record; the unit whose state it is has it in its list (vmm/hvm/units.h). */
struct hvm_record {
	const char *name;
	uint16_t type;	   /* HVM_SAVE_CODE() */
	uint8_t instances; /* enum hvm_save_instances */
	uint32_t max_len;  /* without the descriptor */
	/* Into max_len zeroed bytes. The length, -ENOENT = nothing to save, or another -errno. */
	int (*save)(const struct hvm_instance *at, void *buf);
	/* Checks the record wholly, then sets the state. 0 or -errno. */
	int (*load)(const struct hvm_instance *at, const void *buf);
	/* What load checks first, where a guest can bring its state to where that fails; or NULL. */
	int (*check)(const struct hvm_instance *at, const void *buf);
	bool drop; /* loaded into a domain without the unit it changes nothing; others are refused there */
};

/* max: the record's length, or the largest if it varies. */
#define HVM_RECORD(rec, inst, max, save_fn, load_fn)                                         \
	{                                                                                    \
		.name = #rec, .type = HVM_SAVE_CODE(rec), .instances = inst, .max_len = max, \
		.save = save_fn, .load = load_fn                                             \
	}

/* The kinds of records in order of type: the first one of this type or behind it, or NULL. */
const struct hvm_record *hvm_record_from(unsigned int type);
/* As the functions of r. -ENOENT (save), -EINVAL: d has no such unit or vCPU. */
int hvm_record_save(struct domain *d, const struct hvm_record *r, unsigned int nr, void *buf);
int hvm_record_load(struct domain *d, const struct hvm_record *r, unsigned int nr, const void *buf,
		    uint32_t len);
int hvm_record_check(struct domain *d, const struct hvm_record *r, unsigned int nr, const void *buf,
		     uint32_t len);

/* Bytes that hvm_save may write at most. */
int hvm_save_size(struct domain *d);
/* All records of d, paused, between HEADER and END. *len: bytes written. */
int hvm_save(struct domain *d, void *buf, size_t *len);
/* Would hvm_load take these records, which hvm_save has just made of d? 0, or -EOPNOTSUPP; logged. */
int hvm_save_check(struct domain *d, const void *buf, size_t len);
/*
 * d's stream that goes out or in piece by piece: where it stands. From its first hvm_stream_begin() to its last
 * hvm_stream_end() d is paused, and all is of the moment of the first. -ERESTART: another one goes on; its asker must come
 * back for it, or it is given up in ASKER_GONE_NS.
 */
int hvm_stream_begin(struct domain *d, const struct asker *who);
/* Unless the stream is to go on (rc = -ERESTART), it is over. Returns rc. */
int hvm_stream_end(struct domain *d, int rc);
/* At d's creation; and at its end, when no stream begins any more that is to go on. */
void hvm_stream_init(struct domain *d);
void hvm_stream_stop(struct domain *d);
/*
 * The next record with its descriptor into rec, of HVM_STREAM_ROOM bytes. Its length; 0 behind END; -ENOENT:
 * there is nothing in this place, go on; or -errno.
 */
int hvm_save_next(struct domain *d, struct hvm_stream *s, void *rec);
/* Loads the record of s->at. 1: it was END. 0; -EINVAL, -ENOENT; logged. */
int hvm_load_next(struct domain *d, struct hvm_stream *s, const struct hvm_save_descriptor *desc,
		  const void *body, void *padded);
#define HVM_STREAM_ROOM (sizeof(struct hvm_save_descriptor) + hvm_save_record_max())
/* Would d be restored, if it were saved now? -ERESTART: again; 0, -ENOMEM, -EOPNOTSUPP; logged. */
int hvm_restorable(struct domain *d, struct hvm_stream *s);
/* One record without its descriptor; buf of hvm_save_record_max() bytes. -ENOENT. */
int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance, void *buf,
		 size_t *len);
size_t hvm_save_record_max(void);
/* HEADER, records in any number, END. The first bad record ends it: -EINVAL, -ENOENT; logged. */
int hvm_load(struct domain *d, const void *buf, size_t len);

#endif

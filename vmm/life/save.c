/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and restoring the state of HVM domains (xen/hvm/save.h): a stream of records, each with a
 * descriptor (type, instance, length), HEADER first, END last. What is in a record is its
 * unit's business (vmm/hvm/units.h); here are the stream and its checks. A short record is padded with zeros, as older savers
 * wrote less.
 */
#include "save.h"
#include "hvm_ops.h"

static const struct hvm_record *find(unsigned int type)
{
	const struct hvm_record *r = hvm_record_from(type);

	return r && r->type == type ? r : NULL;
}

#define for_each_record(r) \
	for ((r) = hvm_record_from(0); (r); (r) = hvm_record_from((r)->type + 1U))

static unsigned int instances(const struct domain *d, const struct hvm_record *r)
{
	return r->instances == SAVE_PER_VCPU ? d->max_vcpus : r->instances;
}

size_t hvm_save_record_max(void)
{
	const struct hvm_record *r;
	size_t n = 0;

	for_each_record(r) n = max(n, (size_t)r->max_len);
	return n;
}

#define ENVELOPE (2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header))

int hvm_save_size(struct domain *d)
{
	const struct hvm_record *r;
	size_t n = ENVELOPE;

	for_each_record(r) n += instances(d, r) * (sizeof(struct hvm_save_descriptor) + r->max_len);
	return (int)n;
}

/* Appends a record at *at of buf. */
static void put(uint8_t *buf, size_t *at, unsigned int type, unsigned int instance,
		const void *data, uint32_t len)
{
	struct hvm_save_descriptor desc = { .typecode = (uint16_t)type,
					    .instance = (uint16_t)instance,
					    .length = len };

	memcpy(buf + *at, &desc, sizeof(desc));
	if (len && data != buf + *at + sizeof(desc))
		memcpy(buf + *at + sizeof(desc), data, len);
	*at += sizeof(desc) + len;
}

static int save_type(struct domain *d, const struct hvm_record *r, uint8_t *buf, size_t *at)
{
	for (unsigned int i = 0; i < instances(d, r); i++) {
		uint8_t *body = buf + *at + sizeof(struct hvm_save_descriptor);
		int len;

		memset(body, 0, r->max_len);
		len = hvm_record_save(d, r, i, body);
		if (len == -ENOENT)
			continue;
		if (len < 0)
			return len;
		put(buf, at, r->type, i, body, (uint32_t)len);
	}
	return 0;
}

int hvm_save(struct domain *d, void *buf, size_t *len)
{
	struct hvm_save_header hdr = { .magic = HVM_FILE_MAGIC,
				       .version = HVM_FILE_VERSION,
				       .changeset = ~0ULL,
				       .gtsc_khz = (uint32_t)tsc_khz };
	const struct hvm_record *r;
	uint32_t b, c, dd;
	size_t at = 0;
	int rc;

	if (*len < (size_t)hvm_save_size(d))
		return -ENOSPC;
	/* Of one moment: vCPUs whose TSCs are equal are to have equal ones in the image, and when it is loaded. */
	d->hvm.sync_tsc = rdtsc();
	cpuid_count(1, 0, &hdr.cpuid, &b, &c, &dd);
	put(buf, &at, HVM_SAVE_CODE(HEADER), 0, &hdr, sizeof(hdr));
	for_each_record(r)
	{
		rc = save_type(d, r, buf, &at);
		if (rc) {
			printk(LOG_ERR "d%u: saving %s failed (%d)\n", d->domid, r->name, rc);
			return rc;
		}
	}
	put(buf, &at, HVM_SAVE_CODE(END), 0, NULL, 0);
	*len = at;
	return 0;
}

int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance, void *buf, size_t *len)
{
	const struct hvm_record *r = find(type);
	int n;

	if (!r)
		return -EINVAL;
	d->hvm.sync_tsc = rdtsc();
	n = hvm_record_save(d, r, instance, buf);
	if (n < 0)
		return n;
	*len = (size_t)n;
	return 0;
}

/* The record at body; its handler sees at least max_len bytes unless its length varies upwards. */
static int load_one(struct domain *d, const struct hvm_save_descriptor *desc, const uint8_t *body,
		    uint8_t *padded)
{
	const struct hvm_record *r = find(desc->typecode);
	int rc;

	if (!r)
		return -ENOENT;
	if (desc->instance >= instances(d, r) || desc->length > r->max_len)
		return -EINVAL;
	memset(padded, 0, r->max_len);
	memcpy(padded, body, desc->length);
	rc = hvm_record_load(d, r, desc->instance, padded, desc->length);
	if (rc)
		printk(LOG_ERR "d%u: loading %s instance %u failed (%d)\n", d->domid, r->name,
		       desc->instance, rc);
	return rc;
}

static int header_ok(struct domain *d, const struct hvm_save_descriptor *desc, const uint8_t *body)
{
	struct hvm_save_header hdr;

	if (desc->typecode != HVM_SAVE_CODE(HEADER) || desc->length != sizeof(hdr))
		return -EINVAL;
	memcpy(&hdr, body, sizeof(hdr));
	if (hdr.magic != HVM_FILE_MAGIC || hdr.version > HVM_FILE_VERSION) {
		printk(LOG_ERR "d%u: saved state has magic %#x version %u\n", d->domid, hdr.magic,
		       hdr.version);
		return -EINVAL;
	}
	return 0;
}

static int load_stream(struct domain *d, const uint8_t *buf, size_t len, uint8_t *padded)
{
	struct hvm_save_descriptor desc;
	size_t at = 0;
	bool first = true;
	int rc = 0;

	for (;;) {
		if (len - at < sizeof(desc))
			return -ENODATA; /* no END */
		memcpy(&desc, buf + at, sizeof(desc));
		at += sizeof(desc);
		if (desc.length > len - at)
			return -ENODATA;
		if (first)
			rc = header_ok(d, &desc, buf + at);
		else if (desc.typecode == HVM_SAVE_CODE(END))
			return 0;
		else
			rc = load_one(d, &desc, buf + at, padded);
		if (rc) {
			printk(LOG_ERR "d%u: record type %u at %lu is refused (%d)\n", d->domid,
			       desc.typecode, at, rc);
			return rc;
		}
		first = false;
		at += desc.length;
	}
}

int hvm_load(struct domain *d, const void *buf, size_t len)
{
	uint8_t *padded = xzalloc_bytes(hvm_save_record_max());
	int rc;

	if (!padded)
		return -ENOMEM;
	d->hvm.sync_tsc = rdtsc();
	rc = load_stream(d, buf, len, padded);
	xfree(padded);
	return rc;
}

/* --- before a domain is saved ------------------------------------------------------------------ */

int hvm_save_check(struct domain *d, const void *buf, size_t len)
{
	struct hvm_save_descriptor desc;
	const struct hvm_record *r;
	size_t at = 0;

	while (len - at >= sizeof(desc)) {
		memcpy(&desc, (const uint8_t *)buf + at, sizeof(desc));
		at += sizeof(desc);
		r = find(desc.typecode);
		if (r &&
		    hvm_record_check(d, r, desc.instance, (const uint8_t *)buf + at, desc.length)) {
			printk(LOG_WARN
			       "d%u: cannot be saved: its %s of vCPU %u could not be restored; it "
			       "goes on\n",
			       d->domid, r->name, desc.instance);
			return -EOPNOTSUPP;
		}
		at += desc.length;
	}
	return 0;
}

int hvm_restorable(struct domain *d)
{
	size_t len = (size_t)hvm_save_size(d);
	void *buf = xzalloc_bytes(len);
	int rc;

	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = hvm_save(d, buf, &len);
	if (!rc)
		rc = hvm_save_check(d, buf, len);
	domain_unpause(d);
	xfree(buf);
	return rc;
}

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

static void stream_over(void *data)
{
	struct domain *d = data;

	d->hvm.stream.of.space = 0;
	domain_unpause(d);
}

void hvm_stream_init(struct domain *d)
{
	timer_init(&d->hvm.stream.gone, stream_over, d, 0);
}

void hvm_stream_stop(struct domain *d)
{
	timer_stop(&d->hvm.stream.gone);
}

/* Its timer is set between two pieces, and the domctl lock held in one: never is there one of two at the stream. */
int hvm_stream_begin(struct domain *d, const struct asker *who)
{
	struct hvm_stream *s = &d->hvm.stream;

	if (timer_armed(&s->gone) && !asker_is(&s->of, who))
		return -ERESTART;
	timer_stop(&s->gone);
	if (!asker_is(&s->of, who)) {
		if (!s->of.space)
			domain_pause(d);
		s->of = *who;
		s->tsc = rdtsc();
		s->at = s->type = s->nr = 0;
	}
	/* Of one moment: vCPUs whose TSCs are equal are to have equal ones in the image, and when it is loaded. */
	d->hvm.sync_tsc = s->tsc;
	return 0;
}

int hvm_stream_end(struct domain *d, int rc)
{
	if (rc != -ERESTART)
		stream_over(d);
	else if (!READ_ONCE(d->dying))
		timer_set(&d->hvm.stream.gone, now_ns() + ASKER_GONE_NS);
	return rc;
}

/* Puts the descriptor before a body of len bytes. */
static int put(struct hvm_stream *s, void *rec, unsigned int type, unsigned int instance,
	       uint32_t len)
{
	struct hvm_save_descriptor desc = { .typecode = (uint16_t)type,
					    .instance = (uint16_t)instance,
					    .length = len };

	memcpy(rec, &desc, sizeof(desc));
	s->at += sizeof(desc) + len;
	return (int)(sizeof(desc) + len);
}

static int put_header(struct hvm_stream *s, void *rec, void *body)
{
	struct hvm_save_header hdr = { .magic = HVM_FILE_MAGIC,
				       .version = HVM_FILE_VERSION,
				       .changeset = ~0ULL,
				       .gtsc_khz = (uint32_t)tsc_khz };
	uint32_t b, c, dd;

	cpuid_count(1, 0, &hdr.cpuid, &b, &c, &dd);
	memcpy(body, &hdr, sizeof(hdr));
	return put(s, rec, HVM_SAVE_CODE(HEADER), 0, sizeof(hdr));
}

#define AFTER_END ~0U

int hvm_save_next(struct domain *d, struct hvm_stream *s, void *rec)
{
	uint8_t *body = (uint8_t *)rec + sizeof(struct hvm_save_descriptor);
	const struct hvm_record *r;
	int len;

	if (!s->at)
		return put_header(s, rec, body);
	if (s->type == AFTER_END)
		return 0;
	r = hvm_record_from(s->type);
	while (r && s->nr >= instances(d, r)) {
		r = hvm_record_from(r->type + 1U);
		s->nr = 0;
	}
	if (r) {
		s->type = r->type;
		memset(body, 0, r->max_len);
		len = hvm_record_save(d, r, s->nr++, body);
		if (len < 0 && len != -ENOENT)
			printk(LOG_ERR "d%u: saving %s failed (%d)\n", d->domid, r->name, len);
		return len < 0 ? len : put(s, rec, r->type, s->nr - 1, (uint32_t)len);
	}
	s->type = AFTER_END;
	return put(s, rec, HVM_SAVE_CODE(END), 0, 0);
}

int hvm_save(struct domain *d, void *buf, size_t *len)
{
	struct hvm_stream s = { .tsc = rdtsc() };
	int n;

	if (*len < (size_t)hvm_save_size(d))
		return -ENOSPC;
	d->hvm.sync_tsc = s.tsc;
	do
		n = hvm_save_next(d, &s, (uint8_t *)buf + s.at);
	while (n > 0 || n == -ENOENT);
	*len = s.at;
	return n;
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

int hvm_load_next(struct domain *d, struct hvm_stream *s, const struct hvm_save_descriptor *desc,
		  const void *body, void *padded)
{
	int rc;

	if (!s->at)
		rc = header_ok(d, desc, body);
	else if (desc->typecode == HVM_SAVE_CODE(END))
		return 1;
	else
		rc = load_one(d, desc, body, padded);
	if (rc)
		printk(LOG_ERR "d%u: record type %u at %lu is refused (%d)\n", d->domid,
		       desc->typecode, s->at + sizeof(*desc), rc);
	s->at += sizeof(*desc) + desc->length;
	return rc;
}

int hvm_load(struct domain *d, const void *buf, size_t len)
{
	uint8_t *padded = xzalloc_bytes(hvm_save_record_max());
	struct hvm_stream s = { .tsc = rdtsc() };
	struct hvm_save_descriptor desc;
	int rc = 0;

	if (!padded)
		return -ENOMEM;
	d->hvm.sync_tsc = s.tsc;
	while (!rc) {
		const uint8_t *rec = (const uint8_t *)buf + s.at;

		if (len - s.at < sizeof(desc)) {
			rc = -ENODATA; /* no END */
			break;
		}
		memcpy(&desc, rec, sizeof(desc));
		rc = desc.length > len - s.at - sizeof(desc)
			     ? -ENODATA
			     : hvm_load_next(d, &s, &desc, rec + sizeof(desc), padded);
	}
	xfree(padded);
	return min(rc, 0);
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

int hvm_restorable(struct domain *d, struct hvm_stream *s)
{
	void *rec = xzalloc_bytes(HVM_STREAM_ROOM);
	int rc = rec ? 0 : -ENOMEM, n = 1;

	while (!rc && n) {
		n = hvm_save_next(d, s, rec);
		if (n > 0)
			rc = hvm_save_check(d, rec, (size_t)n);
		else if (n != -ENOENT)
			rc = n;
		if (!rc && n && hypercall_preempt())
			rc = -ERESTART;
	}
	xfree(rec);
	return rc;
}

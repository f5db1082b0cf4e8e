/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS structures of the emulated PC (DMTF DSP0134, layouts in smbios_format.h). Texts come from
 * the domain's bios-strings/ settings or have the defaults that tools know from Xen. Of the
 * structures that the toolstack passes through, those of types 0-3, 11 and 22 replace ours, type 39
 * and vendor types (128 and up) are added; others (processors, memory) would contradict the domain
 * and are left out.
 */
#include "smbios.h"
#include "smbios_format.h"
#include "util.h"

#include <xen/hvm/hvm_xs_strings.h>

#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))
#define NO_HANDLE	0xfffe
#define UNKNOWN_HANDLE	0xffff
#define TEXT_MAX	128
#define OEM_STRINGS	99
#define DEVICE_BYTES	(UINT64_C(16) << 30)
#define FOUR_GIB	UINT64_C(0x100000000)
#define BOARD_FEATURES	0x01 /* hosting board */
#define RELEASE_DATE	"11/20/2026"

struct writer {
	struct arena *a;
	const struct smbios_input *in;
	const char *error;
	uint32_t first_gpa, nr;
	uint16_t max;
	uint32_t start; /* a->used where the open structure began */
	uint8_t nr_strings;
};

static void *append(struct writer *w, uint32_t size)
{
	void *p = arena_alloc(w->a, size, 1, NULL);

	if (!p)
		w->error = "no room for the SMBIOS tables";
	return p;
}

/* The structure's fixed part, zeroed; NULL when the arena is full. */
static void *begin(struct writer *w, uint8_t type, uint32_t length, uint16_t handle)
{
	struct smbios_header *h;

	w->start = w->a->used;
	w->nr_strings = 0;
	h = append(w, length);
	if (h)
		*h = (struct smbios_header){ type, (uint8_t)length, handle };
	return h;
}

/* Append a text. Returns its number, 0 for an empty one. */
static uint8_t text(struct writer *w, const char *s)
{
	uint32_t len = (uint32_t)strlen(s);
	char *p = len ? append(w, len + 1) : NULL;

	if (!p)
		return 0;
	memcpy(p, s, len + 1);
	return ++w->nr_strings;
}

/* Append the text of a setting, or its default. */
static uint8_t setting(struct writer *w, const char *path, const char *def)
{
	char buf[TEXT_MAX];
	const struct config_source *src = w->in->settings;

	if (src->read(src->ctx, path, buf, sizeof(buf)) <= 0)
		util_strlcpy(buf, def, sizeof(buf));
	return text(w, buf);
}

static void end(struct writer *w)
{
	uint32_t bytes;

	append(w, w->nr_strings ? 1 : 2);
	bytes = w->a->used - w->start;
	if (bytes > w->max)
		w->max = (uint16_t)bytes;
	w->nr++;
}

/* One passed-through structure at pos. Returns its length, 0 at the end or when it is malformed. */
static uint32_t extra_at(struct writer *w, uint32_t pos, const struct smbios_header **h)
{
	const uint8_t *p = w->in->extra + pos;
	uint32_t len;

	if (pos >= w->in->extra_len)
		return 0;
	if (w->in->extra_len - pos < 4 + sizeof(**h) + 2) {
		w->error = "passed-through SMBIOS structures: the last one is cut off";
		return 0;
	}
	memcpy(&len, p, 4);
	*h = (const struct smbios_header *)(p + 4);
	if (len > w->in->extra_len - pos - 4 || (*h)->length < sizeof(**h) || len > 0x8000 ||
	    len < (*h)->length + 2u || p[4 + len - 1] || p[4 + len - 2]) {
		w->error = "passed-through SMBIOS structures: malformed structure";
		return 0;
	}
	return len;
}

static void copy_extra(struct writer *w, const void *data, uint32_t len)
{
	void *p = append(w, len);

	if (!p)
		return;
	memcpy(p, data, len);
	if (len > w->max)
		w->max = (uint16_t)len;
	w->nr++;
}

/* Add the first passed-through structure of a type. Returns whether there is one. */
static bool replaced(struct writer *w, uint8_t type)
{
	const struct smbios_header *h;
	uint32_t pos = 0, len;

	while (w->in->extra && (len = extra_at(w, pos, &h))) {
		if (h->type == type) {
			copy_extra(w, h, len);
			return true;
		}
		pos += 4 + len;
	}
	return false;
}

static void add_vendor_types(struct writer *w)
{
	const struct smbios_header *h;
	uint32_t pos = 0, len;

	while (w->in->extra && (len = extra_at(w, pos, &h))) {
		if (h->type >= 128)
			copy_extra(w, h, len);
		pos += 4 + len;
	}
}

static void add_bios(struct writer *w)
{
	struct smbios_bios *b;

	if (replaced(w, 0) || !(b = begin(w, 0, sizeof(*b), HANDLE(0, 0))))
		return;
	b->vendor = setting(w, HVM_XS_BIOS_VENDOR, "Plinth");
	b->version = setting(w, HVM_XS_BIOS_VERSION, w->in->version);
	b->release_date = text(w, RELEASE_DATE);
	b->start_segment = (uint16_t)((0x100000 - w->in->bios_bytes) >> 4);
	b->rom_size = (uint8_t)(w->in->bios_bytes / 65536 - 1);
	/* PCI, boot from CD, selectable boot, EDD. */
	b->characteristics = 1u << 7 | 1u << 15 | 1u << 16 | 1u << 19;
	/* ACPI; a virtual machine. */
	b->extension[0] = 0x01;
	b->extension[1] = 0x14;
	b->major = b->minor = 0xff;
	b->ec_major = b->ec_minor = 0xff;
	end(w);
}

static void uuid_text(char *buf, size_t size, const uint8_t *u)
{
	util_snprintf(buf, size,
		      "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
		      u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		      u[13], u[14], u[15]);
}

static void add_system(struct writer *w)
{
	struct smbios_system *s;
	char uuid[40];

	if (replaced(w, 1) || !(s = begin(w, 1, sizeof(*s), HANDLE(1, 0))))
		return;
	uuid_text(uuid, sizeof(uuid), w->in->uuid);
	s->manufacturer = setting(w, HVM_XS_SYSTEM_MANUFACTURER, "Xen");
	s->product = setting(w, HVM_XS_SYSTEM_PRODUCT_NAME, "HVM domU");
	s->version = setting(w, HVM_XS_SYSTEM_VERSION, w->in->version);
	s->serial = setting(w, HVM_XS_SYSTEM_SERIAL_NUMBER, uuid);
	memcpy(s->uuid, w->in->uuid, 16);
	s->wake_up = 6; /* power switch */
	end(w);
}

static void add_board(struct writer *w)
{
	struct smbios_board *b;

	if (replaced(w, 2) || !(b = begin(w, 2, sizeof(*b), HANDLE(2, 0))))
		return;
	b->manufacturer = setting(w, HVM_XS_BASEBOARD_MANUFACTURER, "Xen");
	b->product = setting(w, HVM_XS_BASEBOARD_PRODUCT_NAME, "HVM domU");
	b->version = setting(w, HVM_XS_BASEBOARD_VERSION, w->in->version);
	b->serial = setting(w, HVM_XS_BASEBOARD_SERIAL_NUMBER, "");
	b->asset_tag = setting(w, HVM_XS_BASEBOARD_ASSET_TAG, "");
	b->location = setting(w, HVM_XS_BASEBOARD_LOCATION_IN_CHASSIS, "");
	b->features = BOARD_FEATURES;
	b->chassis = HANDLE(3, 0);
	b->type = 0x0a; /* motherboard */
	end(w);
}

static void add_enclosure(struct writer *w)
{
	struct smbios_enclosure *e;

	if (replaced(w, 3) || !(e = begin(w, 3, sizeof(*e), HANDLE(3, 0))))
		return;
	e->manufacturer = setting(w, HVM_XS_ENCLOSURE_MANUFACTURER, "Xen");
	e->serial = setting(w, HVM_XS_ENCLOSURE_SERIAL_NUMBER, "");
	e->asset_tag = setting(w, HVM_XS_ENCLOSURE_ASSET_TAG, "");
	e->type = 1;					       /* other */
	e->boot_state = e->power_state = e->thermal_state = 3; /* safe */
	e->security = 2;				       /* unknown */
	end(w);
}

static void add_processor(struct writer *w, uint32_t n)
{
	struct smbios_processor *p = begin(w, 4, sizeof(*p), HANDLE(4, n));
	char socket[16];

	if (!p)
		return;
	util_snprintf(socket, sizeof(socket), "CPU %u", n);
	p->socket = text(w, socket);
	p->manufacturer = text(w, w->in->cpu_vendor);
	p->type = 3;   /* central processor */
	p->family = 1; /* other */
	p->signature = w->in->cpu_signature;
	p->features = w->in->cpu_features;
	p->max_mhz = p->current_mhz = w->in->cpu_mhz;
	p->status = 0x41; /* populated, enabled */
	p->upgrade = 1;	  /* other */
	p->l1 = p->l2 = p->l3 = UNKNOWN_HANDLE;
	end(w);
}

static void add_oem_strings(struct writer *w)
{
	struct smbios_oem_strings *o;
	char path[32];

	if (replaced(w, 11) || !(o = begin(w, 11, sizeof(*o), HANDLE(11, 0))))
		return;
	text(w, "Xen");
	for (int i = 1; i <= OEM_STRINGS; i++) {
		util_snprintf(path, sizeof(path), HVM_XS_OEM_STRINGS, i);
		if (!setting(w, path, ""))
			break;
	}
	o->nr = w->nr_strings;
	end(w);
}

static uint64_t ram_bytes(const struct smbios_input *in)
{
	return in->low_ram_end + (in->high_ram_end ? in->high_ram_end - FOUR_GIB : 0);
}

static uint32_t nr_devices(const struct smbios_input *in)
{
	return (uint32_t)((ram_bytes(in) + DEVICE_BYTES - 1) >> 34);
}

static void add_memory_array(struct writer *w)
{
	struct smbios_memory_array *m = begin(w, 16, sizeof(*m), HANDLE(16, 0));
	uint64_t kib = ram_bytes(w->in) >> 10;

	if (!m)
		return;
	m->location = 1;	 /* other */
	m->use = 3;		 /* system memory */
	m->error_correction = 6; /* multi-bit ECC */
	m->capacity_kib = kib < 0x80000000 ? (uint32_t)kib : 0x80000000;
	m->error_handle = NO_HANDLE;
	m->nr_devices = (uint16_t)nr_devices(w->in);
	end(w);
}

static void add_memory_device(struct writer *w, uint32_t n)
{
	struct smbios_memory_device *m = begin(w, 17, sizeof(*m), HANDLE(17, n));
	uint64_t rest = ram_bytes(w->in) - n * DEVICE_BYTES;
	char locator[16];

	if (!m)
		return;
	util_snprintf(locator, sizeof(locator), "DIMM %u", n);
	m->locator = text(w, locator);
	m->array = HANDLE(16, 0);
	m->error_handle = NO_HANDLE;
	m->total_width = m->data_width = 64;
	m->size_mib = (uint16_t)(((rest < DEVICE_BYTES ? rest : DEVICE_BYTES) + 0xfffff) >> 20);
	m->form_factor = 9; /* DIMM */
	m->type = 7;	    /* RAM */
	end(w);
}

static void add_range(struct writer *w, uint32_t n, uint64_t start, uint64_t end_addr)
{
	struct smbios_array_address *m = begin(w, 19, sizeof(*m), HANDLE(19, n));

	if (!m)
		return;
	m->start_kib = (uint32_t)(start >> 10);
	m->end_kib = (uint32_t)((end_addr >> 10) - 1);
	m->array = HANDLE(16, 0);
	m->width = 1;
	end(w);
}

/* Which device backs which part of a range; done = bytes of RAM below start. */
static uint32_t add_device_ranges(struct writer *w, uint32_t n, uint32_t range, uint64_t start,
				  uint64_t end_addr, uint64_t done)
{
	while (start < end_addr) {
		struct smbios_device_address *m = begin(w, 20, sizeof(*m), HANDLE(20, n));
		uint64_t left = DEVICE_BYTES - (done & (DEVICE_BYTES - 1));
		uint64_t bytes = end_addr - start < left ? end_addr - start : left;

		if (!m)
			return n;
		m->start_kib = (uint32_t)(start >> 10);
		m->end_kib = (uint32_t)(((start + bytes) >> 10) - 1);
		m->device = HANDLE(17, (uint32_t)(done >> 34));
		m->array_address = HANDLE(19, range);
		m->row = 1;
		end(w);
		start += bytes;
		done += bytes;
		n++;
	}
	return n;
}

static void add_memory(struct writer *w)
{
	const struct smbios_input *in = w->in;
	uint32_t n;

	add_memory_array(w);
	for (uint32_t i = 0; i < nr_devices(in); i++)
		add_memory_device(w, i);
	add_range(w, 0, 0, in->low_ram_end);
	if (in->high_ram_end)
		add_range(w, 1, FOUR_GIB, in->high_ram_end);
	n = add_device_ranges(w, 0, 0, 0, in->low_ram_end, 0);
	if (in->high_ram_end)
		add_device_ranges(w, n, 1, FOUR_GIB, in->high_ram_end, in->low_ram_end);
}

static void add_battery(struct writer *w)
{
	struct smbios_battery *b;

	if (replaced(w, 22) || !w->in->default_battery ||
	    !(b = begin(w, 22, sizeof(*b), HANDLE(22, 0))))
		return;
	b->location = text(w, "Primary");
	b->manufacturer = setting(w, HVM_XS_BATTERY_MANUFACTURER, "Xen");
	b->name = setting(w, HVM_XS_BATTERY_DEVICE_NAME, "XEN-VBAT");
	b->chemistry = 2; /* unknown */
	b->max_error = 0xff;
	end(w);
}

static void add_boot_info(struct writer *w)
{
	if (begin(w, 32, sizeof(struct smbios_boot_info), HANDLE(32, 0)))
		end(w);
}

static void add_end(struct writer *w)
{
	if (begin(w, 127, sizeof(struct smbios_header), HANDLE(127, 0)))
		end(w);
}

static void add_all(struct writer *w)
{
	add_bios(w);
	add_system(w);
	add_board(w);
	add_enclosure(w);
	for (uint32_t i = 0; i < w->in->nr_vcpus; i++)
		add_processor(w, i);
	add_oem_strings(w);
	add_memory(w);
	add_battery(w);
	add_boot_info(w);
	replaced(w, 39);
	add_vendor_types(w);
	add_end(w);
}

const char *smbios_build(struct arena *tables, struct arena *scratch, const struct smbios_input *in,
			 struct smbios_result *out)
{
	struct writer w = { .a = tables, .in = in };
	struct smbios_entry *e = arena_alloc(scratch, sizeof(*e), 16, &out->entry_gpa);

	if (!e || !arena_alloc(tables, 0, 16, &w.first_gpa))
		return "no room for the SMBIOS tables";
	add_all(&w);
	out->table_gpa = w.first_gpa;
	out->table_bytes = tables->gpa + tables->used - w.first_gpa;
	out->nr_structures = (uint16_t)w.nr;
	if (!w.error && out->table_bytes > 0xffff)
		w.error = "SMBIOS structures need more than 64 KiB";

	memcpy(e->anchor, "_SM_", 4);
	e->length = sizeof(*e);
	e->major = 2;
	e->minor = 4;
	e->max_structure = w.max;
	memcpy(e->dmi_anchor, "_DMI_", 5);
	e->table_bytes = (uint16_t)out->table_bytes;
	e->table_addr = out->table_gpa;
	e->nr_structures = out->nr_structures;
	e->bcd_revision = 0x24;
	e->dmi_checksum = util_checksum(e->dmi_anchor, sizeof(*e) - 16);
	e->checksum = util_checksum(e, sizeof(*e));
	return w.error;
}

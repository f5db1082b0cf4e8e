/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options with parts in two places: -drive and -device, -chardev and -mon. Network cards are in
 * options_net.c. See options.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/options_priv.h"
#include "core/util.h"

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool is_on(const char *s)
{
	return s && (!*s || !strcmp(s, "on"));
}

static void drive_place(struct options *o, const struct opt_drive *d, unsigned long index)
{
	if (index >= OPT_MAX_DRIVES)
		log_fatal("drive %s: IDE has places 0 to 3 only", d->file ? d->file : "(empty)");
	if (o->drives[index].present)
		log_fatal("two drives at IDE place %lu", index);
	o->drives[index] = *d;
	o->drives[index].present = true;
}

static void floppy_set(struct options *o, unsigned long index, const struct opt_drive *d)
{
	if (index >= ARRAY_SIZE(o->floppies))
		log_fatal("there are two floppy drives only");
	o->floppies[index] = *d;
	o->floppies[index].present = true;
}

static char *error_policy(const struct opt_list *l, const char *key)
{
	static const char *const known[] = { "report", "ignore", "stop", "enospc" };
	const char *v = opt_list_get(l, key);
	size_t i;

	/* "enospc" is about writing. */
	for (i = 0; v && i < ARRAY_SIZE(known) - (*key == 'r'); i++)
		if (!strcmp(v, known[i]))
			return xstrdup(v);
	if (v)
		log_fatal("-drive %s=%s is not known (known: report, ignore, stop%s)", key, v,
			  *key == 'w' ? ", enospc" : "");
	return NULL;
}

static const struct {
	const char *key;
	size_t offset; /* in struct opt_drive */
	unsigned long max;
} disk_numbers[] = {
	{ "cyls", offsetof(struct opt_drive, cylinders), 65535 },
	{ "heads", offsetof(struct opt_drive, heads), 16 },
	{ "secs", offsetof(struct opt_drive, sectors), 255 },
	{ "physical_block_size", offsetof(struct opt_drive, physical_sector), 2 << 20 },
};

static void disk_number(struct opt_drive *d, size_t i, const char *value)
{
	unsigned long v = opt_number(disk_numbers[i].key, value, disk_numbers[i].max);

	if (!v)
		log_fatal("a disk's %s=0 cannot be", disk_numbers[i].key);
	*(unsigned int *)((char *)d + disk_numbers[i].offset) = (unsigned int)v;
}

static void disk_translation(struct opt_drive *d, const char *value)
{
	static const char *const known[] = {
		[OPT_TRANSLATION_AUTO] = "auto",   [OPT_TRANSLATION_NONE] = "none",
		[OPT_TRANSLATION_LBA] = "lba",	   [OPT_TRANSLATION_LARGE] = "large",
		[OPT_TRANSLATION_RECHS] = "rechs",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known) && strcmp(value, known[i]); i++)
		;
	if (i == ARRAY_SIZE(known))
		log_fatal("translation %s is not known (known: auto, none, lba, large, rechs)",
			  value);
	d->translation = (enum opt_translation)i;
}

/* A property of an emulated disk's shape; false: another property. */
static bool disk_property(struct opt_drive *d, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(disk_numbers); i++) {
		if (strcmp(key, disk_numbers[i].key))
			continue;
		disk_number(d, i, value);
		return true;
	}
	if (!strcmp(key, "trans") || !strcmp(key, "bios-chs-trans")) {
		disk_translation(d, value);
		return true;
	}
	if (strcmp(key, "logical_block_size"))
		return false;
	if (strcmp(value, "512"))
		log_fatal(
			"logical_block_size=%s: an IDE disk has sectors of 512 bytes "
			"(physical_block_size=4096 tells the guest what it should write at a time)",
			value);
	return true;
}

static void disk_properties(struct opt_drive *d, const struct opt_list *l)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		disk_property(d, l->pairs[i].key, l->pairs[i].value);
}

static void disk_check(const struct opt_drive *d)
{
	if (!d->cylinders != !d->heads || !d->heads != !d->sectors)
		log_fatal("a disk's geometry is all of cyls=, heads= and secs=");
	if (d->physical_sector & (d->physical_sector - 1) ||
	    (d->physical_sector && d->physical_sector < 512))
		log_fatal("physical_block_size must be a power of two from 512 on");
}

/* What is not said of this disk is as it is said of all. */
static void disk_inherit(struct opt_drive *d, const struct opt_drive *all)
{
	if (!d->serial && all->serial)
		d->serial = xstrdup(all->serial);
	if (all->version)
		d->version = xstrdup(all->version);
	if (!d->cylinders && !d->heads && !d->sectors) {
		d->cylinders = all->cylinders;
		d->heads = all->heads;
		d->sectors = all->sectors;
	}
	if (!d->translation)
		d->translation = all->translation;
	if (!d->physical_sector)
		d->physical_sector = all->physical_sector;
}

void opt_drive(struct options *o, const char *arg)
{
	static const char *const known[] = {
		"file",	    "if",	    "index",	      "media",	"format",	  "cache",
		"readonly", "id",	    "discard",	      "aio",	"detect-zeroes",  "werror",
		"rerror",   "file.locking", "direct-io-safe", "serial", "auto-read-only", "cyls",
		"heads",    "secs",	    "trans",	      NULL
	};
	struct opt_list l;
	struct opt_drive d = { 0 };
	const char *iface, *index, *media, *cache, *readonly, *discard;

	opt_list_parse(&l, arg);
	opt_list_only(&l, "drive", known);
	iface = opt_list_get(&l, "if");
	index = opt_list_get(&l, "index");
	media = opt_list_get(&l, "media");
	cache = opt_list_get(&l, "cache");
	readonly = opt_list_get(&l, "readonly");
	d.cdrom = media && !strcmp(media, "cdrom");
	d.read_only = d.cdrom || is_on(readonly);
	d.write_through = cache && (!strcmp(cache, "writethrough") || !strcmp(cache, "directsync"));
	discard = opt_list_get(&l, "discard");
	d.discard = discard && (!strcmp(discard, "unmap") || !strcmp(discard, "on"));
	d.werror = error_policy(&l, "werror");
	d.rerror = error_policy(&l, "rerror");
	d.serial = dup_or_null(opt_list_get(&l, "serial"));
	disk_properties(&d, &l);
	d.id = dup_or_null(opt_list_get(&l, "id"));
	d.file = dup_or_null(opt_list_get(&l, "file"));
	d.format = dup_or_null(opt_list_get(&l, "format"));
	if (!iface || !strcmp(iface, "ide")) {
		drive_place(o, &d, index ? opt_number("drive", index, 3) : (d.cdrom ? 2 : 0));
	} else if (!strcmp(iface, "floppy")) {
		floppy_set(o, index ? opt_number("drive", index, 1) : 0, &d);
	} else if (!strcmp(iface, "none")) {
		if (!d.id || o->nr_pending == OPT_MAX_PENDING)
			log_fatal("-drive if=none needs an id");
		o->pending[o->nr_pending++] = d;
	} else {
		log_fatal(
			"-drive if=%s is not supported; use an IDE name (hda to hdd) for the disk",
			iface);
	}
	opt_list_free(&l);
}

/* -blockdev driver=file: an image that a -device names. That driver gives the file's bytes, whatever they look like. */
void opt_blockdev(struct options *o, const char *arg)
{
	static const char *const known[] = { "driver",	  "node-name",	    "filename",
					     "read-only", "auto-read-only", NULL };
	struct opt_list l;
	struct opt_drive d = { 0 };
	const char *driver;

	opt_list_parse(&l, arg);
	opt_list_only(&l, "blockdev", known);
	driver = opt_list_get(&l, "driver");
	d.id = dup_or_null(opt_list_get(&l, "node-name"));
	d.file = dup_or_null(opt_list_get(&l, "filename"));
	d.format = xstrdup("raw");
	d.read_only = is_on(opt_list_get(&l, "read-only"));
	if (!driver || (strcmp(driver, "file") && strcmp(driver, "host_device")) || !d.id ||
	    !d.file || o->nr_pending == OPT_MAX_PENDING)
		log_fatal("-blockdev needs driver=file, node-name= and filename=");
	o->pending[o->nr_pending++] = d;
	opt_list_free(&l);
}

/* ide-hd.PROPERTY=VALUE: for every disk that says nothing itself. */
bool opt_ide_global(struct options *o, const char *arg)
{
	struct opt_drive *all = &o->ide_global;
	const char *value = strchr(arg, '=');
	bool known = true;
	char *key;

	if (strncmp(arg, "ide-hd.", 7) || !value++)
		return false;
	key = xasprintf("%.*s", (int)(value - 1 - (arg + 7)), arg + 7);
	if (!strcmp(key, "serial"))
		all->serial = xstrdup(value);
	else if (!strcmp(key, "ver"))
		all->version = xstrdup(value);
	else
		known = disk_property(all, key, value);
	free(key);
	return known;
}

static void ide_finish(struct options *o)
{
	unsigned int i;

	for (i = 0; i < OPT_MAX_DRIVES; i++) {
		struct opt_drive *d = &o->drives[i];

		if (d->cdrom)
			continue;
		disk_inherit(d, &o->ide_global);
		disk_check(d);
	}
}

static struct opt_drive *pending_find(struct options *o, const char *id)
{
	unsigned int i;

	for (i = 0; i < o->nr_pending; i++)
		if (!strcmp(o->pending[i].id, id))
			return &o->pending[i];
	log_fatal("-device: there is no -drive with id=%s before it", id);
}

static void device_ide(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id",
					     "drive",
					     "bus",
					     "unit",
					     "bootindex",
					     "serial",
					     "cyls",
					     "heads",
					     "secs",
					     "bios-chs-trans",
					     "physical_block_size",
					     "logical_block_size",
					     NULL };
	const char *serial = opt_list_get(l, "serial");
	const char *drive = opt_list_get(l, "drive"), *bus = opt_list_get(l, "bus");
	const char *unit = opt_list_get(l, "unit"), *id = opt_list_get(l, "id");
	struct opt_drive d = { 0 };
	unsigned long channel;

	opt_list_only(l, "device", known);
	if (!bus || strncmp(bus, "ide.", 4))
		log_fatal("-device %s needs bus=ide.0 or bus=ide.1", l->head);
	channel = opt_number("device", bus + 4, 1);
	if (drive)
		d = *pending_find(o, drive);
	d.cdrom = !strcmp(l->head, "ide-cd");
	d.read_only |= d.cdrom;
	if (id)
		d.id = xstrdup(id);
	if (serial)
		d.serial = xstrdup(serial);
	disk_properties(&d, l);
	drive_place(o, &d, channel * 2 + (unit ? opt_number("device", unit, 1) : 0));
}

static void object_tls(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id",	    "endpoint", "dir",
					     "verify-peer", "priority", NULL };
	const char *id = opt_list_get(l, "id"), *endpoint = opt_list_get(l, "endpoint");
	const char *verify = opt_list_get(l, "verify-peer");
	struct opt_tls *t = &o->tls[o->nr_tls];

	opt_list_only(l, "object", known);
	if (o->nr_tls == OPT_MAX_TLS)
		log_fatal("-object %s: at most %d", l->head, OPT_MAX_TLS);
	t->x509 = !strcmp(l->head, "tls-creds-x509");
	t->dir = dup_or_null(opt_list_get(l, "dir"));
	if (!id || (endpoint && strcmp(endpoint, "server")) || (t->x509 && !t->dir))
		log_fatal("-object %s needs id=%s; endpoint= can be server only", l->head,
			  t->x509 ? " and dir= (of server-cert.pem)" : "");
	t->id = xstrdup(id);
	t->verify_peer = t->x509 && (!verify || is_on(verify) || !strcmp(verify, "yes"));
	t->priority = dup_or_null(opt_list_get(l, "priority"));
	o->nr_tls++;
}

void opt_object(struct options *o, const char *arg)
{
	struct opt_list l;

	opt_list_parse(&l, arg);
	if (!strcmp(l.head, "filter-dump"))
		opt_netdump(o, &l);
	else if (!strcmp(l.head, "tls-creds-x509") || !strcmp(l.head, "tls-creds-anon"))
		object_tls(o, &l);
	else
		log_fatal("-object %s is not supported (known: filter-dump, tls-creds-x509, "
			  "tls-creds-anon)",
			  l.head);
	opt_list_free(&l);
}

/*
 * The Cirrus card is what libxl asks for when a configuration says nothing, so asking for it is not a
 * wish for that card: such a guest gets the standard VGA, and the log says so.
 */
void opt_vga_card(struct options *o, const char *name)
{
	if (strstr(name, "cirrus"))
		log_warn("no Cirrus card here: the guest gets the standard VGA (vga=\"stdvga\")");
	o->vga = VGA_STD;
}

/* -device floppy,drive=ID,unit=N; without a drive it is empty. */
static void device_floppy(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id", "drive", "bus", "unit", "drive-type", NULL };
	const char *drive = opt_list_get(l, "drive"), *id = opt_list_get(l, "id");
	const char *unit = opt_list_get(l, "unit");
	struct opt_drive d = { 0 };

	opt_list_only(l, "device", known);
	if (drive)
		d = *pending_find(o, drive);
	if (id)
		d.id = xstrdup(id);
	floppy_set(o, unit ? opt_number("device", unit, 1) : o->floppies[0].present, &d);
}

bool opt_floppy_global(struct options *o, const char *arg)
{
	static const char prefix[] = "isa-fdc.drive";
	const char *p = arg + sizeof(prefix) - 1;

	if (strncmp(arg, prefix, sizeof(prefix) - 1) || (*p != 'A' && *p != 'B') || p[1] != '=')
		return false;
	floppy_set(o, *p == 'B', pending_find(o, p + 2));
	return true;
}

static void device_vga(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "vgamem_mb", "id", "addr", "romfile", NULL };
	const char *mem = opt_list_get(l, "vgamem_mb");

	opt_list_only(l, "device", known);
	opt_vga_card(o, l->head);
	o->vgamem_mib = mem ? (unsigned int)opt_number("device", mem, 256) : 16;
	if (!o->vgamem_mib || o->vgamem_mib & (o->vgamem_mib - 1))
		log_fatal("-device %s: vgamem_mb must be a power of two", l->head);
}

static void device_usb(struct options *o, const struct opt_list *l)
{
	o->usb = true;
	o->usb_tablet |= !strcmp(l->head, "usb-tablet");
	o->usb_mouse |= !strcmp(l->head, "usb-mouse");
	o->usb_keyboard |= !strcmp(l->head, "usb-kbd");
}

static const struct {
	const char *model;
	void (*handler)(struct options *o, const struct opt_list *l);
} device_models[] = {
	{ "ide-cd", device_ide },	{ "ide-hd", device_ide },
	{ "ide-drive", device_ide },	{ "floppy", device_floppy },
	{ "VGA", device_vga },		{ "cirrus-vga", device_vga },
	{ "rtl8139", opt_device_nic },	{ "ne2k_pci", opt_device_nic },
	{ "ne2k_isa", opt_device_nic }, { "usb-tablet", device_usb },
	{ "usb-mouse", device_usb },	{ "usb-kbd", device_usb },
};

void opt_device(struct options *o, const char *arg)
{
	struct opt_list l;
	size_t i;

	opt_list_parse(&l, arg);
	for (i = 0; i < ARRAY_SIZE(device_models); i++)
		if (!strcmp(device_models[i].model, l.head))
			break;
	if (i == ARRAY_SIZE(device_models))
		log_fatal(
			"-device %s is not emulated here (known: ide-hd, ide-cd, VGA, cirrus-vga, "
			"rtl8139, ne2k_pci, ne2k_isa, usb-tablet, usb-mouse, usb-kbd); change the guest's "
			"configuration",
			l.head);
	device_models[i].handler(o, &l);
	opt_list_free(&l);
}

void opt_cdrom(struct options *o, const char *arg)
{
	struct opt_drive d = { .cdrom = true, .read_only = true, .file = xstrdup(arg) };

	drive_place(o, &d, 2);
}

void opt_fda(struct options *o, const char *arg)
{
	struct opt_drive d = { .file = xstrdup(arg) };

	floppy_set(o, 0, &d);
}

void opt_fdb(struct options *o, const char *arg)
{
	struct opt_drive d = { .file = xstrdup(arg) };

	floppy_set(o, 1, &d);
}

static struct opt_chardev *chardev_add(struct options *o)
{
	struct opt_chardev *c = &o->chardevs[o->nr_chardevs];

	if (o->nr_chardevs++ == OPT_MAX_CHARDEVS)
		log_fatal("at most %d sockets", OPT_MAX_CHARDEVS);
	*c = (struct opt_chardev){ .fd = -1, .wait = true };
	return c;
}

void opt_chardev_add(struct options *o, const char *arg)
{
	static const char *const known[] = { "id",     "path", "fd",	  "server", "wait",
					     "nowait", "mux",  "logfile", NULL };
	struct opt_list l;
	struct opt_chardev *c;
	const char *fd, *wait;

	opt_list_parse(&l, arg);
	if (strcmp(l.head, "socket"))
		log_fatal(
			"-chardev %s is not supported (known: socket for -mon); channel= is not there",
			l.head);
	opt_list_only(&l, "chardev", known);
	c = chardev_add(o);
	c->id = dup_or_null(opt_list_get(&l, "id"));
	c->path = dup_or_null(opt_list_get(&l, "path"));
	fd = opt_list_get(&l, "fd");
	wait = opt_list_get(&l, "wait");
	c->fd = fd ? (int)opt_number("chardev", fd, 1 << 20) : -1;
	c->server = is_on(opt_list_get(&l, "server"));
	c->wait = !(wait && !strcmp(wait, "off")) && !opt_list_get(&l, "nowait");
	if (!c->id || (!c->path && c->fd < 0))
		log_fatal("-chardev socket needs id= and path= or fd=");
	opt_list_free(&l);
}

void opt_mon(struct options *o, const char *arg)
{
	struct opt_list l;
	const char *id, *mode;
	unsigned int i;

	opt_list_parse(&l, arg);
	id = opt_list_get(&l, "chardev");
	mode = opt_list_get(&l, "mode");
	if (!id)
		id = l.head;
	if (!mode || strcmp(mode, "control"))
		log_fatal("-mon: only mode=control (QMP) is supported");
	for (i = 0; i < o->nr_chardevs && strcmp(o->chardevs[i].id, id); i++)
		;
	if (i == o->nr_chardevs)
		log_fatal("-mon: there is no -chardev with id=%s before it", id);
	o->chardevs[i].monitor = true;
	opt_list_free(&l);
}

void opt_qmp(struct options *o, const char *arg)
{
	struct opt_chardev *c = chardev_add(o);
	struct opt_list l;

	opt_list_parse(&l, arg);
	if (strncmp(l.head, "unix:", 5))
		log_fatal("-qmp %s is not supported (known: unix:PATH)", arg);
	c->id = xasprintf("qmp%u", o->nr_chardevs);
	c->path = xstrdup(l.head + 5);
	c->server = true;
	c->monitor = true;
	opt_list_free(&l);
}

void options_dev_finish(struct options *o)
{
	unsigned int i;

	ide_finish(o);
	options_net_finish(o);
	for (i = 0; i < o->nr_chardevs; i++)
		if (!o->chardevs[i].monitor)
			log_fatal(
				"-chardev id=%s: only -mon uses one; channel= is not there: take it out of the "
				"guest's configuration",
				o->chardevs[i].id);
	for (i = 0; i < OPT_MAX_DRIVES; i++)
		if (o->drives[i].present && !o->drives[i].file && !o->drives[i].cdrom)
			log_fatal("the disk at IDE place %u has no file", i);
}

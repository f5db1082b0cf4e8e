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

#define MAX_PENDING 16

/* -drive if=none, until a -device names it. */
static struct opt_drive pending_drives[MAX_PENDING];
static unsigned int nr_pending_drives;

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

void opt_drive(struct options *o, const char *arg)
{
	static const char *const known[] = {
		"file",	    "if",	    "index",	      "media",	"format",	  "cache",
		"readonly", "id",	    "discard",	      "aio",	"detect-zeroes",  "werror",
		"rerror",   "file.locking", "direct-io-safe", "serial", "auto-read-only", NULL
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
	d.id = dup_or_null(opt_list_get(&l, "id"));
	d.file = dup_or_null(opt_list_get(&l, "file"));
	d.format = dup_or_null(opt_list_get(&l, "format"));
	if (!iface || !strcmp(iface, "ide")) {
		drive_place(o, &d, index ? opt_number("drive", index, 3) : (d.cdrom ? 2 : 0));
	} else if (!strcmp(iface, "floppy")) {
		floppy_set(o, index ? opt_number("drive", index, 1) : 0, &d);
	} else if (!strcmp(iface, "none")) {
		if (!d.id || nr_pending_drives == MAX_PENDING)
			log_fatal("-drive if=none needs an id");
		pending_drives[nr_pending_drives++] = d;
	} else {
		log_fatal(
			"-drive if=%s is not supported; use an IDE name (hda to hdd) for the disk",
			iface);
	}
	opt_list_free(&l);
}

/* -blockdev driver=file: an image that a -device names; raw until something else is asked for. */
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
	d.read_only = is_on(opt_list_get(&l, "read-only"));
	if (!driver || (strcmp(driver, "file") && strcmp(driver, "host_device")) || !d.id ||
	    !d.file || nr_pending_drives == MAX_PENDING)
		log_fatal("-blockdev needs driver=file, node-name= and filename=");
	pending_drives[nr_pending_drives++] = d;
	opt_list_free(&l);
}

/* ide-hd.serial=TEXT, ide-hd.ver=TEXT: for every disk that says nothing itself. */
bool opt_ide_global(struct options *o, const char *arg)
{
	if (!strncmp(arg, "ide-hd.serial=", 14))
		o->ide_serial = xstrdup(arg + 14);
	else if (!strncmp(arg, "ide-hd.ver=", 11))
		o->ide_version = xstrdup(arg + 11);
	else
		return false;
	return true;
}

static void ide_finish(struct options *o)
{
	unsigned int i;

	for (i = 0; i < OPT_MAX_DRIVES; i++) {
		struct opt_drive *d = &o->drives[i];

		if (d->cdrom)
			continue;
		if (!d->serial && o->ide_serial)
			d->serial = xstrdup(o->ide_serial);
		if (o->ide_version)
			d->version = xstrdup(o->ide_version);
	}
}

static struct opt_drive *pending_find(const char *id)
{
	unsigned int i;

	for (i = 0; i < nr_pending_drives; i++)
		if (!strcmp(pending_drives[i].id, id))
			return &pending_drives[i];
	log_fatal("-device: there is no -drive with id=%s before it", id);
}

static void device_ide(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id",	  "drive",  "bus", "unit",
					     "bootindex", "serial", NULL };
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
		d = *pending_find(drive);
	d.cdrom = !strcmp(l->head, "ide-cd");
	d.read_only |= d.cdrom;
	if (id)
		d.id = xstrdup(id);
	if (serial)
		d.serial = xstrdup(serial);
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
		d = *pending_find(drive);
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
	floppy_set(o, *p == 'B', pending_find(p + 2));
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
		log_fatal("-chardev %s is not supported (known: socket)", l.head);
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

void options_dev_begin(void)
{
	nr_pending_drives = 0;
}

void options_dev_finish(struct options *o)
{
	unsigned int i;

	ide_finish(o);
	options_net_finish(o);
	for (i = 0; i < OPT_MAX_DRIVES; i++)
		if (o->drives[i].present && !o->drives[i].file && !o->drives[i].cdrom)
			log_fatal("the disk at IDE place %u has no file", i);
}

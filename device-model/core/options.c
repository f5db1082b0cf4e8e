/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: one table of options, a handler each. What libxl passes to qemu-xen is known;
 * what we do not emulate is refused by name. Drives and NICs are in options_dev.c. See options.h.
 */
#include "core/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "core/options_priv.h"
#include "core/util.h"

#define DM_VERSION	"0.1"
#define OPT_MAX_DOMID	0x7fefu
#define OPT_MAX_RAM_MIB (16u << 20)
#define OPT_UID_BASE	1900000000u /* beyond the ranges of people, services and containers */
#define OPT_MAX_UID	2100000000u

static const char *const firmware_dirs[] = {
	"/usr/share/seabios", "/usr/lib/ipxe/qemu",	  "/usr/share/qemu",
	"/usr/share/vgabios", "/usr/lib/plinth/firmware",
};

void opt_list_parse(struct opt_list *l, const char *arg)
{
	*l = (struct opt_list){ 0 };
	while (*arg) {
		char *item = xzalloc(strlen(arg) + 1), *eq;
		size_t n = 0;

		for (; *arg && (*arg != ',' || arg[1] == ','); arg++) {
			if (*arg == ',')
				arg++;
			item[n++] = *arg;
		}
		if (*arg == ',')
			arg++;
		eq = strchr(item, '=');
		if (!l->head && !l->nr && !eq) {
			l->head = item;
			continue;
		}
		l->pairs = xrealloc(l->pairs, (l->nr + 1) * sizeof(*l->pairs));
		if (eq)
			*eq++ = 0;
		l->pairs[l->nr++] = (struct opt_pair){ item, eq ? eq : item + strlen(item) };
	}
	if (!l->head)
		l->head = xstrdup("");
}

const char *opt_list_get(const struct opt_list *l, const char *key)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (!strcmp(l->pairs[i].key, key))
			return l->pairs[i].value;
	return NULL;
}

void opt_list_free(struct opt_list *l)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		free(l->pairs[i].key);
	free(l->pairs);
	free(l->head);
	*l = (struct opt_list){ 0 };
}

void opt_list_only(const struct opt_list *l, const char *option, const char *const *known)
{
	unsigned int i, k;

	for (i = 0; i < l->nr; i++) {
		for (k = 0; known[k] && strcmp(known[k], l->pairs[i].key); k++)
			;
		if (!known[k])
			log_fatal("-%s: \"%s\" is not supported; remove it from the guest's "
				  "configuration",
				  option, l->pairs[i].key);
	}
}

unsigned long opt_number(const char *option, const char *s, unsigned long max)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (!*s || *end || errno || v > max)
		log_fatal("-%s: \"%s\" is not a number from 0 to %lu", option, s, max);
	return v;
}

char *options_find_firmware(const struct options *o, const char *name)
{
	size_t i;
	char *path;

	if (strchr(name, '/'))
		return access(name, R_OK) ? NULL : xstrdup(name);
	path = o->firmware_dir ? xasprintf("%s/%s", o->firmware_dir, name) : NULL;
	if (path && !access(path, R_OK))
		return path;
	free(path);
	for (i = 0; i < ARRAY_SIZE(firmware_dirs); i++) {
		path = xasprintf("%s/%s", firmware_dirs[i], name);
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return NULL;
}

static void opt_vnc(struct options *o, const char *arg)
{
	o->vnc = strcmp(arg, "none") ? xstrdup(arg) : NULL;
}

static void opt_display(struct options *o, const char *arg)
{
	static const char *const known[] = { "gl", "window-close", NULL };
	struct opt_list l;
	const char *gl, *close;

	if (!strncmp(arg, "vnc=", 4)) {
		opt_vnc(o, arg + 4);
		return;
	}
	opt_list_parse(&l, arg);
	gl = opt_list_get(&l, "gl");
	close = opt_list_get(&l, "window-close");
	if (l.head && !strcmp(l.head, "sdl")) {
		opt_list_only(&l, "display sdl", known);
		o->sdl = true;
		o->sdl_opengl = gl && !strcmp(gl, "on");
		o->sdl_close = !close || strcmp(close, "off");
	} else if (!l.head || strcmp(l.head, "none")) {
		log_fatal("-display %s is not supported (known: none, sdl, vnc=)", arg);
	}
	opt_list_free(&l);
}

static void opt_sdl(struct options *o, const char *arg)
{
	o->sdl = o->sdl_close = true;
}

static void opt_serial(struct options *o, const char *arg)
{
	if (o->nr_serial == OPT_MAX_SERIAL)
		log_fatal("-serial: at most %d serial ports", OPT_MAX_SERIAL);
	o->serial[o->nr_serial++] = strcmp(arg, "none") ? xstrdup(arg) : NULL;
}

static void opt_boot(struct options *o, const char *arg)
{
	struct opt_list l;
	const char *order;

	opt_list_parse(&l, arg);
	order = opt_list_get(&l, "order");
	if (!order)
		order = l.head;
	if (order[strspn(order, "acdn")])
		log_fatal("-boot: the order \"%s\" may have a (floppy), c (disk), d (CD) and n "
			  "(network) only",
			  order);
	o->boot_order = xstrdup(order);
	opt_list_free(&l);
}

static void opt_usbdevice(struct options *o, const char *arg)
{
	if (!strcmp(arg, "none")) {
		o->no_usb = true;
		return;
	}
	o->usb = true;
	if (!strcmp(arg, "tablet"))
		o->usb_tablet = true;
	else if (!strcmp(arg, "mouse"))
		o->usb_mouse = true;
	else if (!strcmp(arg, "keyboard"))
		o->usb_keyboard = true;
	else
		log_fatal("-usbdevice %s is not supported (known: tablet, mouse, keyboard, "
			  "none)",
			  arg);
}

static void opt_vga(struct options *o, const char *arg)
{
	if (!strcmp(arg, "std") || !strcmp(arg, "cirrus"))
		opt_vga_card(o, arg);
	else if (strcmp(arg, "none"))
		log_fatal("-vga %s is not supported (known: std, cirrus, none)", arg);
}

static void opt_smp(struct options *o, const char *arg)
{
	struct opt_list l;
	const char *max;

	opt_list_parse(&l, arg);
	o->vcpus = (unsigned int)opt_number("smp", l.head, 128);
	max = opt_list_get(&l, "maxcpus");
	o->max_vcpus = max ? (unsigned int)opt_number("smp", max, 128) : o->vcpus;
	opt_list_free(&l);
}

static void opt_machine(struct options *o, const char *arg)
{
	static const char *const known[] = { "suppress-vmdesc",	 "accel", "usb",
					     "max-ram-below-4g", "smm",	  NULL };
	struct opt_list l;

	opt_list_parse(&l, arg);
	opt_list_only(&l, "machine", known);
	if (strncmp(l.head, "xenfv", 5) && strncmp(l.head, "pc", 2) && strcmp(l.head, "xenpv"))
		log_fatal("-machine %s is not supported (known: xenfv, pc, xenpv)", l.head);
	o->xen_attach |= !strcmp(l.head, "xenpv");
	o->xen_platform = l.head[0] == 'x';
	opt_list_free(&l);
}

static void opt_domid(struct options *o, const char *arg)
{
	o->domid = (int)opt_number("xen-domid", arg, OPT_MAX_DOMID);
}

static void opt_memory(struct options *o, const char *arg)
{
	o->ram_bytes = (uint64_t)opt_number("m", arg, OPT_MAX_RAM_MIB) << 20;
}

static void opt_incoming(struct options *o, const char *arg)
{
	if (strncmp(arg, "fd:", 3))
		log_fatal("-incoming %s is not supported (known: fd:N)", arg);
	o->incoming_fd = (int)opt_number("incoming", arg + 3, 1 << 20);
}

static void opt_uid_base(struct options *o, const char *arg)
{
	o->uid_base = (unsigned int)opt_number("uid-base", arg, OPT_MAX_UID);
	if (!o->uid_base)
		log_fatal("-uid-base: 0 is root's");
}

static void opt_sandbox(struct options *o, const char *arg)
{
	size_t n = strcspn(arg, ","); /* QEMU's further settings: the filter here is stricter */

	if (n == 2 && !strncmp(arg, "on", n))
		o->sandbox = SANDBOX_ON;
	else if (n == 3 && !strncmp(arg, "off", n))
		o->sandbox = SANDBOX_OFF;
	else if (n == 3 && !strncmp(arg, "log", n))
		o->sandbox = SANDBOX_LOG;
	else
		log_fatal("-sandbox %s is not supported (known: on, off, log)", arg);
}

static void opt_trace(struct options *o, const char *arg)
{
	if (log_trace_parse(arg))
		log_fatal("-trace: unknown subsystem in \"%s\"", arg);
}

static void opt_global(struct options *o, const char *arg)
{
	if (opt_floppy_global(o, arg) || opt_ide_global(o, arg))
		return;
	log_info("-global %s has no meaning here and is ignored", arg);
}

static void opt_direct_boot(struct options *o, const char *arg)
{
	log_fatal("-kernel/-initrd/-append: direct boot of an HVM guest is not supported; boot it "
		  "from a disk, or use type=\"pvh\"");
}

static void opt_pidfile(struct options *o, const char *arg)
{
	FILE *f = fopen(arg, "we");

	if (!f)
		log_fatal("-pidfile %s: %s", arg, strerror(errno));
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
}

static void opt_version(struct options *o, const char *arg)
{
	printf("plinth-dm " DM_VERSION ", the device model of the Plinth hypervisor\n"
	       "Licence: GPL-2.0-or-later. It takes the command line of qemu-xen.\n");
	exit(0);
}

static void opt_help(struct options *o, const char *arg);

/* What becomes of an option: a member of struct options, or a call. */
enum option_kind { OPTION_CALL, OPTION_TEXT, OPTION_SET, OPTION_CLEAR, OPTION_IGNORED };

#define CALL(function) OPTION_CALL, 0, function
#define TEXT(member)   OPTION_TEXT, offsetof(struct options, member), NULL
#define SET(member)    OPTION_SET, offsetof(struct options, member), NULL
#define CLEAR(member)  OPTION_CLEAR, offsetof(struct options, member), NULL
#define IGNORED	       OPTION_IGNORED, 0, NULL

static const struct option_desc {
	const char *name, *arg; /* NULL: it has none */
	enum option_kind kind;
	size_t offset;
	void (*handler)(struct options *o, const char *arg);
	const char *help;
} option_table[] = {
	{ "xen-domid", "N", CALL(opt_domid), "the domain to serve" },
	{ "name", "NAME", TEXT(name), "the guest's name" },
	{ "m", "MIB", CALL(opt_memory), "RAM without video memory" },
	{ "smp", "N[,maxcpus=M]", CALL(opt_smp), "virtual CPUs" },
	{ "machine", "xenfv|pc|xenpv", CALL(opt_machine),
	  "xenfv has the Xen platform device, pc does not" },
	{ "boot", "order=acdn", CALL(opt_boot), "floppy, disk, CD, network" },
	{ "drive", "file=F,...", CALL(opt_drive),
	  "if=ide|none|floppy,index=,media=,format=,readonly=" },
	{ "blockdev", "driver=file,...", CALL(opt_blockdev), "node-name=,filename= for a -device" },
	{ "device", "MODEL,...", CALL(opt_device), "ide-cd, ide-hd, VGA, rtl8139, ..." },
	{ "cdrom", "FILE", CALL(opt_cdrom), "a CD in the secondary master" },
	{ "fda", "FILE", CALL(opt_fda), "the first floppy" },
	{ "fdb", "FILE", CALL(opt_fdb), "the second floppy" },
	{ "netdev", "tap|user|dgram,id=,...", CALL(opt_netdev), "a host side of a network card" },
	{ "net", "none", CALL(opt_net), "no network cards" },
	{ "object", "KIND,id=,...", CALL(opt_object),
	  "filter-dump: netdev=,file=[,maxlen=]; tls-creds-x509: dir=; tls-creds-anon" },
	{ "chardev", "socket,id=,path=", CALL(opt_chardev_add), "a socket for -mon" },
	{ "mon", "chardev=ID,mode=control", CALL(opt_mon), "a QMP monitor" },
	{ "qmp", "unix:PATH", CALL(opt_qmp), "a QMP monitor in short" },
	{ "serial", "pty|file:F|null|...", CALL(opt_serial), "COM1, then COM2, ..." },
	{ "parallel", "none", IGNORED, "accepted, no parallel port exists" },
	{ "debugcon", "file:F", TEXT(debugcon), "what the guest writes to port 0xe9" },
	{ "vnc", "ADDR:N[,KEY=VALUE...]", CALL(opt_vnc),
	  "VNC server, or none: password= to= websocket= tls-creds=" },
	{ "display", "none|sdl[,window-close=off]", CALL(opt_display), "a window of its own" },
	{ "sdl", NULL, CALL(opt_sdl), "like -display sdl" },
	{ "nographic", NULL, IGNORED, "accepted" },
	{ "k", "KEYMAP", TEXT(keymap), "layout of the VNC client's keyboard" },
	{ "vga", "std|cirrus|none", CALL(opt_vga), "graphics card" },
	{ "usb", NULL, SET(usb), "USB controller" },
	{ "usbdevice", "tablet|mouse|keyboard|none", CALL(opt_usbdevice),
	  "USB input device; none: no tablet of its own for a display" },
	{ "no-acpi", NULL, CLEAR(acpi), "no ACPI" },
	{ "incoming", "fd:N", CALL(opt_incoming), "restore the state from this descriptor" },
	{ "S", NULL, SET(start_stopped), "start stopped, wait for cont" },
	{ "xen-domid-restrict", NULL, SET(restrict_domid), "give up power over other domains" },
	{ "chroot", "DIR", TEXT(chroot), "enter DIR before the guest runs" },
	{ "runas", "UID:GID", TEXT(runas), "change user before the guest runs" },
	{ "uid-base", "N", CALL(opt_uid_base),
	  "without -runas: the user is N and the domain's number" },
	{ "sandbox", "on|off|log", CALL(opt_sandbox), "confinement: on is the default" },
	{ "L", "DIR", TEXT(firmware_dir), "look here first for option ROMs" },
	{ "pidfile", "FILE", CALL(opt_pidfile), "write our process id" },
	{ "qtest", "stdio|unix:PATH", TEXT(qtest), "test protocol in the place of a domain" },
	{ "trace", "NAME,...", CALL(opt_trace),
	  "ioreq pci ide vga ps2 serial qmp vnc irq acpi block net fdc usb all" },
	{ "global", "DRIVER.PROP=V", CALL(opt_global),
	  "isa-fdc.driveA=ID, ide-hd.serial=TEXT, ide-hd.ver=TEXT; others are accepted" },
	{ "no-shutdown", NULL, IGNORED, "accepted" },
	{ "nodefaults", NULL, IGNORED, "accepted" },
	{ "no-user-config", NULL, IGNORED, "accepted" },
	{ "kernel", "FILE", CALL(opt_direct_boot), "refused" },
	{ "initrd", "FILE", CALL(opt_direct_boot), "refused" },
	{ "append", "TEXT", CALL(opt_direct_boot), "refused" },
	{ "xen-attach", NULL, SET(xen_attach), "only the paravirtual back ends of the domain" },
	{ "version", NULL, CALL(opt_version), "print the version" },
	{ "help", NULL, CALL(opt_help), "print this" },
};

static void opt_help(struct options *o, const char *arg)
{
	size_t i;

	printf("usage: plinth-dm -xen-domid N [options]\n"
	       "The device model of one guest; libxl starts it (device_model_override=).\n\n");
	for (i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_desc *d = &option_table[i];

		printf("  -%-18s %-28s %s\n", d->name, d->arg ? d->arg : "", d->help);
	}
	exit(0);
}

static const struct option_desc *option_find(const char *arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(option_table); i++)
		if (!strcmp(option_table[i].name, arg))
			return &option_table[i];
	return NULL;
}

/* What configurations make xl say to qemu-xen that is not here, and what to write instead. */
static const struct {
	const char *name, *instead;
} option_hints[] = {
	{ "spice",
	  "SPICE is not there: take spice= out of the configuration; the screen is on VNC" },
	{ "d", "xl speaks to qemu-xen-traditional: device_model_version=\"qemu-xen\"" },
};

static void option_unknown(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(option_hints); i++)
		if (word[0] == '-' && !strcmp(option_hints[i].name, word + 1))
			log_fatal("unknown option \"%s\": %s", word, option_hints[i].instead);
	log_fatal("unknown option \"%s\"; plinth-dm -help lists all", word);
}

static void option_apply(struct options *o, const struct option_desc *d, const char *arg)
{
	void *member = (char *)o + d->offset;

	switch (d->kind) {
	case OPTION_CALL:
		d->handler(o, arg);
		break;
	case OPTION_TEXT:
		*(char **)member = xstrdup(arg);
		break;
	case OPTION_SET:
	case OPTION_CLEAR:
		*(bool *)member = d->kind == OPTION_SET;
		break;
	case OPTION_IGNORED:
		break;
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	const char *trace = getenv("DM_TRACE");
	int i;

	*o = (struct options){
		.domid = -1,
		.acpi = true,
		.xen_platform = true,
		.vcpus = 1,
		.max_vcpus = 1,
		.ram_bytes = 128ull << 20,
		.vgamem_mib = 16,
		.incoming_fd = -1,
		.uid_base = OPT_UID_BASE,
	};
	if (trace)
		opt_trace(o, trace);
	for (i = 1; i < argc; i++) {
		const char *name = argv[i] + (argv[i][0] == '-') + !strncmp(argv[i], "--", 2);
		const struct option_desc *d = argv[i][0] == '-' ? option_find(name) : NULL;

		if (!d)
			option_unknown(argv[i]);
		if (d->arg && i + 1 >= argc)
			log_fatal("-%s needs an argument: %s", d->name, d->arg);
		option_apply(o, d, d->arg ? argv[++i] : "");
	}
	if (o->domid < 0 && !o->qtest)
		log_fatal("-xen-domid is missing; xl starts this program, see -help");
	if (!o->boot_order)
		o->boot_order = xstrdup("cda");
	/* A pointer that follows the viewer's, unless the configuration chose a device. */
	if (!o->usb && !o->no_usb && (o->vnc || o->sdl))
		o->usb = o->usb_tablet = true;
	options_dev_finish(o);
}

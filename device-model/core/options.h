/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, as libxl 4.17 gives it to qemu-xen, parsed. Whatever is unknown is refused by
 * name. Strings belong to the options and live as long as the process.
 */
#ifndef DM_CORE_OPTIONS_H
#define DM_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPT_MAX_SERIAL	 4
#define OPT_MAX_DRIVES	 4
#define OPT_MAX_PENDING	 16
#define OPT_MAX_NICS	 8
#define OPT_MAX_CHARDEVS 8
#define OPT_MAX_TLS	 4

enum vga_type { VGA_NONE, VGA_STD };
/* Confinement: by default on; on insists on the filter's severity with an SDL window, too. */
enum sandbox_mode { SANDBOX_DEFAULT, SANDBOX_OFF, SANDBOX_ON, SANDBOX_LOG };

/* One comma-separated argument: a leading bare value and key=value pairs (",," is a comma). */
struct opt_pair {
	char *key, *value;
};

struct opt_list {
	char *head; /* the value without a key, or NULL */
	struct opt_pair *pairs;
	unsigned int nr;
};

/* How a BIOS translates a disk's geometry: as the disk is, or what CMOS memory is to say + 1. */
enum opt_translation {
	OPT_TRANSLATION_AUTO,
	OPT_TRANSLATION_NONE,
	OPT_TRANSLATION_LBA,
	OPT_TRANSLATION_LARGE,
	OPT_TRANSLATION_RECHS
};

struct opt_drive {
	bool present; /* a drive is on this IDE position */
	bool cdrom;
	bool read_only;
	bool write_through; /* cache=writethrough or directsync */
	bool discard;	    /* discard=unmap: discarded space goes back to the host */
	char *werror, *rerror;
	char *serial;				/* NULL: made up */
	char *version;				/* of the firmware, NULL: ours */
	char *id;				/* "ide-5632" or NULL */
	char *file;				/* NULL: empty CD drive */
	char *format;				/* "raw", "qcow2" or NULL = raw */
	unsigned int cylinders, heads, sectors; /* all 0: as the disk looks */
	enum opt_translation translation;
	unsigned int physical_sector; /* bytes, 0: not told to the guest */
};

/* The host's side of a network card, by -netdev. */
struct opt_netdev {
	char *kind; /* "tap", "user", "dgram" */
	char *id;
	struct opt_list args;
	bool taken; /* a card has it */
};

struct opt_nic {
	char *model, *id, *netdev_id;
	char *mac;			 /* NULL: made up */
	const struct opt_netdev *netdev; /* NULL: no cable */
	char *romfile;			 /* NULL: the model's own; "": none */
	int slot;			 /* PCI device number, -1: the next free one */
	unsigned int iobase, irq;	 /* of an ISA card */
};

/* -object filter-dump: a copy of all frames in a pcap file. */
struct opt_netdump {
	char *netdev, *file;
	uint32_t max_bytes; /* of each frame */
};

/* -object tls-creds-x509 or tls-creds-anon, for -vnc ...,tls-creds=ID. */
struct opt_tls {
	char *id;
	bool x509;
	char *dir;	  /* of the certificates */
	bool verify_peer; /* clients need a certificate */
	char *priority;	  /* GnuTLS's, NULL: ours */
};

struct opt_chardev {
	char *id;
	char *path; /* unix socket path, or NULL with fd */
	int fd;	    /* -1: none */
	bool server, wait, monitor;
};

struct options {
	int domid; /* -1 under qtest */
	char *name;
	uint64_t ram_bytes;
	unsigned int vcpus, max_vcpus;
	char *boot_order; /* "dc", never NULL */
	bool xen_platform;
	bool acpi;

	char *vnc; /* the whole argument of -vnc, NULL or "none": no VNC */
	bool sdl;
	bool sdl_opengl;
	bool sdl_close; /* closing the window switches the guest off */
	char *keymap;	/* -k, NULL: "en-us" */
	enum vga_type vga;
	unsigned int vgamem_mib;

	char *serial[OPT_MAX_SERIAL]; /* NULL or "none": the port is absent */
	unsigned int nr_serial;
	char *debugcon; /* where port 0xe9/0x402 output goes; NULL: nowhere */
	bool usb;
	bool usb_tablet, usb_mouse, usb_keyboard;
	bool no_usb; /* -usbdevice none: not even the tablet that a display gets */
	struct opt_drive drives[OPT_MAX_DRIVES]; /* primary master .. secondary slave */
	struct opt_drive ide_global; /* -global: of disks that say nothing of their own */
	struct opt_drive floppies[2];
	struct opt_drive pending[OPT_MAX_PENDING]; /* -drive if=none, until a -device names it */
	unsigned int nr_pending;
	struct opt_nic nics[OPT_MAX_NICS];
	unsigned int nr_nics;
	struct opt_netdev netdevs[OPT_MAX_NICS];
	unsigned int nr_netdevs;
	struct opt_netdump netdumps[OPT_MAX_NICS];
	unsigned int nr_netdumps;
	struct opt_chardev chardevs[OPT_MAX_CHARDEVS];
	unsigned int nr_chardevs;
	struct opt_tls tls[OPT_MAX_TLS];
	unsigned int nr_tls;

	int incoming_fd;    /* -1: a fresh start */
	bool start_stopped; /* -S */
	bool restrict_domid;
	char *chroot;
	char *runas; /* "UID:GID" or a name */
	unsigned int
		uid_base; /* a domain's user is this and its number, where no user says otherwise */
	enum sandbox_mode sandbox;
	bool xen_attach; /* no devices: only the paravirtual back ends of a domain */

	char *qtest;	    /* "stdio" or "unix:PATH", NULL: a real domain */
	char *firmware_dir; /* -L, searched first */
};

/* Exits with a message on errors, and for --help and --version. */
void options_parse(struct options *o, int argc, char **argv);
/* Split "a,b=c"; the value of key or NULL. */
void opt_list_parse(struct opt_list *l, const char *arg);
const char *opt_list_get(const struct opt_list *l, const char *key);
void opt_list_free(struct opt_list *l);
/* Find a firmware file (VGA BIOS, iPXE): returns a path to free, or NULL. */
char *options_find_firmware(const struct options *o, const char *name);

#endif

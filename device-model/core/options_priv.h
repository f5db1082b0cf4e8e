/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between options.c (table, simple options) and options_dev.c (drives, devices, sockets) and options_net.c. */
#ifndef DM_CORE_OPTIONS_PRIV_H
#define DM_CORE_OPTIONS_PRIV_H

#include "core/options.h"

/* End the program when l has a key that is not in the NULL-terminated list. */
void opt_list_only(const struct opt_list *l, const char *option, const char *const *known);
unsigned long opt_number(const char *option, const char *s, unsigned long max);

void opt_drive(struct options *o, const char *arg);
void opt_device(struct options *o, const char *arg);
/* -vga or -device NAME: the card that stands for it. */
void opt_vga_card(struct options *o, const char *name);
void opt_blockdev(struct options *o, const char *arg);
/* ide-hd.serial=, ide-hd.ver=; false: another property. */
bool opt_ide_global(struct options *o, const char *arg);
void opt_cdrom(struct options *o, const char *arg);
void opt_fda(struct options *o, const char *arg);
void opt_fdb(struct options *o, const char *arg);
/* isa-fdc.driveA=ID or driveB=ID; false: another property. */
bool opt_floppy_global(struct options *o, const char *arg);
void opt_netdev(struct options *o, const char *arg);
void opt_net(struct options *o, const char *arg);
void opt_object(struct options *o, const char *arg);
void opt_netdump(struct options *o, const struct opt_list *l);
void opt_device_nic(struct options *o, const struct opt_list *l);
void opt_chardev_add(struct options *o, const char *arg);
void opt_mon(struct options *o, const char *arg);
void opt_qmp(struct options *o, const char *arg);
/* After the last option: join drives and devices, netdevs and NICs. */
void options_dev_finish(struct options *o);
void options_net_finish(struct options *o);

#endif

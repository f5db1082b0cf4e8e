/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paravirtual back ends of one domain, found in xenstore: disks of the kind "qdisk". They need grants
 * and xenstore, so they are served by a process that does not emulate devices: one that libxl starts
 * with -xen-attach for a PVH guest, or a child of an HVM guest's device model.
 */
#ifndef DM_PV_PV_H
#define DM_PV_PV_H

/* Connect, watch xenstore from the main loop. 0 or -errno after logging why. */
int pv_start(unsigned int domid);
/* Disconnect all disks. */
void pv_stop(void);

#endif

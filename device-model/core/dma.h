/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only path to guest memory. Each call copies: a guest structure is read once, then judged.
 * Mappings are cached in chunks over xenforeignmemory and dropped on the VMM's INVALIDATE request.
 */
#ifndef DM_CORE_DMA_H
#define DM_CORE_DMA_H

#include <stddef.h>
#include <stdint.h>

struct machine;

/*
 * Copy from/to guest-physical memory. 0, or -EFAULT when a page is not RAM (what could be copied is
 * copied; what could not be read is filled with 0xff, as a bus without a target answers). DMA to
 * device ranges is not routed.
 * Main loop's thread only; pages written are reported for the VMM's dirty log when that is on.
 */
int dma_read(struct machine *m, uint64_t gpa, void *buf, size_t len);
int dma_write(struct machine *m, uint64_t gpa, const void *buf, size_t len);
int dma_set(struct machine *m, uint64_t gpa, uint8_t byte, size_t len);

/* Forget all mappings (the guest gave memory back, or its layout changed). */
void dma_invalidate(struct machine *m);
/* Report [gpa, gpa+len) as changed by this process, while the dirty log is on. */
void dma_mark_dirty(struct machine *m, uint64_t gpa, size_t len);
/* While on, every page that dma_write changes is reported to the VMM (live migration). */
void dma_set_global_dirty_log(struct machine *m, int on);
/* The same for good, video memory aside: the guest's page tables are mirrored (hap=0), and may come from a disk. */
void dma_tell_writes(struct machine *m);

#endif

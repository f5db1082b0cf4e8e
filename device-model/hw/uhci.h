/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UHCI host controller of the PIIX3, 00:01.2 (Intel, Universal Host Controller Interface Design
 * Guide 1.1; 82371SB, 2.10). uhci.c has registers, ports and the frame timer, uhci_schedule.c the
 * frame list, queues and transfers.
 *
 * A guest has no way to say that it added a transfer: the controller must look. While nothing happens
 * for 64 frames it looks at the frames of 32 ms together, so that an idle guest costs 31 wake-ups a
 * second and not 1000. Input, register writes and reads of the frame number end that at once.
 */
#ifndef DM_HW_UHCI_H
#define DM_HW_UHCI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pci.h"
#include "core/timer.h"
#include "hw/usb.h"

#define UHCI_PORTS	2u
#define UHCI_FRAMES	1024u
#define UHCI_FRAME_NS	NS_PER_MS
#define UHCI_IDLE_AFTER 64u /* frames */
#define UHCI_IDLE_BATCH 32u /* frames */

enum uhci_cmd_bit {
	CMD_RUN = 0x01,
	CMD_HCRESET = 0x02,
	CMD_GRESET = 0x04,
	CMD_SUSPEND = 0x08,
	CMD_RESUME = 0x10,
	CMD_CONFIGURED = 0x40,
};

enum uhci_sts_bit {
	STS_INT = 0x01,
	STS_ERROR = 0x02,
	STS_RESUME = 0x04,
	STS_HOST_ERROR = 0x08,
	STS_PROCESS_ERROR = 0x10,
	STS_HALTED = 0x20,
};

enum uhci_intr_bit { INTR_CRC = 1, INTR_RESUME = 2, INTR_IOC = 4, INTR_SHORT = 8 };

enum uhci_port_bit {
	PORT_CONNECTED = 0x0001,
	PORT_CONNECT_CHANGE = 0x0002,
	PORT_ENABLED = 0x0004,
	PORT_ENABLE_CHANGE = 0x0008,
	PORT_DPLUS = 0x0010,
	PORT_RESUME = 0x0040,
	PORT_ONE = 0x0080,
	PORT_RESET = 0x0200,
	PORT_SUSPENDED = 0x1000,
};

struct uhci;

struct uhci_port {
	struct uhci *c;
	uint16_t ctrl;
	struct usb_device *dev; /* NULL: nothing is plugged in, for ever */
};

struct uhci {
	struct pci_device pci;
	uint16_t cmd, sts, intr, frame;
	uint32_t frame_base;
	uint8_t sof;
	bool cause_ioc, cause_short; /* behind STS_INT */
	struct uhci_port port[UHCI_PORTS];

	struct dm_timer timer;
	uint64_t last_ns;	 /* when the present frame began */
	unsigned int idle_count; /* frames without a transfer */
};

/* uhci_schedule.c: one frame. Sets causes and status; true when a transfer was made. */
bool uhci_run_frame(struct uhci *c);

#endif

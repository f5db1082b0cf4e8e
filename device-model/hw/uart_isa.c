// SPDX-License-Identifier: GPL-2.0-or-later
/* COM1-COM4: UARTs at the PC's ports and interrupts, on the back ends that -serial names. */
#include <errno.h>
#include <stdlib.h>

#include "core/bus.h"
#include "core/chardev.h"
#include "core/device.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/save.h"
#include "core/timer.h"
#include "core/util.h"
#include "hw/uart.h"

struct uart_isa {
	struct uart uart;
	struct irq_line irq;
	struct chardev *chr;
	struct dm_timer transmit, receive;
};

static void set_irq(void *opaque, bool level)
{
	struct uart_isa *s = opaque;

	irq_set(&s->irq, level);
}

static size_t transmit(void *opaque, const uint8_t *buf, size_t len)
{
	struct uart_isa *s = opaque;

	return chardev_write(s->chr, buf, len);
}

static void send_break(void *opaque)
{
	struct uart_isa *s = opaque;

	chardev_send_break(s->chr);
}

static void accept_input(void *opaque)
{
	struct uart_isa *s = opaque;

	chardev_accept_input(s->chr);
}

static void arm(struct dm_timer *t, uint64_t ns)
{
	if (ns)
		dm_timer_set_ns(t, clock_ns() + ns);
	else
		dm_timer_cancel(t);
}

static void transmit_timer(void *opaque, uint64_t ns)
{
	struct uart_isa *s = opaque;

	arm(&s->transmit, ns);
}

static void receive_timer(void *opaque, uint64_t ns)
{
	struct uart_isa *s = opaque;

	arm(&s->receive, ns);
}

static const struct uart_ops ops = {
	.set_irq = set_irq,
	.transmit = transmit,
	.send_break = send_break,
	.accept = accept_input,
	.transmit_timer = transmit_timer,
	.receive_timer = receive_timer,
};

static void transmit_due(void *opaque)
{
	struct uart_isa *s = opaque;

	uart_transmit_done(&s->uart);
}

static void receive_due(void *opaque)
{
	struct uart_isa *s = opaque;

	uart_receive_timeout(&s->uart);
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct uart_isa *s = opaque;

	/* A guest that polls need not wait for the loop to look at its timers. */
	if (s->transmit.armed && clock_ns() >= s->transmit.expires_ns) {
		dm_timer_cancel(&s->transmit);
		uart_transmit_done(&s->uart);
	}
	return uart_read(&s->uart, (unsigned int)offset);
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct uart_isa *s = opaque;

	uart_write(&s->uart, (unsigned int)offset, (uint8_t)value);
}

static const struct io_ops port_ops = { .read = port_read, .write = port_write, .max_size = 1 };

static size_t can_receive(void *opaque)
{
	struct uart_isa *s = opaque;

	return uart_can_receive(&s->uart);
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
	struct uart_isa *s = opaque;

	uart_receive(&s->uart, buf, len);
}

static void on_reset(void *opaque)
{
	struct uart_isa *s = opaque;

	uart_reset(&s->uart);
}

static int uart_loaded(void *obj, uint32_t version)
{
	struct uart_isa *s = obj;

	if (s->uart.tx_count)
		arm(&s->transmit, 1);
	if (s->uart.rx_count && !s->uart.timeout_pending)
		arm(&s->receive, 1);
	uart_update(&s->uart);
	return 0;
}

static const struct save_field uart_fields[] = {
	SAVE(struct uart_isa, uart.ier),
	SAVE(struct uart_isa, uart.fcr),
	SAVE(struct uart_isa, uart.lcr),
	SAVE(struct uart_isa, uart.mcr),
	SAVE(struct uart_isa, uart.lsr),
	SAVE(struct uart_isa, uart.msr),
	SAVE(struct uart_isa, uart.scr),
	SAVE(struct uart_isa, uart.divisor),
	SAVE(struct uart_isa, uart.rx_head, .max = UART_FIFO - 1),
	SAVE(struct uart_isa, uart.rx_count, .max = UART_FIFO),
	SAVE_ARRAY(struct uart_isa, uart.rx),
	SAVE(struct uart_isa, uart.tx_count, .max = UART_FIFO),
	SAVE_ARRAY(struct uart_isa, uart.tx),
	SAVE(struct uart_isa, uart.thre_pending),
	SAVE(struct uart_isa, uart.timeout_pending),
	SAVE_END,
};

static const struct save_ops uart_save_ops = { "uart", 1, uart_fields, .loaded = uart_loaded };

static int uart_create(struct machine *m, unsigned int index, const char *spec)
{
	static const struct {
		uint16_t port;
		uint8_t irq;
	} com[OPT_MAX_SERIAL] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };
	struct uart_isa *s = xzalloc(sizeof(*s));
	char *label = xasprintf("serial%u", index);
	const struct chardev_frontend fe = { .opaque = s,
					     .can_receive = can_receive,
					     .receive = receive };

	s->chr = chardev_open(m, label, spec);
	free(label);
	if (!s->chr) {
		log_error("serial port %u: cannot use \"-serial %s\"", index, spec);
		return -EINVAL;
	}
	s->uart.ops = &ops;
	s->uart.opaque = s;
	dm_timer_init(&s->transmit, DM_CLOCK_GUEST, transmit_due, s);
	dm_timer_init(&s->receive, DM_CLOCK_GUEST, receive_due, s);
	irq_init_isa(&s->irq, m, com[index].irq);
	if (!pio_register(m, com[index].port, 8, &port_ops, s, "uart"))
		return -EBUSY;
	uart_reset(&s->uart);
	chardev_set_frontend(s->chr, &fe);
	machine_on_reset(m, on_reset, s);
	save_register(m, &uart_save_ops, index, s);
	return 0;
}

static int uart_init(struct machine *m)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < m->opt->nr_serial && !rc; i++)
		if (m->opt->serial[i] && strcmp(m->opt->serial[i], "none"))
			rc = uart_create(m, i, m->opt->serial[i]);
	return rc;
}

DEVICE(DEVICE_ISA, uart, uart_init);

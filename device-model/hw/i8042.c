// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8042 keyboard controller with its PS/2 mouse port: ports 60h and 64h, IRQ 1 and 12 (IBM PS/2
 * Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller"). It owns the
 * keyboard and the mouse (ps2_*.c) and binds them to the user's input. A20 is only a bit here: the
 * address line itself is always on in a virtual machine.
 */
#include <errno.h>
#include <string.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/input.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/save.h"
#include "core/util.h"
#include "hw/ps2.h"

#define STATUS_OUTPUT_FULL 0x01u
#define STATUS_SYSTEM	   0x04u
#define STATUS_COMMAND	   0x08u /* the last write was to port 64h */
#define STATUS_UNLOCKED	   0x10u
#define STATUS_AUX_FULL	   0x20u

#define CONFIG_KBD_IRQ	   0x01u
#define CONFIG_AUX_IRQ	   0x02u
#define CONFIG_SYSTEM	   0x04u
#define CONFIG_KBD_OFF	   0x10u
#define CONFIG_AUX_OFF	   0x20u
#define CONFIG_TRANSLATE   0x40u

#define OUTPORT_NO_RESET   0x01u
#define OUTPORT_A20	   0x02u
#define OUTPORT_KBD_FULL   0x10u
#define OUTPORT_AUX_FULL   0x20u
#define OUTPORT_POWER_ON   0xcfu /* clock and data lines idle, too */

#define RAM_BYTES	   32u

enum {
	CMD_READ_RAM = 0x20, /* 20-3f; 20h is the configuration byte */
	CMD_WRITE_RAM = 0x60,
	CMD_AUX_OFF = 0xa7,
	CMD_AUX_ON = 0xa8,
	CMD_TEST_AUX = 0xa9,
	CMD_SELF_TEST = 0xaa,
	CMD_TEST_KBD = 0xab,
	CMD_KBD_OFF = 0xad,
	CMD_KBD_ON = 0xae,
	CMD_READ_INPORT = 0xc0,
	CMD_READ_OUTPORT = 0xd0,
	CMD_WRITE_OUTPORT = 0xd1,
	CMD_WRITE_KBD_BUFFER = 0xd2,
	CMD_WRITE_AUX_BUFFER = 0xd3,
	CMD_WRITE_AUX = 0xd4,
	CMD_A20_OFF = 0xdd,
	CMD_A20_ON = 0xdf,
	CMD_PULSE = 0xf0, /* f0-ff: output port bits 0-3 that are 0 go low for a moment */
};

struct i8042 {
	struct machine *m;
	struct irq_line kbd_irq, aux_irq;
	struct ps2_keyboard kbd;
	struct ps2_mouse mouse;
	struct ps2_queue own_kbd, own_aux; /* the controller's answers, and d2/d3 */
	struct input_device kbd_input, mouse_input;
	struct input *input; /* the machine's: keys on their way to whichever keyboard */
	uint8_t status, outport, data;
	uint8_t pending;	/* command that waits for a byte at port 60h */
	bool break_prefix;	/* translation swallowed an f0 */
	uint8_t ram[RAM_BYTES]; /* [0] is the configuration byte */
};

static void update_irqs(struct i8042 *s)
{
	bool full = s->status & STATUS_OUTPUT_FULL, aux = s->status & STATUS_AUX_FULL;

	irq_set(&s->kbd_irq, full && !aux && (s->ram[0] & CONFIG_KBD_IRQ));
	irq_set(&s->aux_irq, full && aux && (s->ram[0] & CONFIG_AUX_IRQ));
}

static void fill_output(struct i8042 *s, uint8_t byte, bool aux)
{
	s->data = byte;
	s->status |= STATUS_OUTPUT_FULL | (aux ? STATUS_AUX_FULL : 0);
}

/* The next byte of the keyboard, translated; false when an f0 was its last. */
static bool next_key_byte(struct i8042 *s, uint8_t *byte)
{
	while (s->kbd.out.count) {
		uint8_t raw = ps2_queue_get(&s->kbd.out);

		s->kbd.last = raw;
		*byte = raw;
		if (!(s->ram[0] & CONFIG_TRANSLATE))
			return true;
		if (raw == 0xf0) {
			s->break_prefix = true;
			continue;
		}
		*byte = ps2_translate(raw);
		if (s->break_prefix)
			*byte |= 0x80;
		s->break_prefix = false;
		return true;
	}
	return false;
}

/* Put the next byte into the output buffer, if that is free. */
static void pump(struct i8042 *s)
{
	uint8_t byte;

	if (!(s->status & STATUS_OUTPUT_FULL)) {
		s->status &= ~STATUS_AUX_FULL;
		if (s->own_kbd.count)
			fill_output(s, ps2_queue_get(&s->own_kbd), false);
		else if (s->own_aux.count)
			fill_output(s, ps2_queue_get(&s->own_aux), true);
		else if (!(s->ram[0] & CONFIG_KBD_OFF) && next_key_byte(s, &byte))
			fill_output(s, byte, false);
		else if (!(s->ram[0] & CONFIG_AUX_OFF) && s->mouse.out.count) {
			s->mouse.last = ps2_queue_get(&s->mouse.out);
			fill_output(s, s->mouse.last, true);
			ps2_mouse_poll(&s->mouse);
		}
	}
	update_irqs(s);
}

static void answer(struct i8042 *s, uint8_t byte)
{
	ps2_queue_put(&s->own_kbd, byte);
}

static uint8_t read_outport(const struct i8042 *s)
{
	uint8_t v = s->outport & ~(OUTPORT_KBD_FULL | OUTPORT_AUX_FULL);

	if (s->status & STATUS_OUTPUT_FULL)
		v |= s->status & STATUS_AUX_FULL ? OUTPORT_AUX_FULL : OUTPORT_KBD_FULL;
	return v;
}

static void write_outport(struct i8042 *s, uint8_t value)
{
	s->outport = value;
	if (!(value & OUTPORT_NO_RESET)) {
		s->outport |= OUTPORT_NO_RESET;
		machine_guest_reset(s->m);
	}
}

static void command_fixed(struct i8042 *s, uint8_t cmd)
{
	switch (cmd) {
	case CMD_AUX_OFF:
		s->ram[0] |= CONFIG_AUX_OFF;
		break;
	case CMD_AUX_ON:
		s->ram[0] &= ~CONFIG_AUX_OFF;
		break;
	case CMD_KBD_OFF:
		s->ram[0] |= CONFIG_KBD_OFF;
		break;
	case CMD_KBD_ON:
		s->ram[0] &= ~CONFIG_KBD_OFF;
		break;
	case CMD_TEST_AUX:
	case CMD_TEST_KBD:
		answer(s, 0x00);
		break;
	case CMD_SELF_TEST:
		s->status |= STATUS_SYSTEM;
		answer(s, 0x55);
		break;
	case CMD_READ_INPORT:
		answer(s, 0x80); /* not locked */
		break;
	case CMD_READ_OUTPORT:
		answer(s, read_outport(s));
		break;
	case CMD_WRITE_OUTPORT:
	case CMD_WRITE_KBD_BUFFER:
	case CMD_WRITE_AUX_BUFFER:
	case CMD_WRITE_AUX:
		s->pending = cmd;
		break;
	case CMD_A20_OFF:
		s->outport &= ~OUTPORT_A20;
		break;
	case CMD_A20_ON:
		s->outport |= OUTPORT_A20;
		break;
	default:
		log_trace(TRACE_PS2, "i8042: unknown command %02x", cmd);
	}
}

static void command(struct i8042 *s, uint8_t cmd)
{
	s->status |= STATUS_COMMAND;
	s->pending = 0;
	if (cmd >= CMD_READ_RAM && cmd < CMD_READ_RAM + RAM_BYTES)
		answer(s, s->ram[cmd - CMD_READ_RAM]);
	else if (cmd >= CMD_WRITE_RAM && cmd < CMD_WRITE_RAM + RAM_BYTES)
		s->pending = cmd;
	else if (cmd >= CMD_PULSE && !(cmd & OUTPORT_NO_RESET))
		machine_guest_reset(s->m);
	else if (cmd < CMD_PULSE)
		command_fixed(s, cmd);
}

static void write_config(struct i8042 *s, uint8_t value)
{
	s->ram[0] = value & 0x7f;
	s->status = (s->status & ~STATUS_SYSTEM) | (value & CONFIG_SYSTEM ? STATUS_SYSTEM : 0);
}

static void data_written(struct i8042 *s, uint8_t value)
{
	uint8_t cmd = s->pending;

	s->status &= ~STATUS_COMMAND;
	s->pending = 0;
	switch (cmd) {
	case 0: /* talking to the keyboard turns its clock on */
		s->ram[0] &= ~CONFIG_KBD_OFF;
		ps2_keyboard_write(&s->kbd, value);
		break;
	case CMD_WRITE_OUTPORT:
		write_outport(s, value);
		break;
	case CMD_WRITE_KBD_BUFFER:
		ps2_queue_put(&s->own_kbd, value);
		break;
	case CMD_WRITE_AUX_BUFFER:
		ps2_queue_put(&s->own_aux, value);
		break;
	case CMD_WRITE_AUX:
		s->ram[0] &= ~CONFIG_AUX_OFF;
		ps2_mouse_write(&s->mouse, value);
		break;
	case CMD_WRITE_RAM:
		write_config(s, value);
		break;
	default:
		s->ram[cmd - CMD_WRITE_RAM] = value;
	}
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct i8042 *s = opaque;
	uint8_t value = s->data;

	/* With nothing new the last byte shows again: handlers that chain read it twice. */
	if (s->status & STATUS_OUTPUT_FULL) {
		s->status &= ~STATUS_OUTPUT_FULL;
		update_irqs(s);
		pump(s);
		input_keyboard_ready(s->input);
	}
	return value;
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct i8042 *s = opaque;

	data_written(s, (uint8_t)value);
	pump(s);
	input_keyboard_ready(s->input); /* commands empty the queue */
}

static uint64_t status_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct i8042 *s = opaque;

	return s->status;
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct i8042 *s = opaque;

	log_trace(TRACE_PS2, "i8042: command %02x", (unsigned int)(value & 0xff));
	command(s, (uint8_t)value);
	pump(s);
}

static const struct io_ops data_ops = { .read = data_read, .write = data_write, .max_size = 1 };
static const struct io_ops command_ops = {
	.read = status_read,
	.write = command_write,
	.max_size = 1,
};

static bool on_key_ready(void *opaque)
{
	return ps2_keyboard_ready(&((const struct i8042 *)opaque)->kbd);
}

static void on_key(void *opaque, unsigned int code, bool down)
{
	struct i8042 *s = opaque;

	ps2_keyboard_key(&s->kbd, code, down);
	pump(s);
}

static void on_pointer(void *opaque, int dx, int dy, unsigned int buttons)
{
	struct i8042 *s = opaque;

	ps2_mouse_move(&s->mouse, dx, dy, buttons);
	pump(s);
}

static void on_leds(void *opaque, uint8_t leds)
{
	input_set_leds(&((struct i8042 *)opaque)->m->input, leds);
}

static void on_reset(void *opaque)
{
	struct i8042 *s = opaque;

	memset(&s->own_kbd, 0, sizeof(s->own_kbd));
	memset(&s->own_aux, 0, sizeof(s->own_aux));
	memset(s->ram, 0, sizeof(s->ram));
	s->ram[0] = CONFIG_KBD_IRQ | CONFIG_AUX_IRQ;
	s->status = STATUS_COMMAND | STATUS_UNLOCKED;
	s->outport = OUTPORT_POWER_ON;
	s->data = s->pending = 0;
	s->break_prefix = false;
	ps2_keyboard_reset(&s->kbd);
	ps2_mouse_reset(&s->mouse);
	update_irqs(s);
}

/* Queues are saved from their head on. */
static void queue_straighten(struct ps2_queue *q)
{
	struct ps2_queue old = *q;
	unsigned int i;

	for (i = 0; i < q->count; i++)
		q->data[i] = old.data[(old.head + i) % PS2_QUEUE];
	q->head = 0;
}

static void i8042_refresh(void *obj)
{
	struct i8042 *s = obj;

	input_refresh(s->input);
	queue_straighten(&s->own_kbd);
	queue_straighten(&s->own_aux);
	queue_straighten(&s->kbd.out);
	queue_straighten(&s->mouse.out);
}

static bool pending_valid(uint8_t cmd)
{
	return !cmd || (cmd >= CMD_WRITE_RAM && cmd < CMD_WRITE_RAM + RAM_BYTES) ||
	       (cmd >= CMD_WRITE_OUTPORT && cmd <= CMD_WRITE_AUX);
}

static int i8042_loaded(void *obj, uint32_t version)
{
	struct i8042 *s = obj;

	s->kbd.modifiers = 0;
	s->mouse.buttons = s->mouse.sent_buttons = 0;
	s->mouse.input_buttons = 0;
	s->mouse.dx = s->mouse.dy = s->mouse.dz = 0;
	if (!s->kbd.set || !pending_valid(s->pending))
		return -EINVAL;
	input_set_leds(s->input, s->kbd.leds & 7);
	update_irqs(s);
	return version < 2 ? 0 : input_loaded(s->input);
}

/* The keyboard that is active is known when all devices are loaded. */
static void on_run(void *opaque, bool running)
{
	if (running)
		input_keyboard_ready(((struct i8042 *)opaque)->input);
}

static size_t queue_length(const void *obj)
{
	return ((const struct ps2_queue *)obj)->count;
}

static const struct save_field queue_fields[] = {
	SAVE(struct ps2_queue, count, .max = PS2_QUEUE),
	SAVE_ARRAY(struct ps2_queue, data, .present = queue_length),
	SAVE_END,
};

static const struct save_field i8042_fields[] = {
	SAVE(struct i8042, status),
	SAVE(struct i8042, outport),
	SAVE(struct i8042, data),
	SAVE(struct i8042, pending),
	SAVE(struct i8042, break_prefix),
	SAVE_ARRAY(struct i8042, ram),
	SAVE_PART(struct i8042, own_kbd, queue_fields),
	SAVE_PART(struct i8042, own_aux, queue_fields),
	SAVE_PART(struct i8042, kbd.out, queue_fields),
	SAVE(struct i8042, kbd.pending),
	SAVE(struct i8042, kbd.set, .max = 3),
	SAVE(struct i8042, kbd.leds),
	SAVE(struct i8042, kbd.rate),
	SAVE(struct i8042, kbd.last),
	SAVE(struct i8042, kbd.scanning),
	SAVE_PART(struct i8042, mouse.out, queue_fields),
	SAVE(struct i8042, mouse.pending),
	SAVE(struct i8042, mouse.mode, .max = PS2_MOUSE_REMOTE),
	SAVE(struct i8042, mouse.wrap),
	SAVE(struct i8042, mouse.reporting),
	SAVE(struct i8042, mouse.scaling2),
	SAVE(struct i8042, mouse.resolution),
	SAVE(struct i8042, mouse.rate),
	SAVE_ARRAY(struct i8042, mouse.rates),
	SAVE(struct i8042, mouse.id),
	SAVE(struct i8042, mouse.last),
	SAVE_AT(struct i8042, input, input_fields, .first = 2),
	SAVE_END,
};

static const struct save_ops i8042_save_ops = { "i8042", 2, i8042_fields, i8042_refresh,
						i8042_loaded };

static int i8042_init(struct machine *m)
{
	struct i8042 *s = xzalloc(sizeof(*s));

	s->m = m;
	s->input = &m->input;
	irq_init_isa(&s->kbd_irq, m, 1);
	irq_init_isa(&s->aux_irq, m, 12);
	s->kbd.leds_changed = on_leds;
	s->kbd.opaque = s;
	if (!pio_register(m, 0x60, 1, &data_ops, s, "i8042 data") ||
	    !pio_register(m, 0x64, 1, &command_ops, s, "i8042 command"))
		return -EBUSY;
	s->kbd_input = (struct input_device){
		.name = "PS/2 keyboard", .opaque = s, .key = on_key, .key_ready = on_key_ready
	};
	s->mouse_input = (struct input_device){ .name = "PS/2 mouse",
						.opaque = s,
						.pointer_rel = on_pointer };
	input_register(s->input, &s->kbd_input);
	input_register(s->input, &s->mouse_input);
	machine_on_reset(m, on_reset, s);
	machine_on_run(m, on_run, s);
	save_register(m, &i8042_save_ops, 0, s);
	return 0;
}

DEVICE(DEVICE_ISA, i8042, i8042_init);

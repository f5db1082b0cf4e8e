/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_platform_op (xen/platform.h): what dom0's kernel asks about the machine. Power-off and
 * sleep, the wall clock, the processors, the boot screen.
 */
#include "command.h"
#include "boot.h"
#include "sched.h"
#include <xen/platform.h>

#define XENPF_get_dom0_console 64 /* Xen 4.18; Linux 6.1.192 asks for it */

static long op_settime64(struct call *c)
{
	const struct xenpf_settime64 *t = c->arg;

	if (t->mbz || t->nsecs >= NS_PER_SEC)
		return -EINVAL;
	time_set_wallclock(t->secs, t->nsecs, t->system_time);
	return 0;
}

static long op_firmware_info(struct call *c)
{
	struct xenpf_firmware_info *f = c->arg;

	if (f->type == XEN_FW_KBD_SHIFT_FLAGS) {
		f->u.kbd_shift_flags = 0;
		return 0;
	}
	if (f->type == XEN_FW_EFI_INFO && !boot_info.efi)
		return -ENODEV;
	/* Disk and EDID data would need BIOS calls, EFI run-time services a call into the firmware. */
	return f->type == XEN_FW_EFI_INFO ? -ENOSYS : -ESRCH;
}

static long op_enter_acpi_sleep(struct call *c)
{
	const struct xenpf_enter_acpi_sleep *s = c->arg;

	if (s->flags & ~XENPF_ACPI_SLEEP_EXTENDED)
		return -EINVAL;
	if (s->flags & XENPF_ACPI_SLEEP_EXTENDED)
		return -EOPNOTSUPP;
	if (s->sleep_state != 5) {
		printk(LOG_WARN "dom0 asks for sleep state S%u: only S5 is supported\n",
		       s->sleep_state);
		return -EOPNOTSUPP;
	}
	printk(LOG_INFO "dom0 powers the machine off (S5)\n");
	return machine_acpi_sleep(s->val_a, s->val_b);
}

static long op_get_cpuinfo(struct call *c)
{
	struct xenpf_pcpuinfo *i = c->arg;

	i->max_present = nr_cpus - 1;
	if (i->xen_cpuid >= nr_cpus) {
		i->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	i->flags = XEN_PCPU_FLAGS_ONLINE;
	i->apic_id = cpus[i->xen_cpuid]->apic_id;
	i->acpi_id = i->xen_cpuid; /* the UID in dom0's MADT */
	return 0;
}

static long op_get_cpu_version(struct call *c)
{
	struct xenpf_pcpu_version *v = c->arg;

	v->max_present = nr_cpus - 1;
	if (v->xen_cpuid >= nr_cpus)
		return -EINVAL;
	memcpy(v->vendor_id, host_cpu.vendor, sizeof(v->vendor_id));
	v->family = host_cpu.family;
	v->model = host_cpu.model;
	v->stepping = host_cpu.stepping;
	return 0;
}

static long op_getidletime(struct call *c)
{
	struct xenpf_getidletime *g = c->arg;
	unsigned int nr = min(g->cpumap_nr_cpus, nr_cpus);
	uint64_t idle, mask = 0;

	if (copy_from_guest_la(&mask, guest_handle_la(g->cpumap_bitmap), DIV_ROUND_UP(nr, 8)))
		return -EFAULT;
	for (unsigned int i = 0; i < nr; i++) {
		idle = sched_idle_ns(i);
		if ((mask & BIT(i)) && copy_to_guest_offset(g->idletime, i, &idle, 1))
			return -EFAULT;
	}
	g->now = now_ns();
	return 0;
}

static void fill_lfb(struct dom0_vga_console_info *c)
{
	const struct boot_fb *fb = &boot_info.fb;

	c->video_type = boot_info.efi ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
	c->u.vesa_lfb.width = (uint16_t)fb->width;
	c->u.vesa_lfb.height = (uint16_t)fb->height;
	c->u.vesa_lfb.bytes_per_line = (uint16_t)fb->pitch;
	c->u.vesa_lfb.bits_per_pixel = fb->bpp;
	c->u.vesa_lfb.lfb_base = (uint32_t)fb->addr;
	c->u.vesa_lfb.ext_lfb_base = (uint32_t)(fb->addr >> 32);
	c->u.vesa_lfb.lfb_size =
		(uint32_t)DIV_ROUND_UP((uint64_t)fb->pitch * fb->height, 64U << 10);
	c->u.vesa_lfb.red_pos = fb->red_pos;
	c->u.vesa_lfb.red_size = fb->red_size;
	c->u.vesa_lfb.green_pos = fb->green_pos;
	c->u.vesa_lfb.green_size = fb->green_size;
	c->u.vesa_lfb.blue_pos = fb->blue_pos;
	c->u.vesa_lfb.blue_size = fb->blue_size;
}

/* The call's own structure; the result is its size. */
static long op_get_dom0_console(struct call *c)
{
	struct dom0_vga_console_info *i = c->arg;

	memset(i, 0, sizeof(*i));
	if (boot_info.fb.kind == FB_LINEAR) {
		fill_lfb(i);
	} else if (boot_info.fb.kind == FB_TEXT) {
		i->video_type = XEN_VGATYPE_TEXT_MODE_3;
		i->u.text_mode_3.font_height = 16;
		i->u.text_mode_3.rows = (uint16_t)boot_info.fb.height;
		i->u.text_mode_3.columns = (uint16_t)boot_info.fb.width;
		i->u.text_mode_3.cursor_y = (uint16_t)(boot_info.fb.height - 1);
	} else {
		return -ENODEV;
	}
	return sizeof(*i);
}

#define CMD(n) [XENPF_##n] = PLAIN(#n, op_##n, COPYBACK, NULL)

static const struct abi_command commands[] = {
	CMD(settime64),	      CMD(firmware_info), CMD(enter_acpi_sleep), CMD(get_cpuinfo),
	CMD(get_cpu_version), CMD(getidletime),	  CMD(get_dom0_console),
};

static const struct abi_family platform_family = {
	.name = "platform_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NULL),
	.version = XENPF_INTERFACE_VERSION,
	.size = sizeof(struct xen_platform_op),
	.arg_at = offsetof(struct xen_platform_op, u),
};

long abi_platform_op(struct call *c)
{
	return call_tool_op(c, &platform_family);
}

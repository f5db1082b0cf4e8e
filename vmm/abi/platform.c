/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_platform_op (xen/platform.h): what dom0's kernel asks about the machine. Power-off and
 * sleep, the wall clock, the processors, the boot screen.
 */
#include "handlers.h"
#include "boot.h"
#include "sched.h"
#include <xen/platform.h>

#define XENPF_get_dom0_console 64 /* Xen 4.18; Linux 6.1.192 asks for it */

static long op_settime64(const struct xenpf_settime64 *t)
{
	if (t->mbz || t->nsecs >= NS_PER_SEC)
		return -EINVAL;
	time_set_wallclock(t->secs, t->nsecs, t->system_time);
	return 0;
}

static long op_firmware_info(struct xenpf_firmware_info *f)
{
	if (f->type == XEN_FW_KBD_SHIFT_FLAGS) {
		f->u.kbd_shift_flags = 0;
		return 0;
	}
	if (f->type == XEN_FW_EFI_INFO && !boot_info.efi)
		return -ENODEV;
	/* Disk and EDID data would need BIOS calls, EFI run-time services a call into the firmware. */
	return f->type == XEN_FW_EFI_INFO ? -ENOSYS : -ESRCH;
}

static long op_enter_acpi_sleep(const struct xenpf_enter_acpi_sleep *s)
{
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

static long op_get_cpuinfo(struct xenpf_pcpuinfo *i)
{
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

static long op_get_cpu_version(struct xenpf_pcpu_version *v)
{
	v->max_present = nr_cpus - 1;
	if (v->xen_cpuid >= nr_cpus)
		return -EINVAL;
	memcpy(v->vendor_id, host_cpu.vendor, sizeof(v->vendor_id));
	v->family = host_cpu.family;
	v->model = host_cpu.model;
	v->stepping = host_cpu.stepping;
	return 0;
}

static long op_getidletime(struct xenpf_getidletime *g)
{
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
static long op_get_dom0_console(struct dom0_vga_console_info *c)
{
	memset(c, 0, sizeof(*c));
	if (boot_info.fb.kind == FB_LINEAR) {
		fill_lfb(c);
	} else if (boot_info.fb.kind == FB_TEXT) {
		c->video_type = XEN_VGATYPE_TEXT_MODE_3;
		c->u.text_mode_3.font_height = 16;
		c->u.text_mode_3.rows = (uint16_t)boot_info.fb.height;
		c->u.text_mode_3.columns = (uint16_t)boot_info.fb.width;
		c->u.text_mode_3.cursor_y = (uint16_t)(boot_info.fb.height - 1);
	} else {
		return -ENODEV;
	}
	return sizeof(*c);
}

static long platform_one(struct xen_platform_op *op)
{
	switch (op->cmd) {
	case XENPF_settime64:
		return op_settime64(&op->u.settime64);
	case XENPF_firmware_info:
		return op_firmware_info(&op->u.firmware_info);
	case XENPF_enter_acpi_sleep:
		return op_enter_acpi_sleep(&op->u.enter_acpi_sleep);
	case XENPF_get_cpuinfo:
		return op_get_cpuinfo(&op->u.pcpu_info);
	case XENPF_get_cpu_version:
		return op_get_cpu_version(&op->u.pcpu_version);
	case XENPF_getidletime:
		return op_getidletime(&op->u.getidletime);
	case XENPF_get_dom0_console:
		return op_get_dom0_console((struct dom0_vga_console_info *)(void *)op->u.pad);
	default:
		return -ENOSYS;
	}
}

long abi_platform_op(struct vcpu *v, const struct hypercall_args *args)
{
	struct xen_platform_op op;
	long rc;

	if (!v->domain->is_dom0)
		return -EPERM;
	if (copy_from_guest_la(&op, args->a[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	rc = platform_one(&op);
	if (rc >= 0 && copy_to_guest_la(args->a[0], &op, sizeof(op)))
		return -EFAULT;
	return rc;
}

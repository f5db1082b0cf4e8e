// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BIOS calls from the 32-bit build: PICs and local APIC back as the firmware left them,
 * real_entry.S for the mode switches. Paging must be off. The 64-bit build has none of this.
 */
#include "payload.h"

#ifndef __x86_64__
struct real_data {
	u32 eax, ebx, ecx, edx, esi, edi, ebp;
	u16 ds, es;
	u32 eflags, vector, esp, pad;
	u16 real_idt_limit, real_idt[3];
	u16 idt_limit, idt[3];
	u16 gdt_limit, gdt[3];
} __attribute__((packed));

extern const u8 real_code[], real_code_end[];

void real_int(u8 vector, struct real_regs *r)
{
	struct real_data *d = (void *)(REAL_BASE + 0xe00);

	memcpy((void *)REAL_BASE, real_code, real_code_end - real_code);
	memset(d, 0, sizeof(*d));
	memcpy(d, r, 32);
	d->vector = vector;
	d->real_idt_limit = 0x3ff;
	asm volatile("sidt %0; sgdt %1" : "=m"(d->idt_limit), "=m"(d->gdt_limit));
	pic_init(0x08, 0x70);
	pic_mask(0x3eb8); /* timer, keyboard, floppy, RTC, both IDE channels */
	lapic_write(APIC_LVT0, 0x700);
	((void (*)(void))REAL_BASE)();
	pic_init(0x20, 0x28);
	lapic_write(APIC_LVT0, 0x10700);
	memcpy(r, d, 36);
}
#endif

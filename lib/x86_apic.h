/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offsets of a local APIC's registers in its page, and where that page begins. SDM volume 3, table "Local APIC Register Address Map". */
#ifndef PLINTH_X86_APIC_H
#define PLINTH_X86_APIC_H

#define APIC_DEFAULT_BASE 0xfee00000UL
#define APIC_ID		  0x20
#define APIC_LVR	  0x30
#define APIC_TPR	  0x80
#define APIC_PPR	  0xa0
#define APIC_EOI	  0xb0
#define APIC_LDR	  0xd0
#define APIC_DFR	  0xe0
#define APIC_SPIV	  0xf0
#define APIC_ISR	  0x100
#define APIC_TMR	  0x180
#define APIC_IRR	  0x200
#define APIC_ESR	  0x280
#define APIC_ICR	  0x300
#define APIC_ICR2	  0x310
#define APIC_LVTT	  0x320
#define APIC_LVTTHMR	  0x330
#define APIC_LVTPC	  0x340
#define APIC_LVT0	  0x350
#define APIC_LVT1	  0x360
#define APIC_LVTERR	  0x370
#define APIC_TMICT	  0x380
#define APIC_TMCCT	  0x390
#define APIC_TDCR	  0x3e0
#define APIC_SELF_IPI	  0x3f0

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board for the VMM's timers and interrupt controllers on the host: the real sources against a
 * fake clock, fake timers and a fake vCPU. Nothing of libc is visible to the files under test.
 */
#ifndef DEVICES_TEST_H
#define DEVICES_TEST_H

#include "vmm/hvm/hvm.h"
#include "irq_private.h"
#include "pc_private.h"

/* The VMM's work for timers: functions that ran. */
extern unsigned int board_wakeups;
extern struct domain board;
extern struct vcpu board_cpu;
/* Interrupts that the IO-APIC sent, by vector, and wake-ups of vCPU 0. */
extern unsigned int board_vectors[256];
extern unsigned int board_timeoffset_calls;
extern int64_t board_timeoffset;

/* A new board at time zero: PIC, IO-APIC, PIT, RTC, PM timer, HPET. */
void board_reset(void);
/* Time passes; timers fire in order. */
void board_step(uint64_t ns);
/* Time passes, and the timers that are due have not fired yet. */
void board_late(uint64_t ns);
/* The clock goes back, as a CPU sees it whose time is behind. */
void board_back(uint64_t ns);
/* The guest's IN and OUT; what no device takes reads as ~0. */
uint32_t board_in(uint16_t port, unsigned int size);
enum io_result board_out(uint16_t port, unsigned int size, uint32_t val);
uint64_t board_read(uint64_t addr, unsigned int size);
void board_write(uint64_t addr, unsigned int size, uint64_t val);
/* Timers that are armed and not parked. */
unsigned int board_armed(void);
/* vCPU 0 takes the interrupts of its local APIC that were requested; returns how many had this vector. */
unsigned int board_take(uint8_t vector);
/* Save and load one record through its handler. 0 or -errno. */
int board_save(unsigned int type, unsigned int instance, void *buf, uint32_t *len);
int board_load(unsigned int type, unsigned int instance, const void *buf, uint32_t len);

/* Checks. */
void check_that(bool ok, const char *file, int line, const char *what);
#define CHECK(cond)    check_that(cond, __FILE__, __LINE__, #cond)
#define CHECK_EQ(a, b) check_equal(a, b, __FILE__, __LINE__, #a " == " #b)
void check_equal(uint64_t a, uint64_t b, const char *file, int line, const char *what);
void say(const char *fmt, ...) __printf(1, 2);

void test_pit(void);
void test_pit_details(void);
void test_rtc(void);
void test_rtc_divider(void);
void test_pm(void);
void test_hpet(void);
void test_unseen(void);
void test_lapic_timer(void);
void test_pic(void);
void test_ioapic(void);
void test_lapic_id(void);
void test_save(void);

/* Against QEMU's devices (qtest); false when there is no QEMU here. */
bool test_qemu(void);
bool qtest_start(void);
void qtest_stop(void);
uint8_t qtest_inb(uint16_t port);
void qtest_outb(uint16_t port, uint8_t v);

#endif

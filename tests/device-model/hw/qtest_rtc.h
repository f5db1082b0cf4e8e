/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the halves of qtest_rtc: neither sees the other's headers. */
#ifndef DM_TESTS_QTEST_RTC_H
#define DM_TESTS_QTEST_RTC_H

/* qtest_rtc_vmm.c. start_s: seconds since 1970 at the clock's zero. */
void rtc_vmm_start(uint64_t start_s);
void rtc_vmm_timer(void);
bool rtc_vmm_port(uint16_t port, unsigned int size, bool write, uint32_t *value);

/* qtest_rtc.c. ~0: no timer. */
uint64_t rtc_host_now(void);
void rtc_host_timer(uint64_t expires_ns);
void rtc_host_irq(int level);

#endif

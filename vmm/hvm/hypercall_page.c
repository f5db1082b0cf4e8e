/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of code by which guests make hypercalls, and what else goes by the mode that a guest asks for it in. */
#include "hvm_context.h"
#include "hvm_ops.h"
#include "vmm/domain/domain.h"

#define STUB_SIZE      32U
#define STUBS_PER_PAGE (PAGE_SIZE / STUB_SIZE)

/* mov $nr, %eax; vmcall or vmmcall; ret. */
void hypercall_page_fill(struct domain *d, void *page)
{
	uint8_t *p = page;

	memset(p, 0x90, PAGE_SIZE);
	for (uint32_t i = 0; i < STUBS_PER_PAGE; i++, p += STUB_SIZE) {
		if (i == __HYPERVISOR_iret) {
			p[0] = 0x0f; /* ud2: for PV guests only */
			p[1] = 0x0b;
			continue;
		}
		p[0] = 0xb8;
		memcpy(p + 1, &i, sizeof(i));
		p[5] = 0x0f;
		p[6] = 0x01;
		p[7] = hvm_hypercall_byte(true);
		p[8] = 0xc3;
	}
	hvm_latch_shinfo_size(d);
}

int hypercall_page_place(struct domain *d, gfn_t gfn, void (*fill)(struct domain *d, void *page))
{
	struct page *page = p2m_get_page(d, gfn, true, NULL);

	if (!page)
		return -EINVAL;
	fill(d, page_to_virt(page));
	logdirty_wrote(d, gfn);
	paging_give_up(d, gfn);
	page_put(page);
	return 0;
}

void hvm_latch_shinfo_size(struct domain *d)
{
	bool wide;

	if (d != current_domain())
		return;
	wide = hvm_code64(current_vcpu());
	spin_lock(&d->lock);
	if (d->shared_info_64 != wide) {
		spin_lock(&d->event_lock);
		d->shared_info_64 = wide;
		spin_unlock(&d->event_lock);
		time_update_wallclock(d);
	}
	spin_unlock(&d->lock);
}

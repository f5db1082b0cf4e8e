// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading dom0's kernel: an ELF file whose note XEN_ELFNOTE_PHYS32_ENTRY names the 32-bit entry point.
 * ELF-64 specification; xen/elfnote.h. The image comes from the boot loader; it is checked all the same.
 */
#include <xen/elfnote.h>
#include "private.h"

struct elf64_ehdr {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
	uint32_t namesz, descsz, type;
	char name[];
};

#define PT_LOAD 1
#define PT_NOTE 4

static bool in_file(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static const struct elf64_ehdr *check_header(const void *image, uint64_t size)
{
	const struct elf64_ehdr *h = image;

	if (size >= 0x206 && !memcmp((const char *)image + 0x202, "HdrS", 4))
		panic("dom0: the kernel is a compressed vmlinuz; give the vmlinux that "
		      "plinth-extract-vmlinux makes of it");
	if (size >= 2 && !memcmp(image, "\037\213", 2))
		panic("dom0: the kernel is compressed by gzip; GRUB unpacks it after 'insmod gzio'");
	if (size < sizeof(*h) || memcmp(h->ident, "\177ELF\2\1", 6) || h->machine != 62)
		panic("dom0: the kernel is not a 64-bit x86 ELF file");
	if (h->phentsize != sizeof(struct elf64_phdr) ||
	    !in_file(h->phoff, (uint64_t)h->phnum * h->phentsize, size))
		panic("dom0: the kernel's ELF header is damaged or the file is cut short");
	return h;
}

static bool note_entry(const uint8_t *p, uint64_t len, uint32_t *entry)
{
	while (len >= sizeof(struct elf_note)) {
		const struct elf_note *n = (const struct elf_note *)p;
		uint64_t name = ROUND_UP((uint64_t)n->namesz, 4),
			 desc = ROUND_UP((uint64_t)n->descsz, 4);

		if (name > len || desc > len || sizeof(*n) + name + desc > len)
			return false;
		if (n->type == XEN_ELFNOTE_PHYS32_ENTRY && n->namesz == 4 &&
		    !memcmp(n->name, "Xen", 4) && n->descsz >= 4) {
			memcpy(entry, p + sizeof(*n) + name, 4);
			return true;
		}
		p += sizeof(*n) + name + desc;
		len -= sizeof(*n) + name + desc;
	}
	return false;
}

uint32_t dom0_load_kernel(const void *image, uint64_t size, uint64_t *end)
{
	const struct elf64_ehdr *h = check_header(image, size);
	const struct elf64_phdr *ph = (const void *)((const uint8_t *)image + h->phoff);
	uint32_t entry = 0;
	bool found = false;

	*end = 0;
	for (unsigned int i = 0; i < h->phnum; i++, ph++) {
		if ((ph->type == PT_LOAD || ph->type == PT_NOTE) &&
		    !in_file(ph->offset, ph->filesz, size))
			panic("dom0: the kernel file is cut short");
		if (ph->type == PT_NOTE)
			found |=
				note_entry((const uint8_t *)image + ph->offset, ph->filesz, &entry);
		if (ph->type != PT_LOAD)
			continue;
		if (ph->memsz < ph->filesz || ph->paddr < dom0_layout.low_start ||
		    ph->memsz > dom0_layout.low_end || ph->paddr > dom0_layout.low_end - ph->memsz)
			panic("dom0: the kernel wants %lx+%lx, which is not dom0's RAM", ph->paddr,
			      ph->memsz);
		memcpy(maddr_to_virt(_maddr(ph->paddr)), (const uint8_t *)image + ph->offset,
		       ph->filesz);
		memset((uint8_t *)maddr_to_virt(_maddr(ph->paddr)) + ph->filesz, 0,
		       ph->memsz - ph->filesz);
		*end = max(*end, ph->paddr + ph->memsz);
	}
	if (!found)
		panic("dom0: the kernel has no PVH entry point (needs CONFIG_PVH)");
	return entry;
}

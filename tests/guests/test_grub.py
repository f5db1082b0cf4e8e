# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypervisor as GRUB starts it: Multiboot 2 and 1 on a BIOS machine, Multiboot 2 on UEFI."""

import os
import subprocess

from harness import Skip, case, hypervisor, machine

OVMF = "/usr/share/OVMF/OVMF_CODE.fd"
UEFI_GRUB = "/usr/lib/grub/x86_64-efi/kernel.img"
COMBOS = ("vmm", "peer")


def make_iso(iso, image, options, kernel, kernel_options, initrd, protocol="multiboot2"):
    """A disk whose GRUB starts a hypervisor."""
    subprocess.run([os.path.join(hypervisor.REPOSITORY, "tools/mk-boot-iso"), iso, image, options,
                    kernel, kernel_options, initrd, protocol], check=True)


def boot_iso(lab, protocol, firmware=()):
    """Boot dom0 from a GRUB disk to its shell."""
    boot = hypervisor.Boot(lab.vmm)
    initrd, iso = lab.log_path("disk", "initrd"), lab.log_path("disk", "iso")
    hypervisor.make_initrd(initrd, "6.1")
    make_iso(iso, boot.image, boot.hypervisor_arguments, boot.kernel_path, "console=hvc0 lab.net=0",
             initrd, protocol)
    pc = machine.Machine([*firmware, "-drive", f"if=none,id=disk,file={iso},format=raw,readonly=on",
                          "-device", "virtio-blk-pci,drive=disk,bootindex=0", "-device", "VGA"],
                         log=lab.log_path("serial", "log"))
    lab.boot_log = pc.log_path
    try:
        with pc:
            pc.wait(r"@@ TOOLS-READY", 240, fail="Kernel panic|Panic on CPU|^error: ")
    finally:
        os.unlink(initrd)
        os.unlink(iso)


@case(order=22, group="grub", limit_s=300, combos=COMBOS)
def test_grub_multiboot2(lab):
    boot_iso(lab, "multiboot2")


@case(order=23, group="grub", limit_s=300, combos=("vmm",))
def test_grub_multiboot1(lab):
    boot_iso(lab, "multiboot")


@case(order=24, group="grub", limit_s=300, combos=COMBOS)
def test_grub_uefi(lab):
    for path, package in ((OVMF, "ovmf"), (UEFI_GRUB, "grub-efi-amd64-bin")):
        if not os.path.exists(path):
            raise Skip(f"package {package} is not installed")
    boot_iso(lab, "multiboot2", ("-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}"))

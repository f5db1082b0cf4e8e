# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests on shadow page tables (hap=0), beside dom0 on nested ones. Debian's Xen is built without them."""

import test_intel
from harness import Failure, case, check, hypervisor
from lab import machine
from test_floppy import FREEDOS, FLOPPY, media
from test_hvm import payload_passes
from test_pvh import create, wait_up

HAP = "hap = 0"


def is_on_shadow_tables(dom0, name):
    """By what xl is told of the host and was told of the guest."""
    check("shadow" in dom0.run("xl info | grep ^virt_caps"), "xl info does not list shadow paging")
    flags = dom0.run(f"xl list -l {name} | grep -c '\"hap\": \"False\"' || true").strip()
    check(flags != "0", f"xl list -l {name} does not say hap = False")


@case(order=900, group="shadow", limit_s=420, combos=("vmm", "product"))
def test_shadow_pvh(lab):
    """A stock kernel in long mode, one and two vCPUs, and one on nested tables beside them."""
    dom0 = lab.boot(guests=True)
    create(dom0, "nested")
    for vcpus in (1, 2):
        create(dom0, "shadow", vcpus=vcpus, extra=HAP)
        report = wait_up(dom0, "shadow")
        check(report["cpus"] == str(vcpus), f"guest reports {report}")
        is_on_shadow_tables(dom0, "shadow")
        dom0.run("xl destroy shadow")
    wait_up(dom0, "nested")
    dom0.run("xl destroy nested")


@case(order=901, group="shadow", limit_s=400, combos=("product",))
def test_shadow_payload_64(lab):
    payload_passes(lab, "payload64.iso", extra=HAP)


@case(order=904, group="shadowdisk", limit_s=600, combos=("product",))
def test_shadow_debian(lab):
    """Debian through SeaBIOS and GRUB: real mode with paging, then 64 bits."""
    lab.boot(guests=True)
    guest = lab.create("linux.cfg", "hap=0")
    guest.wait_screen(r"root@debian:~#", 480)


@case(order=905, group="shadowfloppy", limit_s=420, combos=("product",))
def test_shadow_freedos(lab):
    """FreeDOS from 1.44M to its prompt."""
    lab.boot(files=media(FREEDOS[0]))
    lab.dom0.run("mkdir -p /run/lab")
    text = FLOPPY.format(image=FREEDOS[0], memory=32, cards="") + f"{HAP}\n"
    guest = lab.create_text(text, "freedos")
    guest.wait_screen(r"^A:\\>", 300)
    guest.destroy()


# Fewer would mean that a group silently did not run.
PAYLOAD_PASSED = 75
NO_NPT = r"AMD-V: shadow paging"


@case(order=906, group="nonpt", limit_s=240, combos=("product",))
def test_no_npt_payload(lab):
    """Without nested paging: the payload in dom0's place, on shadow tables."""
    pc = lab.start(cpu=machine.NO_NPT_CPU, kernel_path=hypervisor.out("payload/payload64-dom0"), nic="none",
                   dom0_append=test_intel.PAYLOAD_OPTIONS)
    try:
        pc.wait(r"PAYLOAD: \d+ passed, \d+ failed.*\n", 200, fail=r"PANIC|triple fault|crashed")
    except machine.MachineError as error:
        raise Failure(f"payload: {error}") from error
    check(NO_NPT in pc.text and "dom0: runs on shadow tables" in pc.text, "it was not on shadow tables")
    test_intel.judge(pc.text, PAYLOAD_PASSED)


@case(order=907, group="nonptdom0", limit_s=700, combos=("product",))
def test_no_npt_guests(lab):
    """Without nested paging: a stock dom0, two CPUs, and guests beside each other; hap=1 is refused with a reason."""
    settings = {"cpu": machine.NO_NPT_CPU, "smp": 2}
    dom0 = lab.boot(guests=True, **settings)
    caps = dom0.run("xl info | grep ^virt_caps").split()
    check("shadow" in caps and "hap" not in caps, f"xl info: {caps}")
    create(dom0, "one")
    create(dom0, "two", vcpus=2)
    wait_up(dom0, "one")
    check(wait_up(dom0, "two")["cpus"] == "2", "a vCPU is missing")
    dom0.write("/run/lab/hap.cfg", 'name = "hap"\ntype = "pvh"\nmemory = 64\nhap = 1\nkernel = "/guests/vmlinuz-6.1"\n')
    check(dom0.command("xl create -q /run/lab/hap.cfg")[0] != 0, "hap=1 is taken")
    check("take hap=1 out" in dom0.run("xl dmesg"), "no reason for the refusal of hap=1")
    dom0.run("xl destroy one && xl destroy two")
    payload_passes(lab, "payload64.iso", machine=settings)

# SPDX-License-Identifier: GPL-2.0-or-later
"""xl save, restore and checkpoints; and that no guest ends whose image could not be restored."""

import re

from harness import HVM, Skip, case, check, hypervisor
from test_pv import shell
from test_pvh import LOG, create, gone, wait_up

CDROM = HVM.replace("stdvga", "none") + '''memory = 32
disk = [ "file:/job/hostile-{kind}.iso,hdc:cdrom,r" ]
boot = "d"
serial = "file:/run/lab/{kind}.serial"
'''
PAYLOAD = 'kernel = "/job/payload64.elf"'
# Of what runs in the place of xl: the other side of the same guests is dom0's memory, so images are short-lived.
IMAGE = "/run/lab/image"
# A guest of 96 MiB in small pages needs 48 more.
TABLES_MAX = 30


def boot(lab, **settings):
    return lab.boot(files=[hypervisor.out(f"payload/{name}") for name in
                           ("payload64.elf", "hostile-tick.iso", "hostile-nosave.iso")], guests=True, **settings)


def ticks(dom0, log):
    """The number that the guest has come to; one more, at least, is waited for."""
    then = int(dom0.run(f"grep -ac 'HOSTILE: tick' {log} || true"))
    dom0.wait_for(f"[ $(grep -ac 'HOSTILE: tick' {log}) -gt {then} ]", 60)
    return int(re.findall(r"tick (\d+)", dom0.run(f"grep -a 'HOSTILE: tick' {log} | tail -1"))[-1])


def page_tables(lab, dom0, name):
    """Of our hypervisor: how many map the guest's memory, large pages needing none; and it says how much that is."""
    number = dom0.run(f"xl domid {name}").strip()
    text = dom0.run("xl debug-keys q; sleep 1; xl dmesg | tail -60")
    found = re.findall(rf"d{number}: .* pages (\d+) of.*\n *(\d+) page tables", text)
    lab.note(f"{name}: {found[-1][0]} pages, {found[-1][1]} page tables")
    return int(found[-1][1])


@case(order=47, group="save", limit_s=400, combos=("vmm", "peer"))
def test_save_pvh(lab):
    """A stock kernel with two vCPUs is saved and restored, and goes on in place after a checkpoint."""
    dom0 = boot(lab)
    create(dom0, "sav1", memory=96, vcpus=2)
    wait_up(dom0, "sav1")
    shell(dom0, "sav1", "echo kept > /kept")
    dom0.run(f"xl save sav1 {IMAGE}", 120)
    gone(dom0, "sav1")
    dom0.run(f"xl restore {IMAGE}", 120)
    shell(dom0, "sav1", "grep kept /kept && grep -c processor /proc/cpuinfo | grep 2")
    if lab.vmm == "plinth":
        check(page_tables(lab, dom0, "sav1") < TABLES_MAX, "it came to small pages")
    dom0.run(f"rm {IMAGE}; xl save -c sav1 {IMAGE}", 120)
    shell(dom0, "sav1", "grep kept /kept")
    if lab.vmm == "plinth":
        check(page_tables(lab, dom0, "sav1") < TABLES_MAX, "its pages stayed small")
    dom0.run(f"rm {IMAGE}; xl destroy sav1")


@case(order=47, group="save", limit_s=300, combos=("product", "peer"))
def test_save_hvm(lab):
    """A guest without drivers is saved where it stands, and goes on in a new domain."""
    dom0, log = boot(lab), "/run/lab/tick.serial"
    guest = lab.create_text(CDROM.format(kind="tick"), "tick")
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 120)
    then = ticks(dom0, log)
    dom0.run(f"xl save tick {IMAGE}", 120)
    gone(dom0, "tick")
    dom0.run(f"rm -f {log}; xl restore {IMAGE}; rm {IMAGE}", 120)
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 60)
    check(ticks(dom0, log) > then, "it began anew")
    check(int(dom0.run("xl domid tick")) != guest.number, "it is the same domain")
    dom0.run("xl destroy tick")


def refused(dom0, name, log):
    """xl save fails, the guest goes on, and the log says why."""
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 120)
    if "is checked" in dom0.run(f"grep -a 'HOSTILE: LSTAR' {log}"):
        raise Skip("the processor checks what is written to LSTAR")
    status, text = dom0.command(f"xl save {name} {IMAGE} 2>&1; rc=$?; rm -f {IMAGE}; exit $rc", 120)
    check(status != 0, f"xl save says that it is well: {text}")
    ticks(dom0, log)
    state = dom0.run(f"xl list {name}").splitlines()[1].split()[4]
    check(not set(state) & set("psc"), f"{name} is in state {state}")
    dom0.run(f"xl dmesg | grep -F 'd{dom0.run(f'xl domid {name}').strip()}: cannot be saved'")
    dom0.run(f"xl destroy {name}")


@case(order=47, group="save", limit_s=300, combos=("product",))
def test_save_refused(lab):
    """What could not be restored is not saved, with and without a device model."""
    dom0 = boot(lab)
    create(dom0, "nosave", "hostile=nosave", memory=16, kernel=PAYLOAD)
    refused(dom0, "nosave", LOG.format("nosave"))
    lab.create_text(CDROM.format(kind="nosave"), "nosave")
    refused(dom0, "nosave", "/run/lab/nosave.serial")

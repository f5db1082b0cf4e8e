# SPDX-License-Identifier: GPL-2.0-or-later
"""Soft reset: a kernel hands over to the next one, and the tools connect the guest anew."""

import os
import re

from harness import HVM, case, check, hypervisor
from test_intel import make_linux_cd
from test_pv import shell
from test_pvh import LOG, create, gone

COMBOS = ("product", "vmm", "parts", "peer")
# No screen, since Linux gives as much memory back at its start as xl takes off for that, and kexec does not know of it:
# these pages would be missing from the next kernel's memory.
CDROM = HVM.replace("stdvga", "none") + '''memory = {memory}
disk = [ "file:/job/{cd},hdc:cdrom,r"{disks} ]
boot = "d"
serial = "file:/run/lab/{name}.serial"
on_soft_reset = "{action}"
{extra}
'''
LINUX_CD = "kexec.iso"
LINUX = "console=hvc0 quiet guest.do=kexec guest.ip=10.0.2.54"
DISK = "kexec.cpio"


def boot(lab):
    """The dom0 of all cases here, with what they start guests from."""
    cd = os.path.join(lab.logs, LINUX_CD)
    if not lab.dom0:
        make_linux_cd(cd, LINUX)
    return lab.boot(files=[hypervisor.out("payload/reset.iso"), hypervisor.out("payload/payload64.elf"), cd,
                           hypervisor.out("dom0", DISK)], guests=True)


def start(lab, name, cd, memory=64, disks="", action="soft-reset", extra=""):
    lab.dom0.run(f"mkdir -p /run/lab; rm -f /run/lab/{name}.serial {LOG.format(name)}")
    return lab.create_text(CDROM.format(name=name, cd=cd, memory=memory, disks=disks, action=action, extra=extra), name)


@case(order=44, group="reset", limit_s=300, combos=COMBOS)
def test_reset_payload(lab):
    """By our payload: what the hypervisor takes away, and what the tools make anew."""
    dom0 = boot(lab)
    start(lab, "reset", "reset.iso")
    dom0.wait_for("grep -a '^PAYLOAD: .* passed' /run/lab/reset.serial", 200, 1)
    text = dom0.run("cat /run/lab/reset.serial")
    with open(lab.log_path("reset", "txt"), "w", encoding="utf-8") as file:
        file.write(text)
    check("PAYLOAD: 6 passed, 0 failed, 0 skipped" in text, text[-600:])
    gone(dom0, "reset")


@case(order=45, group="reset", limit_s=600, combos=COMBOS)
def test_reset_kexec(lab):
    """A stock kernel starts the next one by kexec: disk, card, console and store serve that one, too."""
    dom0 = boot(lab)
    disk = dom0.run(f"losetup -f --show /job/{DISK}").strip()
    guest = start(lab, "kexec", LINUX_CD, memory=384, disks=f', "phy:{disk},xvde,w"',
                  extra='vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:54" ]')
    log = LOG.format("kexec")
    dom0.wait_for(f"grep -a '@@ FRONT-UP' {log}", 400, 2)
    text = dom0.run(f"cat {log}")
    check(len(re.findall("@@ DOMU-UP.*guest_type=HVM", text)) == 2 and "@@ KEXEC" in text, text[-600:])
    check(dom0.run("xl domid kexec").strip() == str(guest.number), "it is another domain now")
    shell(dom0, "kexec", "ping -c 3 10.0.2.15")
    digest = dom0.run(f"sha256sum < /job/{DISK}").split()[0]
    shell(dom0, "kexec", f"sha256sum < /dev/xvde | grep {digest}", 90)
    dom0.run("xl shutdown -w kexec", 120)
    gone(dom0, "kexec")
    dom0.wait_for(f"losetup -d {disk} && ! losetup {disk} 2>/dev/null", 30)


@case(order=46, group="reset", limit_s=400, combos=COMBOS)
def test_reset_actions(lab):
    """on_soft_reset: what the configuration says is what happens; and a PVH guest, which libxl does not reset."""
    dom0 = boot(lab)
    for action, test in (("destroy", "! xl domid act >/dev/null 2>&1"),
                         ("preserve", "xl list act | tail -1 | awk '{{ exit $5 !~ /s/ }}'"),
                         ("restart", "n=$(xl domid act) && [ $n != {0} ]"),
                         ("rename-restart", "xl list | grep ^act-20 && xl domid act")):
        create(dom0, "act", "tests=reset reset=1", memory=32, kernel='kernel = "/job/payload64.elf"',
               extra=f'on_soft_reset = "{action}"')
        domid = dom0.run("xl domid act 2>/dev/null || echo 0").strip()
        dom0.wait_for(test.format(domid), 60, 1)
        # Each new one resets, too, and xl starts the next: xl ends first.
        dom0.wait_for("! pkill -KILL -f '[x]l create .*act[.]cfg'", 30, 1)
        dom0.wait_for("xl list | awk 'NR > 2 { print $2 }' | xargs -r -n1 xl destroy; [ $(xl list | wc -l) = 2 ]", 60, 1)
    # soft-reset is what xl does when nothing is said.
    dom0.run("rm -f /var/log/xen/xl-act.log*")
    create(dom0, "act", "tests=reset reset=1", memory=32, kernel='kernel = "/job/payload64.elf"')
    gone(dom0, "act")
    text = dom0.run("cat /var/log/xen/xl-act.log")
    check("Action for shutdown reason code 5 is soft-reset" in text, text)

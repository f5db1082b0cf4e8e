# SPDX-License-Identifier: GPL-2.0-or-later
"""The device model confined, by default and with dm_restrict=1: guests work, and neither handles nor ends touch others."""

import os
import subprocess

from harness import case, check
from test_hvm import start_cd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
USER = "xen-qemuuser-range-base"
FIRST_UID = 65536
PROGRAM_BYTES = 4 << 20


def program_disk(lab):
    """The program that tries restricted handles, as a disk of the machine."""
    out = os.environ.get("O", os.path.join(ROOT, "build"))
    program = os.path.join(out, "device-model/restricted")
    subprocess.run(["make", "-s", "-C", ROOT, os.path.relpath(program, ROOT)], check=True,
                   stdout=subprocess.DEVNULL)
    path = lab.log_path("restricted", "img")
    with open(program, "rb") as source, open(path, "wb") as target:
        target.write(source.read())
        target.truncate(PROGRAM_BYTES)
    return path


def process(dom0, number, name="plinth-dm"):
    """A process of a domain's device model; all have the same command line, but other names."""
    return dom0.run(f"for path in $(grep -lsx {name} /proc/[0-9]*/comm); do path=${{path%/comm}}; "
                    f"tr '\\0' ' ' < $path/cmdline | grep -q -e '-xen-domid {number} ' && echo ${{path#/proc/}}; "
                    "done; true").strip()


def confined(dom0, number):
    """The process that emulates, and that of paravirtual back ends: every thread of them."""
    for name in ("plinth-dm", "plinth-dm-pv"):
        pid = process(dom0, number, name)
        check(pid, f"there is no {name}")
        text = dom0.run(f"cat /proc/{pid}/task/*/status; echo ==; ls -A /proc/{pid}/root/; echo ==; "
                        f"for p in {pid} 1; do for n in mnt net ipc uts; do readlink /proc/$p/ns/$n; done; done; "
                        f"echo ==; ls -l /proc/{pid}/fd")
        statuses, root, namespaces, links = text.replace("\r", "").split("==\n")
        uid = FIRST_UID + int(number)
        for status in statuses.split("Name:\t")[1:]:
            for line in (f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}", "CapPrm:\t0000000000000000",
                         "CapEff:\t0000000000000000", "Seccomp:\t2", "NoNewPrivs:\t1"):
                check(line in status, f"{name}: {line} is not in {status}")
        check(not root.strip(), f"the root directory of {name} is not empty: {root}")
        check(len(set(namespaces.split())) == 8, f"{name} shares a namespace: {namespaces}")
        for word in ("gntdev", "gntalloc", "xenbus", "hypercall", "qemu-dm-"):
            check(word not in links, f"{name} has {word} open: {links}")


def privileged(dom0, number):
    """What the privileged part keeps: every thread of it."""
    pid = process(dom0, number, "plinth-dm-keep")
    check(pid, "there is no plinth-dm-keep")
    statuses = dom0.run(f"cat /proc/{pid}/task/*/status").replace("\r", "").split("Name:\t")[1:]
    for status in statuses:
        # To pass over file permissions (two), and to signal.
        for line in ("CapPrm:\t0000000000000026", "Seccomp:\t2", "NoNewPrivs:\t1"):
            check(line in status, f"plinth-dm-keep: {line} is not in {status}")
    check(len(statuses) > 1, "the end of the others is a thread's")


def all_gone(dom0):
    """No device model and no process of back ends is left."""
    dom0.wait_for("! grep -sx 'plinth-dm.*' /proc/[0-9]*/comm", 30)


@case(order=47, group="dmconfine", limit_s=420, combos=("product", "parts"))
def test_dm_restrict(lab):
    """Another user, an empty root, restricted handles, the filter; a forbidden call ends one guest's only."""
    dom0 = lab.boot(guests=True, disks=[{"path": program_disk(lab)}])
    dom0.run(f"grep -q {USER} /etc/passwd || echo '{USER}:x:{FIRST_UID}:65534::/:/bin/false' >> /etc/passwd; "
             "mkdir -p /run/lab; "
             # Linux numbers disks as it finds them.
             f"disk=$(grep -lx {PROGRAM_BYTES // 512} /sys/block/sd*/size); disk=${{disk%/size}}; "
             "dd if=/dev/${disk##*/} of=/run/lab/restricted bs=1M 2>/dev/null; chmod 755 /run/lab/restricted")
    one = start_cd(lab, "confined", "rescue.iso", extra="dm_restrict = 1")
    one.wait_screen(r"Rescue: nothing to boot", 200)
    two = start_cd(lab, "other", "rescue.iso")
    two.wait_screen(r"Rescue: nothing to boot", 200)
    pid = process(dom0, one.number)
    confined(dom0, one.number)
    privileged(dom0, one.number)
    confined(dom0, two.number)  # the same without dm_restrict
    text = dom0.command(f"/run/lab/restricted {one.number} {two.number} forbidden")[1]
    check("not ok" not in text and text.count("ok ") >= 10, f"restricted handles: {text}")
    # A guest's keys still reach it, and its end is not the other guest's.
    one.wait_screen(r"grub>", 100, keys="c")
    dom0.run(f"kill -SYS {pid}")
    dom0.wait_for(f"! [ -e /proc/{pid} ]", 30)
    dom0.run("grep -a 'forbidden system call' /var/log/xen/qemu-dm-confined.log")
    two.wait_screen(r"^grub>", 100, keys="c")
    two.wait_screen(r"^grub> echo still-here", 100, keys="echo still-here")
    two.wait_screen(r"^grub> echo still-here\s+still-here", 100, keys="\n")
    # What does not listen ends with its domain, and nothing confined outlives its privileged part.
    three = start_cd(lab, "deaf", "rescue.iso")
    three.wait_screen(r"Rescue: nothing to boot", 200)
    pids = [process(dom0, three.number, name) for name in ("plinth-dm", "plinth-dm-pv")]
    dom0.run(f"kill -STOP {' '.join(pids)}; xl destroy deaf")
    for pid in pids:
        dom0.wait_for(f"! [ -e /proc/{pid} ]", 30)
    pids = [process(dom0, two.number, name) for name in ("plinth-dm", "plinth-dm-pv")]
    dom0.run(f"kill -9 {process(dom0, two.number, 'plinth-dm-keep')}")
    for pid in pids:
        dom0.wait_for(f"! [ -e /proc/{pid} ]", 30)
    dom0.run("xl destroy confined; xl destroy other")
    all_gone(dom0)

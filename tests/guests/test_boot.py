# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0: it boots, its devices work, the tools see the hypervisor, the machine goes off."""

import re

from harness import Skip, case, check, hypervisor

MIB = 1 << 20


def fields(text):
    """The "key : value" lines of xl info."""
    return dict(re.findall(r"^(\w+)\s*: (.*?)\s*$", text, re.M))


@case(order=10, group="boot", limit_s=240)
def test_dom0_boots(lab):
    """Debian's 6.1 to a shell with xenstored, network and console."""
    dom0 = lab.boot()
    check("6.1" in dom0.run("uname -r"), "not the 6.1 kernel")
    check(dom0.has_agent, "no network")
    check(dom0.run("cat /proc/xen/capabilities").strip() == "control_d", "not the control domain")


@case(order=11, group="boot")
def test_xl_info(lab):
    dom0 = lab.boot()
    info = fields(dom0.run("xl info"))
    check(info["xen_major"] == "4" and info["xen_minor"] == "17", f"version {info}")
    check("hvm" in info["virt_caps"], f"virt_caps: {info['virt_caps']}")
    total, free = int(info["total_memory"]), int(info["free_memory"])
    check(2900 < total <= 3072, f"total memory {total}")
    check(1500 < free < total - 1000, f"free memory {free}")
    check("dom0_mem=" in info["xen_commandline"], "no dom0_mem= on the command line")
    check(info["nr_cpus"] == "1", f"nr_cpus {info['nr_cpus']}")
    dom0.run("xl info -n")


@case(order=12, group="boot")
def test_xl_list(lab):
    dom0 = lab.boot()
    line = dom0.run("xl list").splitlines()[1].split()
    check(line[0] == "Domain-0" and line[1] == "0", f"xl list: {line}")
    check(line[3] == "1" and abs(int(line[2]) - 1024) < 16, f"xl list: {line}")
    check(float(line[5]) > 0, "no CPU time is accounted")
    vcpus = dom0.run("xl vcpu-list").splitlines()
    check(len(vcpus) == 2 and vcpus[1].split()[0] == "Domain-0", f"vcpu-list: {vcpus}")


@case(order=13, group="boot")
def test_xl_dmesg_and_keys(lab):
    """The console ring reaches xl dmesg, and debug keys print into it."""
    dom0 = lab.boot()
    before = dom0.run("xl dmesg")
    check(len(before) > 200, "xl dmesg is nearly empty")
    dom0.run("xl debug-keys h")
    dom0.wait_for(f"[ $(xl dmesg | wc -c) -gt {len(before) + 100} ]", 10)


@case(order=14, group="boot", combos=("product", "vmm"))
def test_iomem_61(lab):
    """Grant and foreign mappings of Linux use the deliberate holes, never MMIO or RAM."""
    scratch_in_holes(lab.boot(guests=True))


def scratch_in_holes(dom0):
    # 6.12 first uses up the fence, as memory of its own: a guest's build maps more than that.
    dom0.run("xl create -q -p /guests/pvh.cfg && xl destroy pvh", 240)
    dom0.machine.note(text := dom0.run("cat /proc/iomem"))
    depth_of = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    path, found = [], 0
    for depth, line in depth_of:
        path = path[:depth // 2] + [line]
        if not line.endswith((": Xen scratch", ": Unpopulated")):
            continue
        found += 1
        start, end = (int(n, 16) for n in line.split(" ")[0].split("-"))
        check(depth == 0, f"scratch space lies inside {path[-2:]!r}")
        check(start % (128 * MIB) == 0 and end < 0xc0000000, f"scratch space at {line}")
    check(found > 0, "Linux has no scratch space at all")


@case(order=15, group="boot")
def test_network(lab):
    """A megabyte each way through dom0's own network card (the agent's connection)."""
    dom0 = lab.boot()
    check(dom0.run("ping -c 3 -W 5 10.0.2.2 | grep -c 'seq='").strip() == "3", "ping lost packets")
    text = dom0.run("head -c 1000000 /dev/zero | tr '\\0' x", 60)
    check(text.count("x") == 1000000, f"{len(text)} of 1000000 bytes arrived")


@case(order=16, group="disk", limit_s=300)
def test_disk(lab):
    """dom0's AHCI disk: the guests' file system mounts, reads and writes."""
    dom0 = lab.boot(guests=True)
    dom0.run("test -s /guests/debian.img")
    dom0.run("dd if=/dev/urandom of=/guests/t bs=1M count=16 conv=fsync 2>/dev/null; "
             "a=$(cksum < /guests/t); echo 3 > /proc/sys/vm/drop_caches; "
             "[ \"$a\" = \"$(cksum < /guests/t)\" ] && rm /guests/t", 120)


@case(order=17, group="boot612", limit_s=300)
def test_dom0_612(lab):
    if "6.12" not in hypervisor.kernels():
        raise Skip("the archive has no linux-image-6.12-amd64")
    dom0 = lab.boot(kernel="6.12")
    check("6.12" in dom0.run("uname -r"), "not the 6.12 kernel")
    dom0.run("xl info && xl list")


@case(order=18, group="boot612", limit_s=300, combos=("product", "vmm"))
def test_iomem_612(lab):
    if "6.12" not in hypervisor.kernels():
        raise Skip("the archive has no linux-image-6.12-amd64")
    scratch_in_holes(lab.boot(kernel="6.12", guests=True))


@case(order=19, group="smp", limit_s=300)
def test_dom0_two_cpus(lab):
    dom0 = lab.boot(smp=2)
    check(dom0.run("nproc").strip() == "2", "dom0 does not have two CPUs")
    check(len(dom0.run("xl vcpu-list 0").splitlines()) == 3, "xl does not see two vCPUs")
    dom0.run("for c in 0 1; do taskset -c $c sh -c 'i=0; while [ $i -lt 20000 ]; do "
             "i=$((i+1)); done' & done; wait", 120)


@case(order=20, group="off", limit_s=240)
def test_poweroff(lab):
    """poweroff in dom0 puts the machine into ACPI S5."""
    dom0 = lab.boot(fresh=True)
    reason = dom0.machine.shutdown_reason(lambda: dom0.command("(sleep 1; poweroff -f) &"), 60)
    check(reason == "guest-shutdown", f"the machine ended by {reason}")
    lab.stop()


@case(order=21, group="off", limit_s=240)
def test_reboot(lab):
    dom0 = lab.boot(fresh=True, **({"append": "noreboot=0"} if lab.vmm == "xen" else {}))
    reason = dom0.machine.shutdown_reason(lambda: dom0.command("(sleep 1; reboot -f) &"), 60)
    check(reason == "guest-reset", f"the machine ended by {reason}")
    lab.stop()

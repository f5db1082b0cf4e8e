# SPDX-License-Identifier: GPL-2.0-or-later
"""What saves guests without being asked by name: Debian's xendomains, and libvirt."""

import installed
from harness import case, check, hypervisor
from test_faults import CONFIG, TICKS
from test_pvh import gone, scratch_disk
from test_save import ticks

FILES = [hypervisor.out(f"payload/{name}") for name in ("payload64.elf", "hostile-tick.iso")]
# Where each guest counts.
COUNTS = {"pvh": "/var/log/xen/guest-pvh.log", "hvm": "/run/lab/hvm.serial"}
FOLDER = "/var/lib/xen/save"


def host(lab, path, first):
    """A dom0 that keeps its guests' images, and the disk of one, over its own end."""
    dom0 = lab.boot(files=FILES, archives=("xendomains",), disks=[{"path": path}], fresh=not first)
    lab.need_parts()
    dom0.run(f"ln -sf python3.11 /usr/bin/python3; mkdir -p {FOLDER} /etc/xen/auto /run/lab; modprobe ext4; "
             f"{'mke2fs /dev/sda >/dev/null;' if first else ''} mount /dev/sda {FOLDER}; truncate -s 1M /run/lab/hvm.img")
    for name, text in CONFIG.items():
        overrides = "\n".join(lab.overrides()) if name == "hvm" else ""
        dom0.write(f"/etc/xen/auto/{name}", f'name = "{name}"\n{text}{overrides}\n')
    return dom0


def start(dom0):
    """All guests run; how far each has counted."""
    text = dom0.run("bash /etc/init.d/xendomains start 2>&1", 200)
    check(set(dom0.run("xl list | awk 'NR > 2 { print $1 }'").split()) == set(CONFIG), text)
    for log in COUNTS.values():
        dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 120)
    return {name: ticks(dom0, log) for name, log in COUNTS.items()}


@case(order=60, group="xendomains", limit_s=600, combos=("product", "peer"))
def test_xendomains(lab):
    """Stopped and started with its defaults, and the whole machine between: the guests go on where they were."""
    path = scratch_disk(lab)
    dom0 = host(lab, path, True)
    start(dom0)
    dom0.wait_for(f"[ $({TICKS['pvh']}) -gt 20 ]", 60)
    then = {name: ticks(dom0, log) for name, log in COUNTS.items()}
    text = dom0.run("bash /etc/init.d/xendomains stop 2>&1", 300)
    images = dom0.run(f"ls {FOLDER}").split()
    check(set(CONFIG) <= set(images), f"images are {images}: {text}")
    dom0.run(f"! xl list | grep -E 'pvh|hvm' && umount {FOLDER} && sync")
    dom0 = host(lab, path, False)
    now = start(dom0)
    for name, number in now.items():
        check(number > then[name], f"{name} had come to {then[name]}, and is at {number}")
    images = dom0.run(f"ls {FOLDER}").split()
    check(not set(CONFIG) & set(images), f"images are still there: {images}")
    dom0.run("xl destroy pvh; xl destroy hvm")


DAEMON = r"""
mkdir -p /etc/libvirt /run/lab /var/lib/libvirt/libxl/save /var/log/libvirt/libxl /var/cache/libvirt
cd /usr/lib/x86_64-linux-gnu/libvirt/connection-driver
rm -f $(ls | grep -v libxl)
echo 'auth_unix_rw = "none"' > /etc/libvirt/libvirtd.conf
(setsid libvirtd -f /etc/libvirt/libvirtd.conf > /run/lab/libvirtd.log 2>&1 &)
"""
VIRSH = "virsh -c xen:///system"


def xml(heading):
    """The first example of a section of docs/libvirt.md."""
    lines = installed.commands("libvirt.md", heading)
    return "\n".join(lines[:lines.index("</domain>") + 1])


@case(order=60, group="libvirt", limit_s=600, combos=("vmm", "peer"))
def test_libvirt(lab):
    """virsh saves and restores, to a file of the user's and to one of its own."""
    dom0, log = lab.boot(files=FILES, archives=("libvirt",)), COUNTS["pvh"]
    dom0.run(DAEMON)
    dom0.wait_for(f"{VIRSH} list", 60)
    dom0.write("/run/lab/pvh.xml", xml("A PVH guest"))
    dom0.run(f"{VIRSH} define /run/lab/pvh.xml && {VIRSH} start pvh", 120)
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 60)
    for save, restore in (("managedsave pvh", "start pvh"), ("save pvh /run/lab/image", "restore /run/lab/image")):
        then = ticks(dom0, log)
        dom0.run(f"{VIRSH} {save} 2>&1", 120)
        gone(dom0, "pvh")
        dom0.run(f"{VIRSH} {restore} 2>&1", 120)
        check(ticks(dom0, log) > then, f"after {save} it began anew")
    dom0.run(f"{VIRSH} destroy pvh; {VIRSH} undefine pvh")


@case(order=60, group="libvirt", limit_s=300, combos=("product",))
def test_libvirt_hvm(lab):
    """An HVM guest with Plinth's device model, as the documentation has it, paused and going on."""
    dom0 = lab.boot(files=FILES, archives=("libvirt",))
    lab.need_parts()
    dom0.run(DAEMON)
    dom0.wait_for(f"{VIRSH} list", 60)
    dom0.run("truncate -s 1M /run/lab/hvm.img")
    dom0.write("/run/lab/hvm.xml", xml("A guest in a PC (HVM)"))
    dom0.run(f"{VIRSH} define /run/lab/hvm.xml && {VIRSH} start hvm", 120)
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {COUNTS['hvm']}", 60)
    dom0.run("ps ax | grep -q '[p]linth-dm -xen-domid'")
    dom0.run(f"{VIRSH} suspend hvm && {VIRSH} domstate hvm | grep paused")
    then = ticks(dom0, COUNTS["hvm"])
    dom0.run(f"{VIRSH} resume hvm")
    dom0.wait_for(f"[ $({TICKS['hvm']}) -gt {then} ]", 60)
    dom0.run(f"{VIRSH} destroy hvm && {VIRSH} undefine hvm")

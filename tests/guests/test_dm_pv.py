# SPDX-License-Identifier: GPL-2.0-or-later
"""Paravirtual back ends that live in the device model: framebuffer, keyboard, disks of HVM guests."""

import os
import re
import subprocess

import vnc
from harness import DM_OVERRIDE, Guest, case, check
from test_dm_confine import all_gone
from test_pv import choose_second_entry
from test_pvh import LOG, create

QCOW2_BYTES = 64 << 20
DEVICE_BYTES = 96 << 20
MARK = "paravirtual-and-flushed"


@case(order=48, group="dmpv", limit_s=300, combos=("product", "parts"))
def test_pv_framebuffer(lab):
    """A PVH guest's framebuffer on VNC: its console's text, and keys and pointer the other way."""
    dom0 = lab.boot(guests=True)
    create(dom0, "vfb1", "console=tty1 console=hvc0 quiet guest.do=screen",
           extra=f'device_model_override = "{DM_OVERRIDE["plinth"]}"\n'
                 'vfb = [ "type=vnc,vnclisten=127.0.0.1" ]')
    line = dom0.wait_for(f"grep -a '@@ SCREEN-UP' {LOG.format('vfb1')}", 150)
    check("800,600" in line, f"the framebuffer's size: {line}")
    guest = Guest(lab, "vfb1", int(dom0.run("xl domid vfb1")))
    guest.wait_screen(r"^[~/] #", 60)
    guest.wait_screen(r"^42-typed", 60, keys="echo $((6*7))-typed\n")
    with_pointer(lab, guest)
    dom0.run("xl destroy vfb1")
    all_gone(dom0)


def with_pointer(lab, guest):
    """The guest's input layer reports the position that the viewer's pointer has."""
    guest.type("d=$(grep -l 'Xen Virtual Pointer' /sys/class/input/event*/device/name); "
               "d=${d%/device/name}; exec 5< /dev/input/${d##*/}; echo $((6*9))-open; "
               "od -An -tu2 -w24 -N72 <&5 | tr 0 o\n")
    guest.wait_screen(r"^54-open", 30)
    with vnc.Vnc(guest.vnc_port()) as link:
        link.pointer(234, 345)
        link.update(1)
    # Type, code and value of each event: absolute (3) x (0), y (1), and the end of the report. Linux' zero has a
    # dot in it, which the VGA BIOS's font has not.
    text = guest.wait_screen(r"\s3\s+o\s+234\s+o\s", 60)
    check(re.search(r"\s3\s+1\s+345\s+o\s", text), f"the pointer's position: {text[-400:]!r}")


def qcow2_device(lab):
    """A disk of the machine that holds a qcow2 image."""
    path = lab.log_path("qcow2", "img")
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(QCOW2_BYTES)], check=True)
    os.truncate(path, DEVICE_BYTES)
    return path


@case(order=49, group="dmpvdisk", limit_s=600, combos=("product", "parts"))
def test_hvm_pv_disks(lab):
    """Debian unplugs its emulated disks; the same images, raw and qcow2, by the paravirtual back end."""
    path = qcow2_device(lab)
    dom0 = lab.boot(guests=True, disks=[{"path": path}])
    # Linux numbers disks as it finds them.
    disk = os.path.basename(os.path.dirname(dom0.run(f"grep -lx {DEVICE_BYTES // 512} /sys/block/sd*/size").strip()))
    choose_second_entry(dom0)
    guest = lab.create("linux.cfg", 'disk=["format=raw,backendtype=qdisk,vdev=hda,access=w,target=/guests/debian.img", '
                       f'"format=qcow2,vdev=hdb,access=w,target=/dev/{disk}"]')
    guest.wait_screen(r"root@debian:~#", 400)
    check(dom0.run("grep -lx plinth-dm-pv /proc/[0-9]*/comm | wc -l").strip() == "1",
          "there is no process of back ends")
    guest.serial_shell("grep -c xvd[ab] /proc/partitions; grep [hs]d[ab] /proc/partitions; echo parts=$?",
                       "parts=1", 60)
    guest.serial_shell(f"echo {MARK} | dd of=/dev/xvdb bs=4096 seek=100 conv=fsync,sync; "
                       "echo wrote=$?", "wrote=0", 60)
    disks = f"/local/domain/{guest.number}/device/vbd"
    backends = [dom0.run(f"xenstore-read {disks}/{disk}/backend").strip()
                for disk in dom0.run(f"xenstore-list {disks}").split()]
    check(len(backends) == 2 and all("/qdisk/" in path for path in backends), f"back ends: {backends}")
    for backend in backends:
        check(dom0.run(f"xenstore-read {backend}/state").strip() == "4", f"{backend} is not connected")
    guest.destroy()
    all_gone(dom0)
    dom0.run("sync")
    lab.stop()
    subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", path], check=True)
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, path + ".raw"], check=True)
    with open(path + ".raw", "rb") as file:
        file.seek(100 * 4096)
        check(file.read(len(MARK)) == MARK.encode(), "what the guest flushed is not in the image")

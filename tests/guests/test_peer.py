# SPDX-License-Identifier: GPL-2.0-or-later
"""Images cross: guests that Debian's Xen 4.17 saved go on here, and ours go on there."""

import os
import struct

from harness import Lab, case, check, machine
from test_pv import shell
from test_pvh import create, gone, wait_up
from test_save import CDROM, IMAGE, boot, ticks

# Two machines with one processor, one after the other; a disk carries the images, each in a part of its own.
PART_MIB = 256
CARRIER_BYTES = 2 * PART_MIB << 20
# The records of libxc that a hypervisor has to understand: policies and the state of processors and devices.
STATE_RECORDS = (9, 17, 18)
END = 0
FILL = "head -c 4000000 /dev/urandom > /fill && md5sum /fill > /sum && md5sum -c /sum"
LOOK = "md5sum -c /sum && grep -c processor /proc/cpuinfo | grep 2 && sleep 1"
TICK_LOG = "/run/lab/tick.serial"


def state_of(path, at):
    """What is in an image besides memory: tests/regress/context has such."""
    found = b""
    with open(path, "rb") as file:
        file.seek(at)
        file.seek(at + file.read(1 << 20).index(b"XENF") - 8 + 24 + 16)
        while True:
            kind, length = struct.unpack("<II", head := file.read(8))
            if kind == END:
                return found
            body = (length + 7) & ~7
            if kind in STATE_RECORDS:
                found += head + file.read(body)
            else:
                file.seek(body, os.SEEK_CUR)


class Pvh:
    """A stock kernel with two vCPUs: its memory, both vCPUs, console and clock go on."""

    name, returns = "trav", True

    def start(self, lab):
        create(lab.dom0, self.name, memory=96, vcpus=2)
        wait_up(lab.dom0, self.name)
        shell(lab.dom0, self.name, FILL, 120)

    def look(self, lab):
        shell(lab.dom0, self.name, LOOK, 120)


class Hvm:
    """A guest without drivers, by qemu-xen at both ends."""

    name, returns = "tick", False
    came_to = 0

    def start(self, lab):
        lab.create_text(CDROM.format(kind="tick"), self.name)
        self.look(lab)

    def look(self, lab):
        lab.dom0.wait_for(f"grep -a 'HOSTILE: tick' {TICK_LOG}", 120)
        then, self.came_to = self.came_to, ticks(lab.dom0, TICK_LOG)
        check(self.came_to > then, "it began anew")


class Travel:
    """Boots of both hypervisors, one at a time, between which guests are carried."""

    def __init__(self, lab, guests):
        self.labs = {"here": lab, "there": Lab("peer", lab.logs)}
        self.lab, self.guests, self.bytes = lab, guests, {}
        self.path = os.path.join(lab.logs, f"{lab.combo}-{lab.case_name}-carrier.img")
        self.case_name = lab.case_name
        with open(self.path, "wb") as file:
            file.truncate(CARRIER_BYTES)

    def go(self, where):
        """A fresh dom0 of one of the two."""
        self.lab.stop()
        self.lab = self.labs[where]
        self.lab.case_name = f"{self.case_name}-{where}"
        boot(self.lab, fresh=True, cpu=machine.XEN_CPU, disks=[{"path": self.path}])

    def carrier(self):
        return "/dev/" + self.lab.dom0.run(f"grep -lx {CARRIER_BYTES // 512} /sys/block/sd*/size").split("/")[3]

    def pack(self):
        dom0 = self.lab.dom0
        for number, guest in enumerate(self.guests):
            dom0.run(f"xl save {guest.name} {IMAGE}", 180)
            gone(dom0, guest.name)
            self.bytes[guest.name] = int(dom0.run(f"stat -c %s {IMAGE}"))
            dom0.run(f"dd if={IMAGE} of={self.carrier()} bs=1M seek={number * PART_MIB} conv=fsync && rm {IMAGE}", 120)
            with open(self.lab.log_path(f"state-{guest.name}", "bin"), "wb") as file:
                file.write(state_of(self.path, number * PART_MIB << 20))

    def unpack(self):
        dom0 = self.lab.dom0
        for number, guest in enumerate(self.guests):
            dom0.run(f"mkdir -p /run/lab; dd if={self.carrier()} bs=1M skip={number * PART_MIB} count={PART_MIB} | "
                     f"head -c {self.bytes[guest.name]} > {IMAGE}", 120)
            dom0.run(f"xl restore {IMAGE}; rc=$?; rm {IMAGE}; [ $rc = 0 ] || xl dmesg | tail -5; exit $rc", 180)
            guest.look(self.lab)

    def there_and_back(self):
        """From there to here, and back again."""
        self.go("there")
        for guest in self.guests:
            guest.start(self.lab)
        self.pack()
        self.go("here")
        self.unpack()
        self.guests = [guest for guest in self.guests if guest.returns]
        self.pack()
        self.go("there")
        self.unpack()

    def end(self):
        self.lab.stop()
        os.unlink(self.path)


@case(order=60, limit_s=1200, combos=("vmm",))
def test_peer_images(lab):
    """Guests go from Xen 4.17 to Plinth, with one device model and loader at both ends, and the PVH one goes back."""
    travel = Travel(lab, (Pvh(), Hvm()))
    try:
        travel.there_and_back()
    except Exception:
        travel.lab.collect()
        raise
    finally:
        travel.end()

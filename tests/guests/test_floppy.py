# SPDX-License-Identifier: GPL-2.0-or-later
"""Systems that boot from floppies, judged by their VGA screens.

The media are not part of this project: PLINTH_GUESTS names a folder with freedos-1440K.img and its
smaller relatives, and openbsd28-floppy.img. Without it the cases are skipped.
"""

import os
import re

from harness import HVM, Skip, case

COMBOS = ("product", "parts", "peer")
FLOPPY = HVM + '''memory = {memory}
vcpus = 1
boot = "a"
device_model_args_hvm = [ "-drive", "file=/job/{image},if=floppy,index=0,format=raw"{cards} ]
'''
# Networks of their own inside the device model, whose gateways answer pings.
CARDS = ''', "-netdev", "user,id=u0", "-device", "ne2k_pci,netdev=u0",
	"-netdev", "user,id=u1,net=10.0.3.0/24", "-device", "rtl8139,netdev=u1",
	"-netdev", "user,id=u2,net=10.0.4.0/24", "-device", "ne2k_isa,netdev=u2,iobase=0x240,irq=9"'''


def media(*names):
    """Paths of the images, all of which one boot carries, so that the cases share it."""
    folder = os.environ.get("PLINTH_GUESTS")
    if not folder:
        raise Skip("PLINTH_GUESTS names no folder with floppy images")
    paths = [os.path.join(folder, name) for name in (*FREEDOS, OPENBSD)]
    found = [path for path in paths if os.path.exists(path)]
    for name in names:
        if os.path.join(folder, name) not in found:
            raise Skip(f"{name} is not in PLINTH_GUESTS")
    return found


FREEDOS = ("freedos-1440K.img", "freedos-1200K.img", "freedos-360K.img", "freedos-160K.img")
OPENBSD = "openbsd28-floppy.img"


def start(lab, name, image, memory=32, cards=""):
    lab.boot(files=media(image))
    lab.dom0.run("mkdir -p /run/lab")
    return lab.create_text(FLOPPY.format(image=image, memory=memory, cards=cards), name)


def say(guest, line):
    """Type at the prompt no faster than DOS's 15 keys take it."""
    for end in range(8, len(line) + 8, 8):
        guest.wait_screen(r"^A:\\>" + re.escape(line[:end]) + r"\s*$", 60, keys=line[end - 8:end])
    guest.type("\n")


@case(order=60, group="floppy", limit_s=420, combos=COMBOS)
def test_freedos(lab):
    """FreeDOS from 1.44M to its prompt; what it writes is in the image afterwards."""
    guest = start(lab, "freedos", FREEDOS[0])
    guest.wait_screen(r"^A:\\>", 240)
    say(guest, "echo cold-storage>x.txt")
    guest.wait_screen(r"x\.txt\s+A:\\>\s*$", 60)
    say(guest, "type x.txt")
    guest.wait_screen(r"^cold-storage", 60)
    guest.destroy()
    lab.dom0.run(f"grep -aq cold-storage /job/{FREEDOS[0]}")


@case(order=61, group="floppy", limit_s=1200, combos=COMBOS)
def test_openbsd(lab):
    """OpenBSD 2.8's install floppy to its question and a shell; three network cards reach their gateways."""
    guest = start(lab, "openbsd", OPENBSD, memory=64, cards=CARDS)
    guest.wait_screen(r"\(I\)nstall, \(U\)pgrade or \(S\)hell\?", 800)
    guest.wait_screen(r"^#", 120, keys="s\n")
    for card, net in (("ne3", "10.0.2"), ("rl0", "10.0.3"), ("ne0", "10.0.4")):
        guest.type(f"ifconfig {card} {net}.15 netmask 255.255.255.0\n")
        guest.wait_screen(rf"{net}\.2 ping statistics[\s\S]*2 packets transmitted, 2 packets received, 0% packet",
                          120, keys=f"ping -c 2 {net}.2\n")
    guest.destroy()


@case(order=62, group="floppy", limit_s=600, combos=COMBOS)
def test_freedos_geometries(lab):
    """1.2M, 360K and 160K."""
    for image in FREEDOS[1:]:
        guest = start(lab, "freedos", image)
        guest.wait_screen(r"^A:\\>", 180)
        guest.destroy()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Plinth on a machine of its own: a Debian 12 on a disk, docs/install.md and docs/first-guest.md followed in it line by line.

Each case goes on with the disk of the one before it.
"""

import os
import re
import subprocess

import installed
from harness import Skip, case, check, hypervisor

# The running machine, and the disk that it boots from.
STATE = {"shell": None}
BOOT_S = 240
GUEST = hypervisor.out("guests/debian.img")
GUEST_IMAGE = "/srv/debian.img"
# The ids of Plinth's entries.
ENTRIES = """sudo grep -o "menuentry_id_option 'plinth[^']*'" /boot/grub/grub.cfg | cut -d"'" -f2"""
# Example of a guest for dom0's own kernel, with the disk that is there.
GUEST_CFG = f"""sed -i 's,^kernel = .*,kernel = "/boot/vmlinuz-'$(uname -r)'",; s,^ramdisk = .*,ramdisk = "/boot/initrd.img-'$(uname -r)'",
/^cmdline/d; /^disk/d' pvh.cfg
echo 'disk = [ "file:{GUEST_IMAGE},xvda,w" ]
cmdline = "root=/dev/xvda1 rw console=hvc0"' >> pvh.cfg
sudo mkdir -p /etc/xen/auto && sudo cp pvh.cfg /etc/xen/pvh.cfg && sudo ln -s ../pvh.cfg /etc/xen/auto"""


def shell(lab):
    """The machine as the case before left it, booted when it is not running."""
    if not os.path.exists(os.path.join(installed.FOLDER, "disk.img")):
        raise Skip("there is no disk: installed_package did not pass")
    if not STATE["shell"]:
        lab.boot_log = lab.log_path("serial", "log")
        STATE["shell"] = installed.Shell(os.path.join(installed.FOLDER, "disk.img"), lab.boot_log)
        STATE["shell"].login(BOOT_S)
    return STATE["shell"]


def rebooted(lab):
    """The machine as GRUB starts it by itself."""
    if not STATE["shell"]:
        return shell(lab)
    STATE["shell"].reboot(BOOT_S)
    return STATE["shell"]


def stop():
    if STATE["shell"]:
        STATE["shell"].pc.stop()
        STATE["shell"] = None


def on_plinth(here):
    """Not Linux alone."""
    return here.command("grep -q control_d /proc/xen/capabilities")[0] == 0


def healthy(here):
    """systemd is done, and no unit failed."""
    here.command("timeout 200 systemctl is-system-running --wait", 220)
    failed = here.run("systemctl list-units --failed --plain --no-legend").strip()
    check(not failed, f"units failed: {failed}: {here.command('sudo journalctl -b -p err --no-pager | tail -20')[1]}")


@case(order=90, group="installed", limit_s=1800, combos=("product",))
def test_installed_package(lab):
    """The package is built where the administrator would, by the lines of the documentation, and is on a disk then."""
    if not os.path.exists(GUEST):
        raise Skip("the guest images are not built (make lab-guests)")
    lines = installed.commands("install.md", "As a Debian package")
    check(lines[-1].startswith("sudo apt-get install ./build/plinth_"), f"the last line is {lines[-1]}")
    root = installed.folder()
    for line in lines[:-1]:
        installed.follow(root, line)
    packages = [name for name in os.listdir(f"{root}{installed.HOME}/build") if re.fullmatch(r"plinth_.*_amd64\.deb", name)]
    check(len(packages) == 1, f"packages: {packages}")
    stop()
    installed.disk(root, [(GUEST, GUEST_IMAGE)])
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)


@case(order=90, group="installed", limit_s=900, combos=("product",))
def test_installed_by_apt(lab):
    """The package is installed on the running machine; a bridge, a guest for xendomains, Plinth as the default."""
    here = shell(lab)
    check(not on_plinth(here), "this is not Linux alone")
    healthy(here)
    line = installed.commands("install.md", "As a Debian package")[-1]
    here.run(installed.with_answers(line), 600)
    check("plinth" in here.run(ENTRIES).split(), "GRUB has no entry")
    stanza = "\n".join(installed.commands("first-guest.md", "A bridge"))
    here.run(f"printf '%s\\n' 'auto lo' 'iface lo inet loopback' '{stanza}' | sudo tee /etc/network/interfaces")
    default, = [line for line in installed.commands("install.md", "What GRUB starts") if line.endswith("grub-default on")]
    here.run("echo 'GRUB_CMDLINE_LINUX_PLINTH=\"console=hvc0\"' | sudo tee -a /etc/default/grub")
    here.run(default, 120)
    for line in installed.commands("first-guest.md", "Linux, started directly (PVH)")[:1]:
        here.run(line)
    here.run(GUEST_CFG + " && sync", 120)  # a try of the next case alone begins with what is on the disk


@case(order=90, group="installed", limit_s=900, combos=("product",))
def test_installed_boots(lab):
    """GRUB starts Plinth when nobody chooses: no failed unit, the bridge, the guest of /etc/xen/auto, `xl` by sudo."""
    here = rebooted(lab)
    check(on_plinth(here), "GRUB did not start Plinth")
    healthy(here)
    check("4.17.0-plinth" in here.run("sudo xl info | grep xen_version"), "xl info")
    check("10.0.2." in here.run("ip -4 -o address show dev xenbr0"), "the bridge has no address")
    here.wait_for("sudo xl list pvh", 120)
    here.wait_for("(sleep 1; echo; sleep 8) | sudo timeout 20 xl console pvh | grep -a 'login:'", 240)


@case(order=90, group="installed", limit_s=1500, combos=("product",))
def test_installed_kernel(lab):
    """Another kernel by apt has its entries, dom0 starts with it, and goes again."""
    here = shell(lab)
    old = here.run("uname -r").strip()
    here.run("sudo DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends linux-image-6.12-amd64", 1200)
    check("plinth" in here.run(ENTRIES).split(), "the entry is gone")
    here.reboot(BOOT_S + 60)
    new = here.run("uname -r").strip()
    check(on_plinth(here) and new != old and new.startswith("6.12"), f"dom0 runs {new}")
    healthy(here)
    here.run(f"sudo DEBIAN_FRONTEND=noninteractive apt-get -qy purge linux-image-6.12-amd64 linux-image-{old}", 600)
    names = here.run(ENTRIES).split()
    check(f"plinth-{new}" in names and f"plinth-{old}" not in names, f"entries: {names}")


@case(order=90, group="installed", limit_s=900, combos=("product",))
def test_installed_removed(lab):
    """Taken away, the machine is Linux alone."""
    here = shell(lab)
    here.run("sudo apt-get -qy purge plinth", 300)
    check(not here.command(ENTRIES)[1].split(), "entries stay")
    here.run("ls /boot; ! ls /boot | grep plinth")
    here.reboot(BOOT_S)
    check(not on_plinth(here), "Plinth is still there")
    healthy(here)
    stop()
    os.unlink(os.path.join(installed.FOLDER, "disk.img"))

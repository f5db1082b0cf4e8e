# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian 12 as its installer leaves it, on a disk with GRUB, in which an administrator follows docs/install.md.

folder() makes the system by debootstrap from where this machine's apt gets its packages, with Plinth's sources in the
administrator's home; disk() makes a disk of it; Shell types at the running machine's serial line. commands() takes the
lines to type from the documentation, so that this is what is tested. Needs root and the network.
"""

import base64
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import time

from harness import Failure, Skip, check, hypervisor, machine

TOP = hypervisor.REPOSITORY
FOLDER = hypervisor.out("installed")
GRUB = "/usr/lib/grub/i386-pc"
ADMIN = "admin"
HOME = f"/home/{ADMIN}/plinth"
LABEL = "system"
SIZE_MIB, PART_MIB = 8192, 1
PACKAGES = ("systemd-sysv,udev,kmod,initramfs-tools,linux-base,zstd,e2fsprogs,login,iproute2,procps,sudo,ifupdown,"
            "isc-dhcp-client,bridge-utils,apparmor,dbus,ca-certificates,grub2-common,grub-pc-bin")
# Modules that are for other machines, and what nobody reads here: dpkg leaves them out, and the emulator has less to unpack.
UNUSED = [f"/lib/modules/*/kernel/{name}/*" for name in (
    "drivers/gpu", "drivers/media", "sound", "drivers/net/wireless", "drivers/infiniband", "drivers/staging", "drivers/isdn",
    "drivers/bluetooth", "drivers/iio", "drivers/hwmon", "drivers/mtd", "net/wireless", "net/mac80211", "fs/xfs", "fs/btrfs",
    "fs/ocfs2", "fs/nfs", "fs/nfsd", "fs/ceph", "fs/cifs")] + ["/usr/share/locale/*"]
# What docs/libvirt.md is tried with; there before Plinth, as on a machine that has served otherwise.
CLIENTS = ["libvirt-daemon-system", "libvirt-daemon-driver-xen", "libvirt-clients", "virtinst"]
MODULES = "ahci sd_mod ext4 crc32c_generic e1000 xen_blkfront xen_netfront"
FILES = {
    "etc/hostname": "plinth-host\n",
    "etc/hosts": "127.0.0.1 localhost plinth-host\n",
    "etc/fstab": f"LABEL={LABEL} / ext4 errors=remount-ro 0 1\n",
    "etc/kernel-img.conf": "do_symlinks = no\n",
    "etc/network/interfaces": "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n",
    "etc/initramfs-tools/modules": MODULES.replace(" ", "\n") + "\n",
    "etc/sudoers.d/admin": f"{ADMIN} ALL=(ALL) NOPASSWD: ALL\n",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
                        'GRUB_CMDLINE_LINUX="net.ifnames=0"\n',
    "etc/default/grub.d/serial.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0,115200"\n',
    "etc/systemd/system/serial-getty@.service.d/login.conf":
        f"[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin {ADMIN} --noclear --keep-baud %I 115200 dumb\n",
}
FIRST_MENU = """set timeout=1
insmod part_msdos
insmod ext2
menuentry "Debian" {{
	linux /boot/vmlinuz-{0} root=LABEL=%s ro net.ifnames=0 console=ttyS0,115200
	initrd /boot/initrd.img-{0}
}}
""" % LABEL


def commands(page, heading):
    """The lines to type that a section of the documentation has, without remarks."""
    with open(os.path.join(TOP, "docs", page), encoding="utf-8") as file:
        text = re.split(r"^#+ ", file.read(), flags=re.M)
    found = [part for part in text if part.startswith(heading + "\n")]
    check(len(found) == 1, f"{page} has no section {heading!r}")
    return [re.sub(r"\s{2,}#.*", "", line.strip()) for line in re.findall(r"^ {4}.*\S.*$", found[0], re.M)]


def load(name):
    """A program of tests/install as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(TOP, "tests/install", name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def in_root(root, *words, user=None, timeout=1200):
    """Run a program in the system's folder."""
    as_user = ["--userspec", user] if user else []
    done = subprocess.run(["chroot", *as_user, root, *words], text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C",
                               "HOME": "/root", "MAKEFLAGS": "-j2"})
    check(done.returncode == 0, f"{' '.join(words)}: {done.returncode}: {done.stdout[-1500:]}")
    return done.stdout


def bootstrap(base):
    """The system before anybody has worked with it, kept for the next run."""
    if os.path.exists(f"{base}/.complete"):
        return
    deb = load("check-deb")
    if os.getuid() != 0:
        raise Skip("needs root")
    for program in ("debootstrap", "apt-get", "mke2fs", "grub-mkimage"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed (tools/deps run)")
    found = deb.sources()
    if not found:
        raise Skip("apt of this machine has no packages of Debian 12 (bookworm)")
    shutil.rmtree(base, ignore_errors=True)
    mirror = next(uri for uri, release, _ in found if release == "bookworm")
    done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", base, mirror],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"debootstrap: {done.stdout.strip().splitlines()[-1]}")
    write(f"{base}/etc/apt/sources.list", "".join(f"deb {' '.join(line)}\n" for line in found))
    write(f"{base}/etc/dpkg/dpkg.cfg.d/emulated", "".join(f"path-exclude={name}\n" for name in UNUSED))
    for name, text in FILES.items():
        write(f"{base}/{name}", text)
    os.chmod(f"{base}/etc/sudoers.d/admin", 0o440)
    in_root(base, "sed", "-i", "s/^MODULES=.*/MODULES=list/", "/etc/initramfs-tools/initramfs.conf")
    in_root(base, "useradd", "-m", "-s", "/bin/bash", "-G", "sudo", ADMIN)
    in_root(base, "apt-get", "-q", "update")
    keep_packages(base)
    in_root(base, "apt-get", "-qy", "--no-install-recommends", "install", "linux-image-amd64", *CLIENTS)
    # Its unit conflicts with xendomains.service (docs/libvirt.md).
    in_root(base, "systemctl", "disable", "libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket",
            "libvirt-guests.service")
    # Of what xen-utils-4.17 brings, this is by far the most, and the emulator would unpack it for ten minutes.
    in_root(base, "apt-get", "-qy", "install", "qemu-system-xen")
    write(f"{base}/.complete", "")


def keep_packages(base):
    """What has been fetched for other tests need not be fetched again; apt looks whether it is the same."""
    for path in os.scandir(hypervisor.out("debs")) if os.path.isdir(hypervisor.out("debs")) else ():
        if path.name.endswith(".deb"):
            shutil.copy(path.path, f"{base}/var/cache/apt/archives")


def folder():
    """A system with Plinth's sources in the administrator's home, in OUT/installed/root; its path."""
    base, root = os.path.join(FOLDER, "base"), os.path.join(FOLDER, "root")
    os.makedirs(FOLDER, exist_ok=True)
    bootstrap(base)
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
    subprocess.run(["cp", "-a", "--reflink=auto", base, root], check=True)
    os.makedirs(root + HOME)
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True,
                           stdout=subprocess.PIPE).stdout
    names = b"\0".join(name for name in names.split(b"\0") if name and os.path.exists(os.path.join(os.fsencode(TOP), name)))
    packed = subprocess.run(["tar", "-c", "--null", "-T", "-"], cwd=TOP, input=names, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", root + HOME], input=packed, check=True)
    in_root(root, "chown", "-R", f"{ADMIN}:{ADMIN}", HOME)
    return root


def follow(root, line):
    """A line of the documentation in the folder, as the administrator would type it in the sources."""
    return in_root(root, "sudo", "-u", ADMIN, "--preserve-env=MAKEFLAGS,LC_ALL,DEBIAN_FRONTEND", "sh", "-c",
                   f"cd {HOME} && export HOME=/home/{ADMIN} && {with_answers(line)}")


def with_answers(line):
    """apt asks nothing."""
    return line.replace("apt-get install", "apt-get -qy install").replace("apt-get remove", "apt-get -qy remove") \
        .replace("apt-get purge", "apt-get -qy purge").replace("sudo apt-get", "sudo DEBIAN_FRONTEND=noninteractive apt-get")


def disk(root, files=()):
    """A disk with the folder's system, started by GRUB, as OUT/installed/disk.img; more files as (from, to)."""
    for source, target in files:
        os.makedirs(os.path.dirname(root + target), exist_ok=True)
        subprocess.run(["cp", "--sparse=always", source, root + target], check=True)
    version = sorted(name for name in os.listdir(f"{root}/boot") if name.startswith("vmlinuz-"))[0][8:]
    write(f"{root}/boot/grub/grub.cfg", FIRST_MENU.format(version))
    shutil.copytree(f"{root}{GRUB}", f"{root}/boot/grub/i386-pc", dirs_exist_ok=True)
    image, core = os.path.join(FOLDER, "disk.img"), os.path.join(FOLDER, "core.img")
    if os.path.exists(image):
        os.unlink(image)
    with open(image, "wb") as file:
        file.truncate(SIZE_MIB << 20)
    subprocess.run(["/sbin/sfdisk", "-q", "--no-reread", "--no-tell-kernel", image], check=True, text=True,
                   input=f"start={PART_MIB << 11}, type=83, bootable\n")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", LABEL, "-d", root, "-E", f"offset={PART_MIB << 20},root_owner=0:0",
                    image, f"{(SIZE_MIB - PART_MIB) << 10}k"], check=True)
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "(hd0,msdos1)/boot/grub", "biosdisk", "part_msdos",
                    "ext2", "normal"], check=True)
    with open(image, "r+b") as file, open(f"{GRUB}/boot.img", "rb") as boot, open(core, "rb") as rest:
        file.write(boot.read(440))
        file.seek(512)
        file.write(rest.read())
    return image


class Shell:
    """The administrator at the serial line of a machine that boots from the disk."""

    def __init__(self, image, log):
        self.image, self.number = image, 0
        self.pc = machine.Machine(
            ["-drive", f"if=none,id=disk,file={image},format=raw,cache=unsafe", "-device", "ide-hd,drive=disk,bus=ide.0",
             "-netdev", "user,id=net0", "-device", "e1000,netdev=net0,romfile=", "-device", "VGA"], log=log)
        self.pc.command.remove("-no-reboot")
        self.pc.start()

    def login(self, limit_s, start=0):
        """Wait for the shell and make it say nothing but what commands say."""
        self.pc.wait(rf"{ADMIN}@plinth-host", limit_s, start, fail="Kernel panic|Panic on CPU|^error: ")
        self.pc.type("stty -echo; PS1=; cd ~/plinth\n")
        time.sleep(2)
        self.run("true")

    def command(self, text, limit_s=60):
        """Exit status and output of shell text."""
        self.number += 1
        start, tag = self.pc.mark(), f"@@{self.number}"
        packed = base64.b64encode(text.encode()).decode()
        check(len(packed) < 3500, "a terminal's line is not that long")
        self.pc.note(text)
        self.pc.type(f"echo {packed} | base64 -d > /tmp/line; bash /tmp/line < /dev/null 2>&1; echo '{tag[:2]}''{tag[2:]}' $?\n")
        found = self.pc.wait(rf"{tag} (\d+)$", limit_s, start, fail="Kernel panic|Panic on CPU")
        return int(found[1]), self.pc.text[start:found.start()]

    def run(self, text, limit_s=60):
        """Output of shell text that has to succeed."""
        status, output = self.command(text, limit_s)
        if status:
            raise Failure(f"{text}: {status}: {output[-1500:]}")
        return output

    def wait_for(self, text, limit_s):
        end = time.monotonic() + limit_s
        while True:
            status, output = self.command(text)
            if status == 0:
                return output
            if time.monotonic() > end:
                raise Failure(f"{text}: not in {limit_s} s: {output[-1500:]}")
            time.sleep(2)

    def reboot(self, limit_s):
        """As the administrator does it; what GRUB starts by itself is up then."""
        start = self.pc.mark()
        self.pc.type("sudo reboot\n")
        self.login(limit_s, start)

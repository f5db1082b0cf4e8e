# SPDX-License-Identifier: GPL-2.0-or-later
"""A hypervisor with the laboratory's dom0: files, command lines and devices of one boot.

The same dom0 image and the same commands serve Plinth and Debian's Xen 4.17 (`vmm="xen"`), which
is what the cross-checks and benchmarks stand on.
"""

import os
import shutil
import subprocess
import tempfile

from . import machine

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.abspath(os.environ.get("O") or os.path.join(REPOSITORY, "build"))
VNC_FORWARDS = 4

COMMON_ARGUMENTS = "console=com1 com1=115200,8n1 guest_loglvl=all"
DEFAULT_ARGUMENTS = {
    "plinth": COMMON_ARGUMENTS,
    "xen": COMMON_ARGUMENTS + " loglvl=warning noreboot=1",
}


class MissingPiece(Exception):
    """A file that a boot needs has not been built, or cannot be."""


def out(*path):
    return os.path.join(OUT, *path)


def build(*targets):
    """Bring laboratory pieces up to date (seconds when they are)."""
    subprocess.run(["make", "-s", "-C", REPOSITORY, "-f", "tools/build.mk", f"O={OUT}", *targets],
                   check=True)


def image_of(vmm):
    """Path of the hypervisor's ELF image."""
    path = out("dom0/xen") if vmm == "xen" else out("plinth")
    if not os.path.exists(path):
        raise MissingPiece(f"{path} is not there")
    return path


def kernels():
    """Short versions of the kernels that can be dom0, oldest first."""
    with open(out("debs/kernels"), encoding="ascii") as file:
        return [line.split()[0] for line in file if line.strip()]


def kind_of(path):
    """Which options a hypervisor image understands."""
    return "xen" if os.path.basename(path).startswith("xen") else "plinth"


def make_initrd(target, kernel, job=None, files=(), archives=()):
    """Join the archives of dom0's initramfs, and more of tools/mk-extras, with one for this run at `target`."""
    overlay = tempfile.mkdtemp(prefix="plinth-overlay-")
    try:
        os.mkdir(os.path.join(overlay, "job"))
        for path in files:
            shutil.copy(path, os.path.join(overlay, "job"))
        if job:
            shutil.copy(job, os.path.join(overlay, "job/job.sh"))
        listing = subprocess.run(["find", ".", "-print0"], cwd=overlay, check=True,
                                 stdout=subprocess.PIPE).stdout
        extra = subprocess.run(["cpio", "--null", "-o", "-H", "newc", "--quiet"], cwd=overlay,
                               input=listing, stdout=subprocess.PIPE, check=True).stdout
    finally:
        shutil.rmtree(overlay)
    parts = [out("dom0/base.cpio"), out(f"dom0/modules-{kernel}.cpio"), out("dom0/parts.cpio")]
    parts += [out(f"dom0/extra-{name}.cpio") for name in archives]
    with open(target, "wb") as file:
        for part in parts:
            if os.path.exists(part):
                with open(part, "rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
        file.write(extra)


class Boot:
    """Settings of one boot; start() returns the running Machine."""

    def __init__(self, vmm="plinth", *, image=None, kernel="6.1", kernel_path=None, smp=1,
                 mem_mib=3072, dom0_mib=1024, append="", dom0_append="", job=None, files=(),
                 guests=False, nic="e1000", disks=(), disk_bus="ahci", log=None, echo=None,
                 icount=None, cpu=None, gdb=None, threads="single", ports=None,
                 dom0_pvh=False, extra=(), archives=()):
        self.vmm = kind_of(image) if image else vmm
        self.image = image or image_of(vmm)
        self.kernel = kernel
        self.kernel_path = kernel_path or out(f"dom0/vmlinux-{kernel}")
        self.hypervisor_arguments = " ".join(
            (DEFAULT_ARGUMENTS[self.vmm], f"dom0_mem={dom0_mib}M", append)).strip()
        if dom0_pvh and self.vmm == "xen":
            self.hypervisor_arguments += " dom0=pvh iommu=on"
        self.dom0_arguments = f"console=hvc0 lab.guests={int(guests)} {dom0_append}".strip()
        self.job, self.files, self.archives = job, files, archives
        self.guests, self.nic = guests, nic
        self.disks, self.disk_bus = list(disks), disk_bus
        self.extra = list(extra)
        if dom0_pvh and self.vmm == "xen":
            self.extra += ["-device", "amd-iommu"]
        self.agent_port = machine.free_port()
        self.shell_port = machine.free_port()
        self.vnc_ports = ports or [machine.free_port() for _ in range(VNC_FORWARDS)]
        cpu = cpu or (machine.XEN_CPU if self.vmm == "xen" else machine.DEFAULT_CPU)
        self.options = {"log": log, "echo": echo, "icount": icount, "cpu": cpu, "smp": smp,
                        "mem_mib": mem_mib, "gdb": gdb, "threads": threads}

    def _devices(self):
        arguments = []
        if self.nic != "none":
            forwards = [f"hostfwd=tcp:127.0.0.1:{self.agent_port}-10.0.2.15:7000"]
            forwards += [f"hostfwd=tcp:127.0.0.1:{self.shell_port}-10.0.2.15:7001"]
            forwards += [f"hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{15900 + n}"
                         for n, port in enumerate(self.vnc_ports)]
            arguments += ["-netdev", "user,id=net0," + ",".join(forwards),
                          "-device", f"{self.nic},netdev=net0,romfile="]
        disks = list(self.disks)
        if self.guests:
            if not os.path.exists(out("guests/guests.img")):
                raise MissingPiece("the guest images are not built (make lab-guests)")
            disks.insert(0, {"path": out("guests/guests.img"), "snapshot": True})
        for number, disk in enumerate(disks):
            snapshot = "on" if disk.get("snapshot") else "off"
            arguments += ["-drive", f"if=none,id=disk{number},file={disk['path']},format=raw,"
                          f"snapshot={snapshot},cache=unsafe"]
            arguments += self._disk_device(number, disk.get("bus", self.disk_bus))
        return arguments

    @staticmethod
    def _disk_device(number, bus):
        if bus == "ahci":
            return ["-device", f"ide-hd,drive=disk{number},bus=ide.{number}"]
        if bus == "nvme":
            return ["-device", f"nvme,drive=disk{number},serial=lab{number}"]
        return ["-device", f"virtio-blk-pci,drive=disk{number}"]

    def start(self):
        for path in (self.image, self.kernel_path, *[out(f"dom0/extra-{name}.cpio") for name in self.archives]):
            if not os.path.exists(path):
                raise MissingPiece(f"{path} is not there")
        pc = machine.Machine([], **self.options)
        initrd = os.path.join(pc.directory, "initrd")
        make_initrd(initrd, self.kernel, self.job, self.files, self.archives)
        pc.command += ["-kernel", self.image, "-append", self.hypervisor_arguments,
                       "-initrd", f"{self.kernel_path} {self.dom0_arguments},{initrd}"]
        pc.command += self._devices() + self.extra
        pc.agent_port, pc.shell_port = self.agent_port, self.shell_port
        pc.vnc_ports, pc.vmm = self.vnc_ports, self.vmm
        pc.start()
        return pc

# SPDX-License-Identifier: GPL-2.0-or-later
"""The same boots in Bochs, which emulates Intel VT-x (and AMD-V with strict checks).

Debian's package `bochs` works; BOCHS= names another program, such as a faster build of version 3.0
without debugger. The hypervisor comes from a CD by GRUB, as on an installed system.
"""

import functools
import os
import shutil
import socket
import subprocess

from . import hypervisor, machine

DEFAULT_MODEL = "corei7_haswell_4770"
# Bochs fails beyond this much guest memory.
MEM_MAX_MIB = 2048
DEFAULT_DOM0_MIB = 768
# An emulated instruction takes 10 ns, whatever the host needs for it.
INSTRUCTIONS_PER_SECOND = 100000000
VNC_FORWARDS = 2
# It forgets physical interrupts while a guest that was entered with IF clear keeps it clear.
RUN_LIMIT = "vmx-run-limit-us=500"
# The network card's slot has an ISA line that the BIOS made level-triggered (11), and Linux is to keep it.
CARD_SLOT = ", slot2=e1000"
KEEP_LINES = "acpi_irq_nobalance"
# Nothing but panics is logged: each EPT violation is an "error", and version 3.0 prints its speed
# from a signal handler, which can wait for the log's lock for ever.
CONFIGURATION = """\
{display}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model={model}, count={smp}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={mem_mib}, host={mem_mib}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata1-master: type=cdrom, path={directory}/boot.iso, status=inserted
{disks}
boot: cdrom
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{serial_port}
pci: enabled=1, chipset=i440fx{slots}
clock: sync=none, time0=1000000000
panic: action=fatal
error: action=ignore
info: action=ignore

log: {directory}/bochs.log
{network}
"""
PLUGINS = "plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1"


def program():
    """Path of Bochs, or an explanation of what is missing."""
    path = shutil.which(os.environ.get("BOCHS") or "bochs")
    if not path:
        raise hypervisor.MissingPiece("bochs is not installed (packages bochs, bochs-sdl, "
                                      "bochsbios, vgabios), or BOCHS= names no program")
    return path


@functools.cache
def has_debugger(path):
    """Debian's build starts in its debugger and has a window; the faster one has neither."""
    done = subprocess.run([path, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return "debugger commands" in done.stdout


def slowness():
    """How much longer than in QEMU things may take: measured, with a reserve, without and with the debugger."""
    return 20 if has_debugger(program()) else 5


class BochsMachine(machine.Machine):
    """A Bochs process with its serial port; the monitor and what needs it are QEMU's alone."""

    def __init__(self, **options):
        super().__init__([], **options)
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.environment = dict(os.environ, SDL_VIDEODRIVER="dummy")

    def configure(self, model, smp, mem_mib, disks, forwards):
        """Write Bochs's configuration and make its command line."""
        path = program()
        debugger = has_debugger(path)
        config = os.path.join(self.directory, "bochsrc")
        text = CONFIGURATION.format(
            display="display_library: sdl2" if debugger else "display_library: nogui",
            model=model, smp=smp, mem_mib=mem_mib, directory=self.directory,
            slots=CARD_SLOT if forwards else "", ips=INSTRUCTIONS_PER_SECOND, serial_port=self.listener.getsockname()[1],
            disks="\n".join(disks), network=self._network(forwards))
        with open(config, "w", encoding="ascii") as file:
            file.write(text + (PLUGINS + ("\n" if not forwards else ", e1000=1\n")))
        self.command = [path, "-q", "-f", config]
        if debugger:
            script = os.path.join(self.directory, "go")
            with open(script, "w", encoding="ascii") as file:
                file.write("c\n")
            self.command += ["-rc", script]

    def _network(self, forwards):
        if not forwards:
            return ""
        path = os.path.join(self.directory, "slirp.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("# slirp config\nnet = 10.0.2.0/24\nhost = 10.0.2.2\ndhcpstart = 10.0.2.15\n"
                       "dns = 10.0.2.3\n")
            for port, inside in forwards:
                file.write(f"hostfwd = tcp:127.0.0.1:{port}-10.0.2.15:{inside}\n")
        return f"e1000: enabled=1, mac=52:54:00:12:34:56, ethmod=slirp, script={path}"

    def launch(self):
        """With the log of Bochs itself in `errors()`'s file."""
        with open(os.path.join(self.directory, "stderr"), "wb") as out:
            return machine.spawn(self.command, stdout=out, stderr=out, env=self.environment, cwd=self.directory)

    def connect_serial(self):
        self.listener.settimeout(20)
        try:
            channel, _ = self.listener.accept()
        except OSError as error:
            raise machine.MachineError(f"Bochs did not start: {self.errors()}") from error
        finally:
            self.listener.close()
        channel.settimeout(None)
        return channel

    def errors(self):
        """The end of what Bochs printed and logged."""
        text = super().errors()[-300:]
        path = os.path.join(self.directory, "bochs.log")
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text += "".join(file.readlines()[-8:])
        return text


class BochsBoot(hypervisor.Boot):
    """Settings of one boot in Bochs; start() returns the running machine."""

    def __init__(self, vmm="plinth", *, model=DEFAULT_MODEL, protocol="multiboot2", **options):
        options.setdefault("dom0_mib", DEFAULT_DOM0_MIB)
        if options.setdefault("mem_mib", MEM_MAX_MIB) > MEM_MAX_MIB:
            raise hypervisor.MissingPiece(f"a machine with {options['mem_mib']} MiB; Bochs has {MEM_MAX_MIB} at most")
        if vmm == "plinth":
            options["append"] = f"{RUN_LIMIT} {options.get('append', '')}".strip()
        if options.get("nic") != "none":
            options["dom0_append"] = f"{KEEP_LINES} {options.get('dom0_append', '')}".strip()
        super().__init__(vmm, **options)
        self.model, self.protocol = model, protocol

    def _bochs_disks(self):
        disks = list(self.disks)
        if self.guests:
            if not os.path.exists(hypervisor.out("guests/guests.img")):
                raise hypervisor.MissingPiece("the guest images are not built (make lab-guests)")
            disks.insert(0, {"path": hypervisor.out("guests/guests.img"), "snapshot": True})
        lines = []
        for place, disk in zip(("ata0-master", "ata0-slave"), disks):
            mode = "volatile" if disk.get("snapshot") else "flat"
            lines.append(f"{place}: type=disk, path={disk['path']}, mode={mode}")
        return lines

    def _make_iso(self, pc):
        initrd = os.path.join(pc.directory, "initrd")
        hypervisor.make_initrd(initrd, self.kernel, self.job, self.files)
        maker = os.path.join(hypervisor.REPOSITORY, "tools/mk-boot-iso")
        subprocess.run([maker, os.path.join(pc.directory, "boot.iso"), self.image,
                        self.hypervisor_arguments, self.kernel_path, self.dom0_arguments, initrd,
                        self.protocol], check=True)
        os.unlink(initrd)

    def start(self):
        for path in (self.image, self.kernel_path):
            if not os.path.exists(path):
                raise hypervisor.MissingPiece(f"{path} is not there")
        pc = BochsMachine(log=self.options["log"], echo=self.options["echo"])
        self._make_iso(pc)
        forwards = []
        if self.nic != "none":
            forwards = [(self.agent_port, 7000), (self.shell_port, 7001)]
            forwards += [(port, 15900 + n)
                         for n, port in enumerate(self.vnc_ports[:VNC_FORWARDS])]
        pc.configure(self.model, self.options["smp"], self.options["mem_mib"], self._bochs_disks(),
                     forwards)
        pc.agent_port, pc.shell_port = self.agent_port, self.shell_port
        pc.vnc_ports, pc.vmm = self.vnc_ports, self.vmm
        return pc.start()


class PayloadBoot(BochsBoot):
    """Our test payload in dom0's place: seconds instead of minutes."""

    def __init__(self, payload, arguments, **options):
        super().__init__(kernel_path=hypervisor.out("payload", payload), mem_mib=512, dom0_mib=256,
                         nic="none", **options)
        self.dom0_arguments = arguments

    def _make_iso(self, pc):
        tree = os.path.join(pc.directory, "tree")
        os.makedirs(os.path.join(tree, "boot/grub"))
        for name, path in (("hypervisor", self.image), ("payload", self.kernel_path)):
            shutil.copy(path, os.path.join(tree, "boot", name))
        with open(os.path.join(tree, "boot/grub/grub.cfg"), "w", encoding="ascii") as file:
            file.write(f"multiboot2 /boot/hypervisor {self.hypervisor_arguments}\n"
                       f"module2 /boot/payload {self.dom0_arguments}\nboot\n")
        subprocess.run(["grub-mkrescue", "-o", os.path.join(pc.directory, "boot.iso"), tree],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

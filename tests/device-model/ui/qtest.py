# SPDX-License-Identifier: GPL-2.0-or-later
"""Start our device model or Debian's QEMU under the qtest protocol and poke ports and memory."""
import os
import re
import subprocess
import time

import pc
from qmp import Qmp


class Machine(pc.Pc):
    """A PC as the tests of what is seen and typed poke it. Its log begins with it; it ends when it is told to."""

    def __init__(self, kind, argv, work):
        with open(os.path.join(work, kind + ".log"), "wb"):
            pass
        super().__init__(kind, argv, work)

    def outb(self, port, value):
        self.out(port, value, 1)

    def outw(self, port, value):
        self.out(port, value, 2)

    def outl(self, port, value):
        self.out(port, value, 4)

    def inb(self, port):
        return self.inp(port, 1)

    def inw(self, port):
        return self.inp(port, 2)

    def inl(self, port):
        return self.inp(port, 4)

    def writeb(self, addr, value):
        self.command("writeb 0x%x 0x%x" % (addr, value))

    def readb(self, addr):
        return int(self.command("readb 0x%x" % addr)[0], 16)

    def step(self, ns):
        self.command("clock_step %d" % ns)

    def config(self, dev, offset, value=None, size=4):
        if value is None:
            return self.config_read(dev, 0, offset)
        self.config_write(dev, 0, offset, value, size)
        return None

    def find_pci(self, identity):
        for dev in range(32):
            if self.config(dev, 0) == identity:
                return dev
        raise LookupError("no PCI device %08x" % identity)

    def alive(self):
        return self.proc.poll() is None

    def close(self):
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.sock.close()
        self.file.close()


def plinth(program, work, *extra, vnc=None):
    argv = [program, "-m", "64", "-device", "VGA,vgamem_mb=16", *extra]
    if vnc:
        argv += ["-vnc", vnc]
    m = Machine("plinth", argv, work)
    if vnc:
        m.vnc_port = wait_port(m)
    return m


def wait_port(m, what="listening"):
    """The port that the device model says it listens on."""
    for _ in range(100):
        found = re.search(r"vnc: %s on \S+:(\d+)" % what, m.log())
        if found:
            return int(found.group(1))
        time.sleep(0.05)
    raise LookupError("no VNC port: " + m.log())


def qemu(work, *extra):
    path = os.path.join(work, "qemu.qmp")
    if os.path.exists(path):
        os.unlink(path)
    m = Machine("qemu", ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-S", "-nodefaults",
                         "-m", "64", "-vga", "std", "-display", "none", "-qtest-log", "/dev/null", "-qmp",
                         "unix:%s,server=on,wait=off" % path, *extra], work)
    m.qmp = Qmp(path)
    return m


def screendump(m, work):
    """(width, height, RGB bytes) of QEMU's screen."""
    path = os.path.join(work, "screen.ppm")
    m.qmp.run("screendump", filename=path)
    with open(path, "rb") as f:
        data = f.read()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head.group(1)), int(head.group(2)), data[head.end():]
